//! How parameters are updated.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How parameters are updated: AdamW.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OptimizerSettings {
    /// Decay of the first and of the second moment.
    pub betas: [f64; 2],
    /// Added to the root of the second moment.
    pub epsilon: f64,
    /// Share of a matrix that is taken off per unit of learning rate.
    pub weight_decay: f64,
    /// Gradients are made shorter when their norm is larger; 0 for never.
    pub clip: f64,
}

impl Default for OptimizerSettings {
    fn default() -> Self {
        Self { betas: [0.9, 0.99], epsilon: 1e-8, weight_decay: 0.1, clip: 1.0 }
    }
}
