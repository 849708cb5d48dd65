//! The settings of sampling.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::GptError;

/// How a token is chosen among those that may follow.
///
/// The steps, in this order:
///
/// 1. the repetition penalty changes the logits of tokens that were there before;
/// 2. a temperature of 0 takes the highest logit, and of equal ones the lowest token;
/// 3. the logits are divided by the temperature;
/// 4. `top_k`, then `top_p`, then `min_p` leave tokens out, each by the probabilities of those that
///    the ones before it left (of equal ones, the lowest tokens stay);
/// 5. one of the rest is drawn by its probability.
///
/// Tokens are drawn by random numbers of their seed and position alone: the same logits give the
/// same token, whatever was drawn before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Sampling {
    /// Logits are divided by it: less than 1 prefers the probable, more than 1 evens out. With 0 the
    /// highest logit is taken.
    pub temperature: f32,
    /// Only so many tokens of the highest logits; 0 is all.
    pub top_k: u32,
    /// Only the most probable tokens that together have this probability, and at least one; 1 is all.
    /// (Holtzman and others, "The curious case of neural text degeneration", 2020.)
    pub top_p: f32,
    /// Only tokens of at least this share of the highest probability; 0 is all.
    /// (Nguyen and others, "Turning up the heat: min-p sampling", 2024.)
    pub min_p: f32,
    /// The logits of tokens that were there before are divided by it if positive, else multiplied by
    /// it, once however often they were there; 1 changes nothing. (Keskar and others, "CTRL", 2019.)
    pub repetition_penalty: f32,
    /// So many of the last tokens count for the penalty; 0 is all.
    pub repetition_window: u32,
    /// Of the random numbers.
    pub seed: u64,
}

impl Default for Sampling {
    fn default() -> Self {
        Self {
            temperature: 1.0,
            top_k: 0,
            top_p: 1.0,
            min_p: 0.0,
            repetition_penalty: 1.0,
            repetition_window: 0,
            seed: 0,
        }
    }
}

impl Sampling {
    /// Always the highest logit.
    pub fn greedy() -> Self {
        Self { temperature: 0.0, ..Self::default() }
    }

    /// Checks all values.
    ///
    /// # Errors
    /// Names the first that is out of its range.
    pub fn validate(&self) -> Result<(), GptError> {
        let ranges = [
            ("sampling.temperature", self.temperature, 0.0, 100.0),
            ("sampling.top_p", self.top_p, 0.0, 1.0),
            ("sampling.min_p", self.min_p, 0.0, 1.0),
            ("sampling.repetition_penalty", self.repetition_penalty, 0.01, 100.0),
        ];
        for (path, value, least, most) in ranges {
            if !(least..=most).contains(&value) {
                return Err(GptError::config(path, value, format!("from {least} to {most} is possible")));
            }
        }
        Ok(())
    }
}
