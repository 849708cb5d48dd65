//! A table as examples.

mod answers;
mod calibration;
mod classes;
mod error;
mod evaluation;
mod memory;
mod numbers;

use std::path::Path;

use rekindle_formats::table::{Column, Table};

use crate::origin::Origin;
use crate::split::{Shares, Split};

pub use answers::{Answers, Probabilities};
pub use calibration::{Calibration, CalibrationBin};
pub use classes::{CLASSES_LIMIT, ClassColumn, ClassOrder};
pub use error::ExamplesError;
pub(crate) use error::listed;
pub use evaluation::{CompareError, Confusion, NumberErrors, TableEvaluation};
pub use memory::TableSize;
pub use numbers::{LARGEST_NUMBER, NumberColumn, Statistics};

/// Rows as a table gives them: nothing is scaled or encoded.
#[derive(Debug, Clone, PartialEq)]
pub struct TableExamples {
    /// Where they are from.
    pub origin: Origin,
    /// What is predicted from.
    pub inputs: Vec<NumberColumn>,
    /// What is to be predicted.
    pub target: TableTarget,
}

/// What is to be predicted.
#[derive(Debug, Clone, PartialEq)]
pub enum TableTarget {
    /// The class of each row.
    Classes(ClassColumn),
    /// Numbers.
    Numbers(Vec<NumberColumn>),
}

/// Which columns of a table are what. All others are inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TableLayout<'a> {
    /// Columns that are to be predicted.
    pub targets: &'a [String],
    /// Columns that are left out.
    pub ignored: &'a [String],
    /// What the targets are.
    pub kind: TargetKind,
    /// The setting of a config that names the targets, for messages.
    pub target_setting: &'static str,
}

/// What targets are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetKind {
    /// The names of classes, in one column.
    Classes(ClassOrder),
    /// Numbers, in any number of columns.
    Numbers,
}

impl TableExamples {
    /// Reads the examples of a CSV or NPY file.
    ///
    /// # Errors
    /// When the file cannot be read more than once, or its columns are not those of the layout.
    pub fn read(file: &str, layout: &TableLayout<'_>) -> Result<Self, ExamplesError> {
        let path = Path::new(file);
        if path.exists() && !path.is_file() {
            return Err(ExamplesError::NotRegular { file: file.to_owned() });
        }
        Self::of_table(Origin::File(file.to_owned()), &Table::read(path)?, layout)
    }

    /// The examples of a table.
    ///
    /// # Errors
    /// When its columns are not those of the layout, or hold other values than it says.
    pub fn of_table(origin: Origin, table: &Table, layout: &TableLayout<'_>) -> Result<Self, ExamplesError> {
        check_layout(&origin, table, layout)?;
        let target = target(&origin, table, layout)?;
        let is_input = |column: &&Column| {
            !layout.targets.contains(&column.name) && !layout.ignored.contains(&column.name)
        };
        let inputs: Vec<&Column> = table.columns().iter().filter(is_input).collect();
        if inputs.is_empty() {
            return Err(ExamplesError::NoInputs { origin });
        }
        let inputs: Result<Vec<NumberColumn>, ExamplesError> = inputs
            .into_iter()
            .map(|column| NumberColumn::of(&origin, column).map_err(ExamplesError::of_input))
            .collect();
        Ok(Self { inputs: inputs?, target, origin })
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.inputs.first().map_or(0, |input| input.values.len())
    }

    /// Divides the rows by what their inputs are, whatever is to be predicted of them: equal rows are in
    /// one part. Each part has its share of each class.
    ///
    /// # Errors
    /// When the shares leave nothing to be learnt.
    pub fn split(&self, shares: Shares, seed: u64) -> Result<Split, ExamplesError> {
        let content = |row: usize| -> Vec<u8> {
            // Both zeros are the same number.
            self.inputs.iter().flat_map(|input| (input.values[row] + 0.0).to_le_bytes()).collect()
        };
        let classes = match &self.target {
            TableTarget::Classes(column) => Some(&column.labels[..]),
            TableTarget::Numbers(_) => None,
        };
        Split::by_content((0..self.rows()).map(content), classes, shares, seed)
            .map_err(|source| ExamplesError::Split { origin: self.origin.clone(), source })
    }

    /// Checks that something can be learnt from these rows: there are some, of at least two classes, and
    /// of every class that there is.
    ///
    /// # Errors
    /// Names the class that is missing.
    pub fn check_train(&self, train: &[usize]) -> Result<(), ExamplesError> {
        if train.is_empty() {
            return Err(ExamplesError::NothingToLearn { origin: self.origin.clone() });
        }
        match &self.target {
            TableTarget::Classes(column) => column.check_train(&self.origin, train),
            TableTarget::Numbers(_) => Ok(()),
        }
    }
}

fn check_layout(origin: &Origin, table: &Table, layout: &TableLayout<'_>) -> Result<(), ExamplesError> {
    let origin = || origin.clone();
    if layout.targets.is_empty() {
        let columns: Vec<&str> = names(table).collect();
        let (last, columns) = (columns.last().copied().unwrap_or_default().to_owned(), listed(&columns));
        return Err(ExamplesError::NoTarget {
            origin: origin(),
            setting: layout.target_setting,
            last,
            columns,
        });
    }
    for name in layout.targets.iter().chain(layout.ignored) {
        column(&origin(), table, name)?;
    }
    match layout.targets.iter().find(|target| layout.ignored.contains(target)) {
        Some(target) => Err(ExamplesError::TargetIgnored { origin: origin(), column: target.clone() }),
        None => Ok(()),
    }
}

fn target(origin: &Origin, table: &Table, layout: &TableLayout<'_>) -> Result<TableTarget, ExamplesError> {
    match (layout.kind, layout.targets) {
        (TargetKind::Classes(order), [target]) => {
            let column = column(origin, table, target)?;
            Ok(TableTarget::Classes(ClassColumn::of(origin, column, order)?))
        }
        (TargetKind::Classes(_), targets) => {
            Err(ExamplesError::SeveralTargets { origin: origin.clone(), count: targets.len() })
        }
        (TargetKind::Numbers, targets) => {
            let columns = targets.iter().map(|target| NumberColumn::named(origin, table, target));
            columns.collect::<Result<_, _>>().map(TableTarget::Numbers)
        }
    }
}

fn names(table: &Table) -> impl Iterator<Item = &str> {
    table.columns().iter().map(|column| column.name.as_str())
}

/// The column of that name.
fn column<'a>(origin: &Origin, table: &'a Table, name: &str) -> Result<&'a Column, ExamplesError> {
    table.column(name).ok_or_else(|| ExamplesError::UnknownColumn {
        origin: origin.clone(),
        column: name.to_owned(),
        columns: listed(&names(table).collect::<Vec<_>>()),
    })
}

#[cfg(test)]
mod tests {
    use rekindle_formats::table::Values;

    use super::*;

    fn table() -> Table {
        let column = |name: &str, values| Column { name: name.to_owned(), values };
        let words = ["a", "b", "a", "b"].map(str::to_owned).to_vec();
        Table::new(vec![
            column("x", Values::Numbers(vec![1.0, 2.0, -0.0, 0.0])),
            column("y", Values::Numbers(vec![10.0, 9.0, 10.0, 9.0])),
            column("word", Values::Text(words)),
        ])
        .unwrap()
    }

    fn examples(
        targets: &[&str],
        ignored: &[&str],
        kind: TargetKind,
    ) -> Result<TableExamples, ExamplesError> {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<String>>();
        let (targets, ignored) = (owned(targets), owned(ignored));
        let layout = TableLayout { targets: &targets, ignored: &ignored, kind, target_setting: "t" };
        TableExamples::of_table(Origin::Named("it"), &table(), &layout)
    }

    const CLASSES: TargetKind = TargetKind::Classes(ClassOrder::Alphabetical);

    #[test]
    fn all_columns_that_are_neither_targets_nor_left_out_are_inputs() {
        let found = examples(&["word"], &["x"], CLASSES).unwrap();
        assert_eq!(found.inputs, [NumberColumn { name: "y".into(), values: vec![10.0, 9.0, 10.0, 9.0] }]);
        let TableTarget::Classes(classes) = found.target else { panic!("classes were asked for") };
        assert_eq!((classes.classes, classes.labels), (vec!["a".into(), "b".into()], vec![0, 1, 0, 1]));
        let found = examples(&["x", "y"], &["word"], TargetKind::Numbers);
        assert!(matches!(found, Err(ExamplesError::NoInputs { .. })));
    }

    #[test]
    fn classes_that_are_numbers_have_the_order_that_is_asked_for() {
        let classes = |order| match examples(&["y"], &["word"], TargetKind::Classes(order)).unwrap().target {
            TableTarget::Classes(column) => (column.classes, column.labels),
            TableTarget::Numbers(_) => panic!("classes were asked for"),
        };
        assert_eq!(classes(ClassOrder::Alphabetical), (vec!["10".into(), "9".into()], vec![0, 1, 0, 1]));
        assert_eq!(classes(ClassOrder::ByValue), (vec!["9".into(), "10".into()], vec![1, 0, 1, 0]));
    }

    #[test]
    fn what_is_wrong_with_the_columns_is_named() {
        for (targets, ignored, kind, expected) in [
            (
                &[][..],
                &[][..],
                CLASSES,
                "it: no column is named to be learnt; set t=\"word\"; there are: x, y, word",
            ),
            (&["z"], &[], CLASSES, "it: there is no column `z`; there are: x, y, word"),
            (&["x"], &["z"], CLASSES, "it: there is no column `z`"),
            (&["x"], &["x"], CLASSES, "it: column `x` is to be learnt and to be left out"),
            (&["x", "y"], &[], CLASSES, "it: classes are learnt of one column, and 2 are named"),
            (
                &["x"],
                &[],
                CLASSES,
                "it: column `word` has `a` in row 1, which is not a number; leave the column out",
            ),
            (
                &["word"],
                &[],
                TargetKind::Numbers,
                "it: column `word` has `a` in row 1, which is not a number",
            ),
        ] {
            let message = examples(targets, ignored, kind).unwrap_err().to_string();
            assert!(message.starts_with(expected), "{expected}: {message}");
        }
    }

    #[test]
    fn rows_that_differ_in_the_sign_of_a_zero_are_equal() {
        let examples = examples(&["word"], &["y"], CLASSES).unwrap();
        let split = examples.split(Shares { select: 0.3, test: 0.3 }, 1).unwrap();
        assert_eq!(split.part_of(2), split.part_of(3));
    }

    #[test]
    fn a_class_that_is_not_learnt_is_named() {
        let examples = examples(&["word"], &[], CLASSES).unwrap();
        examples.check_train(&[0, 1]).unwrap();
        let missing = examples.check_train(&[0, 2]).unwrap_err().to_string();
        assert!(missing.contains("none is of class `b` of column `word`"), "{missing}");
        assert!(matches!(examples.check_train(&[]), Err(ExamplesError::NothingToLearn { .. })));
    }
}
