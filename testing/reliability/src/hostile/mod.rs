//! Somebody made the files or the names to do harm.
//!
//! Hostile runs (`runs`, `codecs`) are made by hand, hash by hash, so that only what they say is
//! wrong; they are read, written, collected and repaired. Hostile files (`files`) are those of the
//! formats that can be imported, hostile keys (`keys`) wrapped data keys. Each is refused, or
//! gives nothing wrong, without a panic, in less than `TIME`, and takes no more memory than
//! `MEMORY` and twice its own size. Hostile names (`names`) are given wherever a name can be:
//! nothing is written outside the run.

mod codecs;
mod files;
mod keys;
mod names;
mod runs;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rekindle::storage::MemoryStorage;
use rekindle::{EntryPath, Writer};

use crate::allocation;
use crate::outcome::{Outcome, Scale, guarded};
use crate::sample::{save, state};

/// Opening, verifying and loading takes less; in a debug build, ten times that is allowed.
const TIME: Duration = Duration::from_millis(if cfg!(debug_assertions) { 1000 } else { 100 });
/// So much memory may be taken beside twice the size of the file: bytes.
const MEMORY: usize = 16 << 20;
/// On a busy machine the fastest of so many tries counts.
const TRIES: usize = 3;

/// Cases that take more memory than that: what they state is well formed and small only because it
/// is compressed or shared, and a tree or a JSON value in memory takes about a hundred bytes for
/// each entry. A case that no longer does is a failure, so that this list stays true.
const TAKE_MORE: &[&str] = &[
    "the run `index: a list of 5,000 that stands 200 times`",
    "the run `index: a list of 200,000 nulls in a few bytes`",
    "the run `index: a list of 4,000,000 nulls in a few bytes`",
    "the file `checkpoint file: a list of 200,000 nulls in a few bytes`",
    "the file `checkpoint file: a list of 4,000,000 nulls in a few bytes`",
    "the file `gzipped JSON: 1,000,000 nulls in a few bytes`",
];

/// Runs the proof.
pub fn hostile(scale: &Scale, _seed: u64) -> Outcome {
    let mut outcome = Outcome::default();
    if !allocation::counts() {
        outcome.fail("this program does not count its memory".to_owned());
    }
    for name in ["hostile runs", "hostile files", "hostile keys", "hostile names", "uses of names"] {
        outcome.count(name, 0);
    }
    (scale.progress)("hostile", 0, 3);
    for run in runs::all() {
        outcome.count("hostile runs", 1);
        let case = format!("the run `{}`", run.name);
        note(&mut outcome, &case, bounded(run.size(), || run.is_harmless()));
        // What takes long to read by nature takes a writer as long many times over.
        if !TAKE_MORE.contains(&case.as_str()) {
            outcome.check(guarded(|| run.is_harmless_to_a_writer()), || format!("{case}, to a writer"));
        }
    }
    outcome.check(guarded(last_step), || "a checkpoint at the last step there is".to_owned());
    (scale.progress)("hostile", 1, 3);
    match tempfile::tempdir() {
        Ok(dir) => {
            for file in files::all() {
                outcome.count("hostile files", 1);
                let refused = |path: PathBuf| bounded(file.bytes.len(), || files::is_refused(&path));
                let result = file.write(dir.path()).map_err(Broken::Rule).and_then(refused);
                note(&mut outcome, &format!("the file `{}`", file.name), result);
            }
        }
        Err(error) => outcome.fail(error.to_string()),
    }
    match keys::unlocks() {
        Ok(unlocks) => {
            for (name, bytes) in keys::all() {
                outcome.count("hostile keys", 1);
                let result = bounded(bytes.len(), || keys::is_refused(&bytes, &unlocks));
                note(&mut outcome, &format!("the key `{name}`"), result);
            }
        }
        Err(error) => outcome.fail(error),
    }
    (scale.progress)("hostile", 2, 3);
    names::try_all(scale.name_stride, &mut outcome);
    outcome
}

/// What a case did that it must not.
enum Broken {
    /// It took more memory than it may.
    Memory(String),
    /// Anything else.
    Rule(String),
}

fn note(outcome: &mut Outcome, case: &str, result: Result<(), Broken>) {
    let known = TAKE_MORE.contains(&case);
    match result {
        Ok(()) if known => outcome.fail(format!("{case}: it keeps to the bounds now: take it off the list")),
        Ok(()) => {}
        Err(Broken::Memory(_)) if known => outcome.count("that take more memory than that", 1),
        Err(Broken::Memory(what) | Broken::Rule(what)) => outcome.fail(format!("{case}: {what}")),
    }
}

/// Nothing is added to the greatest number there is.
fn last_step() -> Result<(), String> {
    let mut store = Writer::create(Arc::new(MemoryStorage::new()), "", None, "last")
        .map_err(|error| error.to_string())?;
    save(&mut store, u64::MAX, &state(0)).map_err(|error| error.to_string())?;
    let discarded = store.discard_after(u64::MAX).map_err(|error| error.to_string())?;
    let loaded = store.checkpoint(u64::MAX).and_then(|checkpoint| checkpoint.load(&EntryPath::root()));
    match loaded {
        Ok(tree) if tree == state(0) && discarded.is_empty() => Ok(()),
        Ok(_) => Err("it holds what was not saved".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// Runs a case within the bounds of time and memory for something of that size.
fn bounded(size: usize, case: impl Fn() -> Result<(), String>) -> Result<(), Broken> {
    let mut fastest = Duration::MAX;
    for _ in 0..TRIES {
        let begin = Instant::now();
        let (result, peak) = allocation::peak_of(|| guarded(&case));
        fastest = fastest.min(begin.elapsed());
        result.map_err(Broken::Rule)?;
        if peak > MEMORY + 2 * size {
            let what = format!("it takes {} KiB of memory, having {} KiB", peak >> 10, size >> 10);
            return Err(Broken::Memory(what));
        }
        if fastest < TIME {
            return Ok(());
        }
    }
    Err(Broken::Rule(format!("it takes {} ms, having {} KiB", fastest.as_millis(), size >> 10)))
}
