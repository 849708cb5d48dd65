//! The `model:` section.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::GptError;
use crate::model::sampling::Sampling;
use crate::model::structure::StructureConfig;

/// The shape of the network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelConfig {
    /// What a block is made of.
    #[serde(default)]
    pub block: Block,
    /// Number of blocks.
    pub layers: u32,
    /// Heads of an attention layer; they divide the width.
    pub heads: u32,
    /// Numbers that stand for a token.
    pub width: u32,
    /// Inner width of a feed-forward layer; four times the width when absent.
    #[serde(default)]
    pub feed_forward: Option<u32>,
    /// The most tokens that the model sees at once.
    pub context: u32,
    /// The output map is the token embedding (tied).
    #[serde(default)]
    pub tied: bool,
    /// Attention maps have biases, as in GPT-2.
    #[serde(default)]
    pub attention_biases: bool,
    /// Share of the numbers that are left out in training, where tokens are read and where layers are
    /// added.
    #[serde(default)]
    pub dropout: f64,
    /// What the model is told of the tree that brackets and sentences make of a text.
    #[serde(default, skip_serializing_if = "StructureConfig::is_off")]
    pub structure: StructureConfig,
    /// How text is sampled where nothing else is said.
    #[serde(default)]
    pub sampling: Sampling,
}

/// What a block is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Block {
    /// Attention and feed-forward with GELU, each normalising what it sees; one more normalisation at
    /// the end.
    #[default]
    Gpt2,
    /// Attention without an output map and feed-forward with ReLU, each followed by a normalisation;
    /// the output has a bias.
    Rustgpt,
}

impl ModelConfig {
    /// Inner width of a feed-forward layer.
    pub fn inner_width(&self) -> u32 {
        self.feed_forward.unwrap_or(self.width.saturating_mul(4))
    }

    /// Checks all values.
    ///
    /// # Errors
    /// Names the first that is out of its range.
    pub fn validate(&self) -> Result<(), GptError> {
        let bounds = [
            ("model.layers", self.layers, 1, 256),
            ("model.heads", self.heads, 1, 1024),
            ("model.width", self.width, 1, 16_384),
            ("model.feed_forward", self.inner_width(), 1, 1 << 18),
            ("model.context", self.context, 2, 1 << 16),
        ];
        for (path, value, least, most) in bounds {
            if !(least..=most).contains(&value) {
                return Err(GptError::config(path, value, format!("from {least} to {most} is possible")));
            }
        }
        if !self.width.is_multiple_of(self.heads) {
            let reason = format!("the width of {} must be divisible by it", self.width);
            return Err(GptError::config("model.heads", self.heads, reason));
        }
        if !(0.0..=0.9).contains(&self.dropout) {
            return Err(GptError::config("model.dropout", self.dropout, "from 0 to 0.9 is possible"));
        }
        self.sampling.validate()?;
        let is_rustgpt = self.block == Block::Rustgpt;
        if is_rustgpt && (self.tied || self.attention_biases || self.heads != 1) {
            let reason = "its attention has one head and no biases, and its output rows of its own";
            return Err(GptError::config("model.block", "rustgpt", reason));
        }
        if self.structure.mask && self.heads < 2 {
            let reason = "half of the heads are masked: at least two are needed";
            return Err(GptError::config("model.structure.mask", true, reason));
        }
        Ok(())
    }
}
