//! `ls`: runs, or the checkpoints of one.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use rekindle::records::CommitRecord;
use rekindle::storage::FileStorage;
use rekindle::{OpenError, Store, time};
use rekindle_formats::files;
use rekindle_train::{describe, recorded_best};
use serde_json::json;

use crate::address::open_run;
use crate::output;

pub fn ls(path: Option<&Path>, json: bool) -> anyhow::Result<u8> {
    let path = path.unwrap_or(Path::new("runs"));
    match open_run(path) {
        Ok(store) => checkpoints(&store, json),
        Err(error) => {
            let no_run = matches!(error.downcast_ref(), Some(OpenError::NoRun { .. }));
            if no_run && path.is_dir() { runs(path, json) } else { Err(error) }
        }
    }
}

fn checkpoints(store: &Store, json: bool) -> anyhow::Result<u8> {
    let mut tags: BTreeMap<u64, Vec<String>> = BTreeMap::new();
    for (name, step) in store.tags()? {
        if let Ok(step) = step {
            tags.entry(step).or_default().push(name);
        }
    }
    let best = recorded_best(store)
        .and_then(|best| best.choose(store.records().map(|r| (r.step, &r.about.metrics))));
    if best.is_some_and(|step| tags.get(&step).is_none_or(|tags| !tags.contains(&"best".to_owned()))) {
        tags.entry(best.unwrap_or_default()).or_default().push("best".to_owned());
    }
    let damaged: Vec<_> = store.damaged_records().collect();
    if json {
        let list: Vec<_> =
            store.records().map(|record| checkpoint_json(store, record, tags.get(&record.step))).collect();
        let damaged: Vec<_> = damaged
            .iter()
            .map(|skipped| json!({"step": skipped.step, "damage": skipped.damage.to_string()}))
            .collect();
        output::print_json(&json!({"run": store.identity().run, "checkpoints": list, "damaged": damaged}))?;
        return Ok(0);
    }
    let rows: Vec<Vec<String>> = store
        .records()
        .map(|record| {
            vec![
                record.step.to_string(),
                time::format_utc(record.created),
                output::bytes(record.payload_bytes),
                output::bytes(record.new_bytes),
                record.state_hash.short(),
                tags.get(&record.step).map(|tags| tags.join(", ")).unwrap_or_default(),
                describe(&record.about.metrics),
                store.note(Some(record.step)).unwrap_or_default().unwrap_or_default(),
            ]
        })
        .collect();
    let header = [">step", "saved", ">size", ">new bytes", "state", "tags", "metrics", "note"];
    output::print(&output::table(&header, &rows))?;
    for skipped in damaged {
        output::print(&format!("step {}: {}", skipped.step, skipped.damage))?;
    }
    Ok(0)
}

fn checkpoint_json(store: &Store, record: &CommitRecord, tags: Option<&Vec<String>>) -> serde_json::Value {
    json!({
        "step": record.step,
        "created": record.created,
        "state_hash": record.state_hash,
        "payload_bytes": record.payload_bytes,
        "new_bytes": record.new_bytes,
        "tags": tags.cloned().unwrap_or_default(),
        "metrics": record.about.metrics,
        "changes": record.about.changes,
        "note": store.note(Some(record.step)).unwrap_or_default(),
    })
}

fn runs(path: &Path, json: bool) -> anyhow::Result<u8> {
    let (mut rows, mut list) = (Vec::new(), Vec::new());
    for directory in files::directories(path) {
        let store = match Store::open(Arc::new(FileStorage::new(&directory))) {
            Ok(store) => store,
            Err(OpenError::NoRun { .. }) => continue,
            // No key is asked for to list it.
            Err(OpenError::Encrypted { .. }) => {
                let name = directory.display().to_string();
                list.push(json!({"run": name, "encrypted": true}));
                rows.push([&name, "encrypted", "-", "-", "-", "", "", "", ""].map(str::to_owned).to_vec());
                continue;
            }
            Err(error) => {
                tell!("warning: {error}");
                continue;
            }
        };
        let newest = store.records().next_back();
        let size: u64 = store.storage().list("")?.iter().map(|object| object.len).sum();
        let holder = store.storage().holder()?;
        let name = directory.display().to_string();
        let metrics = newest.map(|record| record.about.metrics.clone()).unwrap_or_default();
        list.push(json!({
            "run": name,
            "system": store.identity().system,
            "step": newest.map(|record| record.step),
            "checkpoints": store.steps().len(),
            "bytes": size,
            "created": store.identity().created,
            "writing": holder.is_some(),
            "lineage": store.identity().lineage,
            "note": store.note(None).unwrap_or_default(),
            "metrics": metrics,
        }));
        rows.push(vec![
            name,
            store.identity().system.clone(),
            newest.map_or("-".to_owned(), |record| record.step.to_string()),
            store.steps().len().to_string(),
            output::bytes(size),
            if holder.is_some() { "writing".to_owned() } else { String::new() },
            describe(&metrics),
            store.identity().lineage.as_ref().map_or(String::new(), |lineage| lineage.source.clone()),
            store.note(None).unwrap_or_default().unwrap_or_default(),
        ]);
    }
    if json {
        output::print_json(&list)?;
    } else if rows.is_empty() {
        tell!("there are no runs in `{}`; make one with `rekindle train life`", path.display());
    } else {
        let header = ["run", "system", ">step", ">checkpoints", ">size", "", "metrics", "from", "note"];
        output::print(&output::table(&header, &rows))?;
    }
    Ok(0)
}
