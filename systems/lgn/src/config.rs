//! What a user chooses.

use rekindle_classify::{Data, Preparation, ReadBits, Reading, Schedule};
use rekindle_data::Encoding;
use rekindle_train::SettingError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::shape::{Inputs, Maps};
use crate::streams;

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

impl Model {
    /// Which bits of the inputs are read.
    pub(crate) fn read_bits(&self) -> ReadBits {
        if self.convolutions.is_empty() { ReadBits::Telling } else { ReadBits::Maps }
    }

    /// What the network reads of prepared examples.
    pub(crate) fn network_inputs(&self, preparation: &Preparation) -> Inputs {
        match self.read_bits() {
            ReadBits::Telling => Inputs::Bits(preparation.used.len()),
            ReadBits::Maps => Inputs::Maps(Maps {
                channels: preparation.thermometers.bits as usize,
                width: preparation.width as usize,
                height: preparation.height as usize,
            }),
        }
    }

    /// How the network reads examples, where pictures are shifted by so much.
    pub(crate) fn reading(&self, shift: usize) -> Reading {
        let settings = [("model.convolutions", !self.convolutions.is_empty()), ("training.shift", shift > 0)];
        Reading {
            encoding: self.encoding,
            bits: self.read_bits(),
            moves_pixels: settings.into_iter().find_map(|(setting, is_set)| is_set.then_some(setting)),
            glyphs: streams::GLYPH,
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
