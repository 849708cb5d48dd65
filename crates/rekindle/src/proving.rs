//! What a run does while somebody proves that its program resumes exactly: where it lives, when it is saved
//! and when its process dies is said by environment variables, and what happens is written to a log.
//!
//! `rekindle prove -- COMMAND` sets the variables. They are heeded when a run is created or opened by its
//! directory; without [`RUN`] none of them has an effect.
//!
//! | variable | value |
//! |---|---|
//! | [`RUN`] | the directory of the run, in place of the one that the program names |
//! | [`LOG`] | the file to which an [`Event`] a line is added, as JSON |
//! | [`EVERY`] | save when so many steps have passed since the last checkpoint; unset: only at the end |
//! | [`SAVE_AT`] | save at this step too |
//! | [`KILL_AT`] | die by SIGKILL at the first step that is at least this, once it has been saved if it is to be |
//! | [`HASHES`] | `1`: the log has the state hash of every step |

#[allow(clippy::disallowed_types, reason = "the log is no part of the run")]
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use rekindle_store::{Hash, OpenError};

/// Directory of the run.
pub const RUN: &str = "REKINDLE_PROVE_RUN";
/// File of the log.
pub const LOG: &str = "REKINDLE_PROVE_LOG";
/// Steps between two checkpoints.
pub const EVERY: &str = "REKINDLE_PROVE_EVERY";
/// A step that is saved.
pub const SAVE_AT: &str = "REKINDLE_PROVE_SAVE_AT";
/// The step at which the process dies.
pub const KILL_AT: &str = "REKINDLE_PROVE_KILL_AT";
/// Whether every step is hashed.
pub const HASHES: &str = "REKINDLE_PROVE_HASHES";

/// What happened: a line of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The run was opened for writing.
    Opened,
    /// The program asked for its newest state.
    Resumed {
        /// The step of the checkpoint; absent when there was none.
        step: Option<u64>,
    },
    /// A step was done.
    Step {
        /// The step.
        step: u64,
        /// The state then, if that was asked for.
        state_hash: Option<Hash>,
    },
    /// The process dies now.
    Killed {
        /// The step.
        step: u64,
    },
    /// The program has finished the run.
    Finished {
        /// The last step.
        step: u64,
        /// The final state.
        state_hash: Hash,
    },
}

/// What the variables say.
#[derive(Debug, Default)]
pub(crate) struct Proving {
    run: PathBuf,
    log: Option<PathBuf>,
    every: Option<u64>,
    save_at: Option<u64>,
    kill_at: Option<u64>,
    pub hashes: bool,
    /// Step of the newest checkpoint.
    saved: u64,
}

impl Proving {
    /// What this process is asked to do, if it is asked for anything.
    ///
    /// # Errors
    /// When a variable is not a number that should be one.
    pub fn asked() -> Result<Option<Self>, OpenError> {
        Self::read(|name| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned()))
    }

    fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, OpenError> {
        let Some(run) = variable(RUN) else { return Ok(None) };
        let number = |name: &'static str| match variable(name).map(|value| (value.parse(), value)) {
            None => Ok(None),
            Some((Ok(number), _)) => Ok(Some(number)),
            Some((Err(_), value)) => Err(OpenError::Variable { name, value }),
        };
        Ok(Some(Self {
            run: run.into(),
            log: variable(LOG).map(Into::into),
            every: number(EVERY)?,
            save_at: number(SAVE_AT)?,
            kill_at: number(KILL_AT)?,
            hashes: number(HASHES)? == Some(1),
            saved: 0,
        }))
    }

    pub fn run(&self) -> &Path {
        &self.run
    }

    /// Is a checkpoint due at `step`?
    pub fn is_due(&self, step: u64) -> bool {
        let by_distance = self.every.is_some_and(|every| step >= self.saved.saturating_add(every));
        by_distance || self.save_at == Some(step)
    }

    pub fn note_saved(&mut self, step: u64) {
        self.saved = step;
    }

    /// Adds a line to the log.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn tell(&self, event: &Event) -> std::io::Result<()> {
        let Some(log) = &self.log else { return Ok(()) };
        let mut line = serde_json::to_vec(event)?;
        line.push(b'\n');
        #[allow(
            clippy::disallowed_methods,
            clippy::disallowed_types,
            reason = "the log is no part of the run"
        )]
        OpenOptions::new().create(true).append(true).open(log)?.write_all(&line)
    }

    /// Dies if that is to be at `step`.
    ///
    /// # Errors
    /// When that cannot be logged.
    pub fn die_at(&self, step: u64) -> std::io::Result<()> {
        if self.kill_at.is_none_or(|at| step < at) {
            return Ok(());
        }
        self.tell(&Event::Killed { step })?;
        #[cfg(unix)]
        let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
        std::process::abort()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(variables: &[(&str, &str)]) -> Result<Option<Proving>, OpenError> {
        Proving::read(|name| variables.iter().find(|pair| pair.0 == name).map(|pair| pair.1.to_owned()))
    }

    #[test]
    fn nothing_is_heeded_without_a_run() {
        assert!(reading(&[(KILL_AT, "3"), (EVERY, "x")]).unwrap().is_none());
    }

    #[test]
    fn checkpoints_are_due_by_their_distance() {
        let mut proving = reading(&[(RUN, "r"), (EVERY, "10"), (SAVE_AT, "13")]).unwrap().unwrap();
        assert!(!proving.is_due(9) && proving.is_due(10) && proving.is_due(12));
        proving.note_saved(12);
        assert!(proving.is_due(13) && !proving.is_due(14) && proving.is_due(22));
        let straight = reading(&[(RUN, "r")]).unwrap().unwrap();
        assert!(!straight.is_due(1_000_000));
    }

    #[test]
    fn what_is_no_number_is_refused() {
        let error = reading(&[(RUN, "r"), (KILL_AT, "soon")]).unwrap_err().to_string();
        assert_eq!(error, "the environment variable REKINDLE_PROVE_KILL_AT is `soon`, but must be a number");
    }
}
