//! Training and measuring a state.

use rekindle_compute::Pool;
use rekindle_data::{ConfusionMatrix, Origin};
use rekindle_train::StateMismatch;

use super::config::{Model, Training};
use super::data::{Dataset, Examples};
use super::error::WisardError;
use super::state::State;

/// What is rebuilt and never saved: the examples and the threads.
pub(super) struct Trainer {
    pool: Pool,
    rows_per_step: u64,
    training: Examples,
    select: Examples,
    test: Examples,
    notes: Vec<String>,
}

impl Trainer {
    pub fn attach(
        model: &Model,
        training: &Training,
        seed: u64,
        state: &State,
        threads: usize,
    ) -> Result<Self, WisardError> {
        state.validate(model, training)?;
        let dataset = Dataset::load(&training.data, model.encoding, seed)?;
        if dataset.preparation != state.preparation {
            return Err(StateMismatch::OtherData {
                origin: Origin::of(training.data.file.as_ref(), "the examples").to_string(),
                reason: dataset.preparation.outline().difference_from(&state.preparation.outline()),
                setting: "training.data.file".into(),
            }
            .into());
        }
        let (pool, rows_per_step) = (Pool::new(threads)?, training.rows_per_step);
        let Dataset { training, select, test, notes, .. } = dataset;
        Ok(Self { pool, rows_per_step, training, select, test, notes })
    }

    /// What whoever trains should know of the examples.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    pub fn is_finished(&self, state: &State) -> bool {
        state.rows >= state.preparation.rows
    }

    /// How many steps there are in all.
    pub fn total(&self, state: &State) -> u64 {
        state.step + (state.preparation.rows - state.rows).div_ceil(self.rows_per_step)
    }

    /// Learns the next rows. A state that has learnt all stays as it is.
    pub fn step(&self, state: &mut State) {
        if self.is_finished(state) {
            return;
        }
        let end = state.rows.saturating_add(self.rows_per_step).min(state.preparation.rows);
        state.learn_until(&self.pool, &self.training, end as usize);
    }

    /// How often a training row of each class is taken for which.
    pub fn training(&self, state: &State) -> ConfusionMatrix {
        self.confusion(state, &self.training)
    }

    /// How often a row of each class that anything is chosen by is taken for which; absent without any.
    pub fn select(&self, state: &State) -> Option<ConfusionMatrix> {
        (!self.select.class.is_empty()).then(|| self.confusion(state, &self.select))
    }

    /// How often a row of each class that is reported on is taken for which; absent without any.
    pub fn test(&self, state: &State) -> Option<ConfusionMatrix> {
        (!self.test.class.is_empty()).then(|| self.confusion(state, &self.test))
    }

    fn confusion(&self, state: &State, examples: &Examples) -> ConfusionMatrix {
        let answers = state.query().classes(&self.pool, &examples.planes);
        let pairs = examples.class.iter().zip(&answers);
        let pairs = pairs.map(|(&class, &answer)| (class.into(), answer.into()));
        ConfusionMatrix::of(state.preparation.classes.len(), pairs)
    }
}
