//! What can go wrong.

use rekindle_compute::{KernelPathError, PoolError};
use rekindle_data::{ClassedError, ExamplesError};
use rekindle_gates::CircuitError;
use rekindle_train::{SettingError, StateMismatch};

/// A network cannot be built, trained or asked; the message is for people.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LgnError {
    /// A value of the config is out of its range.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// Nothing can be learnt from the table, or the network cannot be asked with it.
    #[error(transparent)]
    Examples(#[from] ExamplesError),
    /// The examples cannot be read, or are not what is asked for.
    #[error(transparent)]
    Classed(#[from] ClassedError),
    /// Convolutions and shifts are for pictures.
    #[error(
        "`{setting}` is for pictures, and {origin} is a table; set `training.data.picture` if its columns are pixels"
    )]
    NoPicture {
        /// The setting.
        setting: &'static str,
        /// The data.
        origin: String,
    },
    /// The network cannot be made for what is learnt.
    #[error("{0}")]
    Shape(String),
    /// The network is too large for a circuit.
    #[error(transparent)]
    Circuit(#[from] CircuitError),
    /// The state does not fit the data or the config.
    #[error(transparent)]
    Mismatch(#[from] StateMismatch),
    /// The threads cannot run.
    #[error(transparent)]
    Pool(#[from] PoolError),
    /// The kernels that are asked for cannot run here.
    #[error(transparent)]
    Kernels(#[from] KernelPathError),
}
