//! `status`: how far a run is, how fast, and who writes it.

use std::path::Path;

use rekindle::records::CommitRecord;
use rekindle::time;
use rekindle_train::{describe, duration, number};
use serde_json::json;

use crate::address::open_run;
use crate::output;

pub fn status(path: &Path, json: bool) -> anyhow::Result<u8> {
    let store = open_run(path)?;
    let holder = store.storage().holder()?;
    let newest = store.records().next_back();
    let environment =
        |name: &str| newest.and_then(|record| record.about.environment.get(name)?.parse::<f64>().ok());
    let (total, rate) = (environment("total_steps"), environment("steps_per_second"));
    let remaining =
        newest.and_then(|record| Some((total? - record.step as f64).max(0.0) / rate.filter(|r| *r > 0.0)?));
    if json {
        output::print_json(&json!({
            "run": path,
            "system": store.identity().system,
            "durable_step": newest.map(|record| record.step),
            "total_steps": total,
            "saved": newest.map(|record| record.created),
            "steps_per_second": rate,
            "eta_seconds": remaining,
            "state_hash": newest.map(|record| record.state_hash),
            "metrics": newest.map(|record| &record.about.metrics),
            "damaged": store.damaged_records().map(|skipped| skipped.step).collect::<Vec<_>>(),
            "holder": holder,
            "lineage": store.identity().lineage,
        }))?;
        return Ok(0);
    }
    let mut rows = vec![
        ("run", path.display().to_string()),
        ("system", store.identity().system.clone()),
        ("durable step", newest.map_or("none yet".to_owned(), |record| progress(record, total))),
        ("saved", newest.map_or(String::new(), |record| time::format_utc(record.created))),
        ("rate", rate.map_or(String::new(), |rate| format!("{} steps/s", number(rate)))),
        ("remaining", remaining.filter(|seconds| *seconds > 0.0).map_or(String::new(), duration)),
        ("metrics", newest.map_or(String::new(), |record| describe(&record.about.metrics))),
        ("state", newest.map_or(String::new(), |record| record.state_hash.to_string())),
        (
            "started from",
            store.identity().lineage.as_ref().map_or(String::new(), |lineage| lineage.source.clone()),
        ),
        ("written by", holder.map_or("nobody".to_owned(), |holder| holder.to_string())),
    ];
    rows.retain(|(_, value)| !value.is_empty());
    let lines: Vec<String> = rows.iter().map(|(name, value)| format!("{name:13} {value}")).collect();
    output::print(&lines.join("\n"))?;
    for skipped in store.damaged_records() {
        output::print(&format!("{:13} step {}: {}", "damaged", skipped.step, skipped.damage))?;
    }
    Ok(0)
}

fn progress(record: &CommitRecord, total: Option<f64>) -> String {
    match total {
        Some(total) if record.step as f64 >= total => format!("{} of {total}, finished", record.step),
        Some(total) => format!("{} of {total}", record.step),
        None => record.step.to_string(),
    }
}
