//! What can go wrong before training or when a circuit is read.

use rekindle_compute::PoolError;
use thiserror::Error;

/// A config, state or circuit that cannot be used. Nothing was changed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LogicError {
    /// A field of the config has a value that makes no sense.
    #[error("`{field}` is {value}: {reason}")]
    Config {
        /// The field's path, such as `model.update_gates`.
        field: &'static str,
        /// What it holds.
        value: String,
        /// What it should be.
        reason: String,
    },
    /// The saved state does not fit the config.
    #[error("the state does not fit the config: `{entry}` {problem}")]
    State {
        /// The entry's path, such as `update.layers.3.wire_a`.
        entry: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The threads could not be started.
    #[error("the kernels have no threads to run on")]
    Threads(#[from] PoolError),
    /// A circuit file is not JSON of the expected shape.
    #[error("the circuit is not valid HardCircuit JSON")]
    Json(#[from] serde_json::Error),
    /// A circuit is of the expected shape, but its numbers contradict each other.
    #[error("the circuit is damaged: `{entry}` {problem}")]
    Circuit {
        /// The entry's path, such as `update.layers.3.gates.7.wire_a`.
        entry: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A board does not fit the circuit.
    #[error("the board has {found} channels, the circuit {expected}")]
    Channels {
        /// The circuit's.
        expected: usize,
        /// The board's.
        found: usize,
    },
}

impl LogicError {
    pub(crate) fn config(
        field: &'static str,
        value: impl std::fmt::Debug,
        reason: impl Into<String>,
    ) -> Self {
        Self::Config { field, value: format!("{value:?}"), reason: reason.into() }
    }

    pub(crate) fn state(entry: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::State { entry: entry.into(), problem: problem.into() }
    }

    pub(crate) fn circuit(entry: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Circuit { entry: entry.into(), problem: problem.into() }
    }
}
