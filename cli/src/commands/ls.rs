//! `ls`: runs, or the checkpoints of one.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rekindle::records::CommitRecord;
use rekindle::storage::FileStorage;
use rekindle::{OpenError, Store, time};
use rekindle_formats::files;
use rekindle_train::{Registry, recorded_best};
use serde_json::{Value, json};

use crate::address::open_run;
use crate::args::{LsArgs, SortArg};
use crate::output::{self, Column};
use crate::run_state::{RunState, metrics_line};

/// Directories within directories are looked into so far down.
const DEPTH: usize = 8;

pub fn ls(registry: &Registry, args: &LsArgs, json: bool) -> anyhow::Result<u8> {
    let path = args.run.as_deref().unwrap_or(Path::new("runs"));
    match open_run(path) {
        Ok(store) => checkpoints(registry, &store, json),
        Err(error) => {
            let no_run = matches!(error.downcast_ref(), Some(OpenError::NoRun { .. }));
            if no_run && path.is_dir() { runs(registry, path, args, json) } else { Err(error) }
        }
    }
}

fn checkpoints(registry: &Registry, store: &Store, json: bool) -> anyhow::Result<u8> {
    let tags = tags_by_step(store)?;
    let tags_of = |record: &CommitRecord| tags.get(&record.step).cloned().unwrap_or_default();
    if json {
        let list = store.records().map(|record| checkpoint_json(store, record, &tags_of(record)));
        let damaged = store
            .damaged_records()
            .map(|skipped| json!({"step": skipped.step, "damage": skipped.damage.to_string()}));
        output::print_json(&json!({
            "run": store.identity().run,
            "checkpoints": list.collect::<Vec<_>>(),
            "damaged": damaged.collect::<Vec<_>>(),
        }))?;
        return Ok(0);
    }
    let row = |record: &CommitRecord| {
        vec![
            record.step.to_string(),
            metrics_line(registry, record),
            tags_of(record).join(", "),
            time::format_utc(record.created),
            output::bytes(record.payload_bytes),
            output::bytes(record.new_bytes),
            record.state_hash.short(),
            store.note(Some(record.step)).unwrap_or_default().unwrap_or_default(),
        ]
    };
    let columns = [
        Column::right("step"),
        Column::flexible("metrics"),
        Column::left("tags"),
        Column::left("saved").dropped(2),
        Column::right("size").dropped(3),
        Column::right("new bytes").dropped(4),
        Column::left("state").dropped(5),
        Column::left("note").dropped(1),
    ];
    output::print(&output::fitted_table(&columns, &store.records().map(row).collect::<Vec<_>>()))?;
    for skipped in store.damaged_records() {
        output::print(&format!("step {}: {}", skipped.step, skipped.damage))?;
    }
    Ok(0)
}

/// Names of checkpoints; `best` is one where there is such.
pub fn tags_by_step(store: &Store) -> anyhow::Result<BTreeMap<u64, Vec<String>>> {
    let mut tags: BTreeMap<u64, Vec<String>> = BTreeMap::new();
    for (name, step) in store.tags()? {
        if let Ok(step) = step {
            tags.entry(step).or_default().push(name);
        }
    }
    let best = recorded_best(store)
        .and_then(|best| best.choose(store.records().map(|r| (r.step, &r.about.metrics))));
    if let Some(step) = best {
        let tags = tags.entry(step).or_default();
        if !tags.contains(&"best".to_owned()) {
            tags.push("best".to_owned());
        }
    }
    Ok(tags)
}

fn checkpoint_json(store: &Store, record: &CommitRecord, tags: &[String]) -> Value {
    json!({
        "step": record.step,
        "saved": record.created,
        "state_hash": record.state_hash,
        "payload_bytes": record.payload_bytes,
        "new_bytes": record.new_bytes,
        "tags": tags,
        "metrics": record.about.metrics,
        "changes": record.about.changes,
        "note": store.note(Some(record.step)).unwrap_or_default(),
    })
}

/// A run in a list of runs.
struct Listed {
    directory: PathBuf,
    /// None of a run whose key is not at hand: none is asked for to list it.
    store: Option<Store>,
    disk_bytes: u64,
}

impl Listed {
    fn newest(&self) -> Option<&CommitRecord> {
        self.store.as_ref()?.records().next_back()
    }
}

fn runs(registry: &Registry, path: &Path, args: &LsArgs, json: bool) -> anyhow::Result<u8> {
    let mut found = Vec::new();
    find_runs(path, if args.recursive { DEPTH } else { 1 }, &mut found)?;
    if let Some(system) = &args.system {
        found.retain(|run| run.store.as_ref().is_some_and(|store| store.identity().system == *system));
    }
    match args.sort {
        SortArg::Name => {}
        SortArg::Saved => found.sort_by_key(|run| Reverse(run.newest().map(|record| record.created))),
        SortArg::Step => found.sort_by_key(|run| Reverse(run.newest().map(|record| record.step))),
        SortArg::Size => found.sort_by_key(|run| Reverse(run.disk_bytes)),
    }
    if json {
        let runs = found.iter().map(run_json).collect::<anyhow::Result<Vec<_>>>()?;
        output::print_json(&json!({"runs": runs}))?;
    } else if found.is_empty() {
        tell!("there are no runs in `{}`; make one with `rekindle train life`", path.display());
    } else {
        let rows = found.iter().map(|run| run_row(registry, run)).collect::<anyhow::Result<Vec<_>>>()?;
        let columns = [
            Column::left("run"),
            Column::left("system").dropped(3),
            Column::right("step"),
            Column::left("state"),
            Column::flexible("metrics"),
            Column::right("checkpoints").dropped(4),
            Column::right("size").dropped(1),
            Column::left("from").dropped(2),
            Column::left("note").dropped(2),
        ];
        output::print(&output::fitted_table(&columns, &rows))?;
    }
    Ok(0)
}

/// The runs below a directory, by name.
fn find_runs(path: &Path, depth: usize, found: &mut Vec<Listed>) -> anyhow::Result<()> {
    for directory in files::directories(path) {
        match Store::open(Arc::new(FileStorage::new(&directory))) {
            Ok(store) => {
                let disk_bytes = store.storage().list("")?.iter().map(|object| object.len).sum();
                found.push(Listed { directory, store: Some(store), disk_bytes });
            }
            Err(OpenError::NoRun { .. }) if depth > 1 => find_runs(&directory, depth - 1, found)?,
            Err(OpenError::NoRun { .. }) => {}
            Err(OpenError::Encrypted { .. }) => {
                found.push(Listed { directory, store: None, disk_bytes: 0 });
            }
            Err(error) => tell!("warning: {error}"),
        }
    }
    Ok(())
}

fn run_json(run: &Listed) -> anyhow::Result<Value> {
    let Some(store) = &run.store else {
        return Ok(json!({"run": run.directory, "encrypted": true}));
    };
    let state = RunState::of(store)?;
    Ok(json!({
        "run": run.directory,
        "encrypted": store.identity().encrypted,
        "system": store.identity().system,
        "state": state.standing().name(),
        "step": state.newest.map(|record| record.step),
        "total_steps": state.total_steps,
        "saved": state.newest.map(|record| record.created),
        "checkpoints": store.steps().len(),
        "disk_bytes": run.disk_bytes,
        "created": store.identity().created,
        "lineage": store.identity().lineage,
        "note": store.note(None).unwrap_or_default(),
        "metrics": state.newest.map(|record| &record.about.metrics),
    }))
}

fn run_row(registry: &Registry, run: &Listed) -> anyhow::Result<Vec<String>> {
    let name = run.directory.display().to_string();
    let Some(store) = &run.store else {
        return Ok([&name, "", "", "encrypted", "", "", "", "", ""].map(str::to_owned).to_vec());
    };
    let state = RunState::of(store)?;
    Ok(vec![
        name,
        store.identity().system.clone(),
        state.newest.map_or("-".to_owned(), |record| record.step.to_string()),
        state.standing().name().to_owned(),
        state.newest.map_or(String::new(), |record| metrics_line(registry, record)),
        store.steps().len().to_string(),
        output::bytes(run.disk_bytes),
        store.identity().lineage.as_ref().map_or(String::new(), |lineage| lineage.source.clone()),
        store.note(None).unwrap_or_default().unwrap_or_default(),
    ])
}
