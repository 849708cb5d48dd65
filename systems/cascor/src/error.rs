//! What can go wrong.

use rekindle_compute::{KernelPathError, PoolError};
use rekindle_data::{ExamplesError, Origin};
use rekindle_train::{SettingError, StateMismatch};

/// A network cannot be built, trained or used; the message is for people.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CascorError {
    /// A value of the config is out of its range.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// Nothing can be learnt from the table.
    #[error(transparent)]
    Examples(#[from] ExamplesError),
    /// What is to be learnt are not classes.
    #[error("{0}; numbers are learnt with training.data.task=regression")]
    NotClasses(#[source] ExamplesError),
    /// Numbers are to be learnt, and the outputs are bounded.
    #[error("{origin}: numbers are learnt by linear outputs; set model.output=linear")]
    NotLinear {
        /// Where the data is from.
        origin: Origin,
    },
    /// The state was imported without its examples.
    #[error(
        "the state was imported without the examples that it was trained on, so it cannot be trained on; \
         a new run can take over `state.network`"
    )]
    NoExamples,
    /// The state does not fit the data or the config.
    #[error(transparent)]
    Mismatch(#[from] StateMismatch),
    /// The network has another number of inputs than a boundary is drawn of.
    #[error("a boundary is drawn of networks with two inputs; this one has {inputs}")]
    NoBoundary {
        /// Its inputs.
        inputs: usize,
    },
    /// The kernels cannot run.
    #[error(transparent)]
    Kernels(#[from] KernelPathError),
    /// The threads cannot run.
    #[error(transparent)]
    Pool(#[from] PoolError),
}
