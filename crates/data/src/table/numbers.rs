//! A column of numbers.

use rekindle_formats::table::{Column, Values};

use super::error::ExamplesError;
use crate::origin::Origin;

/// Numbers that are scaled are never larger: their squares must fit a double, and their differences a float.
pub const LARGEST_NUMBER: f64 = 1e30;

/// A number for each row.
#[derive(Debug, Clone, PartialEq)]
pub struct NumberColumn {
    /// Name of the column.
    pub name: String,
    /// By row.
    pub values: Vec<f64>,
}

/// Mean and standard deviation (of the population).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Statistics {
    /// The mean.
    pub mean: f64,
    /// The standard deviation.
    pub std: f64,
}

impl NumberColumn {
    /// The numbers of a column; text is refused.
    pub(super) fn of(origin: &Origin, column: &Column) -> Result<Self, ExamplesError> {
        Self::check(origin, column)?;
        let values = match &column.values {
            Values::Numbers(numbers) => numbers.clone(),
            Values::Text(_) => Vec::new(),
        };
        Ok(Self { name: column.name.clone(), values })
    }

    /// Refuses text, by its first row.
    pub(super) fn check(origin: &Origin, column: &Column) -> Result<(), ExamplesError> {
        let Values::Text(words) = &column.values else { return Ok(()) };
        let is_text = |word: &String| !word.is_empty() && word.parse::<f64>().is_err();
        let row = words.iter().position(is_text).unwrap_or(0);
        Err(ExamplesError::NotANumber {
            origin: origin.clone(),
            column: column.name.clone(),
            row: row + 1,
            value: words.get(row).cloned().unwrap_or_default(),
        })
    }

    /// Checks that all numbers are at most [`LARGEST_NUMBER`] in magnitude; those that are missing are none.
    ///
    /// # Errors
    /// Names the first that is not.
    pub fn check_range(&self, origin: &Origin) -> Result<(), ExamplesError> {
        let is_outside = |value: &f64| value.abs() > LARGEST_NUMBER;
        match self.values.iter().position(is_outside) {
            Some(row) => Err(ExamplesError::OutOfRange {
                origin: origin.clone(),
                column: self.name.clone(),
                row: row + 1,
                value: self.values[row],
            }),
            None => Ok(()),
        }
    }

    /// Mean and standard deviation of these rows, by which the column can be scaled.
    ///
    /// # Errors
    /// When a number of any row is too large, or those of these rows are equal.
    pub fn scale(&self, origin: &Origin, rows: &[usize]) -> Result<Statistics, ExamplesError> {
        self.check_range(origin)?;
        let statistics = Statistics::of(rows.iter().map(|&row| self.values[row]));
        match statistics.is_constant() {
            false => Ok(statistics),
            true => Err(ExamplesError::Constant {
                origin: origin.clone(),
                column: self.name.clone(),
                value: statistics.mean,
            }),
        }
    }
}

impl Statistics {
    /// Those of some numbers, summed in their order.
    pub fn of(values: impl ExactSizeIterator<Item = f64> + Clone) -> Self {
        let count = values.len() as f64;
        let mean = values.clone().sum::<f64>() / count;
        let variance = values.map(|value| (value - mean) * (value - mean)).sum::<f64>() / count;
        Self { mean, std: variance.sqrt() }
    }

    /// True where the numbers differ by no more than rounding.
    fn is_constant(&self) -> bool {
        !(1.0 / self.std).is_finite() || self.std <= self.mean.abs() * 1e-12
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_scaled_by_the_rows_that_are_given() {
        let column = NumberColumn { name: "x".to_owned(), values: vec![1.0, 3.0, 100.0] };
        let statistics = column.scale(&Origin::Named("it"), &[0, 1]).unwrap();
        assert_eq!(statistics, Statistics { mean: 2.0, std: 1.0 });
        let constant = column.scale(&Origin::Named("it"), &[2]).unwrap_err().to_string();
        assert!(constant.contains("column `x` is 100 throughout"), "{constant}");
    }

    #[test]
    fn numbers_that_are_too_large_are_refused_wherever_they_are() {
        for value in [1e31, -1e31, f64::INFINITY] {
            let column = NumberColumn { name: "x".to_owned(), values: vec![1.0, 3.0, value] };
            let error = column.scale(&Origin::Named("it"), &[0, 1]).unwrap_err().to_string();
            assert!(error.contains("in row 3"), "{error}");
        }
    }
}
