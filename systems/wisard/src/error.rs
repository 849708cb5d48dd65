//! What can go wrong.

use rekindle_compute::PoolError;
use rekindle_data::SplitError;
use rekindle_formats::table::TableError;

/// A classifier cannot be built, trained or asked; the message is for people.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WisardError {
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
    /// The file can be read only once.
    #[error("`{file}`: it is no regular file, and examples are read again when a run goes on")]
    NotRegular {
        /// The file.
        file: String,
    },
    /// The column of the classes is not named.
    #[error(
        "{origin}: the column of the classes is not named; name it with \
         --set 'training.data.target=\"{last}\"'; there are: {columns}"
    )]
    NoTarget {
        /// Where the data is from.
        origin: String,
        /// The last column, which it often is.
        last: String,
        /// The columns.
        columns: String,
    },
    /// A column that the config or the model names is not there.
    #[error("{origin}: there is no column `{column}`; there are: {columns}")]
    UnknownColumn {
        /// Where the data is from.
        origin: String,
        /// The column.
        column: String,
        /// The columns.
        columns: String,
    },
    /// No column is left to learn from, or one is named for two things.
    #[error("{origin}: {reason}")]
    Columns {
        /// Where the data is from.
        origin: String,
        /// What is wrong.
        reason: String,
    },
    /// An input is no number, or one too large.
    #[error("{origin}: column `{column}` has `{value}` in row {row}, {reason}")]
    Value {
        /// Where the data is from.
        origin: String,
        /// The column.
        column: String,
        /// The row, counted from 1.
        row: usize,
        /// The value.
        value: String,
        /// What is wrong with it.
        reason: String,
    },
    /// There is nothing to tell apart.
    #[error("{origin}: column `{column}` has only the class `{class}`, so there is nothing to tell apart")]
    OneClass {
        /// Where the data is from.
        origin: String,
        /// The column of the classes.
        column: String,
        /// The class.
        class: String,
    },
    /// The values of the column are not classes.
    #[error(
        "{origin}: column `{column}` has {classes} different values, too many for classes: at most {limit}"
    )]
    TooManyClasses {
        /// Where the data is from.
        origin: String,
        /// The column of the classes.
        column: String,
        /// How many there are.
        classes: usize,
        /// How many there may be.
        limit: usize,
    },
    /// A class has no row to be learnt from.
    #[error(
        "{origin}: there are too few rows: of {rows} for training none is of class `{class}` of column \
         `{column}`; keep fewer rows back or use more"
    )]
    TooFewRows {
        /// Where the data is from.
        origin: String,
        /// Rows for training.
        rows: usize,
        /// The column of the classes.
        column: String,
        /// The class.
        class: String,
    },
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
    /// The state is of other data.
    #[error("{origin}: {reason}; the run was trained on other data (name its file with --data)")]
    OtherData {
        /// Where the data is from.
        origin: String,
        /// What differs.
        reason: String,
    },
    /// The state contradicts itself or the config.
    #[error("the state does not fit: {0}")]
    Misfit(String),
    /// The picture cannot be drawn.
    #[error("{0}")]
    Picture(String),
    /// The rows cannot be divided.
    #[error(transparent)]
    Division(#[from] SplitError),
    /// The threads cannot run.
    #[error(transparent)]
    Threads(#[from] PoolError),
}
