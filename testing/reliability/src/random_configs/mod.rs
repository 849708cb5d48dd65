//! Exact resume in every setting: trainings with random configs are killed and go on.
//!
//! Each system has a module with one function, `config`, that draws the YAML of a tiny training with
//! everything optional on or off. The training is done once in this process, which saves nothing and
//! notes the state hash of every step. Then it is done by child processes ([`life`]): each with a
//! random number of threads, on a random kernel path, with checkpoints every few steps, in the
//! background or not, measured now and then. Each child dies at a random step, or stops there, and
//! the next goes on with the run. Every step that any of them does must come to the state that it
//! came to at first, each must begin at the newest checkpoint, and the last must end as the first
//! did: with the same state, or with the same divergence.

mod cascor;
mod draws;
mod dwn;
mod gpt;
mod lgn;
pub mod life;
mod logic;
mod wisard;
mod wisard_exact;
mod wnn;

use std::collections::BTreeMap;
use std::num::NonZero;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use rekindle::Store;
use rekindle::diff::first_difference;
use rekindle::storage::FileStorage;
use rekindle_compute::KernelPath;
use rekindle_compute::rng::{self, Stream};
use rekindle_formats::files;
use rekindle_systems::registry;

use crate::outcome::{Outcome, Scale, guarded};
use draws::{between, one_in, one_of};
use life::{End, Ended, Life, Lived};

/// What is drawn: configs, and what happens to their trainings.
const CONFIGS: u64 = 0;
const LIVES: u64 = 1;
/// A training is stopped there.
const MOST_STEPS: u64 = 400;
/// A training dies or stops at most so often before its end.
const MOST_DEATHS: u64 = 5;
/// A trace is never longer: bytes.
const TRACE_LIMIT: u64 = 1 << 24;

/// A system, and how a config of it is drawn; files that it names are written to the directory.
struct Subject {
    system: &'static str,
    config: fn(&mut Stream, &Path) -> String,
}

/// The systems.
const SUBJECTS: &[Subject] = &[
    Subject { system: "logic", config: |draws, _| logic::config(draws) },
    Subject { system: "cascor", config: cascor::config },
    Subject { system: "gpt", config: |draws, _| gpt::config(draws) },
    Subject { system: "wnn", config: |draws, _| wnn::config(draws) },
    Subject { system: "wisard", config: |draws, _| wisard::config(draws) },
    Subject { system: "wisard-exact", config: |draws, _| wisard_exact::config(draws) },
    Subject { system: "lgn", config: |draws, _| lgn::config(draws) },
    Subject { system: "dwn", config: |draws, _| dwn::config(draws) },
];

/// Runs the proof.
pub fn random_configs(scale: &Scale, seed: u64) -> Outcome {
    let mut outcome = Outcome::default();
    for subject in SUBJECTS {
        outcome.count(subject.system, 0);
    }
    let all = scale.configs * SUBJECTS.len() as u64;
    let (next, found) = (AtomicU64::new(0), Mutex::new(Outcome::default()));
    let work = || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= all {
                return;
            }
            (scale.progress)("random_configs", number, all);
            let subject = &SUBJECTS[(number % SUBJECTS.len() as u64) as usize];
            let case = Case { subject, seed, index: number / SUBJECTS.len() as u64, scale };
            let tried = case.tried();
            found.lock().unwrap_or_else(PoisonError::into_inner).add(tried);
        }
    };
    // Threads of our own: a training that waits for its own threads must not begin another.
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, NonZero::get) {
            scope.spawn(work);
        }
    });
    outcome.add(found.into_inner().unwrap_or_else(PoisonError::into_inner));
    refuse_many_refusals(&mut outcome, scale.configs);
    outcome
}

/// A generator whose configs are mostly refused proves nothing.
fn refuse_many_refusals(outcome: &mut Outcome, configs: u64) {
    let told = |what: &str| outcome.counts.iter().find(|count| count.0 == what).map_or(0, |count| count.1);
    let few: Vec<String> = SUBJECTS
        .iter()
        .filter(|subject| told(subject.system) * 10 < configs * 9)
        .map(|subject| {
            format!("{} of {configs} configs of {} were trained", told(subject.system), subject.system)
        })
        .collect();
    few.into_iter().for_each(|few| outcome.fail(few));
}

/// One config and what happens to its training.
struct Case<'a> {
    subject: &'a Subject,
    seed: u64,
    index: u64,
    scale: &'a Scale,
}

/// The training that is never stopped.
struct Straight {
    ended: Ended,
    /// The state hash of each step.
    hashes: BTreeMap<u64, String>,
}

impl Straight {
    /// The last step that a process can die or stop at: a divergence is an end of its own.
    fn last_good(&self) -> u64 {
        match self.ended.end {
            End::Done { .. } => self.ended.step,
            End::Diverged { .. } => self.ended.step - 1,
        }
    }
}

impl Case<'_> {
    fn tried(&self) -> Outcome {
        let mut outcome = Outcome::default();
        let mut yaml = String::new();
        let result = guarded(|| {
            let place = tempfile::tempdir().map_err(|error| error.to_string())?;
            yaml = (self.subject.config)(&mut self.draws(CONFIGS), place.path());
            self.train(place.path(), &yaml, &mut self.draws(LIVES), &mut outcome)
        });
        outcome.check(result, || {
            format!("seed {}, config {} of {}:\n{yaml}\n", self.seed, self.index, self.subject.system)
        });
        outcome
    }

    /// The draws of this case for one use. Those of a system depend on its name, not on which others there are.
    fn draws(&self, purpose: u64) -> Stream {
        let name = self.subject.system.bytes().fold(0, |key, byte| key << 8 | u64::from(byte));
        rng::stream(self.seed, name, self.index << 1 | purpose)
    }

    fn train(
        &self,
        place: &Path,
        yaml: &str,
        draws: &mut Stream,
        outcome: &mut Outcome,
    ) -> Result<(), String> {
        let config = place.join("config.yaml");
        files::write(&config, yaml.as_bytes()).map_err(|error| error.to_string())?;
        let trace = place.join("straight");
        let first = Life {
            system: self.subject.system.to_owned(),
            config,
            threads: between(draws, 1, 3) as usize,
            stop_at: Some(MOST_STEPS),
            trace: Some(trace.clone()),
            ..Life::default()
        };
        let ended = match life::train(&registry(), &first, |_| {}) {
            Ok(ended) => ended,
            Err(life::Failed::Refused(why)) => {
                outcome.count("refused", 1);
                eprintln!(
                    "\nseed {}, config {} of {} is refused: {why}",
                    self.seed, self.index, self.subject.system
                );
                return Ok(());
            }
            Err(life::Failed::Broken(why)) => return Err(format!("the straight training failed: {why}")),
        };
        let straight = Straight { ended, hashes: read_trace(&trace)? };
        outcome.count(self.subject.system, 1);
        outcome.count("steps", straight.ended.step);
        outcome.count("diverged", u64::from(matches!(straight.ended.end, End::Diverged { .. })));
        let deaths = drawn_deaths(draws, straight.last_good()).into_iter().map(Some).chain([None]);
        for (number, death) in deaths.enumerate() {
            let trace = Some(place.join(format!("trace-{number}")));
            let life =
                Life { run: Some(place.join("run")), trace, ..drawn_life(&first, &straight, death, draws) };
            outcome.count("kills", u64::from(death.is_some_and(|death| !death.stops)));
            outcome.count("stops", u64::from(death.is_some_and(|death| death.stops)));
            let kernels = one_of(draws, &KernelPath::available());
            self.live(&life, kernels, &straight, place).map_err(|error| {
                let life = serde_json::to_string(&life).unwrap_or_default();
                format!("life {number} on {kernels} kernels: {error}\n{life}")
            })?;
        }
        Ok(())
    }

    /// Lives a life in a process of its own, and compares what it came to.
    fn live(
        &self,
        life: &Life,
        kernels: KernelPath,
        straight: &Straight,
        place: &Path,
    ) -> Result<(), String> {
        let run = life.run.as_deref().unwrap_or(place);
        let newest = newest_checkpoint(run)?;
        let lived = life::in_child(&self.scale.program, life, kernels)?;
        if lived.resumed_from != newest {
            let from = lived.resumed_from;
            return Err(format!("the newest checkpoint was at {newest:?}, but it went on from {from:?}"));
        }
        let hashes = life.trace.as_deref().map_or(Ok(BTreeMap::new()), read_trace)?;
        if let Some(step) = first_differing(&straight.hashes, &hashes) {
            let entry = self.first_entry(life, kernels, &lived, step, place);
            let entry = entry.unwrap_or_else(|error| format!("not to be told: {error}"));
            return Err(format!(
                "the states part at step {step}, of a process that began at {newest:?}; entry: {entry}"
            ));
        }
        compare_ends(life, &lived, straight, hashes.keys().next_back().copied())
    }

    /// The first entry in which the state of a step differs from that of the straight training.
    fn first_entry(
        &self,
        life: &Life,
        kernels: KernelPath,
        lived: &Lived,
        step: u64,
        place: &Path,
    ) -> Result<String, String> {
        let (ours, theirs) = (place.join("until-straight"), place.join("until"));
        let until = |life: Life| Life { kill_at: None, stop_at: Some(step), trace: None, ..life };
        let straight = Life { run: Some(ours.clone()), settings: Vec::new(), ..until(life.clone()) };
        life::train(&registry(), &straight, |_| {}).map_err(|error| format!("{error:?}"))?;
        let again = match lived.resumed_from {
            None => Life { run: Some(theirs.clone()), ..until(life.clone()) },
            Some(from) => Life { from: Some(from), fork: Some(theirs.clone()), ..until(life.clone()) },
        };
        life::in_child(&self.scale.program, &again, kernels)?;
        let open = |path: &Path| Store::open(Arc::new(FileStorage::new(path)));
        let (a, b) = (open(&ours).map_err(text)?, open(&theirs).map_err(text)?);
        let tree =
            |store: &Store| store.checkpoint(step).and_then(|checkpoint| checkpoint.tree()).map_err(text);
        let entry = first_difference(&tree(&a)?, &tree(&b)?);
        Ok(entry.map_or("none when it is done again".to_owned(), |entry| entry.to_string()))
    }
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// How a process ends before the training does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Death {
    step: u64,
    /// It stops of its own accord, and has saved.
    stops: bool,
}

/// The ends of processes, in order. Several may die at the same step; none is to die where one has stopped.
fn drawn_deaths(draws: &mut Stream, steps: u64) -> Vec<Death> {
    if steps == 0 {
        return Vec::new();
    }
    let count = between(draws, 1, MOST_DEATHS);
    let mut deaths: Vec<Death> =
        (0..count).map(|_| Death { step: between(draws, 1, steps), stops: one_in(draws, 4) }).collect();
    deaths.sort_unstable();
    deaths
}

/// How a process trains that ends at a step, or at the end.
fn drawn_life(first: &Life, straight: &Straight, death: Option<Death>, draws: &mut Stream) -> Life {
    let most = (straight.ended.step / 3).clamp(1, 9);
    let settings = vec![
        format!("checkpoint.every_steps={}", between(draws, 1, most)),
        "checkpoint.every_seconds=null".to_owned(),
        format!("checkpoint.background={}", one_in(draws, 2)),
        format!("checkpoint.keep_last={}", one_of(draws, &["null", "1", "2", "5"])),
        format!("checkpoint.compression={}", one_of(draws, &["fast", "small"])),
        format!("evaluate.every={}", one_of(draws, &[0, 1, 2, 3, 7])),
    ];
    Life {
        threads: between(draws, 1, 3) as usize,
        kill_at: death.filter(|death| !death.stops).map(|death| death.step),
        stop_at: death.filter(|death| death.stops).map(|death| death.step).or(first.stop_at),
        settings,
        ..first.clone()
    }
}

/// Where the next process must begin.
fn newest_checkpoint(run: &Path) -> Result<Option<u64>, String> {
    if !files::exists(run) {
        return Ok(None);
    }
    match Store::open(Arc::new(FileStorage::new(run))) {
        Ok(store) => Ok(store.steps().last().copied()),
        // The first process died before it had made the run.
        Err(rekindle::OpenError::NoRun { .. }) => Ok(None),
        Err(error) => Err(format!("the run does not open: {error}")),
    }
}

fn read_trace(path: &Path) -> Result<BTreeMap<u64, String>, String> {
    if !files::exists(path) {
        return Ok(BTreeMap::new());
    }
    let trace = files::read_text(path, TRACE_LIMIT).map_err(text)?;
    let line = |line: &str| {
        let (step, hash) = line.split_once(' ')?;
        Some((step.parse().ok()?, hash.to_owned()))
    };
    trace.lines().map(|told| line(told).ok_or_else(|| format!("the trace has `{told}`"))).collect()
}

/// The first step that came to another state than at first.
fn first_differing(expected: &BTreeMap<u64, String>, found: &BTreeMap<u64, String>) -> Option<u64> {
    found.iter().find(|(step, hash)| expected.get(step) != Some(hash)).map(|(step, _)| *step)
}

/// A process must end as it was told to, and the last one as the straight training did.
fn compare_ends(life: &Life, lived: &Lived, straight: &Straight, last: Option<u64>) -> Result<(), String> {
    let Some(ended) = &lived.ended else {
        // Killed: at the step that it was told, which it has traced.
        return match (life.kill_at, last) {
            (Some(at), Some(step)) if at == step => Ok(()),
            (at, step) => Err(format!("it was to be killed at step {at:?}, and was after step {step:?}")),
        };
    };
    if life.kill_at.is_some() {
        return Err(format!("it was to be killed, but ended: {ended:?}"));
    }
    let expected = match life.stop_at {
        Some(at) if at < straight.ended.step => {
            let state_hash = straight.hashes.get(&at).cloned().unwrap_or_default();
            Ended { step: at, end: End::Done { state_hash, finished: false } }
        }
        _ => straight.ended.clone(),
    };
    if *ended == expected { Ok(()) } else { Err(format!("it ended with {ended:?}, not with {expected:?}")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trace(text: &str) -> BTreeMap<u64, String> {
        text.split(',').zip(1..).map(|(hash, step)| (step, hash.to_owned())).collect()
    }

    #[test]
    fn a_difference_is_found_at_its_step() {
        assert_eq!(first_differing(&trace("a,b,c"), &trace("a,b,c")), None);
        assert_eq!(first_differing(&trace("a,b,c"), &trace("a,x,y")), Some(2));
        assert_eq!(first_differing(&trace("a,b"), &trace("a,b,c")), Some(3), "more steps than at first");
    }

    #[test]
    fn an_end_that_is_not_the_expected_one_is_told() {
        let done = |hash: &str, finished| End::Done { state_hash: hash.to_owned(), finished };
        let ended = |step, end| Ended { step, end };
        let straight = Straight { ended: ended(3, done("c", true)), hashes: trace("a,b,c") };
        let check = |life: Life, end: Option<Ended>, last| {
            compare_ends(&life, &Lived { resumed_from: None, ended: end }, &straight, last).is_ok()
        };
        let to = |stop_at, kill_at| Life { stop_at, kill_at, ..Life::default() };
        assert!(check(to(None, None), Some(ended(3, done("c", true))), Some(3)));
        assert!(!check(to(None, None), Some(ended(3, done("x", true))), Some(3)));
        assert!(!check(to(None, None), Some(ended(3, done("c", false))), Some(3)));
        assert!(check(to(Some(2), None), Some(ended(2, done("b", false))), Some(2)));
        assert!(!check(to(Some(2), None), Some(ended(3, done("c", true))), Some(3)));
        assert!(check(to(None, Some(2)), None, Some(2)));
        assert!(!check(to(None, Some(2)), None, Some(1)), "it died by something else");
        assert!(!check(to(None, Some(2)), Some(ended(3, done("c", true))), Some(3)), "it was not killed");
    }

    #[test]
    fn a_generator_that_is_mostly_refused_is_a_failure() {
        let mut outcome = Outcome::default();
        SUBJECTS.iter().for_each(|subject| outcome.count(subject.system, 10));
        refuse_many_refusals(&mut outcome, 10);
        assert_eq!(outcome.failed, 0);
        refuse_many_refusals(&mut outcome, 20);
        assert_eq!(outcome.failed, SUBJECTS.len() as u64);
    }
}
