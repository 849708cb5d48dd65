//! What can go wrong.

use rekindle_compute::{KernelPathError, PoolError};
use rekindle_data::ExamplesError;
use rekindle_formats::pictures::PictureError;
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
    /// Pictures cannot be read.
    #[error(transparent)]
    Pictures(#[from] PictureError),
    /// There is not a label for each picture.
    #[error("`{images}` has {pictures} pictures, and `{labels}` {count} labels")]
    LabelCount {
        /// The file of the pictures.
        images: String,
        /// How many it has.
        pictures: usize,
        /// The file of the labels.
        labels: String,
        /// How many it has.
        count: usize,
    },
    /// Pictures to be reported on are not of the size of those that are learnt.
    #[error(
        "the pictures of `{file}` have {width} by {height} pixels, those that are learnt {} by {}",
        expected[0], expected[1]
    )]
    PictureSize {
        /// The file.
        file: String,
        /// Its pixels of a line.
        width: usize,
        /// Its lines.
        height: usize,
        /// Width and height of those that are learnt.
        expected: [usize; 2],
    },
    /// A label to be reported on is none of the classes that are learnt.
    #[error("`{file}` has the label {label}, which is no class of what is learnt")]
    UnknownLabel {
        /// The file.
        file: String,
        /// The label.
        label: u8,
    },
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
    /// The columns are not as many as the pixels.
    #[error("{origin} has {columns} columns of inputs, and a picture of {} by {} pixels has {}", picture[0], picture[1], picture[0] * picture[1])]
    PictureColumns {
        /// The data.
        origin: String,
        /// Columns that are inputs.
        columns: usize,
        /// Width and height of a picture.
        picture: [usize; 2],
    },
    /// The network cannot be made for what is learnt.
    #[error("{0}")]
    Shape(String),
    /// More memory would be needed than is ever taken.
    #[error("the examples would take {bytes} bytes, at most {limit} are taken; use fewer of them")]
    TooLarge {
        /// How much they would take.
        bytes: u64,
        /// How much they may take.
        limit: u64,
    },
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
