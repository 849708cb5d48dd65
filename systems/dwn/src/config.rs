//! What a user chooses.

use std::ops::RangeInclusive;

use rekindle_classify::{Data, ReadBits, Reading, Schedule};
use rekindle_compute::{AdamW, LANES};
use rekindle_data::Encoding;
use rekindle_train::SettingError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::streams;

/// The numbers of inputs that a lookup table can have. The entries of the largest fit a word.
pub const TABLE_INPUTS: RangeInclusive<usize> = 2..=6;
/// The largest number of lookup tables of a layer.
pub const MOST_TABLES: usize = 1 << 20;
/// The largest number of layers.
const MOST_LAYERS: usize = 16;
/// The largest number of candidates.
const MOST_CANDIDATES: usize = 1 << 16;

/// The network: layers of lookup tables, then a sum of outputs for each class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// How numbers become bits. `quantile` is the distributive thermometer of the publication.
    pub encoding: Encoding,
    /// Inputs of a lookup table, 2 to 6: it has 2 to this power entries.
    #[serde(default = "inputs")]
    pub inputs: usize,
    /// Lookup tables of each layer. Those of the last are dealt to the classes in turn.
    pub layers: Vec<usize>,
    /// Bits that each input of a table of the first layer chooses among while it is learnt, drawn for the table: a
    /// multiple of 16, or all bits where there are no more. 0 leaves the connections as they are drawn.
    pub candidates: usize,
    /// A class has the logit of its tables' sum divided by this.
    pub temperature: f64,
}

fn inputs() -> usize {
    6
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
    /// Step size of Adam at the beginning.
    pub learning_rate: f64,
    /// How the step size changes.
    #[serde(default)]
    pub schedule: Schedule,
    /// Decay of Adam's first and second moment.
    #[serde(default = "betas")]
    pub betas: [f64; 2],
    /// Adam's epsilon.
    #[serde(default = "epsilon")]
    pub epsilon: f64,
    /// Spectral regularisation: what the squared Fourier coefficients of all tables, added up, count in the loss.
    #[serde(default)]
    pub spectral: f64,
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

impl Model {
    /// How the network reads examples, where pictures are shifted by so much.
    pub(crate) fn reading(&self, shift: usize) -> Reading {
        Reading {
            encoding: self.encoding,
            bits: ReadBits::Telling,
            moves_pixels: (shift > 0).then_some("training.shift"),
            glyphs: streams::GLYPH,
        }
    }

    pub(crate) fn validate(&self) -> Result<(), SettingError> {
        let Self { inputs, candidates, temperature, .. } = *self;
        let bits = self.encoding.bits;
        SettingError::require((1..=255).contains(&bits), "model.encoding.bits", bits, "it must be 1 to 255")?;
        SettingError::require(TABLE_INPUTS.contains(&inputs), "model.inputs", inputs, "it must be 2 to 6")?;
        let layers = self.layers.len();
        SettingError::require(
            (1..=MOST_LAYERS).contains(&layers),
            "model.layers",
            format!("a list of {layers}"),
            "there must be 1 to 16 layers",
        )?;
        for (index, &tables) in self.layers.iter().enumerate() {
            let path = format!("model.layers.{index}");
            SettingError::require((1..=MOST_TABLES).contains(&tables), path, tables, "it must be 1 to 2^20")?;
        }
        SettingError::require(
            candidates <= MOST_CANDIDATES && candidates.is_multiple_of(LANES),
            "model.candidates",
            candidates,
            "it must be a multiple of 16 and at most 65536",
        )?;
        SettingError::require(
            temperature > 0.0 && temperature < 1e6,
            "model.temperature",
            temperature,
            "it must be greater than 0 and less than a million",
        )
    }
}

impl Training {
    /// The optimiser at the beginning.
    pub(crate) fn adam(&self) -> AdamW {
        let Self { learning_rate, betas, epsilon, .. } = *self;
        AdamW { learning_rate, betas, epsilon, weight_decay: 0.0 }
    }

    pub(crate) fn validate(&self) -> Result<(), SettingError> {
        let Self { epochs, batch, learning_rate, betas, epsilon, spectral, shift, .. } = *self;
        let number = |holds: bool, path: &'static str, value: f64, reason: &'static str| {
            SettingError::require(holds, path, value, reason)
        };
        SettingError::require((1..=8192).contains(&batch), "training.batch", batch, "it must be 1 to 8192")?;
        SettingError::require(epochs < 1 << 32, "training.epochs", epochs, "it must be less than 2^32")?;
        number(
            learning_rate > 0.0 && learning_rate.is_finite(),
            "training.learning_rate",
            learning_rate,
            "it must be positive",
        )?;
        for beta in betas {
            let reason = "it must be at least 0 and less than 1";
            number((0.0..1.0).contains(&beta), "training.betas", beta, reason)?;
        }
        number(epsilon > 0.0 && epsilon < 1.0, "training.epsilon", epsilon, "it must be between 0 and 1")?;
        number((0.0..=1e6).contains(&spectral), "training.spectral", spectral, "it must be 0 to a million")?;
        SettingError::require(shift <= 64, "training.shift", shift, "it must be at most 64")?;
        self.data.validate()
    }
}
