//! Why a training could not be done, or not to its end.

use std::path::PathBuf;

use rekindle::tree::GraftError;
use rekindle::upkeep::PruneError;
use rekindle::{CaptureError, OpenError, ReadError, ResumeError};

use crate::config::ConfigError;
use crate::content::ContentError;
use crate::memory::TooLittleMemory;
use crate::system::SystemError;

/// A training could not be done, or not to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// The config cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A file that is learnt cannot be read, or is not the one that the run was trained on.
    #[error(transparent)]
    Content(#[from] ContentError),
    /// It can never fit into memory.
    #[error(transparent)]
    TooLittleMemory(#[from] TooLittleMemory),
    /// The run cannot be opened or made.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The run cannot be resumed.
    #[error(transparent)]
    Resume(#[from] ResumeError),
    /// The other run's state cannot be taken over.
    #[error("cannot start from {source_address}: {error}")]
    Graft {
        /// The other run.
        source_address: String,
        /// Why.
        error: GraftError,
    },
    /// The config and the state of a checkpoint contradict each other.
    #[error(
        "the config and the state of the checkpoint in {location} differ in `{section}`: one of them was edited"
    )]
    Contradiction {
        /// The run.
        location: String,
        /// The section that differs.
        section: &'static str,
    },
    /// The run has no checkpoint to go on from.
    #[error("{location} has no checkpoint yet, so there is nothing to resume")]
    NothingSaved {
        /// The run.
        location: String,
    },
    /// There are later checkpoints than the one to go on from.
    #[error("{location} has later checkpoints (up to step {newest}) than step {step}")]
    LaterCheckpoints {
        /// The run.
        location: String,
        /// The step to go on from.
        step: u64,
        /// The newest checkpoint.
        newest: u64,
    },
    /// The run belongs to another system.
    #[error("{location} is a run of system `{found}`, not `{expected}`")]
    OtherSystem {
        /// The run.
        location: String,
        /// Its system.
        found: String,
        /// The expected system.
        expected: &'static str,
    },
    /// Models of this system cannot do that.
    #[error("`{system}` models {what}")]
    Unsupported {
        /// The system.
        system: &'static str,
        /// What they cannot.
        what: &'static str,
    },
    /// Training has diverged.
    #[error("`{metric}` is {value} at step {step}: training has diverged, so it was stopped and {}", what_is_left(*saved, last_checkpoint))]
    Diverged {
        /// The step.
        step: u64,
        /// The metric.
        metric: String,
        /// Its value.
        value: f64,
        /// The state is saved: it was the last one, which is saved before it is measured.
        saved: bool,
        /// The newest checkpoint from before.
        last_checkpoint: Option<u64>,
    },
    /// The other run's state is of a version that cannot be brought to the present one.
    #[error(transparent)]
    Migration(#[from] rekindle::MigrationError),
    /// Saving failed.
    #[error(transparent)]
    Capture(#[from] CaptureError),
    /// Deleting later checkpoints failed.
    #[error(transparent)]
    Prune(#[from] PruneError),
    /// A checkpoint cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Writing a file beside the checkpoints failed.
    #[error(transparent)]
    Save(#[from] rekindle::SaveError),
    /// The system refused or failed.
    #[error(transparent)]
    System(#[from] SystemError),
    /// The trace cannot be written.
    #[error("cannot write the trace `{}`: {source}", path.display())]
    Trace {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

fn what_is_left(saved: bool, before: &Option<u64>) -> String {
    match (saved, before) {
        (false, Some(step)) => {
            format!("this state was not saved; the last good checkpoint is at step {step}")
        }
        (false, None) => "this state was not saved; nothing was saved".to_owned(),
        (true, Some(step)) => {
            format!(
                "this state is saved, as it was before it was measured; the checkpoint before it is at step {step}"
            )
        }
        (true, None) => "this state is saved, as it was before it was measured".to_owned(),
    }
}
