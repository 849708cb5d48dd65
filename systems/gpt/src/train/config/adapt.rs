//! How the vocabulary changes while training goes on.

use rekindle_tokenizer::Policy;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// When the vocabulary changes while training goes on, and how.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Adapt {
    /// Tokens that are learnt between two changes.
    pub every: u64,
    /// How rows of new tokens are made.
    #[serde(default)]
    pub rows: NewRows,
    /// What the vocabulary may do.
    #[serde(default)]
    pub policy: Policy,
}

/// How the rows of a new token are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NewRows {
    /// Random ones, as at the beginning.
    Random,
    /// The mean of the rows of all tokens. The probabilities of the old tokens then change by no more
    /// than KL = ln(1 + new / old).
    Mean,
    /// The mean of the rows of the tokens that it was made of.
    #[default]
    Parts,
    /// Fitted, so that the network sees the new token as it saw the ones that it was made of.
    Distilled,
}
