//! What can go wrong.

use rekindle_compute::PoolError;
use rekindle_data::{ClassedError, ExamplesError, Origin};
use rekindle_train::{SettingError, StateMismatch};

/// A classifier cannot be built, trained, asked, or made to forget; the message is for people.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExactError {
    /// A value of the config is out of its range, or breaks the promise.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// The table cannot be used.
    #[error(transparent)]
    Examples(#[from] ExamplesError),
    /// The examples cannot be read, or are not what is asked for.
    #[error(transparent)]
    Classed(#[from] ClassedError),
    /// A column has no stated range.
    #[error(
        "{origin}: no range is stated for the column `{column}`, and none is taken from the rows; state one as \
         model.ranges, such as {{{example}}} for values like those in this file, or leave the column out with \
         training.data.ignore"
    )]
    NoRange {
        /// The data.
        origin: Origin,
        /// The column.
        column: String,
        /// Ranges of all columns, as the rows of the file have them.
        example: String,
    },
    /// The rows have other inputs than those that were learnt.
    #[error("{origin}: its inputs are {found}, those of the run are {expected}")]
    OtherInputs {
        /// The data.
        origin: Origin,
        /// Its inputs.
        found: String,
        /// Those of the run.
        expected: String,
    },
    /// The classes are in another column.
    #[error("{origin}: its classes are `{found}`, those of the run are `{expected}`")]
    OtherTarget {
        /// The data.
        origin: Origin,
        /// Its column of classes.
        found: String,
        /// That of the run.
        expected: String,
    },
    /// There are more classes than are told apart.
    #[error("there would be {classes} classes, at most {limit} are told apart")]
    TooManyClasses {
        /// Classes.
        classes: usize,
        /// How many there may be.
        limit: usize,
    },
    /// Counters would overflow.
    #[error("class `{class}` would have more than {} rows", u32::MAX)]
    TooManyRows {
        /// The class.
        class: String,
    },
    /// Rows are to be forgotten that were never learnt, or more often than they were.
    #[error(
        "{origin}: {unknown} of {rows} rows cannot be forgotten, as they were never learnt, or fewer times; the \
         first is row {first}; nothing was forgotten"
    )]
    NeverLearnt {
        /// The data.
        origin: Origin,
        /// Rows to be forgotten.
        rows: usize,
        /// How many of them are not known.
        unknown: usize,
        /// The first of them, counted from 1.
        first: usize,
    },
    /// A row lacks a tuple.
    #[error(
        "`model.tuple_bits` is {tuple_bits}, but there are only {bits} bits to draw from; use a smaller one, a larger \
         `model.window` or more `model.encoding.bits`"
    )]
    TupleTooLarge {
        /// Bits of a tuple.
        tuple_bits: u32,
        /// Bits of the inputs that a tuple may read.
        bits: usize,
    },
    /// More memory would be needed than is ever taken.
    #[error(
        "the counters would take {bytes} bytes, at most {limit} are taken; use fewer `model.rams` or `model.entry_bits`"
    )]
    TooLarge {
        /// How much they would take.
        bytes: u64,
        /// How much they may take.
        limit: u64,
    },
    /// Training has not ended.
    #[error(
        "the run has learnt {rows} of {all} rows of its training; it learns and forgets more when that has ended"
    )]
    Unfinished {
        /// Rows learnt.
        rows: u64,
        /// Rows to learn.
        all: u64,
    },
    /// Files are named in another number.
    #[error(
        "{count} files are named; one is a table or a folder of pictures, two are IDX files of pictures and their labels"
    )]
    Files {
        /// How many.
        count: usize,
    },
    /// A training is to begin with what another run knows.
    #[error("what is known of rows is no beginning of a training; a copy of the run can learn more rows")]
    NoBeginning,
    /// Nothing is learnt.
    #[error("no row is learnt, so there is no class to answer")]
    NothingLearnt,
    /// The state does not fit the data or the config.
    #[error(transparent)]
    Mismatch(#[from] StateMismatch),
    /// The threads cannot run.
    #[error(transparent)]
    Pool(#[from] PoolError),
}
