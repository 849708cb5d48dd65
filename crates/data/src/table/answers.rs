//! What a model answers to the rows of a table.

use rekindle_formats::table::{Column, Table, Values};

/// What a model answers to the rows of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Answers {
    /// A column of classes, and what else is told of them; or columns of numbers.
    pub table: Table,
    /// How probable each class is, where classes are answered.
    pub probabilities: Option<Probabilities>,
}

/// How probable each class is in the eyes of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct Probabilities {
    /// The classes, by name.
    pub classes: Vec<String>,
    /// By class, then by row: of each row, their sum is 1.
    pub shares: Vec<Vec<f64>>,
}

impl Answers {
    /// Answers that are numbers.
    pub fn numbers(table: Table) -> Self {
        Self { table, probabilities: None }
    }

    /// The same, with what is to be told of how the table was understood.
    #[must_use]
    pub fn with_notes(self, notes: Vec<String>) -> Self {
        Self { table: self.table.with_notes(notes), ..self }
    }

    /// The column of classes.
    pub fn class_column(&self) -> Option<&Column> {
        self.probabilities.as_ref().and(self.table.columns().first())
    }

    /// The answers, and behind them a column with the probabilities of each class.
    ///
    /// # Errors
    /// When two columns get the same name; says which.
    pub fn with_probabilities(&self) -> Result<Table, String> {
        let mut columns = self.table.columns().to_vec();
        let target = self.class_column().map_or("", |column| column.name.as_str());
        if let Some(Probabilities { classes, shares }) = &self.probabilities {
            columns.extend(classes.iter().zip(shares).map(|(class, shares)| Column {
                name: format!("{target}_is_{class}"),
                values: Values::Numbers(shares.clone()),
            }));
        }
        Table::new(columns)
    }
}

impl Probabilities {
    /// Scores that are at least 0, by class and then by row, as shares of their sum; where all are 0, each
    /// class is as probable as any other.
    pub fn of_scores(classes: Vec<String>, mut scores: Vec<Vec<f64>>) -> Self {
        let rows = scores.first().map_or(0, Vec::len);
        let even = 1.0 / classes.len().max(1) as f64;
        for row in 0..rows {
            let sum: f64 = scores.iter().map(|scores| scores[row]).sum();
            for scores in &mut scores {
                scores[row] = if sum > 0.0 { scores[row] / sum } else { even };
            }
        }
        Self { classes, shares: scores }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_become_shares_and_stand_behind_the_answers() {
        let classes = vec!["a".to_owned(), "b".to_owned()];
        let probabilities = Probabilities::of_scores(classes, vec![vec![3.0, 0.0], vec![1.0, 0.0]]);
        assert_eq!(probabilities.shares, [[0.75, 0.5], [0.25, 0.5]]);
        let kind = Column { name: "kind".to_owned(), values: Values::Text(vec!["a".into(), "b".into()]) };
        let answers = Answers { table: Table::new(vec![kind]).unwrap(), probabilities: Some(probabilities) };
        let table = answers.with_probabilities().unwrap();
        assert_eq!(table.column("kind_is_b").unwrap().values, Values::Numbers(vec![0.25, 0.5]));
    }
}
