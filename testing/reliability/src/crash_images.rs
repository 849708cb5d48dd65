//! The process dies, or the power fails, after every operation of every workload.
//!
//! For each workload and each operation k: the process stops there. If only the process dies,
//! everything that it wrote is there, the last write perhaps in part. If the power fails, every
//! update that no sync has made durable is kept, lost, torn or overtaken by later ones
//! ([`power_cut`](crate::power_cut)): all combinations while they are few, else seeded samples.
//! And both in turn: the process dies at k, a new one goes on and saves, and then the power fails,
//! so that nobody may take for durable what a dead process has left in the system's memory.
//!
//! On every image the run opens, all that was acknowledged loads and nothing else is visible that
//! is not right, and a new writer can save ([`survival`](crate::survival)).

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rayon::prelude::*;
use rekindle::storage::sim::{Entries, Operation, SimDisk};

use crate::outcome::{Outcome, Scale, guarded};
use crate::packs;
use crate::power_cut::{Journal, Picture};
use crate::random::Random;
use crate::sample::Failure;
use crate::survival::survives;
use crate::workload::{Expected, Past, Prepared, WORKLOADS, Workload};

/// Runs the proof.
pub fn crash_images(scale: &Scale, seed: u64) -> Outcome {
    let mut outcome = Outcome::default();
    for name in ["images", "distinct images", "points", "workloads", "chunks that are differences"] {
        outcome.count(name, 0);
    }
    let seen = Seen::default();
    for (number, workload) in WORKLOADS.iter().enumerate() {
        match Crash::of(workload) {
            Ok(crash) => {
                let proof = Proof { scale, seed, number: number as u64, crash, seen: &seen };
                outcome.add(proof.crash_everywhere());
            }
            Err(error) => outcome.fail(format!("workload `{}` does not run: {error}", workload.name)),
        }
    }
    outcome.count("distinct images", seen.distinct());
    if outcome.counts.contains(&("chunks that are differences", 0)) {
        outcome.fail("no chunk of any workload is stored as a difference".to_owned());
    }
    outcome
}

/// A workload that was run, to be stopped at each of its operations.
struct Crash {
    workload: &'static Workload,
    prepared: Prepared,
    /// What the disk was when the work began, and is durable.
    settled: Entries,
    /// The operations from the preparation on, of which the first ones opened the run.
    log: Vec<Operation>,
    begin: usize,
    past: Past,
    differences: u64,
}

impl Crash {
    fn of(workload: &'static Workload) -> Result<Self, Failure> {
        let prepared = Prepared::of(workload)?;
        let mut story = prepared.story();
        (workload.begin)(&mut story)?;
        let (begin, settled) = (story.disk.log().len(), story.disk.entries());
        (workload.act)(&mut story)?;
        let codecs = packs::codecs(&**story.access().storage())?;
        let differences = packs::differences(&codecs);
        let log = story.disk.log();
        Ok(Self { workload, prepared, settled, log, begin, past: story.past, differences })
    }

    /// The journals at each point, from the beginning of the work on.
    fn journals(&self) -> Vec<(usize, Journal)> {
        let mut journal = Journal::settled(&self.settled);
        let mut journals = vec![(self.begin, journal.clone())];
        for (position, operation) in self.log.iter().enumerate().skip(self.begin) {
            journal.record(operation);
            journals.push((position + 1, journal.clone()));
        }
        journals
    }

    /// What must be true when so many operations of the log were done.
    fn expected_at(&self, point: usize) -> Expected {
        self.past.expected_at(self.prepared.disk.operations() + point)
    }
}

struct Proof<'a> {
    scale: &'a Scale,
    seed: u64,
    number: u64,
    crash: Crash,
    seen: &'a Seen,
}

impl Proof<'_> {
    fn crash_everywhere(&self) -> Outcome {
        let journals = self.crash.journals();
        let mut outcome = Outcome::default();
        outcome.count("points", journals.len() as u64);
        outcome.count("workloads", 1);
        outcome.count("chunks that are differences", self.crash.differences);
        let (done, of) = (AtomicU64::new(0), (journals.len() * WORKLOADS.len()) as u64);
        let found: Vec<Outcome> = journals
            .into_par_iter()
            .with_max_len(1)
            .map(|(point, journal)| {
                let before = of / WORKLOADS.len() as u64 * self.number;
                (self.scale.progress)("crash_images", before + done.fetch_add(1, Ordering::Relaxed), of);
                self.crash_at(point, journal)
            })
            .collect();
        found.into_iter().for_each(|found| outcome.add(found));
        outcome
    }

    fn crash_at(&self, point: usize, journal: Journal) -> Outcome {
        let mut random = Random::new(self.seed, &[self.number, point as u64]);
        let mut outcome = Outcome::default();
        let moment = || moment(&self.crash, point);
        let limit = self.scale.images_per_point;
        self.cut_power(&journal, &self.crash.expected_at(point), limit, &mut random, &moment, &mut outcome);
        self.die_and_go_on(point, journal, &mut random, &moment, &mut outcome);
        outcome
    }

    /// Another process goes on after the first one died, and then the power fails.
    fn die_and_go_on(
        &self,
        point: usize,
        mut journal: Journal,
        random: &mut Random,
        moment: &dyn Fn() -> String,
        outcome: &mut Outcome,
    ) {
        let disk = self.crash.prepared.disk.fork();
        disk.redo(&self.crash.log[..point]);
        let mut story = self.crash.past.goes_on_with(disk);
        let moment = || format!("{}; then a new process saved once more", moment());
        if story.reopen().is_err() {
            // Nothing was made yet; the images of this point tell whether that is right.
            return;
        }
        let steps = story.store().map(|store| store.steps()).unwrap_or_default();
        let next = steps.last().map_or(0, |step| step + 1);
        if let Err(error) = story.save(next) {
            return outcome.fail(format!("{}: {error}", moment()));
        }
        let log = story.disk.log();
        let before = self.crash.prepared.disk.operations();
        for (position, operation) in log.iter().enumerate().skip(point) {
            journal.record(operation);
            let later = position + 1;
            if later == log.len() || later.is_multiple_of(self.scale.death_stride) {
                let moment = || format!("{}, {later} of {} operations in all", moment(), log.len());
                let expected = story.past.expected_at(before + later);
                let limit = self.scale.images_after_death;
                self.cut_power(&journal, &expected, limit, random, &moment, outcome);
            }
        }
    }

    fn cut_power(
        &self,
        journal: &Journal,
        expected: &Expected,
        limit: usize,
        random: &mut Random,
        moment: &dyn Fn() -> String,
        outcome: &mut Outcome,
    ) {
        let promise = identity(&expected.promise());
        let (mut images, mut failed, mut first) = (0, 0, None);
        for fates in journal.fates(limit, random) {
            let Picture { entries, identity } = journal.image(&fates);
            // Updates that undo each other lead to the same image.
            if !self.seen.is_new(identity, promise) {
                continue;
            }
            images += 1;
            let storage = expected.access_on(&SimDisk::from_entries(entries));
            if let Err(what) = guarded(|| survives(&storage, expected)) {
                failed += 1;
                first.get_or_insert(format!("{fates:?}: {what}"));
            }
        }
        outcome.count("images", images);
        if let Some(first) = first {
            outcome.fail(format!("seed {}, {}, {failed} images, one: {first}", self.seed, moment()));
        }
    }
}

/// The images that were checked.
#[derive(Debug, Default)]
struct Seen {
    distinct: Mutex<HashSet<u64>>,
    /// With what was expected of them.
    checked: Mutex<HashSet<(u64, u64)>>,
}

impl Seen {
    /// True when the image was not checked before against the same expectation.
    fn is_new(&self, image: u64, promise: u64) -> bool {
        locked(&self.distinct).insert(image);
        locked(&self.checked).insert((image, promise))
    }

    fn distinct(&self) -> u64 {
        locked(&self.distinct).len() as u64
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn identity(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

fn moment(crash: &Crash, point: usize) -> String {
    let last = match crash.log[crash.begin..point].last() {
        Some(Operation::Write(path, bytes)) => format!("{} bytes to {}", bytes.len(), path.display()),
        Some(operation) => format!("{operation:?}"),
        None => "nothing".to_owned(),
    };
    let (done, of) = (point - crash.begin, crash.log.len() - crash.begin);
    format!("workload `{}`, {done} of {of} operations ({last})", crash.workload.name)
}
