//! A column of classes.

use std::collections::HashMap;

use rekindle_formats::table::{Column, Values};

use super::error::ExamplesError;
use crate::origin::Origin;

/// A column of more different values is not one of classes.
pub const CLASSES_LIMIT: usize = 1000;

/// The class of each row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassColumn {
    /// Name of the column.
    pub name: String,
    /// The classes in their order.
    pub classes: Vec<String>,
    /// The class of each row, as an index of `classes`.
    pub labels: Vec<usize>,
}

/// The order of the classes of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClassOrder {
    /// By the bytes of their names.
    Alphabetical,
    /// By value where all are numbers, alphabetical otherwise.
    ByValue,
}

impl ClassColumn {
    /// The different values of a column, and which of them each row has.
    pub(super) fn of(origin: &Origin, column: &Column, order: ClassOrder) -> Result<Self, ExamplesError> {
        let values: Vec<String> = (0..column.values.len()).map(|row| column.values.text(row)).collect();
        let mut classes = values.clone();
        classes.sort_unstable();
        classes.dedup();
        if classes.len() > CLASSES_LIMIT {
            return Err(ExamplesError::TooManyClasses {
                origin: origin.clone(),
                column: column.name.clone(),
                classes: classes.len(),
            });
        }
        if let (ClassOrder::ByValue, Values::Numbers(_)) = (order, &column.values) {
            let number = |class: &String| class.parse().unwrap_or(f64::NAN);
            classes.sort_by(|a, b| number(a).total_cmp(&number(b)));
        }
        let index_of: HashMap<&str, usize> = classes.iter().map(String::as_str).zip(0..).collect();
        let labels = values.iter().map(|value| index_of[value.as_str()]).collect();
        Ok(Self { name: column.name.clone(), classes, labels })
    }

    /// A column of a table of these classes, as answers: of numbers where all classes are.
    ///
    /// # Panics
    /// When a label is not an index of `classes`.
    pub fn to_table(name: &str, classes: &[String], labels: impl IntoIterator<Item = usize>) -> Column {
        let numbers: Option<Vec<f64>> = classes.iter().map(|class| class.parse().ok()).collect();
        let labels = labels.into_iter();
        let values = match numbers {
            Some(numbers) => Values::Numbers(labels.map(|label| numbers[label]).collect()),
            None => Values::Text(labels.map(|label| classes[label].clone()).collect()),
        };
        Column { name: name.to_owned(), values }
    }

    pub(super) fn check_train(&self, origin: &Origin, train: &[usize]) -> Result<(), ExamplesError> {
        let (origin, column) = (origin.clone(), self.name.clone());
        if let [only] = &self.classes[..] {
            return Err(ExamplesError::OneClass { origin, column, class: only.clone() });
        }
        let mut seen = vec![false; self.classes.len()];
        train.iter().for_each(|&row| seen[self.labels[row]] = true);
        match seen.iter().position(|seen| !seen) {
            Some(missing) => {
                let class = self.classes[missing].clone();
                Err(ExamplesError::TooFewRows { origin, rows: train.len(), column, class })
            }
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_that_are_numbers_are_answered_with_numbers() {
        let answers =
            |classes: [&str; 2]| ClassColumn::to_table("kind", &classes.map(str::to_owned), [1, 0]).values;
        assert_eq!(answers(["-7.5", "2"]), Values::Numbers(vec![2.0, -7.5]));
        assert_eq!(answers(["a", "2"]), Values::Text(vec!["2".to_owned(), "a".to_owned()]));
    }

    #[test]
    fn numbers_are_not_taken_for_classes() {
        let numbers = (0..=CLASSES_LIMIT).map(|number| number as f64).collect();
        let column = Column { name: "id".to_owned(), values: Values::Numbers(numbers) };
        let error = ClassColumn::of(&Origin::Named("it"), &column, ClassOrder::Alphabetical).unwrap_err();
        assert!(error.to_string().contains("1001 different values"), "{error}");
    }
}
