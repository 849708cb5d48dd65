//! `status`: how far a run is, how fast, and who writes it.

use std::path::Path;

use rekindle::records::Lineage;
use rekindle::{Store, time};
use rekindle_train::{Registry, duration, number};
use serde_json::json;

use crate::address::open_run;
use crate::output;
use crate::run_state::{RunState, metrics_line};

pub fn status(registry: &Registry, path: &Path, json: bool) -> anyhow::Result<u8> {
    let store = open_run(path)?;
    let state = RunState::of(&store)?;
    let RunState { newest, holder, total_steps, steps_per_second } = &state;
    let lineage = store.identity().lineage.as_ref();
    if json {
        output::print_json(&json!({
            "run": path,
            "system": store.identity().system,
            "state": state.standing().name(),
            "step": newest.map(|record| record.step),
            "total_steps": total_steps,
            "saved": newest.map(|record| record.created),
            "steps_per_second": steps_per_second,
            "eta_seconds": state.eta_seconds(),
            "state_hash": newest.map(|record| record.state_hash),
            "metrics": newest.map(|record| &record.about.metrics),
            "damaged": store.damaged_records().map(|skipped| skipped.step).collect::<Vec<_>>(),
            "holder": holder,
            "lineage": lineage,
            "teachers": store.identity().teachers,
        }))?;
        return Ok(0);
    }
    let text = |value: Option<String>| value.unwrap_or_default();
    let mut rows = vec![
        ("run", path.display().to_string()),
        ("system", store.identity().system.clone()),
        ("state", state.standing().name().to_owned()),
        ("durable step", progress(&state)),
        ("saved", text(newest.map(|record| time::format_utc(record.created)))),
        ("rate", text(steps_per_second.map(|rate| format!("{} steps/s", number(rate))))),
        ("remaining", text(state.eta_seconds().map(duration))),
        ("metrics", text(newest.map(|record| metrics_line(registry, record)))),
        ("state hash", text(newest.map(|record| record.state_hash.to_string()))),
        ("started from", text(lineage.map(|lineage| lineage.source.clone()))),
        ("learns from", teachers(&store)),
        ("written by", holder.as_ref().map_or("nobody".to_owned(), ToString::to_string)),
    ];
    rows.retain(|(_, value)| !value.is_empty());
    let lines: Vec<String> = rows.iter().map(|(name, value)| format!("{name:13} {value}")).collect();
    output::print(&lines.join("\n"))?;
    for skipped in store.damaged_records() {
        output::print(&format!("{:13} step {}: {}", "damaged", skipped.step, skipped.damage))?;
    }
    Ok(0)
}

/// The checkpoints that a run learns from, with their states.
fn teachers(store: &Store) -> String {
    let teachers = store.identity().teachers.iter();
    let described = teachers.map(|Lineage { source, state_hash, .. }| match state_hash {
        Some(hash) => format!("{source} ({hash})"),
        None => source.clone(),
    });
    described.collect::<Vec<_>>().join(", ")
}

fn progress(state: &RunState<'_>) -> String {
    match (state.newest, state.total_steps) {
        (Some(record), Some(total)) => format!("{} of {total}", record.step),
        (Some(record), None) => record.step.to_string(),
        (None, _) => "none yet".to_owned(),
    }
}
