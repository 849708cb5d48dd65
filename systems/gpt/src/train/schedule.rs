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

/// Steps of a phase that learns this dataset.
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
    /// The phases as the config has them, but for those that ended early. They are those of the plan, unless the
    /// config has changed; how the vocabulary cuts the text makes no difference to a run that has a plan.
    ///
    /// # Errors
    /// When running text is to be learnt in epochs.
    pub fn new(plan: &Plan, training: &TrainingConfig, corpora: &[Corpus]) -> Result<Self, GptError> {
        let phases = training.phases().zip(corpora).enumerate();
        let steps = phases.map(|(index, ((path, phase), corpus))| match plan.phases.get(index) {
            Some(planned) if planned.ended => Ok(planned.steps),
            // The text of a phase that is over may be gone.
            Some(planned) if corpus.train.targets() == 0 => Ok(planned.steps),
            _ => steps_of(&path, phase, &corpus.train),
        });
        Ok(Self { steps: steps.collect::<Result<_, GptError>>()? })
    }

    /// How a run goes on with this schedule that was planned with another, in words; nothing where it is the same.
    ///
    /// # Errors
    /// When a phase that is over would have another length, or one that is not fewer steps than it has done.
    pub fn changes(
        &self,
        plan: &Plan,
        training: &TrainingConfig,
        step: u64,
    ) -> Result<Vec<String>, GptError> {
        let planned = Self { steps: plan.phases.iter().map(|phase| phase.steps).collect() };
        let (mut changes, mut begin) = (Vec::new(), 0);
        for (index, (path, phase)) in training.phases().enumerate() {
            let Some(&before) = planned.steps.get(index) else { continue };
            let now = self.steps[index];
            let done = step.saturating_sub(begin).min(before);
            let is_last = index + 1 == planned.steps.len();
            if is_last && plan.phases[index].ended {
                changes
                    .push(format!("`{path}` ended early after {before} steps: more of them change nothing"));
            }
            if now != before && done == before && !is_last && step > begin + before {
                let reason = format!("the phase is over after {before} steps, and the next one has begun");
                return Err(GptError::config(format!("{path}.steps"), now, reason));
            }
            if now < done {
                let reason = format!("{done} steps of the phase are done");
                return Err(GptError::config(format!("{path}.steps"), now, reason));
            }
            if now != before {
                let rate = |schedule: &Self| {
                    let rate = schedule.learning_rate(index, phase, done);
                    rekindle_train::number(rate)
                };
                changes.push(format!(
                    "`{path}` has {now} steps in place of {before}: from step {done} of it on the learning rate is that \
                     of {now} steps, {} where it was {}",
                    rate(self),
                    rate(&planned)
                ));
            }
            begin += before;
        }
        Ok(changes)
    }

    /// The plan that this schedule is, where phases of `planned` may have ended.
    pub fn phases(&self, planned: &[PhasePlan]) -> Vec<PhasePlan> {
        let has_ended = |index: usize| planned.get(index).is_some_and(|phase| phase.ended);
        let steps = self.steps.iter().enumerate();
        steps.map(|(index, &steps)| PhasePlan { steps, ended: has_ended(index) }).collect()
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
