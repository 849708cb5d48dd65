//! `train` and `resume`.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use rekindle::storage::StorageError;
use rekindle::{Address, OpenError, Store, Which};
use rekindle_formats::{files, is_checkpoint_file};
use rekindle_train::{
    AnySystem, ConfigText, Onto, Options, Origin, Registry, Report, Start, TrainError, describe_in_order,
};

use crate::address::{Source, note_older_format, open_run, resolve};
use crate::args::{HowArgs, ResumeArgs, TrainArgs};
use crate::json_events;
use crate::output;
use crate::progress::{self, Display};
use crate::system_options::Given;
use crate::unlock;

pub fn train(registry: &Registry, args: TrainArgs, given: &Given, json: bool) -> anyhow::Result<u8> {
    let text = registry.config_text(&args.config)?;
    let system = registry.system(&text.system()?, &text.origin)?;
    let options = options(&args.how, json);
    let settings = given.settings(system, args.set)?;
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

pub fn resume(registry: &Registry, args: ResumeArgs, given: &Given, json: bool) -> anyhow::Result<u8> {
    let address = Address::parse(&args.checkpoint);
    if is_checkpoint_file(&address.run) {
        let file = address.run.display();
        bail!("`{file}` is a checkpoint file, not a run; make one with `rekindle import {file} --run DIR`");
    }
    let access = unlock::access(&address.run)?;
    let store = Store::open(access.clone())?;
    note_older_format(&store);
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
    let settings = given.settings(system, args.set)?;
    let start = Start::Resume { run: address.run, access, step, settings, onto };
    finish(system.train(start, &options(&args.how, json)), json)
}

/// Goes on with a run from its newest checkpoint, with settings on top.
pub fn go_on(
    system: &dyn AnySystem,
    run: &Path,
    settings: Vec<String>,
    how: &HowArgs,
    json: bool,
) -> anyhow::Result<u8> {
    let (run, access, onto) = (run.to_owned(), unlock::access(run)?, Onto::Same);
    let start = Start::Resume { run, access, step: None, settings, onto };
    finish(system.train(start, &options(how, json)), json)
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
    // A dumb terminal cannot move its cursor.
    let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    let display = match (how.quiet, std::io::stderr().is_terminal() && !is_dumb) {
        (true, _) => Display::Quiet,
        (false, true) => Display::Bar,
        (false, false) => Display::Lines,
    };
    let observer = if json { json_events::observer(how.quiet) } else { progress::observer(display) };
    Options {
        threads: how.threads.count(),
        stop_at: how.stop_at,
        kill_at: how.kill_at,
        trace: how.trace.clone(),
        observer,
    }
}

fn finish(result: Result<Report, TrainError>, json: bool) -> anyhow::Result<u8> {
    let report = result?;
    let printed = if json { json_events::print_end(&report) } else { output::print(&summary(&report)) };
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
