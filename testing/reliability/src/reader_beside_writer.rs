//! Somebody reads while a writer saves and prunes.
//!
//! What is promised: a reader who has opened the run can load every checkpoint that it saw, whatever
//! the writer does, as long as the grace period of the prune that deletes it. The period counts
//! whole seconds of the clock, so that a grace of g seconds lasts longer than g - 1. A reader that
//! asks an older listing for a step that is gone meanwhile is told that there is no such checkpoint,
//! and what there is; it never sees damage.
//!
//! One thread saves and prunes to the last three checkpoints, for a while with marks that other processes
//! see and for a while between saves, with a grace of `GRACE` seconds, in a real directory. Beside it readers open the run, choose a checkpoint (of this listing, or of
//! one before), wait a little or not, and load it.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rekindle::storage::FileStorage;
use rekindle::{EntryPath, ReadError, Retention, Store, Writer};

use crate::outcome::{Outcome, Scale, guarded};
use crate::random::Random;
use crate::sample::{Failure, save, state};

/// Seconds.
const GRACE: u64 = 3;
/// A reader waits at most this long between opening and loading: milliseconds.
const LONGEST_PAUSE: u64 = 30;
const READERS: u64 = 2;

/// Runs the proof.
pub fn reader_beside_writer(scale: &Scale, seed: u64) -> Outcome {
    let mut outcome = Outcome::default();
    for name in ["loads", "gone since an older listing", "saves beside them"] {
        outcome.count(name, 0);
    }
    match read_beside(scale, seed) {
        Ok(found) => outcome.add(found),
        Err(error) => outcome.fail(format!("the run cannot be made: {error}")),
    }
    outcome
}

fn read_beside(scale: &Scale, seed: u64) -> Result<Outcome, Failure> {
    let place = tempfile::tempdir()?;
    let dir = place.path().join("run");
    let mut store = Writer::create(Arc::new(FileStorage::new(&dir)), "", None, "writer")?;
    save(&mut store, 0, &state(0))?;
    let (done, loads) = (AtomicBool::new(false), AtomicU64::new(0));
    let mut outcome = Outcome::default();
    thread::scope(|scope| {
        let writer = scope.spawn(|| write_until(&mut store, &done).map_err(|error| error.to_string()));
        let readers: Vec<_> = (0..READERS)
            .map(|number| {
                let (dir, loads) = (&dir, &loads);
                scope.spawn(move || read_until(dir, scale, Random::new(seed, &[number]), loads))
            })
            .collect();
        for reader in readers {
            match reader.join() {
                Ok(found) => outcome.add(found),
                Err(_) => outcome.fail("a reader panicked".to_owned()),
            }
        }
        done.store(true, Ordering::Release);
        match writer.join() {
            Ok(Ok(saves)) => outcome.count("saves beside them", saves),
            Ok(Err(error)) => outcome.fail(format!("the writer: {error}")),
            Err(_) => outcome.fail("the writer panicked".to_owned()),
        }
    });
    Ok(outcome)
}

fn write_until(store: &mut Writer, done: &AtomicBool) -> Result<u64, Failure> {
    let retention = Retention { keep_last: Some(3), ..Retention::default() };
    let mut step = 0;
    while !done.load(Ordering::Acquire) {
        step += 1;
        save(store, step, &state(step))?;
        match step / 50 % 2 {
            0 => store.prune(&retention, None, GRACE)?,
            _ => store.prune_between_saves(&retention, None, GRACE)?,
        };
        thread::sleep(Duration::from_millis(2));
    }
    Ok(step)
}

fn read_until(dir: &Path, scale: &Scale, mut random: Random, loads: &AtomicU64) -> Outcome {
    let mut outcome = Outcome::default();
    let mut older = Vec::new();
    while loads.load(Ordering::Relaxed) < scale.loads {
        let mut gone = false;
        let begin = Instant::now();
        let result = guarded(|| {
            gone = load_one(dir, &mut random, &mut older)?;
            Ok(())
        });
        // A machine that slept through the grace period proves nothing.
        if begin.elapsed() > Duration::from_secs(GRACE - 1) {
            outcome.count("too slow to count", 1);
            continue;
        }
        if gone {
            outcome.count("gone since an older listing", 1);
            continue;
        }
        outcome.count("loads", 1);
        (scale.progress)("reader_beside_writer", loads.fetch_add(1, Ordering::Relaxed), scale.loads);
        outcome.check(result, || "beside a writer".to_owned());
    }
    outcome
}

/// Opens the run and loads one checkpoint; true when it is one of an older listing that is gone.
fn load_one(dir: &Path, random: &mut Random, older: &mut Vec<u64>) -> Result<bool, String> {
    let store = Store::open(Arc::new(FileStorage::new(dir))).map_err(|error| format!("opening: {error}"))?;
    let steps = std::mem::replace(older, store.steps());
    let from_older = !steps.is_empty() && random.one_in(4);
    let step = *random.choose(if from_older { &steps } else { older });
    if random.one_in(2) {
        thread::sleep(Duration::from_millis(random.below(LONGEST_PAUSE)));
    }
    let checkpoint = match store.checkpoint(step) {
        Err(ReadError::NoCheckpoint { .. }) if from_older => return Ok(true),
        result => result.map_err(|error| format!("step {step}: {error}"))?,
    };
    let tree = checkpoint.load(&EntryPath::root()).map_err(|error| format!("step {step}: {error}"))?;
    if tree == state(step) { Ok(false) } else { Err(format!("step {step} holds what was not saved")) }
}
