//! A phase of training.

use rekindle_train::EarlyStopping;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Data, Retain, require};
use crate::error::GptError;

/// What is learnt, and how fast.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Phase {
    /// The text.
    #[serde(default)]
    pub data: Data,
    /// Updates of the parameters; absent where `epochs` says how long.
    #[serde(default)]
    pub steps: Option<u64>,
    /// How often each example is learnt; only for examples, not for running text.
    #[serde(default)]
    pub epochs: Option<u64>,
    /// Sequences that are learnt together.
    pub batch: u32,
    /// Batches whose gradients are added before an update.
    #[serde(default = "one")]
    pub accumulate: u32,
    /// Learning rate after the warm-up.
    pub learning_rate: f64,
    /// Learning rate at the end, reached along half a cosine: a tenth of `learning_rate` when absent, 0 for
    /// none, and the same as `learning_rate` for a learning rate that does not change.
    #[serde(default)]
    pub final_learning_rate: Option<f64>,
    /// Updates in which the learning rate grows from 0.
    #[serde(default)]
    pub warmup: u64,
    /// The phase ends early when the bits a byte of what is not learnt fall no more; then the next one
    /// begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub early_stopping: Option<EarlyStopping>,
    /// What keeps the phase from replacing what was learnt before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retain: Option<Retain>,
}

fn one() -> u32 {
    1
}

impl Phase {
    pub(super) fn validate(&self, path: &str) -> Result<(), GptError> {
        let at = |name: &str| format!("{path}.{name}");
        let positive = "it must be positive";
        require((1..=1 << 16).contains(&self.batch), at("batch"), self.batch, "from 1 to 65536 is possible")?;
        let accumulate = self.accumulate;
        require(
            (1..=1 << 16).contains(&accumulate),
            at("accumulate"),
            accumulate,
            "from 1 to 65536 is possible",
        )?;
        let rate = self.learning_rate;
        let is_possible = rate > 0.0 && rate <= 10.0;
        require(is_possible, at("learning_rate"), rate, "above 0 and at most 10 is possible")?;
        let end = self.final_learning_rate.unwrap_or(0.0);
        let is_possible = (0.0..=10.0).contains(&end);
        require(is_possible, at("final_learning_rate"), end, "from 0 to 10 is possible")?;
        let Data { evaluation, test, .. } = self.data;
        for (name, share) in [("data.evaluation", evaluation), ("data.test", test)] {
            require((0.0..0.9).contains(&share), at(name), share, "from 0 to 0.9 is possible")?;
        }
        let is_left = evaluation + test < 0.95;
        require(is_left, at("data.test"), test, "together with `evaluation` it leaves too little to learn")?;
        if let Some(early) = &self.early_stopping {
            early.validate().map_err(|(name, reason)| {
                let value = match name {
                    "every" => early.every.to_string(),
                    "patience" => early.patience.to_string(),
                    _ => early.min_improvement.to_string(),
                };
                GptError::config(at(&format!("early_stopping.{name}")), value, reason)
            })?;
            let reason = "an early end is chosen by it; give it a share";
            require(evaluation > 0.0, at("data.evaluation"), evaluation, reason)?;
        }
        let suites = &self.data.suites;
        let reason = "name at least one, each once";
        let are_different = suites.iter().enumerate().all(|(index, suite)| !suites[..index].contains(suite));
        require(!suites.is_empty() && are_different, at("data.suites"), suites.len(), reason)?;
        let count = self.data.count;
        let is_possible = (1..=10_000_000).contains(&count);
        require(is_possible, at("data.count"), count, "from 1 to 10000000 is possible")?;
        match (self.steps, self.epochs) {
            (Some(steps), None) => require(steps > 0, at("steps"), steps, positive),
            (None, Some(epochs)) => require(epochs > 0, at("epochs"), epochs, positive),
            (None, None) => Err(GptError::config(at("steps"), "absent", "say how long: `steps` or `epochs`")),
            (Some(_), Some(steps)) => {
                Err(GptError::config(at("epochs"), steps, "`steps` says already how long; leave one out"))
            }
        }
    }
}
