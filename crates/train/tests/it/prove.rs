//! The proof of exact resume: it passes for a system that keeps all its state, and for one that
//! forgets a part it names the first step and entry that differ. It cannot pass by accident.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests look at files directly")]
#![cfg(unix)]

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, Output};

use rekindle_train::prove::{Launcher, Process, Proof, ProveError, ProveOptions, Subject, Training, prove};

/// The example `toy`, which cargo builds beside the tests.
fn toy() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let path = test.parent().and_then(|deps| deps.parent()).unwrap().join("examples/toy");
    assert!(path.exists(), "`cargo test -p rekindle-train` builds {}", path.display());
    path
}

fn options(kills: u64) -> ProveOptions {
    ProveOptions { steps: None, kills, seed: 0, settings: Vec::new() }
}

/// The words of the toy for what a process is to do.
fn arguments(process: &Process) -> Vec<OsString> {
    let mut words: Vec<OsString> = match &process.training {
        Training::New { run: None, .. } => vec!["train".into(), "walk".into()],
        Training::New { run: Some(run), .. } => {
            vec!["train".into(), "walk".into(), "--run".into(), run.into()]
        }
        Training::Resumed { run } => vec!["resume".into(), run.into()],
    };
    let mut add = |name: &str, value: OsString| words.extend([name.into(), value]);
    process.settings.iter().for_each(|setting| add("--set", setting.into()));
    process.stop_at.iter().for_each(|step| add("--stop-at", step.to_string().into()));
    process.kill_at.iter().for_each(|step| add("--kill-at", step.to_string().into()));
    process.trace.iter().for_each(|path| add("--trace", path.into()));
    words
}

fn prove_toy(options: &ProveOptions, program: PathBuf) -> Result<Proof, ProveError> {
    let launcher = Launcher { program, arguments, common: Vec::new() };
    prove(&launcher, &Subject::Config("walk".to_owned()), options, &mut |_| {})
}

#[test]
fn a_system_that_keeps_its_state_passes() {
    let proof = prove_toy(&options(10), toy()).unwrap();
    assert!(proof.equal && proof.difference.is_none());
    assert_eq!((proof.step, proof.kills.len()), (40, 10));
    assert!(
        proof
            .kills
            .iter()
            .all(|kill| kill.resumed_from == kill.newest_checkpoint && kill.resumed_from < kill.at)
    );
}

/// A wrapper that sets a variable for the program it starts.
fn with_environment(dir: &std::path::Path, variable: &str) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let path = dir.join("wrapped");
    std::fs::write(&path, format!("#!/bin/sh\n{variable} exec '{}' \"$@\"\n", toy().display())).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[test]
fn a_system_that_forgets_is_caught_with_step_and_entry() {
    let dir = tempfile::tempdir().unwrap();
    let proof = prove_toy(&options(4), with_environment(dir.path(), "TOY_FORGETS=1")).unwrap();
    assert!(!proof.equal);
    let difference = proof.difference.unwrap();
    assert_eq!(difference.entry.as_deref(), Some("state.places"));
    assert!(difference.step.is_some_and(|step| (1..=40).contains(&step)), "{difference:?}");
}

#[test]
fn a_run_that_is_never_killed_proves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("stubborn");
    use std::os::unix::fs::PermissionsExt;
    let script =
        format!("#!/bin/sh\nexec '{}' $(echo \"$@\" | sed 's/--kill-at [0-9]*//')\n", toy().display());
    std::fs::write(&path, script).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    let error = prove_toy(&options(2), path).unwrap_err().to_string();
    assert!(error.contains("should have been killed"), "{error}");
}

#[test]
fn more_kills_than_steps_are_refused() {
    let error = prove_toy(&ProveOptions { steps: Some(3), ..options(4) }, toy()).unwrap_err();
    assert!(matches!(error, ProveError::TooFewSteps { kills: 4, steps: 3 }), "{error}");
}

fn run(arguments: &[OsString]) -> Output {
    Command::new(toy()).args(arguments).output().unwrap()
}

#[test]
fn divergence_stops_training_and_keeps_the_last_good_checkpoint() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("run");
    let settings = ["training.diverge_at=23", "checkpoint.every_steps=10"];
    let mut arguments: Vec<OsString> =
        vec!["train".into(), "walk".into(), "--run".into(), path.clone().into()];
    settings.iter().for_each(|setting| arguments.extend(["--set".into(), setting.into()]));
    let output = run(&arguments);
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2));
    assert!(message.contains("`distance` is inf at step 23"), "{message}");
    assert!(message.contains("the last good checkpoint is at step 20"), "{message}");
    let storage = std::sync::Arc::new(rekindle::storage::FileStorage::new(&path));
    assert_eq!(rekindle::Store::open(storage).unwrap().steps(), [0, 10, 20]);
}
