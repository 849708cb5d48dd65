//! `train` and `resume`.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use rekindle::storage::StorageError;
use rekindle::{Address, OpenError, Store, Which};
use rekindle_formats::{files, is_checkpoint_file};
use rekindle_train::{
    AnySystem, ConfigText, Display, Onto, Options, Origin, Registry, Report, Start, Started, TrainError,
    describe_in_order,
};

use crate::address::{Source, open_run, resolve};
use crate::args::{HowArgs, ResumeArgs, SearchArgs, TrainArgs, threads};
use crate::output;
use crate::unlock;

pub fn train(registry: &Registry, args: TrainArgs, json: bool) -> anyhow::Result<u8> {
    let text = registry.config_text(&args.config)?;
    let system = registry.system(&text.system()?, &text.origin)?;
    let options = options(&args.how, json);
    let settings = settings(system, &named(args.data, args.search), args.set)?;
    loop {
        let from = args.from.as_deref().map(|from| origin(from, args.only.as_deref())).transpose()?;
        let run = match &args.run {
            _ if args.how.without_run => None,
            Some(run) => Some(run.clone()),
            None => Some(default_run(&args.config)),
        };
        let start = Start::New {
            text: text.clone(),
            settings: settings.clone(),
            run: run.clone(),
            from: from.map(Box::new),
        };
        match system.train(start, &options) {
            // Another process took the free directory first: the next one, then.
            Err(TrainError::Open(error)) if args.run.is_none() && is_taken(&error) => {}
            result => return finish(result, json),
        }
    }
}

pub fn resume(registry: &Registry, args: ResumeArgs, json: bool) -> anyhow::Result<u8> {
    let address = Address::parse(&args.checkpoint);
    if is_checkpoint_file(&address.run) {
        let file = address.run.display();
        bail!("`{file}` is a checkpoint file, not a run; make one with `rekindle import {file} --run DIR`");
    }
    let access = unlock::access(&address.run)?;
    let store = Store::open(access.clone())?;
    let system = registry.system(&system_of(&store), &args.checkpoint)?;
    // The newest valid one is found while it is loaded.
    let step = match &address.which {
        Which::Latest(0) => None,
        which => Some(resolve(&store, which)?),
    };
    drop(store);
    let onto = match (args.fork, args.discard_later, args.how.without_run) {
        (_, _, true) => Onto::Nothing,
        (Some(path), ..) => Onto::Fork(path),
        (None, true, _) => Onto::DiscardLater,
        (None, false, _) => Onto::Same,
    };
    let settings = settings(system, &named(args.data, SearchArgs::default()), args.set)?;
    let start = Start::Resume { run: address.run, access, step, settings, onto };
    finish(system.train(start, &options(&args.how, json)), json)
}

/// The options that a system may have, with their values; those that were given.
fn named(data: Vec<String>, search: SearchArgs) -> Vec<(&'static str, Vec<String>)> {
    let SearchArgs { tokenizer, search, pass, seed_from, resume_from } = search;
    let one = |value: Option<String>| value.into_iter().collect();
    let options = [
        // What a file of settings says comes first: the others win over it.
        ("search", one(search)),
        ("data", data),
        ("tokenizer", one(tokenizer)),
        ("pass", one(pass.map(|pass| pass.to_string()))),
        ("seed-from", one(seed_from)),
        ("resume-from", one(resume_from)),
    ];
    options.into_iter().filter(|(_, values)| !values.is_empty()).collect()
}

/// What the options stand for, and what was set beside them.
fn settings(
    system: &dyn AnySystem,
    options: &[(&str, Vec<String>)],
    set: Vec<String>,
) -> anyhow::Result<Vec<String>> {
    let mut settings = Vec::new();
    for (name, values) in options {
        let option = system.option(name, values);
        let unknown = || match (*name, &values[..]) {
            ("data", [value]) => format!("--data {value}: `{}` learns no files", system.name()),
            ("data", _) => format!("--data: `{}` learns one file, not {}", system.name(), values.len()),
            (_, values) => format!("--{name} {}: `{}` has no such option", values.join(" "), system.name()),
        };
        settings.extend(option.with_context(unknown)??);
    }
    settings.extend(set);
    Ok(settings)
}

fn is_taken(error: &OpenError) -> bool {
    matches!(error, OpenError::RunExists { .. } | OpenError::Storage(StorageError::Locked { .. }))
}

/// The system of a run; of a run that was imported, what its newest checkpoint says.
pub fn system_of(store: &Store) -> String {
    let newest = store.records().next_back();
    newest.map_or_else(|| store.identity().system.clone(), |record| record.about.system.clone())
}

fn origin(from: &str, only: Option<&str>) -> anyhow::Result<Origin> {
    let Source { store, step, .. } = Source::open_whole(from)?;
    let only = only.map(str::parse).transpose()?;
    Ok(Origin { source: from.to_owned(), store, step, only })
}

/// `runs/NAME` for the preset or file `config`, or the first of `runs/NAME-2` ... that is free.
fn default_run(config: &str) -> PathBuf {
    let stem = Path::new(config).file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let first = Path::new("runs").join(&stem);
    let others = (2..).map(|number| Path::new("runs").join(format!("{stem}-{number}")));
    let free = std::iter::once(first.clone()).chain(others).find(|path| !files::exists(path));
    free.unwrap_or(first)
}

pub fn options(how: &HowArgs, json: bool) -> Options {
    Options {
        threads: threads(how.threads),
        display: match (how.quiet, std::io::stderr().is_terminal()) {
            (true, _) => Display::Quiet,
            (false, true) => Display::Bar,
            (false, false) => Display::Lines,
        },
        stop_at: how.stop_at,
        kill_at: how.kill_at,
        trace: how.trace.clone(),
        on_start: if json { say_start_in_json } else { say_start },
    }
}

fn say_start(started: &Started) {
    // Every process takes some; only what is more than that is worth a word.
    const WORTH: u64 = 64 << 20;
    let memory = started.memory_bytes.filter(|&bytes| bytes >= WORTH);
    let memory = memory
        .map_or(String::new(), |bytes| format!(", with at most about {} of memory", output::bytes(bytes)));
    match (&started.run, started.resumed_from) {
        (Some(run), Some(step)) => rekindle_train::tell!("resuming {run} from step {step}{memory}"),
        (Some(run), None) => rekindle_train::tell!("training in {run}{memory}"),
        (None, _) => {}
    }
}

fn say_start_in_json(started: &Started) {
    // A reader that went away does not stop training.
    let _ = output::print_json(started);
}

fn finish(result: Result<Report, TrainError>, json: bool) -> anyhow::Result<u8> {
    let report = result?;
    let printed = if json { output::print_json(&report) } else { output::print(&summary(&report)) };
    match report.stopped_by {
        // The terminal may be gone that this was for. What matters is that all is saved.
        Some(signal) => Ok(signal.exit_code()),
        None => printed.map(|()| 0),
    }
}

fn summary(report: &Report) -> String {
    let mut lines = Vec::new();
    if !report.text.is_empty() {
        lines.push(report.text.trim_end().to_owned());
        lines.push(String::new());
    }
    let idle = report.resumed_from.is_some() && report.steps_run == 0;
    let state = match (report.finished, report.stopped_by) {
        (true, _) => "finished",
        (false, _) if idle => "nothing to do",
        (false, Some(_)) => "stopped; saved",
        (false, None) => "stopped as asked; saved",
    };
    lines.push(format!(
        "{state} at step {}  {}",
        report.step,
        describe_in_order(&report.metrics, &report.order)
    ));
    lines.push(format!("state {}", report.state_hash));
    if let Some(run) = &report.run {
        lines.push(format!("run   {run}"));
        lines.extend(report.artifacts.iter().map(|name| format!("wrote {run}/{name}")));
        if !report.finished {
            lines.push(format!("go on with: rekindle resume {run}"));
        }
    }
    lines.join("\n")
}

/// The config of a run, as its newest checkpoint has it.
pub fn config_of_run(path: &Path) -> anyhow::Result<ConfigText> {
    let store = open_run(path)?;
    let record = store.records().next_back().context("the run has no checkpoint yet")?;
    // JSON is YAML.
    Ok(ConfigText { origin: path.display().to_string(), yaml: record.about.config.to_string() })
}
