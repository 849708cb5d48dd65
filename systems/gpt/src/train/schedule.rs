//! Which phase a step belongs to, and how large its update is.

use crate::data::{Corpus, Dataset};
use crate::error::GptError;
use crate::train::config::{Phase, TrainingConfig};
use crate::train::state::{PhasePlan, Plan};

/// The phases in steps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Schedule {
    /// Steps of each phase.
    steps: Vec<u64>,
}

/// Steps of a phase that learns these lessons.
///
/// # Errors
/// When running text is to be learnt in epochs, which it does not have.
pub(crate) fn steps_of(path: &str, phase: &Phase, dataset: &Dataset) -> Result<u64, GptError> {
    let (Some(epochs), None) = (phase.epochs, phase.steps) else { return Ok(phase.steps.unwrap_or(0)) };
    let batches = dataset.batches_of_an_epoch(phase.batch as usize).ok_or_else(|| {
        let reason = "running text has no epochs; say how many `steps`";
        GptError::config(format!("{path}.epochs"), epochs, reason)
    })?;
    Ok(epochs.saturating_mul(batches).div_ceil(u64::from(phase.accumulate)))
}

impl Schedule {
    /// The phases of a plan. Runs without one count the steps of the text as it is cut now.
    ///
    /// # Errors
    /// When running text is to be learnt in epochs.
    pub fn new(plan: &Plan, training: &TrainingConfig, corpora: &[Corpus]) -> Result<Self, GptError> {
        if !plan.phases.is_empty() {
            return Ok(Self { steps: plan.phases.iter().map(|phase| phase.steps).collect() });
        }
        let phases = training.phases().zip(corpora);
        let steps = phases.map(|((path, phase), corpus)| steps_of(path, phase, &corpus.train));
        Ok(Self { steps: steps.collect::<Result<_, GptError>>()? })
    }

    /// The plan that this schedule is.
    pub fn phases(&self) -> Vec<PhasePlan> {
        self.steps.iter().map(|&steps| PhasePlan { steps, ended: false }).collect()
    }

    /// Ends a phase after so many steps.
    pub fn end(&mut self, index: usize, steps: u64) {
        self.steps[index] = steps;
    }

    /// Whether a step is the last of its phase.
    pub fn is_last(&self, index: usize, phase_step: u64) -> bool {
        self.steps.get(index) == Some(&(phase_step + 1))
    }

    /// Steps of all phases.
    pub fn total(&self) -> u64 {
        self.steps.iter().fold(0, |sum, steps| sum.saturating_add(*steps))
    }

    /// The phase that a step belongs to, and its number there; none behind the last.
    pub fn phase_at(&self, step: u64) -> Option<(usize, u64)> {
        let mut rest = step;
        for (index, &steps) in self.steps.iter().enumerate() {
            if rest < steps {
                return Some((index, rest));
            }
            rest -= steps;
        }
        None
    }

    /// Step size of a step of a phase: it grows in a line, then falls along half a cosine (Loshchilov and
    /// Hutter, "SGDR", 2017).
    pub fn learning_rate(&self, index: usize, phase: &Phase, step: u64) -> f64 {
        let (top, end) =
            (phase.learning_rate, phase.final_learning_rate.unwrap_or(phase.learning_rate * 0.1));
        if step < phase.warmup {
            return top * (step + 1) as f64 / (phase.warmup + 1) as f64;
        }
        let steps = self.steps.get(index).copied().unwrap_or(0);
        let length = steps.saturating_sub(phase.warmup).max(1) as f64;
        let done = ((step - phase.warmup) as f64 / length).min(1.0);
        end + (top - end) * 0.5 * (1.0 + libm::cos(std::f64::consts::PI * done))
    }
}
