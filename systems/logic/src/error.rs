//! What can go wrong before training or when a circuit is read.

use rekindle_compute::PoolError;
use rekindle_train::{ConfigError, SettingError, StateMismatch};
use thiserror::Error;

/// A config, state or circuit that cannot be used. Nothing was changed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LogicError {
    /// A value of the config is out of its range.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// The saved state does not fit the config.
    #[error(transparent)]
    Mismatch(#[from] StateMismatch),
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
    /// Nobody knows what the circuit should do.
    #[error("what the circuit is for is not known, so that it cannot be checked")]
    UnknownTask,
    /// The kernels of a circuit have wires of their own, and those of a model share them.
    #[error(
        "kernel {kernel} of the circuit is wired unlike kernel 0; kernels are read that are all wired alike"
    )]
    OtherWires {
        /// The first one that differs.
        kernel: usize,
    },
    /// A circuit does not fit what it is used for.
    #[error(transparent)]
    Gates(#[from] rekindle_gates::CircuitError),
    /// A config cannot be read.
    #[error(transparent)]
    Config(#[from] ConfigError),
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
        SettingError::new(field, format!("{value:?}"), reason.into()).into()
    }

    pub(crate) fn state(entry: impl Into<String>, problem: impl Into<String>) -> Self {
        StateMismatch::Contradiction(format!("`{}` {}", entry.into(), problem.into())).into()
    }

    pub(crate) fn circuit(entry: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Circuit { entry: entry.into(), problem: problem.into() }
    }
}
