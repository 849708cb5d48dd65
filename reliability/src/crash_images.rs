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
use std::sync::Mutex;

use rayon::prelude::*;
use rekindle::storage::sim::{Entries, Operation, SimDisk};

use crate::outcome::{Outcome, Scale, guarded};
use crate::packs;
use crate::power_cut::{Fate, Journal};
use crate::random::Random;
use crate::sample::Failure;
use crate::survival::survives;
use crate::workload::{Expected, Story, WORKLOADS, Workload};

/// So many images are held in memory at once.
const AT_ONCE: usize = 64;

/// Runs the proof.
pub fn crash_images(scale: &Scale, seed: u64) -> Outcome {
    let mut proof =
        Proof { scale, seed, outcome: Outcome::default(), distinct: HashSet::new(), checked: HashSet::new() };
    for name in ["images", "distinct images", "points", "workloads", "chunks that are differences"] {
        proof.outcome.count(name, 0);
    }
    for (number, workload) in WORKLOADS.iter().enumerate() {
        (scale.progress)("crash_images", number as u64, WORKLOADS.len() as u64);
        if let Err(error) = proof.crash_everywhere(number, workload) {
            proof.outcome.fail(format!("workload `{}` does not run: {error}", workload.name));
        }
    }
    proof.outcome.count("distinct images", proof.distinct.len() as u64);
    if proof.outcome.counts.contains(&("chunks that are differences", 0)) {
        proof.outcome.fail("no chunk of any workload is stored as a difference".to_owned());
    }
    proof.outcome
}

struct Proof<'a> {
    scale: &'a Scale,
    seed: u64,
    outcome: Outcome,
    distinct: HashSet<u64>,
    checked: HashSet<(u64, u64)>,
}

impl Proof<'_> {
    fn crash_everywhere(&mut self, number: usize, workload: &Workload) -> Result<(), Failure> {
        let mut story = Story::prepared(workload)?;
        let begin = story.disk.operations();
        (workload.act)(&mut story)?;
        let log = story.disk.log();
        let mut journal = Journal::settled(&log[..begin]);
        for point in begin..=log.len() {
            if point > begin {
                journal.record(&log[point - 1]);
            }
            let mut random = Random::new(self.seed, &[number as u64, point as u64]);
            let moment = || moment(workload, &log, begin, point);
            let limit = self.scale.images_per_point;
            self.cut_power(&journal, &story.expected_at(point), limit, &mut random, &moment);
            self.die_and_go_on(&story.ended_after(point), begin, &mut random, &moment);
        }
        self.outcome.count("points", (log.len() - begin + 1) as u64);
        self.outcome.count("workloads", 1);
        let codecs = packs::codecs(&*story.storage())?;
        self.outcome.count("chunks that are differences", codecs.get("delta").copied().unwrap_or(0));
        Ok(())
    }

    /// Another process goes on after the first one died, and then the power fails.
    fn die_and_go_on(
        &mut self,
        story: &Story,
        settled: usize,
        random: &mut Random,
        moment: &dyn Fn() -> String,
    ) {
        let mut story = story.copied();
        let died_at = story.disk.operations();
        let moment = || format!("{}; then a new process saved once more", moment());
        if story.reopen().is_err() {
            // Nothing was made yet; the images of this point tell whether that is right.
            return;
        }
        let steps = story.store().map(|store| store.steps()).unwrap_or_default();
        let next = steps.last().map_or(0, |step| step + 1);
        if let Err(error) = story.save(next) {
            return self.outcome.fail(format!("{}: {error}", moment()));
        }
        let log = story.disk.log();
        let mut journal = Journal::settled(&log[..settled]);
        for (position, operation) in log.iter().enumerate().skip(settled) {
            journal.record(operation);
            let point = position + 1;
            if point > died_at && (point == log.len() || point.is_multiple_of(self.scale.death_stride)) {
                let moment = || format!("{}, {point} of {} operations in all", moment(), log.len());
                let limit = self.scale.images_after_death;
                self.cut_power(&journal, &story.expected_at(point), limit, random, &moment);
            }
        }
    }

    fn cut_power(
        &mut self,
        journal: &Journal,
        expected: &Expected,
        limit: usize,
        random: &mut Random,
        moment: &dyn Fn() -> String,
    ) {
        for fates in journal.fates(limit, random).chunks(AT_ONCE) {
            self.cut_power_with(journal, expected, fates, moment);
        }
    }

    fn cut_power_with(
        &mut self,
        journal: &Journal,
        expected: &Expected,
        fates: &[Vec<Fate>],
        moment: &dyn Fn() -> String,
    ) {
        let images = fates.iter().map(|fates| (journal.image(fates), fates));
        // Updates that undo each other lead to the same image.
        let images: Vec<_> = images.filter(|(image, _)| self.is_new(image, expected)).collect();
        self.outcome.count("images", images.len() as u64);
        let failures = Mutex::new(Vec::new());
        images.into_par_iter().for_each(|(image, fates)| {
            let storage = expected.storage_on(&SimDisk::from_entries(image));
            if let Err(what) = guarded(|| survives(&storage, expected)) {
                failures.lock().expect("no panic while it is held").push(format!("{fates:?}: {what}"));
            }
        });
        let mut failures = failures.into_inner().expect("no panic while it was held");
        failures.sort();
        if let Some(first) = failures.first() {
            let count = failures.len();
            self.outcome.fail(format!("seed {}, {}, {count} images, one: {first}", self.seed, moment()));
        }
    }

    /// True when the image was not checked before against the same expectation.
    fn is_new(&mut self, image: &Entries, expected: &Expected) -> bool {
        let image = identity(image);
        self.distinct.insert(image);
        self.checked.insert((image, identity(&expected.promise())))
    }
}

fn identity(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

fn moment(workload: &Workload, log: &[Operation], begin: usize, point: usize) -> String {
    let last = match log[begin..point].last() {
        Some(Operation::Write(path, bytes)) => format!("{} bytes to {}", bytes.len(), path.display()),
        Some(operation) => format!("{operation:?}"),
        None => "nothing".to_owned(),
    };
    format!("workload `{}`, {} of {} operations ({last})", workload.name, point - begin, log.len() - begin)
}
