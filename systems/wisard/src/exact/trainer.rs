//! Training and measuring a state.

use rekindle_compute::Pool;
use rekindle_data::ConfusionMatrix;
use rekindle_train::{Resources, StateMismatch};

use super::classifier::Classifier;
use super::config::{Model, Training};
use super::data::{self, Rows};
use super::encoder::Encoder;
use super::error::ExactError;
use super::state::{Pending, State};
use super::sums::Sums;

/// What is rebuilt and never saved: the rows and the threads.
pub(super) struct Trainer {
    pool: Pool,
    model: Model,
    encoder: Encoder,
    rows_per_step: u64,
    /// Steps done where training has ended: the state does not say it.
    steps: u64,
    /// The rows that are learnt, as long as there are any left.
    training: Option<Rows>,
    test: Option<Rows>,
    notes: Vec<String>,
}

impl Trainer {
    pub fn attach(
        model: &Model,
        training: &Training,
        seed: u64,
        state: &State,
        resources: &Resources,
    ) -> Result<Self, ExactError> {
        state.validate(model, training)?;
        let mut notes = Vec::new();
        let rows = match &state.pending {
            Some(pending) => {
                let rows = data::training_rows(&training.data, model, seed)?;
                check_identity(&rows, pending)?;
                state.check_room(model, &rows)?;
                notes.extend(rows.notes.iter().cloned());
                Some(rows)
            }
            None => None,
        };
        Ok(Self {
            pool: Pool::new(resources.threads)?,
            encoder: state.encoder(model, seed)?,
            rows_per_step: training.rows_per_step,
            steps: resources.step,
            training: rows,
            test: data::test_rows(&training.data, model, seed, state)?,
            model: model.clone(),
            notes,
        })
    }

    /// What whoever trains should know of the rows.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Steps done.
    pub fn step_of(&self, state: &State) -> u64 {
        state.pending.as_ref().map_or(self.steps, |pending| pending.step)
    }

    /// How many steps there are in all.
    pub fn total(&self, state: &State) -> u64 {
        let left = |pending: &Pending| (pending.all - pending.rows).div_ceil(self.rows_per_step);
        self.step_of(state) + state.pending.as_ref().map_or(0, left)
    }

    /// Learns the next rows. A state that has learnt all stays as it is.
    pub fn step(&mut self, state: &mut State) {
        let (Some(rows), Some(pending)) = (&self.training, &mut state.pending) else { return };
        let begin = pending.rows;
        let end = begin.saturating_add(self.rows_per_step).min(pending.all);
        (pending.step, pending.rows) = (pending.step + 1, end);
        self.steps = pending.step;
        if end == pending.all {
            state.pending = None;
        }
        state.add(Sums::of(&self.pool, &self.encoder, rows, begin as usize..end as usize));
        if state.pending.is_none() {
            self.training = None;
        }
    }

    /// How often a row of each class that is reported on is taken for which; absent without any. Of a class that
    /// is not learnt, every answer is wrong.
    pub fn test(&self, state: &State) -> Option<ConfusionMatrix> {
        let test = self.test.as_ref().filter(|_| !state.discriminators.is_empty())?;
        let classifier = Classifier::new(&self.model, self.encoder.clone(), state);
        Some(confusion(&self.pool, &classifier, state, test))
    }
}

/// How often a row of each class is taken for which: first the classes of the state, then others.
pub(super) fn confusion(pool: &Pool, classifier: &Classifier, state: &State, rows: &Rows) -> ConfusionMatrix {
    let known = state.classes();
    let place = |class: &String| known.iter().position(|known| known == class).unwrap_or(known.len());
    let places: Vec<usize> = rows.classes.iter().map(place).collect();
    let answers = classifier.classes(pool, rows.levels(0..rows.count()), rows.inputs);
    let pairs = rows.labels.iter().map(|&label| places[label]).zip(answers);
    ConfusionMatrix::of(known.len() + 1, pairs)
}

fn check_identity(rows: &Rows, pending: &Pending) -> Result<(), StateMismatch> {
    let (found, expected) = (rows.count() as u64, pending.all);
    let reason = match found == expected {
        true => "its rows are not those that the run was begun with".to_owned(),
        false => format!("it has {found} rows, the run {expected}"),
    };
    match rows.identity() == pending.identity {
        true => Ok(()),
        false => Err(StateMismatch::OtherData {
            origin: rows.origin.to_string(),
            reason,
            setting: "training.data.file".into(),
        }),
    }
}
