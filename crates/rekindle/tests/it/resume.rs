//! A run is stopped and lit again: the newest valid checkpoint is loaded as a whole or not at all,
//! damaged ones are passed over and named, and training goes on over them.

use std::sync::Arc;

use rekindle::storage::{MemoryStorage, Storage, StorageError};
use rekindle::tree::MismatchKind;
use rekindle::{
    MigrationError, Node, OpenError, Policy, ResumeError, Retention, Run, RunOptions, SaveError, Versions,
    hash_of,
};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
struct State {
    step: u64,
    weights: Vec<f32>,
    constant: Vec<u32>,
}

fn state(step: u64) -> State {
    State { step, weights: (0..500).map(|i| (i * step) as f32).collect(), constant: (0..400).collect() }
}

fn keep_all() -> RunOptions {
    RunOptions::new().policy(Policy { retention: Retention::default(), ..Policy::default() })
}

fn run_with(steps: &[u64]) -> MemoryStorage {
    let memory = MemoryStorage::new();
    let mut run = keep_all().create_in(Arc::new(memory.clone())).unwrap();
    steps.iter().for_each(|&step| drop(run.save(step, &state(step)).unwrap()));
    memory
}

fn open(memory: &MemoryStorage) -> Run {
    keep_all().open_in(Arc::new(memory.clone())).unwrap()
}

#[test]
fn the_newest_checkpoint_is_loaded() {
    let memory = run_with(&[0, 5, 9]);
    let mut loaded = state(0);
    assert_eq!(open(&memory).resume(&mut loaded).unwrap().step, Some(9));
    assert_eq!(loaded, state(9));
}

#[test]
fn a_fresh_run_changes_nothing() {
    let memory = run_with(&[]);
    let mut fresh = state(3);
    assert_eq!(open(&memory).resume(&mut fresh).unwrap().step, None);
    assert_eq!(fresh, state(3));
}

/// Flips a byte in a chunk of every pack that only the last checkpoint needs.
fn damage_newest(memory: &MemoryStorage, before: &MemoryStorage) -> MemoryStorage {
    let mut objects = memory.to_objects();
    let old = before.to_objects();
    for (name, bytes) in &mut objects {
        if name.starts_with("packs/") && !old.contains_key(name) {
            bytes[20] ^= 1;
        }
    }
    MemoryStorage::from_objects(objects)
}

#[test]
fn a_damaged_checkpoint_is_passed_over_and_its_step_is_saved_anew() {
    let memory = damage_newest(&run_with(&[0, 5, 9]), &run_with(&[0, 5]));
    let mut loaded = state(0);
    let mut run = open(&memory);
    let resumed = run.resume(&mut loaded).unwrap();
    assert_eq!(resumed.step, Some(5));
    assert_eq!(resumed.skipped.len(), 1);
    assert!(resumed.skipped[0].damage.to_string().contains("`weights`"), "{}", resumed.skipped[0].damage);
    // Training goes on and reaches the same state: it must not lean on the damaged chunks.
    run.save(9, &state(9)).unwrap();
    drop(run);
    let mut again = state(0);
    let resumed = open(&memory).resume(&mut again).unwrap();
    assert_eq!((resumed.step, resumed.skipped.len(), resumed.migrated_from), (Some(9), 0, None));
    assert_eq!(again, state(9));
}

#[test]
fn when_nothing_is_valid_all_reasons_are_given_and_the_state_is_unchanged() {
    let memory = damage_newest(&run_with(&[4]), &run_with(&[]));
    let mut fresh = state(1);
    let error = open(&memory).resume(&mut fresh).unwrap_err();
    assert!(matches!(&error, ResumeError::NothingValid { skipped, .. } if skipped.len() == 1), "{error}");
    assert_eq!(fresh, state(1));
}

#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
struct Renamed {
    step: u32,
    weight: Vec<f32>,
    constant: Vec<u32>,
    extra: u8,
}

#[test]
fn every_difference_is_reported_at_once() {
    let memory = run_with(&[1]);
    let mut other = Renamed { step: 0, weight: vec![0.0; 500], constant: vec![0; 10], extra: 0 };
    let before = other.clone();
    let error = open(&memory).resume(&mut other).unwrap_err();
    let ResumeError::DoesNotFit { mismatches, .. } = &error else { panic!("{error}") };
    let paths: Vec<String> = mismatches.iter().map(|m| m.path.to_string()).collect();
    assert_eq!(paths, ["step", "weight", "constant", "extra", "weights"]);
    assert_eq!(mismatches[1].kind, MismatchKind::Missing { nearest: Some("weights".to_owned()) });
    assert!(matches!(mismatches[2].kind, MismatchKind::Shape { .. }));
    assert_eq!(other, before);
}

#[test]
fn validation_sees_the_whole_state_before_it_replaces_the_old() {
    let memory = run_with(&[1]);
    let mut fresh = state(0);
    let refuse = |loaded: &State| Err(format!("step {} is unlucky", loaded.step));
    let error = open(&memory).resume_checked(&mut fresh, refuse).unwrap_err();
    assert!(error.to_string().contains("step 1 is unlucky"), "{error}");
    assert_eq!(fresh, state(0));
}

#[test]
fn saving_a_step_again_is_nothing_or_an_error() {
    let memory = run_with(&[7]);
    let mut run = open(&memory);
    assert!(!run.save(7, &state(7)).unwrap().written);
    let error = run.save(7, &state(8)).unwrap_err().to_string();
    assert!(error.contains("step 7 is saved already with another state"), "{error}");
    let error = run.save(6, &state(6)).unwrap_err().to_string();
    assert!(error.contains("before the newest checkpoint (step 7)"), "{error}");
}

#[test]
fn a_second_writer_is_told_who_holds_the_run_and_a_dead_one_holds_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let first = RunOptions::new().purpose("the first writer").create(dir.path().join("run")).unwrap();
    let error = RunOptions::new().open(dir.path().join("run")).unwrap_err();
    let OpenError::Storage(StorageError::Locked { holder: Some(holder), .. }) = &error else {
        panic!("{error}")
    };
    assert_eq!((holder.pid, holder.purpose.as_str()), (std::process::id(), "the first writer"));
    assert!(error.to_string().contains("the first writer"));
    drop(first);
    RunOptions::new().open(dir.path().join("run")).unwrap();
}

#[test]
fn a_full_disk_leaves_the_checkpoints_before_and_poisons_the_writer() {
    use rekindle::storage::FileStorage;
    use rekindle::storage::sim::SimDisk;
    let disk = SimDisk::new();
    let storage: Arc<dyn Storage> = Arc::new(FileStorage::on(disk.clone(), "run"));
    let mut run = keep_all().create_in(Arc::clone(&storage)).unwrap();
    run.save(1, &state(1)).unwrap();
    for operation in 0.. {
        let step = 2 + operation as u64;
        disk.fail_after(operation, std::io::ErrorKind::StorageFull);
        let result = run.save(step, &state(step));
        if disk.failure_pending() {
            break;
        }
        // Clearing away the temporary file may fail without harm; anything else is an error.
        if let Err(error) = result {
            assert!(error.to_string().contains("free some space"), "{error}");
            let again = run.save(step + 1, &state(step + 1)).unwrap_err();
            assert!(matches!(again, rekindle::CaptureError::Save(SaveError::Poisoned)), "{again}");
        }
        drop(run);
        run = keep_all().open_in(Arc::clone(&storage)).unwrap();
        let mut loaded = state(0);
        let resumed = run.resume(&mut loaded).unwrap();
        assert!(resumed.skipped.is_empty() && resumed.step.is_some());
        assert_eq!(loaded, state(resumed.step.unwrap()));
    }
}

#[test]
fn old_versions_are_migrated_and_newer_ones_refused() {
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    struct Old {
        lr: f32,
    }
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    struct New {
        learning_rate: f64,
        warmup: u32,
    }
    let memory = Arc::new(MemoryStorage::new());
    let mut run = RunOptions::new().versions(Versions::new("opt", 1)).create_in(memory.clone()).unwrap();
    run.save(1, &Old { lr: 0.5 }).unwrap();
    drop(run);
    let rename = |tree| match tree {
        Node::Struct(fields) => {
            let renamed = fields.into_iter().map(|(_, value)| ("learning_rate".to_owned(), value));
            Ok(Node::Struct(renamed.collect()))
        }
        _ => Err("a struct was expected".to_owned()),
    };
    let widen = |tree| {
        use rekindle::tree::Scalar;
        let Node::Struct(mut fields) = tree else { return Err("a struct was expected".to_owned()) };
        if let Node::Scalar(Scalar::F32(rate)) = fields[0].1 {
            fields[0].1 = Node::Scalar(Scalar::F64(f64::from(rate)));
        }
        fields.push(("warmup".to_owned(), Node::Scalar(Scalar::U32(10))));
        Ok(Node::Struct(fields))
    };
    let versions = Versions::new("opt", 3).migration(1, rename).migration(2, widen);
    let mut state = New { learning_rate: 0.0, warmup: 0 };
    let mut run = RunOptions::new().versions(versions).open_in(memory.clone()).unwrap();
    assert_eq!(run.resume(&mut state).unwrap().migrated_from, Some(1));
    assert_eq!(state, New { learning_rate: 0.5, warmup: 10 });
    run.save(2, &state).unwrap();
    drop(run);

    let mut run = RunOptions::new().versions(Versions::new("opt", 2)).open_in(memory.clone()).unwrap();
    let error = run.resume(&mut state).unwrap_err();
    assert!(matches!(error, ResumeError::Migration(MigrationError::Newer { found: 3, .. })), "{error}");
    drop(run);
    let mut run = RunOptions::new().versions(Versions::new("other", 3)).open_in(memory).unwrap();
    let error = run.resume(&mut state).unwrap_err();
    assert!(error.to_string().contains("the state is a `opt`, `other` is expected"), "{error}");
}

#[test]
fn the_policy_decides_when_to_save_and_what_to_keep() {
    let policy = Policy {
        every_steps: Some(10),
        every: None,
        retention: Retention { keep_last: Some(2), ..Retention::default() },
        ..Policy::default()
    };
    let memory = Arc::new(MemoryStorage::new());
    let mut run = RunOptions::new().policy(policy).create_in(memory.clone()).unwrap();
    for step in 0..=35 {
        run.checkpoint(step, &state(step)).unwrap();
    }
    assert_eq!(run.store().steps(), [20, 30]);
    run.finish(&state(35)).unwrap();
    let store = rekindle::Store::open(memory).unwrap();
    assert_eq!(store.steps(), [30, 35]);
    assert_eq!(store.records().next_back().unwrap().state_hash, hash_of(&state(35)).unwrap());
}

#[test]
fn nothing_unchanged_is_written_again() {
    let memory = Arc::new(MemoryStorage::new());
    let mut run = keep_all().create_in(memory).unwrap();
    let first = run.save(1, &state(1)).unwrap().record.new_bytes;
    let second = run.save(2, &state(1)).unwrap().record.new_bytes;
    assert!(first > 1000 && second == 0, "{first} then {second}");
}

#[test]
fn metrics_belong_to_the_step_at_which_they_were_measured() {
    use rekindle::{Best, Goal};
    let best = Best { metric: "loss".to_owned(), goal: Goal::Min };
    let policy = Policy { best: Some(best), retention: Retention::default(), ..Policy::default() };
    let mut run = RunOptions::new().policy(policy).create_in(Arc::new(MemoryStorage::new())).unwrap();
    let loss = |value: f64| [("loss".to_owned(), value)].into();
    assert!(run.is_new_best(&loss(9.0)));
    run.log(1, &loss(3.0));
    run.save(1, &state(1)).unwrap();
    run.save(2, &state(2)).unwrap();
    let metrics: Vec<_> =
        run.store().records().map(|record| record.about.metrics.get("loss").copied()).collect();
    assert_eq!(metrics, [Some(3.0), None]);
    assert!(run.is_new_best(&loss(2.9)) && !run.is_new_best(&loss(3.0)) && !run.is_new_best(&loss(f64::NAN)));
}
