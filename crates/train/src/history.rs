//! The history of a run: what was measured of the state now and then, and what training told at its steps.
//!
//! Training metrics cost nothing, so that a run keeps them from its first step on. So that the history of a
//! long run stays small, a row is the mean of a window of steps: each of the first [`EACH`] steps is a window,
//! and windows are twice as long for steps up to twice that, and so on. A run of n steps has about
//! `EACH * (1 + log2(n / EACH) / 2)` rows, and its last half at least [`EACH`] / 4. Where windows end depends on
//! nothing but the step.

use std::collections::BTreeMap;

use rekindle::records::Row;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::system::Metrics;

/// So many steps from the first on have a row each.
const EACH: u64 = 2048;
/// What a row of training metrics is named by.
const TRAINING: &str = "training";
const STEP: &str = "step";
const STEPS: &str = "steps";

/// The rows of a history by what they tell.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    /// Metrics that were measured of the state at a `step`, with means of training metrics since the row before.
    pub evaluations: Vec<Row>,
    /// Means of training metrics over the `steps` steps that end with `step`, to seven digits.
    pub training: Vec<Row>,
}

impl History {
    /// Tells the rows of a run apart.
    pub fn of(rows: Vec<Row>) -> Self {
        let mut history = Self::default();
        for mut row in rows {
            match row.remove(TRAINING) {
                Some(Value::Object(training)) => history.training.push(training),
                Some(other) => {
                    row.insert(TRAINING.to_owned(), other);
                    history.evaluations.push(row);
                }
                None => history.evaluations.push(row),
            }
        }
        history
    }
}

/// How many steps the window goes over that `step` is in.
fn window(step: u64) -> u64 {
    (step.saturating_sub(1) / EACH + 1).next_power_of_two()
}

/// The means of the window at hand. They are no part of a state: a checkpoint has them as a note, so that a
/// run that goes on from it has the rows that it would have had.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Window {
    steps: u64,
    means: BTreeMap<String, Mean>,
}

#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Mean {
    steps: u64,
    value: f64,
}

/// The note in a commit record, as JSON.
pub(crate) const NOTE: &str = "training_window";

impl Window {
    /// Goes on with the window of a checkpoint.
    pub fn resume(note: Option<&String>) -> Self {
        note.and_then(|note| serde_json::from_str(note).ok()).unwrap_or_default()
    }

    /// Takes in the metrics of `step`; where the window ends with it, or training does, gives its row.
    pub fn observe(&mut self, step: u64, metrics: &Metrics, is_last: bool) -> Option<Row> {
        self.steps += 1;
        for (name, value) in metrics {
            // No name is made anew but the first time.
            if !self.means.contains_key(name) {
                self.means.insert(name.clone(), Mean::default());
            }
            let Some(mean) = self.means.get_mut(name) else { continue };
            mean.steps += 1;
            mean.value += (value - mean.value) / mean.steps as f64;
        }
        (is_last || step.is_multiple_of(window(step))).then(|| self.end(step))
    }

    fn end(&mut self, step: u64) -> Row {
        let means = std::mem::take(&mut self.means);
        let mut row = Row::from_iter([(STEP.to_owned(), step.into())]);
        row.insert(STEPS.to_owned(), std::mem::take(&mut self.steps).into());
        row.extend(means.into_iter().map(|(name, mean)| (name, to_seven_digits(mean.value).into())));
        Row::from_iter([(TRAINING.to_owned(), Value::Object(row))])
    }

    /// The window at hand; nothing where the next step begins one.
    pub fn note(&self) -> Option<String> {
        (self.steps > 0).then(|| serde_json::to_string(self).unwrap_or_default())
    }
}

/// Most metrics are of single precision; what is beyond would be half of the history's bytes.
fn to_seven_digits(value: f64) -> f64 {
    format!("{value:.6e}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metrics(loss: f64) -> Metrics {
        Metrics::from([("loss".to_owned(), loss)])
    }

    fn rows(steps: u64) -> Vec<Row> {
        let mut window = Window::default();
        let row = |step| window.observe(step, &metrics(step as f64), step == steps);
        History::of((1..=steps).filter_map(row).collect()).training
    }

    #[test]
    fn windows_are_longer_the_later_they_are() {
        let lengths: Vec<u64> =
            [1, 2048, 2049, 4096, 4097, 8192, 8193, 1 << 20, u64::MAX].map(window).to_vec();
        assert_eq!(lengths, [1, 1, 2, 2, 4, 4, 8, 512, 1 << 53]);
        assert_eq!(rows(2048).len(), 2048);
        assert_eq!(rows(4096).len(), 3072);
        assert_eq!(rows(1 << 20).len(), 2048 + 9 * 1024);
    }

    #[test]
    fn a_row_is_the_mean_of_its_window() {
        let rows = rows(4099);
        let row = |index: usize| serde_json::to_string(&rows[index]).unwrap();
        assert_eq!(row(0), r#"{"loss":1.0,"step":1,"steps":1}"#);
        assert_eq!(row(2048), r#"{"loss":2049.5,"step":2050,"steps":2}"#);
        // Training ended within a window.
        assert_eq!(row(3072), r#"{"loss":4098.0,"step":4099,"steps":3}"#);
        assert_eq!(rows.len(), 3073);
    }

    #[test]
    fn rows_are_the_same_however_often_training_goes_on_from_a_note() {
        let mut resumed = Window::default();
        let mut found = Vec::new();
        for step in 1..=9000 {
            found.extend(resumed.observe(step, &metrics(step as f64), step == 9000));
            resumed = Window::resume(resumed.note().as_ref());
        }
        assert_eq!(History::of(found).training, rows(9000));
        assert_eq!(to_seven_digits(0.123_456_789), 0.123_456_8);
    }

    #[test]
    fn a_metric_that_is_called_training_is_one() {
        let row = Row::from_iter([(STEP.to_owned(), 1.into()), (TRAINING.to_owned(), 0.5.into())]);
        let history = History::of(vec![row.clone()]);
        assert_eq!(history, History { evaluations: vec![row], training: Vec::new() });
    }
}
