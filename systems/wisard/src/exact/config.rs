//! What a user chooses.

use std::collections::BTreeMap;

use rekindle_data::{Encoding, EncodingKind, Missing, one_or_more};
use rekindle_formats::table::{CsvFormat, Decimal, Separator};
use rekindle_train::SettingError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The classifier.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// How numbers become bits: `linear`, with thresholds at equal distances over the stated range. Other kinds
    /// look at the rows.
    pub encoding: Encoding,
    /// The least and the greatest value of a pixel, where rows are pictures.
    #[serde(default = "shades")]
    pub range: [f64; 2],
    /// The least and the greatest value of each column of a table; values beyond count as these.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub ranges: BTreeMap<String, [f64; 2]>,
    /// Pictures are made upright and equally large before they are seen, each by itself: moved, sheared and
    /// stretched so that their ink lies in the middle, does not lean, and has the same spread.
    #[serde(default)]
    pub upright: bool,
    /// RAMs of a class, each of which reads a tuple of bits.
    pub rams: usize,
    /// Bits of a tuple, 1 to 64.
    pub tuple_bits: u32,
    /// A tuple's bits are of pixels within a square of this side, which lies anywhere; 0 for all inputs. Bits
    /// that lie together tell more together.
    #[serde(default)]
    pub window: usize,
    /// A RAM has 2 to this power entries, each a counter: 1 to 24.
    pub entry_bits: u32,
    /// Entries of a RAM that count a row, where a tuple has more bits than `entry_bits`: 1 to 8.
    #[serde(default = "one")]
    pub hashes: u32,
    /// What is added to each counter when a class is asked for, so that what was never seen is unlikely and not
    /// impossible.
    #[serde(default = "smoothing")]
    pub smoothing: f64,
    /// When set, RAMs vote for the classes of which they counted the row's address more often than this, and the
    /// class with the most votes is the answer; when not, RAMs say how likely the address is in each class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bleaching: Option<u32>,
}

fn shades() -> [f64; 2] {
    [0.0, 255.0]
}

fn one() -> u32 {
    1
}

fn smoothing() -> f64 {
    0.1
}

/// How the classifier is trained, and on what. Nothing of it is in the state once all rows are learnt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Training {
    /// The examples.
    pub data: Data,
    /// Rows that are learnt in one step. What is learnt does not depend on it.
    #[serde(default = "rows_per_step")]
    pub rows_per_step: u64,
}

fn rows_per_step() -> u64 {
    4096
}

/// The examples to learn. All of them are learnt: what is reported on has files of its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Data {
    /// Which examples are generated where no file is named.
    pub source: Source,
    /// `glyphs`: how many are generated.
    pub rows: u32,
    /// `glyphs`: how many more are generated that are reported on.
    pub test_rows: u32,
    /// `glyphs`: each pixel is changed by up to this share of full ink.
    pub noise: f64,
    /// A CSV or NPY file of examples, a row for each; or a folder that has a folder of PNG files for each
    /// class.
    pub file: Option<String>,
    /// An IDX file of pictures.
    pub images: Option<String>,
    /// The IDX file of their labels.
    pub labels: Option<String>,
    /// A file or folder of examples that are reported on.
    pub test_file: Option<String>,
    /// An IDX file of pictures that are reported on.
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
    /// What becomes of rows in which a value is missing: `refuse` or `drop`. The mean of a column depends on
    /// all rows.
    #[serde(skip_serializing_if = "Missing::is_default")]
    pub missing: Missing,
    /// What separates the columns of a CSV file; found out when not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub separator: Option<Separator>,
    /// What numbers of a CSV file have before their fraction; found out when not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decimal: Option<Decimal>,
}

impl Default for Data {
    fn default() -> Self {
        Self {
            source: Source::Glyphs,
            rows: 4000,
            test_rows: 500,
            noise: 0.15,
            file: None,
            images: None,
            labels: None,
            test_file: None,
            test_images: None,
            test_labels: None,
            target: Vec::new(),
            ignore: Vec::new(),
            picture: None,
            missing: Missing::Refuse,
            separator: None,
            decimal: None,
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

impl Model {
    /// Counters of a RAM for one class.
    pub(super) fn entries(&self) -> usize {
        1 << self.entry_bits
    }

    /// Entries of a RAM that count a row.
    pub(super) fn counted(&self) -> usize {
        if self.is_hashed() { self.hashes as usize } else { 1 }
    }

    /// False where an address is an entry's number.
    pub(super) fn is_hashed(&self) -> bool {
        self.tuple_bits > self.entry_bits
    }

    pub(super) fn validate(&self) -> Result<(), SettingError> {
        let Self { encoding: Encoding { kind, bits }, rams, tuple_bits, entry_bits, hashes, .. } = *self;
        let require = |holds, path: &'static str, value: String, reason: &'static str| {
            SettingError::require(holds, path, value, reason)
        };
        require(
            kind == EncodingKind::Linear,
            "model.encoding.kind",
            format!("{kind:?}").to_lowercase(),
            "its thresholds would lie by the rows that are learnt, so that every other row moved them; what is \
             learnt is a sum of rows only with `linear`, over stated ranges",
        )?;
        require((1..=255).contains(&bits), "model.encoding.bits", bits.to_string(), "it must be 1 to 255")?;
        require((1..=1 << 16).contains(&rams), "model.rams", rams.to_string(), "it must be 1 to 65536")?;
        require(
            (1..=64).contains(&tuple_bits),
            "model.tuple_bits",
            tuple_bits.to_string(),
            "it must be 1 to 64",
        )?;
        require(
            (1..=24).contains(&entry_bits),
            "model.entry_bits",
            entry_bits.to_string(),
            "it must be 1 to 24",
        )?;
        require((1..=8).contains(&hashes), "model.hashes", hashes.to_string(), "it must be 1 to 8")?;
        require(
            hashes * entry_bits <= 64,
            "model.hashes",
            hashes.to_string(),
            "with `model.entry_bits` bits each, all together must have at most 64",
        )?;
        let smoothing = self.smoothing;
        require(
            smoothing > 0.0 && smoothing <= 1e6,
            "model.smoothing",
            smoothing.to_string(),
            "it must be greater than 0 and at most a million",
        )?;
        self.validate_ranges()
    }

    fn validate_ranges(&self) -> Result<(), SettingError> {
        let named = self.ranges.iter().map(|(name, range)| (format!("model.ranges.{name}"), range));
        let mut all = named.chain([("model.range".to_owned(), &self.range)]);
        let is_wrong = |[low, high]: [f64; 2]| !(low < high && low >= -1e30 && high <= 1e30);
        match all.find(|(_, range)| is_wrong(**range)) {
            Some((path, [low, high])) => Err(SettingError::new(
                path,
                format!("[{low}, {high}]"),
                "it must be the least and the greatest value, at most 1e30",
            )),
            None => Ok(()),
        }
    }
}

impl Data {
    /// What is known of a table beforehand.
    pub(super) fn format(&self) -> CsvFormat {
        CsvFormat { separator: self.separator, decimal: self.decimal }
    }

    fn validate(&self) -> Result<(), SettingError> {
        let Self { rows, test_rows, noise, .. } = *self;
        let reason = "there must be 1 to 100000 rows";
        SettingError::require((1..=100_000).contains(&rows), "training.data.rows", rows, reason)?;
        let reason = "there must be at most 100000 rows";
        SettingError::require(test_rows <= 100_000, "training.data.test_rows", test_rows, reason)?;
        let reason = "it must be 0 to 1";
        SettingError::require((0.0..=1.0).contains(&noise), "training.data.noise", noise, reason)?;
        SettingError::require(
            self.missing != Missing::Mean,
            "training.data.missing",
            "mean",
            "a mean depends on all rows that are learnt, so that every other row changed it; what is learnt is a \
             sum of rows only with `refuse` or `drop`",
        )?;
        if let Some([width, height]) = self.picture {
            let holds = (1..=4096).contains(&width) && (1..=4096).contains(&height);
            let value = format!("{width} by {height}");
            SettingError::require(holds, "training.data.picture", value, "both must be 1 to 4096")?;
        }
        self.validate_files()
    }

    fn validate_files(&self) -> Result<(), SettingError> {
        let pairs = [
            ("images", &self.images, "labels", &self.labels),
            ("labels", &self.labels, "images", &self.images),
            ("test_images", &self.test_images, "test_labels", &self.test_labels),
            ("test_labels", &self.test_labels, "test_images", &self.test_images),
        ];
        for (name, file, other, beside) in pairs {
            if let (Some(file), None) = (file, beside) {
                let reason = format!("`training.data.{other}` is needed beside it");
                return Err(SettingError::new(format!("training.data.{name}"), file, reason));
            }
        }
        let both = [
            ("training.data.images", &self.images, "training.data.file", &self.file),
            ("training.data.test_images", &self.test_images, "training.data.test_file", &self.test_file),
        ];
        for (path, images, other, file) in both {
            if let (Some(images), Some(_)) = (images, file) {
                let reason = format!("`{other}` is named as well; one of them is taken");
                return Err(SettingError::new(path, images, reason));
            }
        }
        Ok(())
    }
}

impl Training {
    pub(super) fn validate(&self) -> Result<(), SettingError> {
        self.data.validate()?;
        let rows = self.rows_per_step;
        SettingError::require(rows > 0, "training.rows_per_step", rows, "a step must learn at least 1 row")
    }
}
