//! What the shell completes beyond the names of options: presets, runs, checkpoints and config keys.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::builder::ValueHint;
use clap::{Arg, Command};
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate, PathCompleter, ValueCompleter};
use rekindle::storage::FileStorage;
use rekindle::{Store, time};
use rekindle_formats::files;
use rekindle_train::{AnySystem, config_keys};

/// `command` with completions for the values of its arguments.
pub fn declare(command: Command) -> Command {
    let names: Vec<String> = command.get_subcommands().map(|command| command.get_name().to_owned()).collect();
    names.into_iter().fold(command, |command, name| {
        command.mut_subcommand(&name, |command| command.mut_args(|arg| completed(&name, arg)))
    })
}

fn completed(command: &str, arg: Arg) -> Arg {
    match (command, arg.get_id().as_str()) {
        ("train" | "show-config", "config") | ("prove", "subject") => {
            arg.add(ArgValueCompleter::new(presets_and_files))
        }
        (_, "set") => arg.add(ArgValueCompleter::new(settings)),
        (_, "system") => arg.add(ArgValueCompleter::new(systems)),
        (_, "checkpoint" | "checkpoints" | "address" | "model" | "from" | "a" | "b") => {
            arg.add(ArgValueCompleter::new(checkpoints))
        }
        ("train" | "import", "run") => arg.value_hint(ValueHint::DirPath),
        (_, "run") => arg.add(ArgValueCompleter::new(runs)),
        (_, "file" | "data" | "out" | "key" | "tokenizer") => arg.value_hint(ValueHint::FilePath),
        (_, "copy" | "place" | "new" | "fork" | "salvage_to" | "directory") => {
            arg.value_hint(ValueHint::DirPath)
        }
        _ => arg,
    }
}

fn presets_and_files(current: &OsStr) -> Vec<CompletionCandidate> {
    let registry = rekindle_systems::registry();
    let presets = registry.systems().flat_map(|system| system.presets());
    let mut found: Vec<_> = presets
        .filter(|preset| begins(preset.name, current))
        .map(|preset| CompletionCandidate::new(preset.name).help(Some(preset.summary.into())))
        .collect();
    let is_config = |path: &Path| path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml");
    found.extend(PathCompleter::any().filter(move |path| path.is_dir() || is_config(path)).complete(current));
    found
}

fn systems(current: &OsStr) -> Vec<CompletionCandidate> {
    let registry = rekindle_systems::registry();
    let names = registry.systems().map(AnySystem::name).filter(|name| begins(name, current));
    names.map(CompletionCandidate::new).collect()
}

/// The keys of all systems' configs, each followed by `=`.
fn settings(current: &OsStr) -> Vec<CompletionCandidate> {
    let registry = rekindle_systems::registry();
    let mut keys: Vec<_> = registry
        .systems()
        .flat_map(|system| config_keys(&system.schema()))
        .filter(|key| !key.path.contains("[]"))
        .collect();
    keys.sort_by(|a, b| a.path.cmp(&b.path));
    keys.dedup_by(|a, b| a.path == b.path);
    let keys = keys.into_iter().filter(|key| begins(&key.path, current));
    keys.map(|key| CompletionCandidate::new(format!("{}=", key.path)).help(Some(key.meaning.into())))
        .collect()
}

/// Runs in `runs/`, and directories.
fn runs(current: &OsStr) -> Vec<CompletionCandidate> {
    let mut found: Vec<_> =
        usual_runs().filter(|run| begins(run, current)).map(CompletionCandidate::new).collect();
    let paths = PathCompleter::any().complete(current);
    let others =
        paths.into_iter().filter(|path| found.iter().all(|known| known.get_value() != path.get_value()));
    found.extend(others.collect::<Vec<_>>());
    found
}

fn usual_runs() -> impl Iterator<Item = String> {
    let directories: Vec<PathBuf> = files::directories(Path::new("runs"));
    directories.into_iter().map(|path| path.display().to_string())
}

/// Runs; and behind an `@`, the tags and steps of the run.
fn checkpoints(current: &OsStr) -> Vec<CompletionCandidate> {
    let Some((run, typed)) = current.to_str().and_then(|text| text.rsplit_once('@')) else {
        return runs(current);
    };
    let Ok(store) = Store::open(Arc::new(FileStorage::new(run))) else { return Vec::new() };
    let mut found = vec![
        ("latest".to_owned(), "the newest valid checkpoint".to_owned()),
        ("best".to_owned(), "the best by the run's metric".to_owned()),
    ];
    found.extend(store.tags().unwrap_or_default().into_keys().map(|tag| (tag, "a tag".to_owned())));
    let saved = |created| format!("saved {}", time::format_utc(created));
    found.extend(store.records().rev().map(|record| (record.step.to_string(), saved(record.created))));
    let candidates = found.into_iter().filter(|(name, _)| name.starts_with(typed));
    candidates
        .map(|(name, help)| CompletionCandidate::new(format!("{run}@{name}")).help(Some(help.into())))
        .collect()
}

fn begins(name: &str, current: &OsStr) -> bool {
    current.to_str().is_some_and(|current| name.starts_with(current))
}
