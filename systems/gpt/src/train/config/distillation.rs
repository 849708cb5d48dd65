//! Learning from another model beside the text.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::require;
use crate::error::GptError;

/// What a student learns from its teacher (Hinton, Vinyals and Dean, "Distilling the knowledge in a neural network",
/// 2015).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Distillation {
    /// The teacher: a checkpoint of another run of language models, such as `runs/large@best`.
    pub teacher: Option<String>,
    /// Which tokens the student has.
    #[serde(default)]
    pub vocabulary: StudentVocabulary,
    /// What the logits of both are divided by before they are compared: the higher, the more the improbable tokens
    /// count.
    #[serde(default = "default_temperature")]
    pub temperature: f64,
    /// The share of the loss that compares the student with its teacher; the rest is that of the text.
    #[serde(default = "default_share")]
    pub share: f64,
}

/// Which tokens a student has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum StudentVocabulary {
    /// Those of its teacher.
    #[default]
    Same,
    /// Tokens of its own. It is compared with its teacher on those that both have, where both cut the text at the same
    /// place.
    Mapped,
}

fn default_temperature() -> f64 {
    2.0
}

fn default_share() -> f64 {
    0.5
}

impl Distillation {
    pub(super) fn validate(&self, adapts: bool) -> Result<(), GptError> {
        let path = |name: &str| format!("training.distillation.{name}");
        let Self { teacher, temperature, share, .. } = self;
        let reason = "name a checkpoint of another run, such as runs/large@best";
        require(teacher.is_some(), path("teacher"), "absent", reason)?;
        let is_possible = (0.1..=100.0).contains(temperature);
        require(is_possible, path("temperature"), temperature, "from 0.1 to 100 is possible")?;
        let is_possible = *share > 0.0 && *share <= 1.0;
        require(is_possible, path("share"), share, "above 0 and at most 1 is possible")?;
        let reason = "a vocabulary that changes cannot follow a teacher's; leave out `training.adapt`";
        require(!adapts, "training.distillation".to_owned(), "set", reason)
    }
}
