//! The proof of exact resume: a run that is killed and resumed, over and over, ends with the same
//! state as one never stopped.
//!
//! The straight run is one process that writes no checkpoint. The other is killed with SIGKILL at
//! seeded steps and resumed by a new process each time. It cannot pass by accident: every process
//! must die at its step, every resume must begin at the newest checkpoint before the kill, and
//! both runs must do all steps.

mod program;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;

use rekindle::diff::first_difference;
use rekindle::storage::FileStorage;
use rekindle::{EntryPath, Hash, ReadError, Store};
use rekindle_formats::files;

use crate::processes::Ended;
pub use crate::processes::{Launcher, Process, ProcessError, Subject, Training};
use crate::signals::Signals;
pub use program::{Program, prove_program};

/// How the proof is done.
#[derive(Debug, Clone)]
pub struct ProveOptions {
    /// Steps to train; to the end when absent.
    pub steps: Option<u64>,
    /// How often the second run is killed.
    pub kills: u64,
    /// Seed of the steps at which it is killed.
    pub seed: u64,
    /// `path=value` on top of the config.
    pub settings: Vec<String>,
}

/// One kill, and the resume after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Killed {
    /// The step at which the process killed itself.
    pub at: u64,
    /// The newest checkpoint then.
    pub newest_checkpoint: u64,
    /// Where the next process began.
    pub resumed_from: u64,
}

/// The outcome.
#[derive(Debug, Clone, Serialize)]
pub struct Proof {
    /// True when both runs ended with the same state.
    pub equal: bool,
    /// Step of the final state.
    pub step: u64,
    /// State hash of the straight run.
    pub straight: Hash,
    /// State hash of the killed run.
    pub killed: Hash,
    /// The kills.
    pub kills: Vec<Killed>,
    /// Where the runs part, if they do.
    pub difference: Option<Difference>,
}

/// Where two runs part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The first step whose states differ; absent when a second try did not differ.
    pub step: Option<u64>,
    /// The first entry that differs then.
    pub entry: Option<String>,
}

/// The proof could not be done; this is no proof of anything.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProveError {
    /// A process did not do what it must.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// There are fewer steps than kills.
    #[error("{kills} kills were asked for, but there are only {steps} steps to be killed at")]
    TooFewSteps {
        /// Kills asked for.
        kills: u64,
        /// Steps there are.
        steps: u64,
    },
    /// A resume did not begin where it must.
    #[error(
        "after the kill at step {at} the newest checkpoint was at step {newest}, but the run went on from {from}"
    )]
    WrongStart {
        /// The kill.
        at: u64,
        /// The newest checkpoint.
        newest: u64,
        /// Where the run went on.
        from: u64,
    },
    /// A checkpoint that the policy asks for is not there.
    #[error(
        "after the kill at step {at} the newest checkpoint is at step {newest}; one at {expected} should be there"
    )]
    LostCheckpoint {
        /// The kill.
        at: u64,
        /// The newest checkpoint.
        newest: u64,
        /// The one that should be there.
        expected: u64,
    },
    /// The runs differ in length.
    #[error("the straight run ended at step {straight}, the killed one at step {killed}")]
    OtherLength {
        /// Final step of the straight run.
        straight: u64,
        /// Final step of the killed run.
        killed: u64,
    },
    /// The killed run cannot be read.
    #[error(transparent)]
    Open(#[from] rekindle::OpenError),
    /// A checkpoint of it cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// Proves exact resume of `subject`, or shows where it fails. `notify` is told what goes on, and now
/// and then how far a process is.
///
/// # Errors
/// When a process does not do what it must.
pub fn prove(
    launcher: &Launcher,
    subject: &Subject,
    options: &ProveOptions,
    notify: &mut dyn FnMut(&str),
) -> Result<Proof, ProveError> {
    let signals = Signals::listen(|_| {});
    let scratch = tempfile::tempdir().map_err(ProcessError::Io)?;
    let prover = Prover { launcher, subject, options, scratch: scratch.path(), signals: &signals };
    notify("straight run: one process, no checkpoints");
    let straight = prover.straight(None, notify)?;
    let (first, last) = (straight.step - straight.steps_run, straight.step);
    let points = kill_points(first, last, options.kills, options.seed)?;
    let every = (straight.steps_run / (2 * options.kills.max(1))).max(1);
    // The best ones are saved in between.
    notify(&format!("killed run: {} kills, a checkpoint at least every {every} steps", points.len()));
    let attempt = Attempt { name: "killed", every, trace: false, stop_at: None };
    let (killed, kills) = prover.killed(&attempt, &points, notify)?;
    if killed.step != straight.step {
        return Err(ProveError::OtherLength { straight: straight.step, killed: killed.step });
    }
    let equal = straight.state_hash == killed.state_hash;
    let difference = if equal {
        None
    } else {
        notify("the states differ: both runs again, with the hash of every step");
        Some(prover.locate(every, &points, notify)?)
    };
    Ok(Proof {
        equal,
        step: straight.step,
        straight: straight.state_hash,
        killed: killed.state_hash,
        kills,
        difference,
    })
}

/// Different steps in `first + 1 ..= last`, ascending, drawn by `seed`.
fn kill_points(first: u64, last: u64, kills: u64, seed: u64) -> Result<Vec<u64>, ProveError> {
    choose_points((first + 1..=last).collect(), kills, seed)
}

/// So many of these steps, ascending, drawn by `seed`.
fn choose_points(mut points: Vec<u64>, kills: u64, seed: u64) -> Result<Vec<u64>, ProveError> {
    let steps = points.len() as u64;
    if kills > steps {
        return Err(ProveError::TooFewSteps { kills, steps });
    }
    // The steps with the smallest hashes: a fair draw that needs no generator.
    let key = |step: &u64| Hash::of(format!("kill {seed} {step}").as_bytes());
    points.sort_by_cached_key(key);
    points.truncate(kills as usize);
    points.sort_unstable();
    Ok(points)
}

/// The newest checkpoint of a run.
fn newest_checkpoint(run: &Path) -> Result<Option<u64>, ProveError> {
    let store = Store::open(Arc::new(FileStorage::new(run)))?;
    Ok(store.steps().last().copied())
}

struct Prover<'a> {
    launcher: &'a Launcher,
    subject: &'a Subject,
    options: &'a ProveOptions,
    scratch: &'a Path,
    signals: &'a Signals,
}

/// How the killed run is done.
struct Attempt {
    name: &'static str,
    every: u64,
    trace: bool,
    stop_at: Option<u64>,
}

impl Prover<'_> {
    fn path(&self, name: &str) -> PathBuf {
        self.scratch.join(name)
    }

    /// A process that begins training: in the run directory `run`, or without any.
    fn begin(&self, run: Option<&Path>, every: u64) -> Process {
        let policy = [format!("checkpoint.every_steps={every}"), "checkpoint.every_seconds=null".to_owned()];
        Process {
            training: Training::New { subject: self.subject.clone(), run: run.map(Path::to_owned) },
            settings: self.options.settings.iter().cloned().chain(policy).collect(),
            stop_at: self.end(None),
            kill_at: None,
            trace: None,
        }
    }

    /// The step at which the subject begins.
    fn begun(&self) -> u64 {
        match self.subject {
            Subject::Config(_) => 0,
            Subject::Checkpoint { step, .. } => *step,
        }
    }

    /// The step at which this proof ends, if it does not go to the end of training.
    fn end(&self, stop_at: Option<u64>) -> Option<u64> {
        stop_at.or_else(|| self.options.steps.map(|steps| self.begun() + steps))
    }

    fn straight(&self, trace: Option<PathBuf>, notify: &mut dyn FnMut(&str)) -> Result<Ended, ProveError> {
        self.run_to_end(&Process { trace, ..self.begin(None, 1) }, notify)
    }

    /// A run that is killed at each of `points` and resumed until its end.
    fn killed(
        &self,
        attempt: &Attempt,
        points: &[u64],
        notify: &mut dyn FnMut(&str),
    ) -> Result<(Ended, Vec<Killed>), ProveError> {
        let run = self.path(attempt.name);
        let mut kills: Vec<Killed> = Vec::new();
        let mut process = self.begin(Some(&run), attempt.every);
        process.stop_at = self.end(attempt.stop_at);
        process.trace = attempt.trace.then(|| self.path("killed.trace"));
        let mut waiting: Option<(u64, u64)> = None;
        for &point in points {
            process.kill_at = Some(point);
            let started = self.launcher.run_until_killed(&process, self.signals, notify)?;
            self.check_start(waiting, started, &mut kills)?;
            let newest = newest_checkpoint(&run)?.unwrap_or(0);
            let expected = ((point - 1) / attempt.every * attempt.every).max(self.begun());
            if newest < expected {
                return Err(ProveError::LostCheckpoint { at: point, newest, expected });
            }
            notify(&format!("killed at step {point}; the newest checkpoint is at step {newest}"));
            waiting = Some((point, newest));
            process.training = Training::Resumed { run: run.clone() };
            process.settings.clear();
        }
        process.kill_at = None;
        let ended = self.run_to_end(&process, notify)?;
        self.check_start(waiting, ended.resumed_from, &mut kills)?;
        Ok((ended, kills))
    }

    fn check_start(
        &self,
        waiting: Option<(u64, u64)>,
        started: Option<u64>,
        kills: &mut Vec<Killed>,
    ) -> Result<(), ProveError> {
        let Some((at, newest)) = waiting else { return Ok(()) };
        // A process that resumed nothing began at the very start.
        let from = started.unwrap_or(0);
        if started != Some(newest) {
            return Err(ProveError::WrongStart { at, newest, from });
        }
        kills.push(Killed { at, newest_checkpoint: newest, resumed_from: from });
        Ok(())
    }

    /// Both runs again with a trace: the first step whose states differ, and the first entry.
    fn locate(
        &self,
        every: u64,
        points: &[u64],
        notify: &mut dyn FnMut(&str),
    ) -> Result<Difference, ProveError> {
        let trace = self.path("straight.trace");
        self.straight(Some(trace.clone()), notify)?;
        let attempt = Attempt { name: "traced", every, trace: true, stop_at: None };
        self.killed(&attempt, points, notify)?;
        let step = first_diverging_step(&trace, &self.path("killed.trace"))?;
        let Some(step) = step else { return Ok(Difference { step: None, entry: None }) };
        notify(&format!("the states part at step {step}"));
        let entry = self.first_entry(every, points, step, notify)?;
        Ok(Difference { step: Some(step), entry: entry.map(|path| path.to_string()) })
    }

    fn first_entry(
        &self,
        every: u64,
        points: &[u64],
        step: u64,
        notify: &mut dyn FnMut(&str),
    ) -> Result<Option<EntryPath>, ProveError> {
        let straight = self.path("straight-until");
        let process = Process { stop_at: Some(step), ..self.begin(Some(&straight), u64::MAX) };
        self.run_to_end(&process, notify)?;
        let before: Vec<u64> = points.iter().copied().filter(|&point| point < step).collect();
        let attempt = Attempt { name: "killed-until", every, trace: false, stop_at: Some(step) };
        self.killed(&attempt, &before, notify)?;
        let open = |path: PathBuf| Store::open(Arc::new(FileStorage::new(path)));
        let (a, b) = (open(straight)?, open(self.path("killed-until"))?);
        Ok(first_difference(&a.checkpoint(step)?.tree()?, &b.checkpoint(step)?.tree()?))
    }

    fn run_to_end(&self, process: &Process, notify: &mut dyn FnMut(&str)) -> Result<Ended, ProveError> {
        Ok(self.launcher.run_to_end(process, self.signals, notify)?)
    }
}

/// The first step that both traces have with different hashes. The killed run does some steps
/// more than once: all of them count.
fn first_diverging_step(straight: &Path, killed: &Path) -> Result<Option<u64>, ProveError> {
    const LIMIT: u64 = 1 << 30;
    let read = |path| files::read_text(path, LIMIT).map_err(ProcessError::Io);
    let (straight, killed) = (read(straight)?, read(killed)?);
    let expected: std::collections::HashSet<&str> = straight.lines().collect();
    let differing = killed.lines().filter(|line| !expected.contains(line));
    Ok(differing.filter_map(|line| line.split(' ').next()?.parse().ok()).min())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kill_points_are_different_steps_of_the_run() {
        let points = kill_points(10, 30, 20, 0).unwrap();
        assert_eq!(points, (11..=30).collect::<Vec<_>>());
        let few = kill_points(0, 1000, 7, 1).unwrap();
        assert_eq!(few.len(), 7);
        assert!(few.windows(2).all(|pair| pair[0] < pair[1]));
        assert_ne!(few, kill_points(0, 1000, 7, 2).unwrap());
        assert!(matches!(kill_points(0, 3, 4, 0), Err(ProveError::TooFewSteps { .. })));
    }
}
