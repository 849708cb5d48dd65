//! The proof of exact resume for any program that keeps its state with the library, in whatever language it is
//! written: [`rekindle::proving`] is how it is told what to do, and tells what it did.
//!
//! The proof is that of [`prove`](crate::prove): a straight run without checkpoints, another one whose processes
//! are killed at seeded steps, and their state hashes compared.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use rekindle::diff::first_difference;
use rekindle::proving::{self, Event};
use rekindle::storage::FileStorage;
use rekindle::{EntryPath, Hash, Store};
use rekindle_formats::files;

use crate::prove::{
    Difference, Killed, Proof, ProveError, Whole, choose_points, newest_checkpoint, process_error, watch,
};
use crate::signals::Signals;

/// A program, and how it is proven.
#[derive(Debug, Clone)]
pub struct Program {
    /// The command line.
    pub command: Vec<OsString>,
    /// How often the second run is killed.
    pub kills: u64,
    /// Seed of the steps at which it is killed.
    pub seed: u64,
}

/// The longest log that is read: bytes.
const LOG_LIMIT: u64 = 1 << 30;

/// Proves exact resume of a program, or shows where it fails. `notify` is told what goes on.
///
/// # Errors
/// When the program does not do what it must.
pub fn prove_program(program: &Program, notify: &mut dyn FnMut(&str)) -> Result<Proof, ProveError> {
    let signals = Signals::listen(|_| {});
    let scratch = tempfile::tempdir()?;
    let prover = Prover { program, scratch: scratch.path(), signals: &signals, launches: Cell::new(0) };
    notify("straight run: one process, no checkpoints");
    let straight = prover.straight(notify)?;
    let points = choose_points(straight.steps.clone(), program.kills, program.seed)?;
    let distance = straight.step - straight.steps.first().copied().unwrap_or(straight.step);
    let every = (distance / (2 * program.kills.max(1))).max(1);
    notify(&format!("killed run: {} kills, a checkpoint every {every} steps", points.len()));
    let attempt = Attempt { name: "killed", every, hashes: false };
    let (killed, kills) = prover.killed(&attempt, &points, notify)?;
    if killed.step != straight.step {
        return Err(ProveError::OtherLength { straight: straight.step, killed: killed.step });
    }
    let equal = straight.state_hash == killed.state_hash;
    let difference = match equal {
        true => None,
        false => {
            notify("the states differ: both runs again, with the hash of every step");
            Some(prover.locate(every, &points, notify)?)
        }
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

struct Prover<'a> {
    program: &'a Program,
    scratch: &'a Path,
    signals: &'a Signals,
    /// Processes so far.
    launches: Cell<u64>,
}

/// How the killed run is done.
struct Attempt {
    name: &'static str,
    every: u64,
    hashes: bool,
}

/// What a process is asked to do; see [`rekindle::proving`].
#[derive(Default, Clone)]
struct Asked {
    run: PathBuf,
    every: Option<u64>,
    save_at: Option<u64>,
    kill_at: Option<u64>,
    hashes: bool,
}

/// What a process did that went to its end.
struct Ended {
    /// The steps that it told of, ascending.
    steps: Vec<u64>,
    step: u64,
    state_hash: Hash,
}

/// What a process told.
struct Told {
    line: String,
    output: Output,
    events: Vec<Event>,
}

impl Told {
    fn failed(&self, what: impl Into<String>) -> ProveError {
        process_error(&self.line, what.into(), &self.output)
    }

    /// Where it went on; `None` when it began anew.
    fn resumed(&self) -> Result<Option<u64>, ProveError> {
        let resumed = self.events.iter().find_map(|event| match event {
            Event::Resumed { step } => Some(*step),
            _ => None,
        });
        resumed.ok_or_else(|| self.failed("did not ask for the state of its run: it must call `resume`"))
    }

    fn steps(&self) -> Vec<u64> {
        let step = |event: &Event| match event {
            Event::Step { step, .. } => Some(*step),
            _ => None,
        };
        self.events.iter().filter_map(step).collect::<BTreeSet<_>>().into_iter().collect()
    }

    fn hashes(&self) -> impl Iterator<Item = (u64, Hash)> {
        self.events.iter().filter_map(|event| match event {
            Event::Step { step, state_hash: Some(hash) } => Some((*step, *hash)),
            _ => None,
        })
    }

    fn ended(&self) -> Result<Ended, ProveError> {
        if !self.output.status.success() {
            return Err(self.failed(format!("ended with {}", self.output.status)));
        }
        self.resumed()?;
        let finished = self.events.iter().find_map(|event| match event {
            Event::Finished { step, state_hash } => Some((*step, *state_hash)),
            _ => None,
        });
        let (step, state_hash) =
            finished.ok_or_else(|| self.failed("ended without its last state: it must call `finish`"))?;
        Ok(Ended { steps: self.steps(), step, state_hash })
    }

    fn require_killed(&self) -> Result<(), ProveError> {
        match self.events.last() {
            Some(Event::Killed { .. }) => Ok(()),
            _ => Err(self.failed(format!("should have been killed, but ended with {}", self.output.status))),
        }
    }
}

impl Prover<'_> {
    fn path(&self, name: &str) -> PathBuf {
        self.scratch.join(name)
    }

    fn straight(&self, notify: &mut dyn FnMut(&str)) -> Result<Ended, ProveError> {
        self.launch(&Asked { run: self.path("straight"), ..Asked::default() }, notify)?.ended()
    }

    /// A run that is killed at each of `points` and started again until its end.
    fn killed(
        &self,
        attempt: &Attempt,
        points: &[u64],
        notify: &mut dyn FnMut(&str),
    ) -> Result<(Ended, Vec<Killed>), ProveError> {
        let asked = Asked {
            run: self.path(attempt.name),
            every: Some(attempt.every),
            hashes: attempt.hashes,
            ..Asked::default()
        };
        let mut kills = Vec::new();
        let waiting = self.kill_at_each(&asked, points, &mut kills, &mut |_| {}, notify)?;
        let told = self.launch(&asked, notify)?;
        self.check_start(waiting, &told, &mut kills)?;
        Ok((told.ended()?, kills))
    }

    /// Starts the program for each of `points`, at which it dies; gives the last of them and the newest checkpoint
    /// then.
    fn kill_at_each(
        &self,
        asked: &Asked,
        points: &[u64],
        kills: &mut Vec<Killed>,
        look: &mut dyn FnMut(&Told),
        notify: &mut dyn FnMut(&str),
    ) -> Result<Option<(u64, Option<u64>)>, ProveError> {
        let mut waiting = None;
        for &point in points {
            let told = self.launch(&Asked { kill_at: Some(point), ..asked.clone() }, notify)?;
            told.require_killed()?;
            self.check_start(waiting, &told, kills)?;
            look(&told);
            let newest = newest_checkpoint(&asked.run)?;
            notify(&match newest {
                Some(step) => format!("killed at step {point}; the newest checkpoint is at step {step}"),
                None => format!("killed at step {point}; there is no checkpoint yet"),
            });
            waiting = Some((point, newest));
        }
        Ok(waiting)
    }

    fn check_start(
        &self,
        waiting: Option<(u64, Option<u64>)>,
        told: &Told,
        kills: &mut Vec<Killed>,
    ) -> Result<(), ProveError> {
        let resumed = told.resumed()?;
        let Some((at, newest)) = waiting else { return Ok(()) };
        let (newest_checkpoint, resumed_from) = (newest.unwrap_or(0), resumed.unwrap_or(0));
        if resumed != newest {
            return Err(ProveError::WrongStart { at, newest: newest_checkpoint, from: resumed_from });
        }
        kills.push(Killed { at, newest_checkpoint, resumed_from });
        Ok(())
    }

    /// Both runs again with the hash of every step: the first step whose states differ, and the first entry.
    fn locate(
        &self,
        every: u64,
        points: &[u64],
        notify: &mut dyn FnMut(&str),
    ) -> Result<Difference, ProveError> {
        let straight = Asked { run: self.path("straight-traced"), hashes: true, ..Asked::default() };
        let expected: BTreeMap<u64, Hash> = self.launch(&straight, notify)?.hashes().collect();
        let killed =
            Asked { run: self.path("killed-traced"), every: Some(every), hashes: true, ..Asked::default() };
        // The killed run does some steps more than once: all of them count.
        // With the step, how often the process had been killed when it did it.
        let (mut first, mut deaths): (Option<(u64, usize)>, usize) = (None, 0);
        let mut look = |told: &Told| {
            let differs = |&(step, hash): &(u64, Hash)| expected.get(&step) != Some(&hash);
            first = told.hashes().filter(differs).map(|(step, _)| (step, deaths)).chain(first).min();
            deaths += 1;
        };
        self.kill_at_each(&killed, points, &mut Vec::new(), &mut look, notify)?;
        look(&self.launch(&killed, notify)?);
        let Some((step, deaths)) = first else { return Ok(Difference { step: None, entry: None }) };
        notify(&format!("the states part at step {step}"));
        let entry = self.first_entry(every, &points[..deaths.min(points.len())], step, notify)?;
        Ok(Difference { step: Some(step), entry: entry.map(|path| path.to_string()) })
    }

    /// Both runs until `step`, where they are saved, one of them killed at each of `points` before; the first entry in
    /// which the states differ.
    fn first_entry(
        &self,
        every: u64,
        points: &[u64],
        step: u64,
        notify: &mut dyn FnMut(&str),
    ) -> Result<Option<EntryPath>, ProveError> {
        let until = Asked { save_at: Some(step), kill_at: Some(step), ..Asked::default() };
        let straight = Asked { run: self.path("straight-until"), ..until.clone() };
        self.launch(&straight, notify)?.require_killed()?;
        let killed = Asked { run: self.path("killed-until"), every: Some(every), ..until };
        let dying = Asked { save_at: None, ..killed.clone() };
        self.kill_at_each(&dying, points, &mut Vec::new(), &mut |_| {}, notify)?;
        self.launch(&killed, notify)?.require_killed()?;
        let open = |path: &Path| Store::open(Arc::new(FileStorage::new(path)));
        let (a, b) = (open(&straight.run)?, open(&killed.run)?);
        Ok(first_difference(&a.checkpoint(step)?.tree()?, &b.checkpoint(step)?.tree()?))
    }

    fn launch(&self, asked: &Asked, notify: &mut dyn FnMut(&str)) -> Result<Told, ProveError> {
        let [name, arguments @ ..] = self.program.command.as_slice() else {
            return Err(std::io::Error::other("no command was given").into());
        };
        self.launches.set(self.launches.get() + 1);
        let log = self.path(&format!("log-{}", self.launches.get()));
        let mut command = Command::new(name);
        command.args(arguments).env(proving::RUN, &asked.run).env(proving::LOG, &log);
        let numbers = [
            (proving::EVERY, asked.every),
            (proving::SAVE_AT, asked.save_at),
            (proving::KILL_AT, asked.kill_at),
            (proving::HASHES, asked.hashes.then_some(1)),
        ];
        for (variable, number) in numbers {
            match number {
                Some(number) => command.env(variable, number.to_string()),
                None => command.env_remove(variable),
            };
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // What it starts itself ends with it; see [`Whole`].
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let line =
            self.program.command.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ");
        let child = command.spawn().map_err(|source| ProveError::Start { command: line.clone(), source })?;
        let output = watch(child, Whole::Group, self.signals, notify)?;
        let told = Told { line, output, events: events(&log)? };
        match told.events.iter().filter(|event| **event == Event::Opened).count() {
            1 => Ok(told),
            0 => Err(told.failed(format!(
                "ended with {} and opened no run: it must open one in a directory, with the library",
                told.output.status
            ))),
            count => Err(told.failed(format!("opened {count} runs; it may open one"))),
        }
    }
}

/// The lines of a log. A last one that was cut off by the end of its process does not count.
fn events(log: &Path) -> Result<Vec<Event>, ProveError> {
    let text = match files::exists(log) {
        true => files::read_text(log, LOG_LIMIT)?,
        false => String::new(),
    };
    Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
}
