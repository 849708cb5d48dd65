//! Processes that train for somebody who watches them: those of this program, and those of any other that keeps its
//! state with the library.

mod program;
mod training;
mod watch;

use crate::signals::Signal;

pub(crate) use program::{Asked, Ended as ProgramEnded, ProgramLauncher, Told};
pub(crate) use training::Ended;
pub use training::{Launcher, Process, Subject, Training};

/// A process did not do what it must.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProcessError {
    /// A process could not be started, or its files not be made.
    #[error("cannot start a process: {0}")]
    Io(#[from] std::io::Error),
    /// A program could not be started.
    #[error("cannot start `{command}`: {source}")]
    Start {
        /// Its command line.
        command: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// A process ended in another way than it should.
    #[error("`{command}` {what}\n{stderr}")]
    Failed {
        /// Its command line.
        command: String,
        /// What it did.
        what: String,
        /// What it said.
        stderr: String,
    },
    /// A signal came. No process is left, nor any of its files.
    #[error("it was stopped; nothing is left of it")]
    Stopped(Signal),
}
