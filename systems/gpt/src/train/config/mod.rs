//! The `training:` section.

mod adapt;
mod data;
mod distillation;
mod optimizer;
mod phase;
mod retain;
mod tokens;

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use adapt::{Adapt, NewRows};
pub use data::{Data, Order, Source};
pub use distillation::{Distillation, StudentVocabulary};
pub use optimizer::OptimizerSettings;
pub use phase::Phase;
pub use retain::Retain;
pub use tokens::{SymbolTokens, TokenKind, Tokens};

use crate::error::GptError;
use crate::model::precision::TrainingPrecision;

/// How the model is trained: on text first, then, where it is to answer, on dialogues, and then on what it learns
/// later.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TrainingConfig {
    /// How text becomes tokens.
    #[serde(default)]
    pub tokenizer: Tokens,
    /// What is learnt first.
    pub pretraining: Phase,
    /// What is learnt after that, if anything. In a config it is called `tuning`.
    #[serde(default, rename = "tuning")]
    pub fine_tuning: Option<Phase>,
    /// What is learnt later, one after the other: `rekindle learn` adds to it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub continual: Vec<Phase>,
    /// Another model that is learnt from, in all phases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distillation: Option<Distillation>,
    /// How parameters are updated.
    #[serde(default)]
    pub optimizer: OptimizerSettings,
    /// How numbers are stored between operations: f32, bf16 or f16.
    #[serde(default)]
    pub precision: TrainingPrecision,
    /// Parts that a batch is split into, each the work of one core. It is part of the result, the number
    /// of threads is not.
    #[serde(default = "default_parts")]
    pub parts: u32,
    /// The vocabulary grows and shrinks while training goes on.
    #[serde(default)]
    pub adapt: Option<Adapt>,
    /// Of so many of the problems of reasoning that are learnt, one each step, what they follow from is proven and kept
    /// with the model, so that it need not be proven again when somebody asks.
    #[serde(default, skip_serializing_if = "is_none_kept")]
    pub facts: u32,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_none_kept(facts: &u32) -> bool {
    *facts == 0
}

/// Facts that are kept with a model at most.
const MOST_FACTS: u32 = 100_000;

fn default_parts() -> u32 {
    4
}

impl TrainingConfig {
    /// The phases, with their paths in the config.
    pub(crate) fn phases(&self) -> impl Iterator<Item = (Cow<'static, str>, &Phase)> {
        let fine_tuning = self.fine_tuning.iter().map(|phase| (Cow::from("training.tuning"), phase));
        let continual = self.continual.iter().enumerate();
        let continual = continual.map(|(index, phase)| (format!("training.continual.{index}").into(), phase));
        std::iter::once(("training.pretraining".into(), &self.pretraining))
            .chain(fine_tuning)
            .chain(continual)
    }

    /// The phase of a number, counted from 0; the last where there are not so many.
    pub(crate) fn phase(&self, index: usize) -> &Phase {
        self.phases()
            .nth(index)
            .or_else(|| self.phases().last())
            .map_or(&self.pretraining, |(_, phase)| phase)
    }

    /// Checks all values.
    ///
    /// # Errors
    /// Names the first that is out of its range.
    pub fn validate(&self) -> Result<(), GptError> {
        let adapts = self.adapt.is_some();
        for (path, phase) in self.phases() {
            phase.validate(&path)?;
            phase.retain.iter().try_for_each(|retain| retain.validate(&path, adapts))?;
        }
        let retains = self.pretraining.retain.is_some();
        let reason = "nothing was learnt before the first phase";
        require(!retains, "training.pretraining.retain".to_owned(), "set", reason)?;
        self.distillation.iter().try_for_each(|distillation| distillation.validate(adapts))?;
        let OptimizerSettings { betas, epsilon, weight_decay, clip } = self.optimizer;
        let path = |name: &str| format!("training.optimizer.{name}");
        for beta in betas {
            require((0.0..1.0).contains(&beta), path("betas"), beta, "from 0 to below 1 is possible")?;
        }
        let is_small = epsilon > 0.0 && epsilon < 1.0;
        require(is_small, path("epsilon"), epsilon, "above 0 and below 1 is possible")?;
        let is_share = (0.0..=10.0).contains(&weight_decay);
        require(is_share, path("weight_decay"), weight_decay, "from 0 to 10 is possible")?;
        require(clip >= 0.0, path("clip"), clip, "it must not be negative")?;
        let is_possible = (1..=256).contains(&self.parts);
        require(is_possible, "training.parts".to_owned(), self.parts, "from 1 to 256 is possible")?;
        let vocabulary = self.tokenizer.vocabulary;
        let is_possible = (2..=1 << 20).contains(&vocabulary);
        let vocabulary_path = "training.tokenizer.vocabulary".to_owned();
        require(is_possible, vocabulary_path, vocabulary, "from 2 to 1048576 is possible")?;
        let reasons = self
            .phases()
            .any(|(_, phase)| phase.data.file.is_none() && phase.data.source == Source::Reasoning);
        let reason = "no phase learns `source: reasoning`";
        require(self.facts == 0 || reasons, "training.facts".to_owned(), self.facts, reason)?;
        require(
            self.facts <= MOST_FACTS,
            "training.facts".to_owned(),
            self.facts,
            "at most 100000 are kept",
        )?;
        let Some(adapt) = &self.adapt else { return Ok(()) };
        let every = "training.adapt.every".to_owned();
        require(adapt.every > 0, every, adapt.every, "at least one token must lie between two changes")?;
        let policy = adapt.policy.check();
        policy.map_err(|source| GptError::Tokens { origin: "training.adapt.policy".to_owned(), source })
    }
}

fn require(holds: bool, path: String, value: impl ToString, reason: &str) -> Result<(), GptError> {
    if holds { Ok(()) } else { Err(GptError::config(path, value, reason)) }
}
