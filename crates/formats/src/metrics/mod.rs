//! What was measured in a training, for programs that draw: CSV, JSON Lines, and the events that TensorBoard reads.

mod events;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

pub use events::{Events, EventsError, Histogram};

/// Metrics by step, as a table: a column for each metric.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MetricsTable {
    rows: BTreeMap<u64, BTreeMap<String, f64>>,
}

impl MetricsTable {
    /// Adds the value of a metric at a step.
    pub fn add(&mut self, step: u64, name: &str, value: f64) {
        self.rows.entry(step).or_default().insert(name.to_owned(), value);
    }

    /// The metrics of each step, steps ascending and metrics by name.
    pub fn rows(&self) -> impl Iterator<Item = (u64, &BTreeMap<String, f64>)> {
        self.rows.iter().map(|(step, metrics)| (*step, metrics))
    }

    /// As CSV with a head; a metric that was not measured at a step is empty there.
    ///
    /// # Errors
    /// None that a table in memory can have.
    pub fn to_csv(&self) -> Result<Vec<u8>, csv::Error> {
        let names: BTreeSet<&String> = self.rows.values().flat_map(BTreeMap::keys).collect();
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(std::iter::once("step").chain(names.iter().map(|name| name.as_str())))?;
        for (step, metrics) in &self.rows {
            let value = |name: &&String| metrics.get(*name).map_or_else(String::new, f64::to_string);
            writer.write_record(std::iter::once(step.to_string()).chain(names.iter().map(value)))?;
        }
        writer.into_inner().map_err(|error| csv::Error::from(error.into_error()))
    }

    /// As JSON Lines: an object a step, with `step` and what was measured then. What is no number in JSON is null.
    pub fn to_json_lines(&self) -> String {
        let line = |(step, metrics): (&u64, &BTreeMap<String, f64>)| {
            let metrics = metrics.iter().map(|(name, value)| (name.clone(), Value::from(*value)));
            let row: Map<String, Value> =
                std::iter::once(("step".to_owned(), (*step).into())).chain(metrics).collect();
            format!("{}\n", Value::Object(row))
        };
        self.rows.iter().map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_rows_and_metrics_columns() {
        let mut table = MetricsTable::default();
        table.add(20, "loss", 0.5);
        table.add(3, "training.loss", f64::NAN);
        table.add(20, "a,b", -1e-300);
        let csv = String::from_utf8(table.to_csv().unwrap()).unwrap();
        assert!(csv.starts_with("step,\"a,b\",loss,training.loss\n3,,,NaN\n20,-0.0000"), "{csv}");
        assert_eq!(
            table.to_json_lines(),
            "{\"step\":3,\"training.loss\":null}\n{\"a,b\":-1e-300,\"loss\":0.5,\"step\":20}\n"
        );
        assert_eq!(MetricsTable::default().to_json_lines(), "");
    }
}
