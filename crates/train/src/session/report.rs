//! Where a training begins, how it is done, and what came of it.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use rekindle::{Access, EntryPath, Hash, Store};
use serde::Serialize;

use crate::config::ConfigText;
use crate::events::Observer;
use crate::signals::Signal;
use crate::system::Metrics;

/// Where a training begins.
#[derive(Debug)]
pub enum Start {
    /// From a config.
    New {
        /// The config.
        text: ConfigText,
        /// `path=value` on top.
        settings: Vec<String>,
        /// The directory of the new run; nothing is saved when absent.
        run: Option<PathBuf>,
        /// Another run's state to begin with.
        from: Option<Box<Origin>>,
    },
    /// From a run's newest valid checkpoint, or from the one that is named.
    Resume {
        /// The directory of the run.
        run: PathBuf,
        /// The run itself; of an encrypted one, with its key.
        access: Access,
        /// The step to go on from; the newest valid one when absent.
        step: Option<u64>,
        /// `path=value` for what may change.
        settings: Vec<String>,
        /// What happens to the run.
        onto: Onto,
    },
}

/// What a resume does to the run that it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Onto {
    /// Goes on in it; later checkpoints are in the way.
    Same,
    /// Goes on in it after deleting later checkpoints.
    DiscardLater,
    /// Goes on in a new run in this directory.
    Fork(PathBuf),
    /// Saves nothing.
    Nothing,
}

/// A checkpoint to begin from.
#[derive(Debug)]
pub struct Origin {
    /// As the user wrote it.
    pub source: String,
    /// Its run.
    pub store: Store,
    /// Its step.
    pub step: u64,
    /// The part to take; the whole state when absent.
    pub only: Option<EntryPath>,
}

/// How a training is done: nothing of this influences the state.
#[derive(Clone)]
pub struct Options {
    /// Number of threads.
    pub threads: usize,
    /// Stop, after saving, when this step is reached.
    pub stop_at: Option<u64>,
    /// End this process as if by a power cut when this step is done, before it is saved.
    pub kill_at: Option<u64>,
    /// Write the state hash of every step to this file.
    pub trace: Option<PathBuf>,
    /// Told of everything that happens.
    pub observer: Observer,
}

impl Default for Options {
    /// One thread, to the end, and nobody is told.
    fn default() -> Self {
        Self { threads: 1, stop_at: None, kill_at: None, trace: None, observer: Arc::new(|_| {}) }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("threads", &self.threads)
            .field("stop_at", &self.stop_at)
            .field("kill_at", &self.kill_at)
            .field("trace", &self.trace)
            .finish_non_exhaustive()
    }
}

/// The outcome of a training.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// The directory of the run.
    pub run: Option<String>,
    /// The model family.
    pub system: &'static str,
    /// The seed of all random streams.
    pub seed: u64,
    /// Steps done in all.
    pub step: u64,
    /// Steps done by this process.
    pub steps_run: u64,
    /// The step of the checkpoint that training went on from.
    pub resumed_from: Option<u64>,
    /// Identity of the final state.
    pub state_hash: Hash,
    /// True when training has ended, not only this process.
    pub finished: bool,
    /// The files that training ended with.
    pub artifacts: Vec<String>,
    /// Metrics of the final state.
    pub metrics: Metrics,
    /// Names of metrics in the order in which they are shown; others follow.
    #[serde(skip)]
    pub order: Vec<String>,
    /// The signal that ended this process.
    #[serde(skip)]
    pub stopped_by: Option<Signal>,
    /// Something to look at.
    #[serde(skip)]
    pub text: String,
}
