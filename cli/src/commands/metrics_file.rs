//! What was measured in a run, as a file for programs that draw.

use std::path::Path;

use anyhow::Context;
use rekindle::tree::{ArrayRef, StoredTree};
use rekindle::{Checkpoint, EntryPath, Node};
use rekindle_formats::files;
use rekindle_formats::metrics::{Events, Histogram, MetricsTable};
use rekindle_train::{ConfigText, History, Registry};
use serde_json::Value;

use crate::address::Source;
use crate::commands::train::system_of;

/// A kind of such files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricsFile {
    Csv,
    JsonLines,
    Events,
}

impl MetricsFile {
    /// By the ending of the name, if it is one of these.
    pub fn of(file: &Path) -> Option<Self> {
        let kinds = [("csv", Self::Csv), ("jsonl", Self::JsonLines), ("tfevents", Self::Events)];
        let ending = file.extension()?;
        kinds.into_iter().find(|(known, _)| ending.eq_ignore_ascii_case(known)).map(|(_, kind)| kind)
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Csv => "metrics in CSV",
            Self::JsonLines => "metrics in JSON Lines",
            Self::Events => "events of TensorBoard",
        }
    }

    /// Writes the history of a checkpoint; gives warnings.
    pub fn write(
        self,
        registry: &Registry,
        source: &Source,
        checkpoint: &Checkpoint<'_>,
        file: &Path,
    ) -> anyhow::Result<Vec<String>> {
        let (rows, damage) = checkpoint.history();
        let table = table(History::of(rows));
        let mut warnings: Vec<String> = damage
            .map(|damage| format!("the metrics history is not complete: {damage}"))
            .into_iter()
            .collect();
        let bytes = match self {
            Self::Csv => table.to_csv()?,
            Self::JsonLines => table.to_json_lines().into_bytes(),
            Self::Events => events(registry, source, checkpoint, &table, &mut warnings)?,
        };
        files::write(file, &bytes).with_context(|| format!("cannot write `{}`", file.display()))?;
        Ok(warnings)
    }
}

/// What was measured of the state, and, as `training.NAME`, what training told at its steps.
fn table(history: History) -> MetricsTable {
    let mut table = MetricsTable::default();
    for (rows, prefix) in [(history.evaluations, ""), (history.training, "training.")] {
        for row in rows {
            let Some(step) = row.get("step").and_then(Value::as_u64) else { continue };
            // The length of a row is no metric.
            for (name, value) in row.iter().filter(|(name, _)| !["step", "steps"].contains(&name.as_str())) {
                if let Some(value) = value.as_f64() {
                    table.add(step, &format!("{prefix}{name}"), value);
                }
            }
        }
    }
    table
}

/// All that TensorBoard shows: metrics, how the values of each array are spread, the system's pictures, and the config.
fn events(
    registry: &Registry,
    source: &Source,
    checkpoint: &Checkpoint<'_>,
    table: &MetricsTable,
    warnings: &mut Vec<String>,
) -> anyhow::Result<Vec<u8>> {
    // When a step was done is not kept: it was before the next checkpoint was saved.
    let saved: Vec<(u64, u64)> = source.store.records().map(|record| (record.step, record.created)).collect();
    let newest = checkpoint.record().created;
    let time = |step: u64| saved.iter().find(|(saved, _)| *saved >= step).map_or(newest, |(_, time)| *time);
    let mut events = Events::new(saved.first().map_or(newest, |(_, time)| *time));
    for (step, metrics) in table.rows() {
        for (name, value) in metrics {
            events.scalar(step, time(step), name, *value)?;
        }
    }
    let step = checkpoint.record().step;
    for (path, array) in arrays(&checkpoint.tree()?) {
        let (bytes, dtype) = (checkpoint.read_array(&path, &array)?, array.kind().dtype);
        let values = bytes.chunks_exact(dtype.size()).map(|bytes| dtype.to_f64(bytes));
        events.histogram(step, newest, &path.to_string(), &Histogram::of(values))?;
    }
    let config = &checkpoint.record().about.config;
    if let Ok(system) = registry.system(&system_of(&source.store), "the run") {
        for (name, _) in system.pictures() {
            match system.draw(checkpoint, name).map(|picture| picture.png()) {
                Ok(Ok(png)) => events.picture(step, newest, name, &png)?,
                Ok(Err(error)) => warnings.push(format!("the picture `{name}` is not there: {error}")),
                Err(error) => warnings.push(format!("the picture `{name}` is not there: {error}")),
            }
        }
        let text = ConfigText { origin: "the run".to_owned(), yaml: config.to_string() };
        let yaml = system.config(&text, &[]).and_then(|config| config.yaml());
        if let Ok(yaml) = yaml {
            events.text(0, newest, "config", &format!("```yaml\n{yaml}```"))?;
        }
    } else if !config.is_null() {
        events.text(0, newest, "config", &format!("```json\n{config:#}\n```"))?;
    }
    Ok(events.finish())
}

/// All arrays of a state by their paths.
fn arrays(tree: &StoredTree) -> Vec<(EntryPath, ArrayRef)> {
    fn walk(path: &EntryPath, node: &StoredTree, found: &mut Vec<(EntryPath, ArrayRef)>) {
        match node {
            Node::Array(array) => found.push((path.clone(), array.clone())),
            Node::Some(content) => walk(path, content, found),
            other => other
                .children()
                .iter()
                .for_each(|(name, child)| walk(&path.child(name.as_str()), child, found)),
        }
    }
    let mut found = Vec::new();
    walk(&EntryPath::root(), tree, &mut found);
    found
}
