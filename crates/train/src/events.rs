//! What a training tells while it goes on.

use std::fmt;
use std::sync::Arc;

use rekindle::records::Skipped;
use rekindle::upkeep::Damage;
use serde::Serialize;

use crate::memory::LowMemory;
use crate::signals::Signal;
use crate::system::{Metrics, Progress};

/// Told of everything, from the thread that trains and from the one that waits for signals.
pub type Observer = Arc<dyn Fn(&Event<'_>) + Send + Sync>;

/// Something that happened.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// Long work goes on, before the first step or between two of them.
    Work {
        /// What is done.
        what: &'a str,
        /// How much of it is done.
        percent: u64,
    },
    /// The state is ready, and the first step is about to be done.
    Started(&'a Started),
    /// Something that whoever trains should know.
    Notice(&'a Notice),
    /// A step was done.
    Step {
        /// How far training is.
        progress: Progress,
        /// Metrics of the step.
        metrics: &'a Metrics,
    },
    /// The state was measured.
    Evaluated {
        /// How far training is.
        progress: Progress,
        /// Metrics of the state, and of the step before it.
        metrics: &'a Metrics,
    },
    /// A signal asks training to stop; it is heeded when the step at hand is done.
    Signal {
        /// The signal.
        signal: Signal,
        /// The state will be saved.
        saves: bool,
    },
    /// No more steps are done.
    Ended {
        /// How far training is.
        progress: Progress,
    },
}

/// What is known when training begins.
#[derive(Debug, Clone, Serialize)]
pub struct Started {
    /// The directory of the run.
    pub run: Option<String>,
    /// The step of the checkpoint that training goes on from.
    pub resumed_from: Option<u64>,
    /// Steps done so far.
    pub step: u64,
    /// Memory that training takes at most, if it is known: bytes.
    pub memory_bytes: Option<u64>,
    /// How far training is.
    #[serde(skip)]
    pub progress: Progress,
    /// Names of metrics in the order in which they are shown; others follow.
    #[serde(skip)]
    pub order: Vec<String>,
}

/// Something that whoever trains should know; displayed, it is a sentence.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Notice {
    /// A checkpoint is damaged and was passed over.
    PassedOver(Skipped),
    /// The state was migrated.
    Migrated {
        /// The system.
        system: &'static str,
        /// The version that it was saved with.
        from: u32,
    },
    /// The metrics history is not complete.
    IncompleteHistory(Damage),
    /// What training takes is not free at the moment.
    LowMemory(LowMemory),
    /// Settings have changed, each in words.
    Changed(Vec<String>),
    /// Metrics that choose what is kept do not exist, so that no checkpoint is deleted.
    UnknownMetrics {
        /// Each with the setting that names it.
        unknown: Vec<String>,
        /// Those that there are.
        known: Vec<String>,
    },
    /// The system has something to tell of its data or its config.
    OfSystem(String),
}

impl Notice {
    /// True for what may be wrong.
    pub fn is_warning(&self) -> bool {
        !matches!(self, Self::Migrated { .. } | Self::Changed(_) | Self::OfSystem(_))
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PassedOver(Skipped { step, damage, .. }) => {
                write!(f, "the checkpoint at step {step} is damaged and was passed over: {damage}")
            }
            Self::Migrated { system, from } => {
                write!(f, "the state was migrated from version {from} of `{system}`")
            }
            Self::IncompleteHistory(damage) => write!(f, "the metrics history is not complete: {damage}"),
            Self::LowMemory(low) => low.fmt(f),
            Self::Changed(changes) => write!(f, "changed: {}", changes.join(", ")),
            Self::UnknownMetrics { unknown, known } => write!(
                f,
                "there is no metric {}, so no checkpoint is deleted; there are: {}",
                unknown.join(", "),
                known.join(", ")
            ),
            Self::OfSystem(text) => f.write_str(text),
        }
    }
}
