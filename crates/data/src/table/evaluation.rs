//! How answers compare with what is known.

use std::collections::BTreeSet;

use rekindle_formats::table::{Column, Table, Values};

use super::answers::Answers;
use super::calibration::Calibration;
use super::listed;
use crate::confusion::ConfusionMatrix;

/// How the answers of a model compare with a table that holds what was to be answered.
#[derive(Debug, Clone, PartialEq)]
pub enum TableEvaluation {
    /// Of classes, and whether the model is as sure as it should be.
    Classes(Confusion, Calibration),
    /// Of numbers: one for each column.
    Numbers(Vec<NumberErrors>),
}

/// How often each class was taken for each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confusion {
    /// Name of the column.
    pub column: String,
    /// The classes that are known or were answered: numbers by value, others by name.
    pub classes: Vec<String>,
    /// Rows by known class and answer.
    pub matrix: ConfusionMatrix,
}

/// How far answers are from what is known.
#[derive(Debug, Clone, PartialEq)]
pub struct NumberErrors {
    /// Name of the column.
    pub column: String,
    /// Rows that were compared.
    pub rows: usize,
    /// Mean of the differences, without their sign.
    pub mean_absolute: f64,
    /// Root of the mean of their squares.
    pub root_mean_square: f64,
    /// Mean of the differences with their sign: answer less what is known.
    pub bias: f64,
    /// The share of the variance that the answers explain; absent where there is no variance.
    pub r_squared: Option<f64>,
}

/// Answers cannot be compared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CompareError {
    /// The table does not hold what was to be answered.
    #[error("the table has no column `{column}`, which holds what is right; there are: {columns}")]
    Unknown {
        /// The column that is missing.
        column: String,
        /// The columns that there are.
        columns: String,
    },
    /// The table has no rows, or none of which it is known what is right.
    #[error("the table has no row whose answer is known")]
    Empty,
    /// What is known is not a number.
    #[error("column `{column}` has `{value}` in row {row}, which is not a number")]
    NotANumber {
        /// The column.
        column: String,
        /// The row, from 1 on.
        row: usize,
        /// The value.
        value: String,
    },
}

impl TableEvaluation {
    /// Compares answers with the columns of the same names in a table of as many rows. In a table without
    /// names, what was to be answered is last. Rows of which it is missing are not compared.
    ///
    /// # Errors
    /// When the table lacks the column, or has other values in it.
    pub fn of(answers: &Answers, table: &Table) -> Result<Self, CompareError> {
        if table.is_unnamed() {
            return Self::of(answers, &named(table, &answers.table)?);
        }
        let known = |column: &Column| table.column(&column.name).ok_or_else(|| unknown(&column.name, table));
        if let (Some(class), Some(probabilities)) = (answers.class_column(), &answers.probabilities) {
            let known = known(class)?;
            let confusion = Confusion::of(class, known);
            if confusion.matrix.all() == 0 {
                return Err(CompareError::Empty);
            }
            return Ok(Self::Classes(confusion, Calibration::of(probabilities, &texts(known))));
        }
        let errors = answers.table.columns().iter().map(|answer| NumberErrors::of(answer, known(answer)?));
        errors.collect::<Result<_, _>>().map(Self::Numbers)
    }
}

/// The last column of a table without names, called what was answered.
fn named(table: &Table, answers: &Table) -> Result<Table, CompareError> {
    let (Some(known), Some(answer)) = (table.columns().last(), answers.columns().first()) else {
        return Err(CompareError::Empty);
    };
    let column = Column { name: answer.name.clone(), values: known.values.clone() };
    Table::new(vec![column]).map_err(|_| CompareError::Empty)
}

fn unknown(column: &str, table: &Table) -> CompareError {
    let names: Vec<&str> = table.columns().iter().map(|column| column.name.as_str()).collect();
    CompareError::Unknown { column: column.to_owned(), columns: listed(&names) }
}

fn texts(column: &Column) -> Vec<String> {
    (0..column.values.len()).map(|row| column.values.text(row)).collect()
}

impl Confusion {
    fn of(answers: &Column, known: &Column) -> Self {
        let (answers_of, known_of) = (texts(answers), texts(known));
        let mut classes: Vec<String> =
            answers_of.iter().chain(&known_of).cloned().collect::<BTreeSet<_>>().into_iter().collect();
        classes.retain(|class| !class.is_empty());
        let numbers: Option<Vec<f64>> = classes.iter().map(|class| class.parse().ok()).collect();
        if numbers.is_some() {
            let number = |class: &String| class.parse().unwrap_or(f64::NAN);
            classes.sort_by(|a, b| number(a).total_cmp(&number(b)));
        }
        let index = |class: &String| classes.iter().position(|known| known == class).unwrap_or(0);
        let pairs = known_of.iter().zip(&answers_of).filter(|(known, _)| !known.is_empty());
        let pairs = pairs.map(|(known, answer)| (index(known), index(answer)));
        let matrix = ConfusionMatrix::of(classes.len(), pairs);
        Self { column: answers.name.clone(), matrix, classes }
    }

    /// Of the rows that were answered with a class, the share that are of it; absent when there are none.
    pub fn precision(&self, class: usize) -> Option<f64> {
        share(self.matrix.count(class, class), self.matrix.answered(class))
    }

    /// Of the rows of a class, the share that were answered with it; absent when there are none.
    pub fn recall(&self, class: usize) -> Option<f64> {
        share(self.matrix.count(class, class), self.matrix.of_class(class))
    }

    /// The mean of the classes' F1, the harmonic mean of precision and recall.
    pub fn macro_f1(&self) -> f64 {
        let f1 = |class: usize| {
            let (precision, recall) =
                (self.precision(class).unwrap_or(0.0), self.recall(class).unwrap_or(0.0));
            if precision + recall > 0.0 { 2.0 * precision * recall / (precision + recall) } else { 0.0 }
        };
        let classes = self.classes.len().max(1);
        (0..self.classes.len()).map(f1).sum::<f64>() / classes as f64
    }
}

fn share(part: u64, all: u64) -> Option<f64> {
    (all > 0).then(|| part as f64 / all as f64)
}

impl NumberErrors {
    fn of(answers: &Column, known: &Column) -> Result<Self, CompareError> {
        let pairs = numbers(answers)?.into_iter().zip(numbers(known)?);
        let (answers_of, known_of): (Vec<f64>, Vec<f64>) = pairs.filter(|(_, known)| !known.is_nan()).unzip();
        let rows = known_of.len();
        if rows == 0 {
            return Err(CompareError::Empty);
        }
        let mean = |values: &dyn Fn(usize) -> f64| (0..rows).map(values).sum::<f64>() / rows as f64;
        let difference = |row: usize| answers_of[row] - known_of[row];
        let middle = mean(&|row| known_of[row]);
        let variance = mean(&|row| (known_of[row] - middle).powi(2));
        let squared = mean(&|row| difference(row).powi(2));
        Ok(Self {
            column: answers.name.clone(),
            rows,
            mean_absolute: mean(&|row| difference(row).abs()),
            root_mean_square: squared.sqrt(),
            bias: mean(&difference),
            r_squared: (variance > 0.0).then(|| 1.0 - squared / variance),
        })
    }
}

fn numbers(column: &Column) -> Result<Vec<f64>, CompareError> {
    match &column.values {
        Values::Numbers(numbers) => Ok(numbers.clone()),
        Values::Text(words) => {
            let parsed = words.iter().enumerate().map(|(row, word)| {
                if word.is_empty() {
                    return Ok(f64::NAN);
                }
                word.parse().map_err(|_| CompareError::NotANumber {
                    column: column.name.clone(),
                    row: row + 1,
                    value: word.clone(),
                })
            });
            parsed.collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Probabilities;

    fn words(name: &str, words: &[&str]) -> Column {
        Column { name: name.to_owned(), values: Values::Text(words.iter().map(|&w| w.to_owned()).collect()) }
    }

    fn column(name: &str, numbers: &[f64]) -> Column {
        Column { name: name.to_owned(), values: Values::Numbers(numbers.to_vec()) }
    }

    #[test]
    fn classes_are_counted_by_what_they_were_taken_for() {
        let classes = ["a", "b"].map(str::to_owned).to_vec();
        let answers = Answers {
            table: Table::new(vec![words("kind", &["a", "b", "b", "a"])]).unwrap(),
            probabilities: Some(Probabilities { classes, shares: vec![vec![0.5; 4], vec![0.5; 4]] }),
        };
        let table = Table::new(vec![words("kind", &["a", "b", "a", "c"])]).unwrap();
        let TableEvaluation::Classes(found, _) = TableEvaluation::of(&answers, &table).unwrap() else {
            panic!("classes were answered")
        };
        assert_eq!(found.classes, ["a", "b", "c"]);
        assert_eq!(found.matrix.by_class().collect::<Vec<_>>(), [[1, 1, 0], [0, 1, 0], [1, 0, 0]]);
        assert_eq!((found.matrix.right(), found.matrix.all(), found.matrix.accuracy()), (2, 4, 0.5));
        assert_eq!((found.precision(1), found.recall(1)), (Some(0.5), Some(1.0)));
        assert_eq!((found.precision(2), found.recall(2)), (None, Some(0.0)));
        assert!((found.macro_f1() - (0.5 + 2.0 / 3.0) / 3.0).abs() < 1e-12);
    }

    #[test]
    fn numbers_are_compared_by_their_differences() {
        let answers = Answers::numbers(Table::new(vec![column("y", &[1.0, 2.0, 4.0])]).unwrap());
        let table = Table::new(vec![column("x", &[0.0; 3]), column("y", &[1.0, 3.0, 2.0])]).unwrap();
        let TableEvaluation::Numbers(found) = TableEvaluation::of(&answers, &table).unwrap() else {
            panic!("numbers were answered")
        };
        assert_eq!((found[0].mean_absolute, found[0].rows), (1.0, 3));
        assert!((found[0].root_mean_square - (5.0f64 / 3.0).sqrt()).abs() < 1e-12);
        assert!((found[0].bias - 1.0 / 3.0).abs() < 1e-12);
        assert!((found[0].r_squared.unwrap() - -1.5).abs() < 1e-12);
    }

    #[test]
    fn what_cannot_be_compared_is_named() {
        let answers = Answers::numbers(Table::new(vec![words("kind", &["a"])]).unwrap());
        let table = Table::new(vec![column("x", &[1.0])]).unwrap();
        let error = TableEvaluation::of(&answers, &table).unwrap_err().to_string();
        assert!(error.contains("no column `kind`") && error.contains("there are: x"), "{error}");
    }
}
