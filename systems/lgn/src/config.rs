//! What a user chooses.

use rekindle_data::{Encoding, Missing, Shares, one_or_more};
use rekindle_formats::table::{CsvFormat, Decimal, Separator};
use rekindle_train::SettingError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The largest number of gates of a network, each gate of a convolution counted once for each place.
pub const MOST_GATES: usize = 1 << 24;
/// The largest number of layers and of convolutions.
const MOST_LAYERS: usize = 64;

/// The network: convolutions where there are any, then layers, then a sum of outputs for each class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// How numbers become bits.
    pub encoding: Encoding,
    /// Convolutions of trees of gates, for pictures: each reads the maps of the one before it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub convolutions: Vec<Convolution>,
    /// Gates of each layer. Those of the last are dealt to the classes in turn.
    pub layers: Vec<usize>,
    /// What gates are in the beginning.
    #[serde(default)]
    pub start: Start,
    /// A class has the logit of its gates' sum divided by this.
    pub temperature: f64,
}

/// Kernels that are moved over maps: each is a tree of gates, whose leaves read places of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Convolution {
    /// Kernels, each of which makes a map.
    pub kernels: usize,
    /// Side of the window that a kernel reads.
    pub window: usize,
    /// Levels of gates of a tree, 1 to 3: it has 2, 4 or 8 leaves.
    pub depth: usize,
    /// Places around the maps that are read as 0.
    #[serde(default)]
    pub padding: usize,
    /// Of each square of this side one output is left: the `or` of its places. 1 leaves all.
    #[serde(default = "no_pooling")]
    pub pool: usize,
}

fn no_pooling() -> usize {
    1
}

/// What gates are in the beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Start {
    /// They pass their first input on, nine parts of ten: deep networks learn from the start.
    #[default]
    Residual,
    /// Normal logits, as in the first publication.
    Normal,
}

/// How the network is trained, and on what.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Training {
    /// The examples.
    pub data: Data,
    /// How often all examples are learnt.
    pub epochs: u64,
    /// Examples of a step.
    pub batch: usize,
    /// Step size of AdamW at the beginning.
    pub learning_rate: f64,
    /// How the step size changes.
    #[serde(default)]
    pub schedule: Schedule,
    /// Decay of AdamW's first and second moment.
    #[serde(default = "betas")]
    pub betas: [f64; 2],
    /// AdamW's epsilon.
    #[serde(default = "epsilon")]
    pub epsilon: f64,
    /// Share of a logit that is taken off per unit of step size.
    #[serde(default)]
    pub weight_decay: f64,
    /// Pictures are shifted by up to so many pixels in each direction, at random; what comes in is 0.
    #[serde(default)]
    pub shift: usize,
}

fn betas() -> [f64; 2] {
    [0.9, 0.999]
}

fn epsilon() -> f64 {
    1e-8
}

/// How the step size changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Schedule {
    /// It does not.
    #[default]
    Constant,
    /// It falls in a straight line, to 0 at the end.
    Linear,
}

/// The examples to learn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Data {
    /// Which examples are generated where no file is named.
    pub source: Source,
    /// `glyphs`: how many are generated.
    pub rows: u32,
    /// `glyphs`: each pixel is changed by up to this share of full ink.
    pub noise: f64,
    /// A CSV or NPY file of examples, a row for each; or a folder that has a folder of PNG files for each
    /// class.
    pub file: Option<String>,
    /// An IDX file of pictures.
    pub images: Option<String>,
    /// The IDX file of their labels.
    pub labels: Option<String>,
    /// An IDX file of pictures that are reported on, in place of a share of the others.
    pub test_images: Option<String>,
    /// The IDX file of their labels.
    pub test_labels: Option<String>,
    /// The column of a table that holds the classes.
    #[serde(deserialize_with = "one_or_more", skip_serializing_if = "Vec::is_empty")]
    pub target: Vec<String>,
    /// Columns of a table that are left out: one, or a list.
    #[serde(deserialize_with = "one_or_more", skip_serializing_if = "Vec::is_empty")]
    pub ignore: Vec<String>,
    /// The rows of the table are pictures: pixels of a line, and lines. The columns are pixels, line by line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub picture: Option<[usize; 2]>,
    /// What becomes of rows in which a value is missing: an empty field, `NA`, `N/A`, `NaN`, `null` or `?`.
    #[serde(skip_serializing_if = "Missing::is_default")]
    pub missing: Missing,
    /// What separates the columns of a CSV file; found out when not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub separator: Option<Separator>,
    /// What numbers of a CSV file have before their fraction; found out when not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decimal: Option<Decimal>,
    /// Share of the examples of each class that anything is chosen by, such as the best checkpoint.
    pub select: f64,
    /// Share of the examples of each class that is reported on, and that nothing is chosen by. There is none
    /// where files of their own are named for that.
    pub test: f64,
}

impl Default for Data {
    fn default() -> Self {
        Self {
            source: Source::Glyphs,
            rows: 4000,
            noise: 0.15,
            file: None,
            images: None,
            labels: None,
            test_images: None,
            test_labels: None,
            target: Vec::new(),
            ignore: Vec::new(),
            picture: None,
            missing: Missing::Refuse,
            separator: None,
            decimal: None,
            select: 0.1,
            test: 0.1,
        }
    }
}

/// Examples that are generated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// Images of the ten digits, 8 by 8 pixels, each drawn by an unsteady hand.
    Glyphs,
    /// None: there must be a file.
    File,
}

impl Convolution {
    /// Leaves of a tree.
    pub(crate) fn leaves(&self) -> usize {
        1 << self.depth
    }

    /// Gates of a tree.
    pub(crate) fn gates(&self) -> usize {
        self.leaves() - 1
    }

    fn validate(&self, index: usize) -> Result<(), SettingError> {
        let Self { kernels, window, depth, padding, pool } = *self;
        let require = |holds: bool, field: &str, value: usize, reason: &'static str| {
            SettingError::require(holds, format!("model.convolutions.{index}.{field}"), value, reason)
        };
        require((1..=1 << 16).contains(&kernels), "kernels", kernels, "it must be 1 to 65536")?;
        require((1..=64).contains(&window), "window", window, "it must be 1 to 64")?;
        require((1..=3).contains(&depth), "depth", depth, "it must be 1 to 3")?;
        require(padding < window, "padding", padding, "it must be less than the window")?;
        require((1..=8).contains(&pool), "pool", pool, "it must be 1 to 8")
    }
}

impl Model {
    pub(crate) fn validate(&self) -> Result<(), SettingError> {
        let bits = self.encoding.bits;
        SettingError::require((1..=255).contains(&bits), "model.encoding.bits", bits, "it must be 1 to 255")?;
        let (layers, convolutions) = (self.layers.len(), self.convolutions.len());
        SettingError::require(
            (1..=MOST_LAYERS).contains(&layers),
            "model.layers",
            format!("a list of {layers}"),
            "there must be 1 to 64 layers",
        )?;
        SettingError::require(
            convolutions <= MOST_LAYERS,
            "model.convolutions",
            format!("a list of {convolutions}"),
            "there must be at most 64",
        )?;
        for (index, convolution) in self.convolutions.iter().enumerate() {
            convolution.validate(index)?;
        }
        for (index, &gates) in self.layers.iter().enumerate() {
            let path = format!("model.layers.{index}");
            SettingError::require((1..=MOST_GATES).contains(&gates), path, gates, "it must be 1 to 2^24")?;
        }
        let temperature = self.temperature;
        SettingError::require(
            temperature > 0.0 && temperature < 1e6,
            "model.temperature",
            temperature,
            "it must be greater than 0 and less than a million",
        )
    }
}

impl Data {
    /// What is known of a table beforehand.
    pub(crate) fn format(&self) -> CsvFormat {
        CsvFormat { separator: self.separator, decimal: self.decimal }
    }

    pub(crate) fn shares(&self) -> Shares {
        let test = if self.test_images.is_some() { 0.0 } else { self.test };
        Shares { select: self.select, test }
    }

    fn validate(&self) -> Result<(), SettingError> {
        let Self { rows, noise, select, test, .. } = *self;
        SettingError::require(
            (20..=100_000).contains(&rows),
            "training.data.rows",
            rows,
            "there must be 20 to 100000 rows",
        )?;
        SettingError::require(
            (0.0..=1.0).contains(&noise),
            "training.data.noise",
            noise,
            "it must be 0 to 1",
        )?;
        SettingError::require(
            self.shares().validate().is_ok(),
            "training.data.select and test",
            format!("{select} and {test}"),
            "they must not be negative, and together less than 1",
        )?;
        if let Some([width, height]) = self.picture {
            let holds = (1..=4096).contains(&width) && (1..=4096).contains(&height);
            SettingError::require(
                holds,
                "training.data.picture",
                format!("{width} by {height}"),
                "both must be 1 to 4096",
            )?;
        }
        self.validate_files()
    }

    fn validate_files(&self) -> Result<(), SettingError> {
        let pairs = [
            ("images", &self.images, "labels", &self.labels),
            ("labels", &self.labels, "images", &self.images),
            ("test_images", &self.test_images, "test_labels", &self.test_labels),
            ("test_labels", &self.test_labels, "test_images", &self.test_images),
            ("test_images", &self.test_images, "images", &self.images),
        ];
        for (name, file, other, beside) in pairs {
            if let (Some(file), None) = (file, beside) {
                let path = format!("training.data.{name}");
                return Err(SettingError::new(
                    path,
                    file,
                    format!("`training.data.{other}` is needed beside it"),
                ));
            }
        }
        match (&self.images, &self.file) {
            (Some(images), Some(_)) => {
                let reason = "`training.data.file` is named as well; one of them is learnt";
                Err(SettingError::new("training.data.images", images, reason))
            }
            _ => Ok(()),
        }
    }
}

impl Training {
    pub(crate) fn validate(&self) -> Result<(), SettingError> {
        let Self { epochs, batch, learning_rate, betas, epsilon, weight_decay, shift, .. } = *self;
        let number = |holds: bool, path: &'static str, value: f64, reason: &'static str| {
            SettingError::require(holds, path, value, reason)
        };
        SettingError::require(
            (1..=1 << 16).contains(&batch),
            "training.batch",
            batch,
            "it must be 1 to 65536",
        )?;
        SettingError::require(epochs < 1 << 32, "training.epochs", epochs, "it must be less than 2^32")?;
        number(
            learning_rate > 0.0 && learning_rate.is_finite(),
            "training.learning_rate",
            learning_rate,
            "it must be positive",
        )?;
        for beta in betas {
            number(
                (0.0..1.0).contains(&beta),
                "training.betas",
                beta,
                "it must be at least 0 and less than 1",
            )?;
        }
        number(epsilon > 0.0 && epsilon < 1.0, "training.epsilon", epsilon, "it must be between 0 and 1")?;
        number(
            (0.0..=1.0).contains(&weight_decay),
            "training.weight_decay",
            weight_decay,
            "it must be 0 to 1",
        )?;
        SettingError::require(shift <= 64, "training.shift", shift, "it must be at most 64")?;
        self.data.validate()
    }
}
