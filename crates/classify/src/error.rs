//! What can go wrong.

use rekindle_compute::PoolError;
use rekindle_data::{ClassedError, ExamplesError};
use rekindle_gates::CircuitError;
use rekindle_train::{SettingError, StateMismatch};

/// Examples cannot be learnt, or a classifier cannot be asked about them; the message is for people.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClassifyError {
    /// A value of the config is out of its range.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// Nothing can be learnt from the table, or the classifier cannot be asked with it.
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
    /// The state does not fit the data or the config.
    #[error(transparent)]
    Mismatch(#[from] StateMismatch),
    /// The classifier is too large for a circuit.
    #[error(transparent)]
    Circuit(#[from] CircuitError),
    /// The threads cannot run.
    #[error(transparent)]
    Pool(#[from] PoolError),
}
