//! Why nothing can be learnt from a table.

use rekindle_formats::table::{TableError, Unsettled};

use super::classes::CLASSES_LIMIT;
use super::numbers::LARGEST_NUMBER;
use crate::origin::Origin;
use crate::split::SplitError;

/// A table cannot be made into examples, or these cannot be learnt.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExamplesError {
    /// The table cannot be read.
    #[error(transparent)]
    Table(#[from] TableError),
    /// The file can be read in more than one way, and a setting says which.
    #[error("{source}; say which with {setting}")]
    Ambiguous {
        /// In which ways.
        source: TableError,
        /// The setting, with its values.
        setting: &'static str,
    },
    /// No file is named.
    #[error("there are no examples to learn; name a CSV or NPY file as training.data.file")]
    NoFile,
    /// The file can be read only once.
    #[error("`{file}`: it is not a regular file, and examples are read again when a run goes on")]
    NotRegular {
        /// The file.
        file: String,
    },
    /// The column to be predicted is not named.
    #[error(
        "{origin}: no column is named to be learnt; set training.data.target=\"{last}\"; there are: {columns}"
    )]
    NoTarget {
        /// Where the table is from.
        origin: Origin,
        /// The last column, which it often is.
        last: String,
        /// The columns.
        columns: String,
    },
    /// A column that the config or the model names is not there.
    #[error("{origin}: there is no column `{column}`{meant}; there are: {columns}")]
    UnknownColumn {
        /// Where the table is from.
        origin: Origin,
        /// The column.
        column: String,
        /// The one that is probably meant, as a question.
        meant: String,
        /// The columns.
        columns: String,
    },
    /// A column is named twice.
    #[error("{origin}: column `{column}` is to be learnt and to be left out")]
    TargetIgnored {
        /// Where the table is from.
        origin: Origin,
        /// The column.
        column: String,
    },
    /// Several columns are named as that of the classes.
    #[error("{origin}: classes are learnt of one column, and {count} are named")]
    SeveralTargets {
        /// Where the table is from.
        origin: Origin,
        /// How many are named.
        count: usize,
    },
    /// All columns are targets or left out.
    #[error("{origin}: no column is left to learn from")]
    NoInputs {
        /// Where the table is from.
        origin: Origin,
    },
    /// A table without names does not have as many columns as the model has inputs.
    #[error(
        "{origin}: it has {found} columns without names, and {count} are asked for: {inputs}; with what is to be \
         predicted behind them: {targets}"
    )]
    ColumnCount {
        /// Where the table is from.
        origin: Origin,
        /// Its columns.
        found: usize,
        /// Inputs of the model.
        count: usize,
        /// Their names.
        inputs: String,
        /// Names of what is predicted.
        targets: String,
    },
    /// A value is missing.
    #[error(
        "{origin}: column `{column}` has no value in row {row}; fill it in, leave such rows out with \
         training.data.missing=drop, or put the mean of the column in its place with training.data.missing=mean"
    )]
    Missing {
        /// Where the table is from.
        origin: Origin,
        /// The column.
        column: String,
        /// The row, counted from 1.
        row: usize,
    },
    /// A value is missing of which a model is asked.
    #[error(
        "{origin}: column `{column}` has no value in row {row}; fill it in or leave the row out: the model was \
         trained without training.data.missing=mean, so that nothing stands for it"
    )]
    MissingQuestion {
        /// Where the table is from.
        origin: Origin,
        /// The column.
        column: String,
        /// The row, counted from 1.
        row: usize,
    },
    /// No row has all its values.
    #[error("{origin}: in each of {rows} rows a value is missing, so that none is left to learn")]
    NothingWhole {
        /// Where the table is from.
        origin: Origin,
        /// How many rows there are.
        rows: usize,
    },
    /// A column has no value from which a mean is known.
    #[error(
        "{origin}: column `{column}` has no value in any row that is learnt; leave it out with training.data.ignore"
    )]
    NothingKnown {
        /// Where the table is from.
        origin: Origin,
        /// The column.
        column: String,
    },
    /// A column that must be of numbers has text.
    #[error("{origin}: column `{column}` has `{value}` in row {row}, which is not a number")]
    NotANumber {
        /// Where the table is from.
        origin: Origin,
        /// The column.
        column: String,
        /// The row, counted from 1.
        row: usize,
        /// The text.
        value: String,
    },
    /// An input has text, and can be left out.
    #[error("{0}; leave the column out with training.data.ignore")]
    TextInput(Box<Self>),
    /// A number is too large, or NaN.
    #[error(
        "{origin}: column `{column}` has `{value:e}` in row {row}; numbers that can be learnt are at most {LARGEST_NUMBER:e}"
    )]
    OutOfRange {
        /// Where the table is from.
        origin: Origin,
        /// The column.
        column: String,
        /// The row, counted from 1.
        row: usize,
        /// The number.
        value: f64,
    },
    /// All rows have the same number.
    #[error(
        "{origin}: column `{column}` is {value} throughout, so nothing can be learnt from it; leave it out with \
         training.data.ignore"
    )]
    Constant {
        /// Where the table is from.
        origin: Origin,
        /// The column.
        column: String,
        /// The number.
        value: f64,
    },
    /// There is nothing to tell apart.
    #[error("{origin}: column `{column}` has only the class `{class}`, so there is nothing to tell apart")]
    OneClass {
        /// Where the table is from.
        origin: Origin,
        /// The column of the classes.
        column: String,
        /// The class.
        class: String,
    },
    /// The values of the column are not classes.
    #[error(
        "{origin}: column `{column}` has {classes} different values, too many for classes: at most {CLASSES_LIMIT}"
    )]
    TooManyClasses {
        /// Where the table is from.
        origin: Origin,
        /// The column of the classes.
        column: String,
        /// How many there are.
        classes: usize,
    },
    /// A class has no row to be learnt from.
    #[error(
        "{origin}: there are too few rows: of {rows} for training none is of class `{class}` of column `{column}`; \
         keep fewer rows back or use more"
    )]
    TooFewRows {
        /// Where the table is from.
        origin: Origin,
        /// Rows for training.
        rows: usize,
        /// The column of the classes.
        column: String,
        /// The class.
        class: String,
    },
    /// No row is left to be learnt.
    #[error("{origin}: no example is left for training")]
    NothingToLearn {
        /// Where the table is from.
        origin: Origin,
    },
    /// The rows cannot be divided.
    #[error("{origin}: {source}")]
    Split {
        /// Where the table is from.
        origin: Origin,
        /// Why.
        source: SplitError,
    },
}

impl ExamplesError {
    /// That a file cannot be read, with the setting that helps.
    pub(super) fn of_file(error: TableError) -> Self {
        let setting = match &error {
            TableError::Ambiguous { unsettled: Unsettled::Separator, .. } => {
                "training.data.separator: comma, semicolon or tab"
            }
            TableError::Ambiguous { unsettled: Unsettled::Decimal, .. } => {
                "training.data.decimal: point or comma"
            }
            _ => return Self::Table(error),
        };
        Self::Ambiguous { source: error, setting }
    }

    /// The same about a table of which a trained model is asked.
    pub(super) fn of_question(self) -> Self {
        match self {
            Self::Missing { origin, column, row } => Self::MissingQuestion { origin, column, row },
            error => error,
        }
    }

    /// The same about a column that was taken for an input as nobody said otherwise.
    pub(super) fn of_input(self) -> Self {
        match self {
            error @ Self::NotANumber { .. } => Self::TextInput(Box::new(error)),
            error => error,
        }
    }
}

/// Columns that a message names.
const LISTED: usize = 12;

/// The first names of a list, and how many more there are.
pub fn listed(names: &[&str]) -> String {
    let shown = names[..names.len().min(LISTED)].join(", ");
    match names.len().saturating_sub(LISTED) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
