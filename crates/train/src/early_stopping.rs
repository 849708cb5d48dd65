//! Ending a training that gets no better.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// When a training ends early, by a loss that is measured on examples that are not learnt. How often
/// it is measured is part of how is trained: the state depends on it, as it does not on `evaluate`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EarlyStopping {
    /// The loss is measured at every step that is a multiple of this.
    pub every: u64,
    /// Training ends after so many measurements in a row that are no improvement.
    pub patience: u32,
    /// A loss is an improvement when it is smaller than the smallest so far by more than this.
    #[serde(default)]
    pub min_improvement: f64,
}

/// What is known of the losses so far; part of a state.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Patience {
    /// The smallest loss so far.
    pub best: Option<f64>,
    /// The step at which it was measured.
    pub best_step: u64,
    /// Measurements since then.
    pub without_improvement: u32,
}

impl EarlyStopping {
    /// What is wrong with the settings: the name of one, and why.
    ///
    /// # Errors
    /// When it can never be measured, or every measurement would end training.
    pub fn validate(&self) -> Result<(), (&'static str, &'static str)> {
        match self {
            Self { every: 0, .. } => Err(("every", "at least 1 is needed")),
            Self { patience: 0, .. } => Err(("patience", "at least 1 is needed")),
            Self { min_improvement, .. } if !(0.0..f64::INFINITY).contains(min_improvement) => {
                Err(("min_improvement", "it must not be negative"))
            }
            _ => Ok(()),
        }
    }

    /// True when the loss is measured at this step.
    pub fn is_due(&self, step: u64) -> bool {
        step > 0 && step.is_multiple_of(self.every)
    }
}

impl Patience {
    /// Takes a measurement into account.
    pub fn observe(&mut self, step: u64, loss: f64, settings: &EarlyStopping) {
        let improves = self.best.is_none_or(|best| loss < best - settings.min_improvement);
        if improves {
            *self = Self { best: Some(loss), best_step: step, without_improvement: 0 };
        } else {
            self.without_improvement = self.without_improvement.saturating_add(1);
        }
    }

    /// True when training ends.
    pub fn is_exhausted(&self, settings: &EarlyStopping) -> bool {
        self.without_improvement >= settings.patience
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: EarlyStopping = EarlyStopping { every: 10, patience: 2, min_improvement: 0.1 };

    #[test]
    fn training_ends_when_the_loss_no_longer_falls() {
        let mut patience = Patience::default();
        let losses = [3.0, 2.0, 1.95, 1.5, 1.45, 1.41, 0.1];
        let ended = losses.iter().zip(1..).find_map(|(&loss, number)| {
            patience.observe(10 * number, loss, &SETTINGS);
            patience.is_exhausted(&SETTINGS).then_some(number)
        });
        assert_eq!(ended, Some(6));
        assert_eq!((patience.best, patience.best_step), (Some(1.5), 40));
    }

    #[test]
    fn nothing_is_measured_before_the_first_step() {
        assert!(!SETTINGS.is_due(0) && !SETTINGS.is_due(15) && SETTINGS.is_due(20));
    }

    #[test]
    fn settings_that_can_never_be_met_are_named() {
        let named = |settings: EarlyStopping| settings.validate().err().map(|(name, _)| name);
        assert_eq!(named(SETTINGS), None);
        assert_eq!(named(EarlyStopping { every: 0, ..SETTINGS }), Some("every"));
        assert_eq!(named(EarlyStopping { patience: 0, ..SETTINGS }), Some("patience"));
        assert_eq!(named(EarlyStopping { min_improvement: f64::NAN, ..SETTINGS }), Some("min_improvement"));
    }
}
