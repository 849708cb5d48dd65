//! The last state is saved before anything that may fail, and what is measured is told for what it is.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests look at files directly")]
#![cfg(unix)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use rekindle::Store;
use rekindle::storage::FileStorage;
use rekindle_train::History;

/// The example `toy`, which cargo builds beside the tests.
fn toy() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let path = test.parent().and_then(|deps| deps.parent()).unwrap().join("examples/toy");
    assert!(path.exists(), "`cargo test -p rekindle-train` builds {}", path.display());
    path
}

/// What the toy says when it ends: its exit code and its errors.
fn run(words: &str, path: &Path, settings: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(toy());
    let mut words = words.split(' ');
    match words.next() {
        Some("train") => command.args(["train", "walk", "--run"]).arg(path),
        _ => command.arg("resume").arg(path),
    };
    command.args(words);
    for setting in settings {
        command.args(["--set", setting]);
    }
    let output = command.output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

fn store(path: &Path) -> Store {
    Store::open(Arc::new(FileStorage::new(path))).unwrap()
}

/// The history that a run ends with.
fn history(path: &Path) -> History {
    let store = store(path);
    History::of(store.history(store.records().next_back().unwrap()).0)
}

/// The rows of what was measured, as text.
fn rows(path: &Path) -> Vec<String> {
    history(path).evaluations.into_iter().map(|row| serde_json::Value::Object(row).to_string()).collect()
}

#[test]
fn the_last_state_is_saved_before_the_end_is_made() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("run");
    let rare = ["checkpoint.every_seconds=1000", "training.inconclusive=true"];
    let (code, message) = run("train", &path, &rare);
    assert_eq!(code, Some(2));
    assert!(message.contains("nothing to conclude"), "{message}");
    assert_eq!(store(&path).steps(), [0, 40]);
    // Its checkpoint has what was measured once the end can be made.
    assert!(!store(&path).checkpoint(40).unwrap().record().about.metrics.contains_key("spread"));
    let hash = store(&path).checkpoint(40).unwrap().record().state_hash;
    assert_eq!(run("resume", &path, &["training.inconclusive=false"]).0, Some(0));
    let ended = store(&path);
    let record = ended.checkpoint(40).unwrap().record().clone();
    assert!(record.about.metrics.contains_key("spread") && record.state_hash == hash);
    ended.checkpoint(40).unwrap().verify().unwrap();
    // The history is that of a run whose end was made at once.
    let whole = dir.path().join("whole");
    assert_eq!(run("train", &whole, &rare[..1]).0, Some(0));
    assert_eq!(rows(&path), rows(&whole));
    assert_eq!(rows(&path).len(), 4);
}

#[test]
fn steps_are_not_lost_when_they_cannot_be_measured() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("run");
    let (code, message) =
        run("train", &path, &["checkpoint.every_seconds=1000", "training.unmeasurable_from=15"]);
    assert_eq!(code, Some(2));
    assert!(message.contains("out of sight"), "{message}");
    assert_eq!(store(&path).steps(), [0, 20]);
}

#[test]
fn a_measure_that_is_no_number_stops_training_and_says_what_is_saved() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("between");
    let (code, message) = run("train", &path, &["checkpoint.every_steps=7", "training.nan_from=18"]);
    assert_eq!(code, Some(2));
    assert!(message.contains("`spread` is NaN at step 20"), "{message}");
    assert!(
        message.contains("this state was not saved; the last good checkpoint is at step 14"),
        "{message}"
    );
    assert_eq!(store(&path).steps(), [0, 7, 14]);

    let path = dir.path().join("at the end");
    let (code, message) = run("train", &path, &["checkpoint.every_steps=25", "training.nan_from=40"]);
    assert_eq!(code, Some(2));
    assert!(message.contains("`spread` is NaN at step 40"), "{message}");
    assert!(message.contains("this state is saved") && message.contains("is at step 25"), "{message}");
    assert_eq!(store(&path).steps(), [0, 25, 40]);
}

#[test]
fn the_history_of_a_killed_run_is_that_of_one_never_stopped() {
    let dir = tempfile::tempdir().unwrap();
    let often = ["checkpoint.every_steps=3"];
    let straight = dir.path().join("straight");
    assert_eq!(run("train", &straight, &often).0, Some(0));
    let killed = dir.path().join("killed");
    run("train --kill-at 17", &killed, &often);
    run("resume --kill-at 29", &killed, &[]);
    assert_eq!(run("resume", &killed, &[]).0, Some(0));
    assert_eq!(rows(&killed), rows(&straight));
    // A run that is stopped has a line more, that of the stop; the others are the same.
    let stopped = dir.path().join("stopped");
    assert_eq!(run("train --stop-at 17", &stopped, &often).0, Some(0));
    assert_eq!(run("resume", &stopped, &[]).0, Some(0));
    let mut lines = rows(&stopped);
    assert!(lines.remove(1).contains("\"step\":17"));
    assert_eq!(lines, rows(&straight));
}

#[test]
fn what_training_tells_is_kept_of_every_step_however_often_it_is_killed_and_stopped() {
    let dir = tempfile::tempdir().unwrap();
    // The last windows go over three lengths, and no checkpoint is where one ends.
    let long = ["training.steps=4999", "evaluate.every=1000", "checkpoint.every_steps=777"];
    let straight = dir.path().join("straight");
    assert_eq!(run("train", &straight, &long).0, Some(0));
    let expected = history(&straight);
    assert_eq!(expected.evaluations.len(), 5);
    assert_eq!(expected.training.len(), 2048 + 1024 + 226);
    let steps: u64 = expected.training.iter().map(|row| row["steps"].as_u64().unwrap()).sum();
    assert_eq!((steps, expected.training.last().unwrap()["step"].as_u64()), (4999, Some(4999)));
    let broken = dir.path().join("broken");
    run("train --kill-at 2500", &broken, &long);
    run("resume --stop-at 4103", &broken, &[]);
    run("resume --kill-at 4998", &broken, &[]);
    // What a killed run has is what it had at its last checkpoint.
    assert_eq!(history(&broken).training, expected.training[..2048 + 1024 + 141]);
    assert_eq!(run("resume", &broken, &[]).0, Some(0));
    assert_eq!(history(&broken).training, expected.training);
    let hash = |path: &Path| store(path).checkpoint(4999).unwrap().record().state_hash;
    assert_eq!(hash(&broken), hash(&straight));
}

#[test]
fn lines_are_means() {
    let dir = tempfile::tempdir().unwrap();
    let distances = |every: u64| -> Vec<f64> {
        let path = dir.path().join(format!("every {every}"));
        assert_eq!(run("train", &path, &[&format!("evaluate.every={every}")]).0, Some(0));
        history(&path).evaluations.iter().map(|row| row["distance"].as_f64().unwrap()).collect()
    };
    let each = distances(1);
    let tens = distances(10);
    for (mean, steps) in tens.iter().zip(each.chunks(10)) {
        assert!((mean - steps.iter().sum::<f64>() / 10.0).abs() < 1e-12);
    }
    assert_eq!((each.len(), tens.len()), (40, 4));
}

#[test]
fn a_metric_that_is_measured_later_is_none_that_does_not_exist() {
    let dir = tempfile::tempdir().unwrap();
    let settings = [
        "evaluate.every=30",
        "best.metric=spread",
        "best.goal=min",
        "checkpoint.every_steps=1",
        "checkpoint.keep_last=2",
    ];
    let path = dir.path().join("late");
    run("train --kill-at 20", &path, &settings);
    assert_eq!(store(&path).steps(), [18, 19]);
    let path = dir.path().join("misspelt");
    let settings = [&settings[..], &["best.metric=spraed"]].concat();
    let (_, message) = run("train --stop-at 5", &path, &settings);
    assert!(message.contains("there is no metric `spraed`") && message.contains("spread"), "{message}");
    assert_eq!(store(&path).steps(), [0, 1, 2, 3, 4, 5]);
}
