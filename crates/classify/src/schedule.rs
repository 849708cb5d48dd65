//! How the step size changes while a network is learnt.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the step size changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Schedule {
    /// It does not.
    #[default]
    Constant,
    /// It falls in a straight line, to 0 at the end.
    Linear,
}

impl Schedule {
    /// The step size after so many steps of all.
    pub fn rate(self, beginning: f64, done: u64, steps: u64) -> f64 {
        match self {
            Self::Constant => beginning,
            Self::Linear => beginning * (1.0 - done as f64 / steps.max(1) as f64),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_linear_schedule_ends_at_nothing() {
        assert_eq!([0, 5, 10].map(|done| Schedule::Linear.rate(0.5, done, 10)), [0.5, 0.25, 0.0]);
        assert_eq!([0, 9].map(|done| Schedule::Constant.rate(0.5, done, 10)), [0.5, 0.5]);
    }
}
