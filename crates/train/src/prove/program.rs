//! The proof of exact resume for any program that keeps its state with the library, in whatever language it is
//! written: [`rekindle::proving`] is how it is told what to do, and tells what it did.
//!
//! The proof is that of [`prove`](crate::prove): a straight run without checkpoints, another one whose processes
//! are killed at seeded steps, and their state hashes compared.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rekindle::diff::first_difference;
use rekindle::storage::FileStorage;
use rekindle::{EntryPath, Hash, Store};

use super::{Difference, Killed, Proof, ProveError, choose_points, newest_checkpoint};
use crate::processes::{Asked, ProcessError, ProgramEnded, ProgramLauncher, Told};
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

/// Proves exact resume of a program, or shows where it fails. `notify` is told what goes on.
///
/// # Errors
/// When the program does not do what it must.
pub fn prove_program(program: &Program, notify: &mut dyn FnMut(&str)) -> Result<Proof, ProveError> {
    let signals = Signals::listen(|_| {});
    let scratch = tempfile::tempdir().map_err(ProcessError::Io)?;
    let prover = Prover {
        launcher: ProgramLauncher::new(&program.command, scratch.path(), &signals),
        scratch: scratch.path(),
    };
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
    launcher: ProgramLauncher<'a>,
    scratch: &'a Path,
}

/// How the killed run is done.
struct Attempt {
    name: &'static str,
    every: u64,
    hashes: bool,
}

impl Prover<'_> {
    fn path(&self, name: &str) -> PathBuf {
        self.scratch.join(name)
    }

    fn straight(&self, notify: &mut dyn FnMut(&str)) -> Result<ProgramEnded, ProveError> {
        Ok(self
            .launcher
            .launch(&Asked { run: self.path("straight"), ..Asked::default() }, notify)?
            .ended()?)
    }

    /// A run that is killed at each of `points` and started again until its end.
    fn killed(
        &self,
        attempt: &Attempt,
        points: &[u64],
        notify: &mut dyn FnMut(&str),
    ) -> Result<(ProgramEnded, Vec<Killed>), ProveError> {
        let asked = Asked {
            run: self.path(attempt.name),
            every: Some(attempt.every),
            hashes: attempt.hashes,
            ..Asked::default()
        };
        let mut kills = Vec::new();
        let waiting = self.kill_at_each(&asked, points, &mut kills, &mut |_| {}, notify)?;
        let told = self.launcher.launch(&asked, notify)?;
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
            let told = self.launcher.launch(&Asked { kill_at: Some(point), ..asked.clone() }, notify)?;
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
        let expected: BTreeMap<u64, Hash> = self.launcher.launch(&straight, notify)?.hashes().collect();
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
        look(&self.launcher.launch(&killed, notify)?);
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
        self.launcher.launch(&straight, notify)?.require_killed()?;
        let killed = Asked { run: self.path("killed-until"), every: Some(every), ..until };
        let dying = Asked { save_at: None, ..killed.clone() };
        self.kill_at_each(&dying, points, &mut Vec::new(), &mut |_| {}, notify)?;
        self.launcher.launch(&killed, notify)?.require_killed()?;
        let open = |path: &Path| Store::open(Arc::new(FileStorage::new(path)));
        let (a, b) = (open(&straight.run)?, open(&killed.run)?);
        Ok(first_difference(&a.checkpoint(step)?.tree()?, &b.checkpoint(step)?.tree()?))
    }
}
