//! What can go wrong.

use rekindle_compute::PoolError;
use rekindle_data::ExamplesError;
use rekindle_train::{SettingError, StateMismatch};

/// A classifier cannot be built, trained or asked; the message is for people.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WisardError {
    /// A value of the config is out of its range.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// Nothing can be learnt from the table, or the classifier cannot be asked with it.
    #[error(transparent)]
    Examples(#[from] ExamplesError),
    /// A tuple has more bits than there are.
    #[error(
        "`model.tuple_bits` is {tuple_bits}, but only {bits} bits of the inputs differ between the rows; \
         use a smaller one or more `model.encoding.bits`"
    )]
    TupleTooLarge {
        /// Bits of a tuple.
        tuple_bits: u32,
        /// Bits that tell anything.
        bits: usize,
    },
    /// There would be more tuples than votes are counted.
    #[error(
        "there would be {tuples} tuples, at most {limit} are counted; use a larger `model.tuple_bits` or fewer `model.orders`"
    )]
    TooManyTuples {
        /// Tuples.
        tuples: usize,
        /// How many there may be.
        limit: usize,
    },
    /// More memory would be needed than is ever taken.
    #[error("{what} would take {bytes} bytes, at most {limit} are taken; {advice}")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// How much it would take.
        bytes: u64,
        /// How much it may take.
        limit: u64,
        /// What helps.
        advice: &'static str,
    },
    /// The state does not fit the data or the config.
    #[error(transparent)]
    Mismatch(#[from] StateMismatch),
    /// The picture would have too many pixels.
    #[error("images of {inputs} inputs for {classes} classes are too large to be drawn")]
    PictureTooLarge {
        /// Inputs, each a pixel.
        inputs: usize,
        /// Classes, each an image.
        classes: usize,
    },
    /// The threads cannot run.
    #[error(transparent)]
    Pool(#[from] PoolError),
}
