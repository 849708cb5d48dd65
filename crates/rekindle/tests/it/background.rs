//! Checkpoints that a thread writes while training goes on: what is saved is what was captured,
//! and nothing that fails is lost.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "a test looks at its files")]

use std::io::ErrorKind;
use std::sync::Arc;

use rayon::prelude::*;
use rekindle::storage::{FileStorage, MemoryStorage, sim::SimDisk};
use rekindle::{EntryPath, Outcome, Policy, Retention, RunOptions, Saving, Store, WhenBusy, hash_of};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Serialize, Deserialize)]
struct State {
    step: u64,
    weights: Vec<f32>,
    names: Vec<String>,
}

fn state(step: u64) -> State {
    let weights = (0..5000u64).map(|i| ((i * 3 + step) as f32).sin()).collect();
    State { step, weights, names: vec![format!("step {step}")] }
}

fn options(when_busy: WhenBusy) -> RunOptions {
    let policy = Policy { every_steps: Some(1), retention: Retention::default(), ..Policy::default() };
    RunOptions::new().policy(policy).saving(Saving::Background(when_busy))
}

#[test]
fn what_was_captured_is_saved_however_training_goes_on() {
    let storage = Arc::new(MemoryStorage::new());
    let mut run = options(WhenBusy::Wait).create_in(storage.clone()).unwrap();
    let mut now = state(1);
    for step in 1..=20 {
        now = State { step, ..now };
        now.weights[step as usize] = step as f32;
        let outcome = run.checkpoint(step, &now).unwrap();
        // The first checkpoint of a run shows that the state comes back.
        assert_eq!(matches!(outcome, Outcome::Saved(_)), step == 1, "{outcome:?}");
        now.weights[0] += 1.0;
        assert!(run.durable_step() >= Some(step - 1));
    }
    run.finish(&now).unwrap_err();
    let store = Store::open(storage).unwrap();
    assert_eq!(store.steps(), (1..=20).collect::<Vec<_>>());
    let mut expected = state(1);
    for step in 1..=20u64 {
        expected = State { step, ..expected };
        expected.weights[step as usize] = step as f32;
        let record = store.checkpoint(step).unwrap().record();
        assert_eq!(record.state_hash, hash_of(&expected).unwrap(), "step {step}");
        store.checkpoint(step).unwrap().load(&EntryPath::root()).unwrap();
        expected.weights[0] += 1.0;
    }
}

#[test]
fn a_shared_state_is_saved_without_a_copy() {
    let storage = Arc::new(MemoryStorage::new());
    let mut run = options(WhenBusy::Wait).create_in(storage.clone()).unwrap();
    let mut now = Arc::new(state(0));
    for step in 0..10 {
        Arc::make_mut(&mut now).step = step;
        Arc::make_mut(&mut now).weights[7] = step as f32;
        run.checkpoint_shared(step, &now).unwrap();
    }
    let last = hash_of(&*now).unwrap();
    run.finish(&*now).unwrap();
    let store = Store::open(storage).unwrap();
    assert_eq!(store.steps(), (0..10).collect::<Vec<_>>());
    assert_eq!(store.checkpoint(9).unwrap().record().state_hash, last);
}

/// With `Skip`, a call never waits; what was left out is told.
#[test]
fn a_busy_writer_is_not_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = options(WhenBusy::Skip).create(dir.path().join("run")).unwrap();
    let big = |step| State { weights: vec![step as f32; 4 << 20], ..state(step) };
    run.checkpoint(0, &big(0)).unwrap();
    let outcomes: Vec<Outcome> = (1..6).map(|step| run.checkpoint(step, &big(step)).unwrap()).collect();
    assert_eq!(outcomes[0], Outcome::InBackground);
    let steps = run.store().steps();
    let written = outcomes.iter().filter(|outcome| **outcome == Outcome::InBackground).count();
    assert_eq!(steps.len(), written + 1, "{outcomes:?}");
}

/// A disk that fails under the writer: the error comes at the next call, the writer writes no more,
/// and what was acknowledged is there.
#[test]
fn a_failed_save_is_told_at_the_next_call_and_poisons_the_writer() {
    for kind in [ErrorKind::StorageFull, ErrorKind::Other] {
        for skip in 0..8 {
            let disk = SimDisk::new();
            let mut run =
                options(WhenBusy::Wait).create_in(Arc::new(FileStorage::on(disk.clone(), "run"))).unwrap();
            run.checkpoint(0, &state(0)).unwrap();
            run.checkpoint(1, &state(1)).unwrap();
            assert_eq!(run.store().steps(), [0, 1]);
            disk.fail_after(skip, kind);
            // How many calls a save makes is the store's business: save until one has failed.
            let mut step = 2;
            while disk.failure_pending() {
                assert_eq!(run.checkpoint(step, &state(step)).unwrap(), Outcome::InBackground);
                run.store();
                step += 1;
            }
            run.checkpoint(step, &state(step)).expect_err("the failure is told at the next call");
            let refused = run.checkpoint_now(20, &state(20)).and_then(|_| run.checkpoint(21, &state(21)));
            assert!(refused.unwrap_err().to_string().contains("earlier write failed"));
            drop(run);
            let again = Arc::new(FileStorage::on(disk, "run"));
            let mut run = options(WhenBusy::Wait).open_in(again).unwrap();
            let mut last = state(0);
            run.resume(&mut last).unwrap();
            assert!(last.step >= step - 2, "an acknowledged checkpoint was lost");
            run.save(30, &state(30)).unwrap();
        }
    }
}

/// Trainings in parallel iterators, more than there are threads: each waits for its writer on a thread that
/// the writer could have used.
#[test]
fn trainings_on_all_threads_of_the_pool_do_not_wait_for_each_other() {
    #[derive(Default, Serialize, Deserialize)]
    struct Large {
        step: u64,
        #[serde(with = "rekindle::array")]
        weights: Vec<f32>,
    }
    let (ended, end) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        (0..2 * rayon::current_num_threads()).into_par_iter().for_each(|_| {
            let mut run = options(WhenBusy::Wait).create_in(Arc::new(MemoryStorage::new())).unwrap();
            for step in 1..=4 {
                // Several chunks, which are hashed side by side.
                run.checkpoint(step, &Large { step, weights: vec![step as f32; 3 << 20] }).unwrap();
            }
            run.wait().unwrap();
        });
        ended.send(()).unwrap();
    });
    assert_eq!(end.recv_timeout(std::time::Duration::from_secs(120)), Ok(()), "they wait for each other");
}
