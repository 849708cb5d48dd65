//! What can go wrong.

use rekindle_compute::{KernelPathError, PoolError};
use rekindle_formats::table::TableError;

/// A network cannot be built, trained or used; the message is for people.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CascorError {
    /// A value of the config is out of its range.
    #[error("`{path}` is {value}: {reason}")]
    Config {
        /// The path in the config.
        path: &'static str,
        /// The value.
        value: String,
        /// What it must be.
        reason: &'static str,
    },
    /// The table cannot be read.
    #[error(transparent)]
    Table(#[from] TableError),
    /// There is no file of examples.
    #[error("there are no examples to learn; name a CSV or NPY file with --data FILE")]
    NoFile,
    /// Nothing can be learnt from the data.
    #[error("{origin}: {reason}")]
    Data {
        /// Where the data is from.
        origin: String,
        /// Why.
        reason: String,
    },
    /// The state is of other data.
    #[error("{origin}: {reason}; the run was trained on other data (name its file with --data)")]
    OtherData {
        /// Where the data is from.
        origin: String,
        /// What differs.
        reason: String,
    },
    /// The state was imported without its examples.
    #[error(
        "the state was imported without the examples that it was trained on, so it cannot be trained on; \
         take its network over into a new run with `train CONFIG --from RUN --only state.network`"
    )]
    NoExamples,
    /// The state contradicts itself or the config.
    #[error("the state does not fit: {0}")]
    Misfit(String),
    /// The picture cannot be drawn.
    #[error("{0}")]
    Picture(String),
    /// The kernels cannot run.
    #[error(transparent)]
    Kernels(#[from] KernelPathError),
    /// The threads cannot run.
    #[error(transparent)]
    Threads(#[from] PoolError),
}
