//! Trains a state, epoch by epoch.

use rekindle_compute::{KernelPath, Pool};
use rekindle_data::Origin;
use rekindle_train::StateMismatch;

use crate::config::{Method, Model, Training};
use crate::data::{Dataset, Examples};
use crate::error::CascorError;
use crate::runtime::{Evaluation, Runtime, StepMetrics};
use crate::state::{Ending, State};
use crate::{fahlman, juniper};

/// Trains a [`State`]. It holds the examples and the values of frozen units: all that is computed
/// anew rather than saved.
pub struct Trainer {
    runtime: Runtime,
    method: Method,
    notes: Vec<String>,
}

impl Trainer {
    /// A trainer of `state` on `threads` threads.
    ///
    /// # Errors
    /// When the state does not fit the config or the examples, or there are no threads.
    pub fn attach(
        model: &Model,
        training: &Training,
        seed: u64,
        state: &State,
        threads: usize,
        path: KernelPath,
    ) -> Result<Self, CascorError> {
        state.validate(model, training)?;
        if state.preparation.examples == 0 {
            return Err(CascorError::NoExamples);
        }
        let mut dataset = Dataset::load(&training.data, model.output, seed)?;
        let notes = std::mem::take(&mut dataset.notes);
        if dataset.preparation != state.preparation {
            return Err(StateMismatch::OtherData {
                origin: Origin::of(training.data.file.as_ref(), "the examples").to_string(),
                reason: dataset.preparation.outline().difference_from(&state.preparation.outline()),
                setting: "training.data.file".into(),
            }
            .into());
        }
        let runtime = Runtime::new(model, &state.network, dataset, seed, Pool::new(threads)?, path);
        Ok(Self { runtime, method: training.method.clone(), notes })
    }

    /// What whoever trains should know of the examples.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// True when training has ended. A network that ended with as many hidden units as it might
    /// have goes on when it may have more.
    pub fn is_finished(&self, state: &State) -> bool {
        let may_grow = state.network.hidden.len() < self.runtime.model.max_hidden as usize;
        state.ending.is_some_and(|ending| ending != Ending::MaxHidden || !may_grow)
    }

    /// Trains one epoch of whatever phase it is. A state that has ended stays as it is.
    pub fn step(&mut self, state: &mut State) -> StepMetrics {
        if self.is_finished(state) {
            let evaluation = self.evaluate(state);
            let error_bits = u32::try_from(evaluation.error_bits).ok();
            return StepMetrics { train_loss: evaluation.loss, error_bits, correlation: None };
        }
        state.ending = None;
        let metrics = match &self.method {
            Method::Fahlman(method) => fahlman::step(&mut self.runtime, method, state),
            Method::Juniper(method) => juniper::step(&mut self.runtime, method, state),
        };
        // The loss is that before the step; one that went wrong would be seen after the next growth only.
        let is_sound = state.network.output_weights.iter().all(|weight| weight.is_finite());
        StepMetrics { train_loss: if is_sound { metrics.train_loss } else { f64::NAN }, ..metrics }
    }

    /// How well the network knows the training examples.
    pub fn evaluate(&self, state: &State) -> Evaluation {
        self.runtime.evaluate(&state.network, &self.runtime.training, self.threshold())
    }

    /// How well the network knows the examples that everything is chosen by.
    pub fn evaluate_select(&self, state: &State) -> Option<Evaluation> {
        let select = self.runtime.select.as_ref()?;
        Some(self.runtime.evaluate(&state.network, select, self.threshold()))
    }

    /// How well the network knows the examples that nothing was chosen by.
    pub fn evaluate_test(&self, state: &State) -> Option<Evaluation> {
        let test = self.runtime.test.as_ref()?;
        Some(self.runtime.evaluate(&state.network, test, self.threshold()))
    }

    /// The network that is trained.
    pub(crate) fn model(&self) -> &Model {
        &self.runtime.model
    }

    /// The examples that are learnt, if there are any.
    pub(crate) fn examples(&self) -> Option<&Examples> {
        Some(&self.runtime.training)
    }

    fn threshold(&self) -> f32 {
        match &self.method {
            Method::Fahlman(method) => method.threshold as f32,
            Method::Juniper(_) => juniper::THRESHOLD,
        }
    }
}
