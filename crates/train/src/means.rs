//! Metrics that are told as means since the last line of the history.

use std::collections::BTreeMap;

use crate::system::Metrics;

/// The means since the last line. They are no part of a state: a checkpoint has the means themselves
/// among its metrics and, as a note, over how many steps they go, so that a run that goes on from it logs
/// the lines that it would have logged.
#[derive(Debug, Default)]
pub(crate) struct Means {
    names: &'static [&'static str],
    running: BTreeMap<String, Mean>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Mean {
    value: f64,
    steps: u64,
}

/// The note in a commit record: steps by metric, as JSON.
pub(crate) const NOTE: &str = "steps_of_means";

impl Means {
    /// Means of the metrics of these names.
    pub fn of(names: &'static [&'static str]) -> Self {
        Self { names, running: BTreeMap::new() }
    }

    /// Goes on with the means of a checkpoint.
    pub fn resume(&mut self, metrics: &Metrics, note: Option<&String>) {
        let steps: BTreeMap<String, u64> =
            note.and_then(|note| serde_json::from_str(note).ok()).unwrap_or_default();
        let known = steps.into_iter().filter(|(name, steps)| self.names.contains(&&**name) && *steps > 0);
        let means =
            known.filter_map(|(name, steps)| Some((Mean { value: *metrics.get(&name)?, steps }, name)));
        self.running = means.map(|(mean, name)| (name, mean)).collect();
    }

    /// Takes in the metrics of a step, and puts the means in their places.
    pub fn observe(&mut self, metrics: &mut Metrics) {
        for name in self.names {
            let Some(value) = metrics.get_mut(*name) else { continue };
            let mean = self.running.entry((*name).to_owned()).or_insert(Mean { value: 0.0, steps: 0 });
            mean.steps += 1;
            mean.value += (*value - mean.value) / mean.steps as f64;
            *value = mean.value;
        }
    }

    /// A line was logged.
    pub fn begin_line(&mut self) {
        self.running.clear();
    }

    /// Over how many steps the means go; nothing where there are none.
    pub fn note(&self) -> Option<String> {
        let steps: BTreeMap<&String, u64> =
            self.running.iter().map(|(name, mean)| (name, mean.steps)).collect();
        (!steps.is_empty()).then(|| serde_json::to_string(&steps).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metrics(loss: f64) -> Metrics {
        Metrics::from([("loss".to_owned(), loss), ("rate".to_owned(), loss)])
    }

    #[test]
    fn a_line_has_the_mean_since_the_line_before() {
        let mut means = Means::of(&["loss"]);
        let mut told = Vec::new();
        for loss in [3.0, 1.0, 8.0, 5.0] {
            let mut metrics = metrics(loss);
            means.observe(&mut metrics);
            assert_eq!(metrics["rate"], loss);
            told.push(metrics["loss"]);
            if loss == 8.0 {
                means.begin_line();
            }
        }
        assert_eq!(told, [3.0, 2.0, 4.0, 5.0]);
    }

    #[test]
    fn means_go_on_from_a_checkpoint_to_the_same_bits() {
        let losses = [0.1, 0.7, 1.0 / 3.0, 0.2, 5.3];
        let mut straight = Means::of(&["loss"]);
        let mut resumed = Means::of(&["loss"]);
        for loss in losses {
            let (mut expected, mut found) = (metrics(loss), metrics(loss));
            straight.observe(&mut expected);
            resumed.observe(&mut found);
            assert_eq!(expected["loss"].to_bits(), found["loss"].to_bits());
            let note = resumed.note();
            resumed = Means::of(&["loss"]);
            resumed.resume(&found, note.as_ref());
        }
    }
}
