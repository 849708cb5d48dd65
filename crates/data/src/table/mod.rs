//! A table as examples.

mod answers;
mod calibration;
mod classes;
mod error;
mod evaluation;
mod layout;
mod memory;
mod missing;
mod numbers;
mod questions;

use std::path::Path;

use rekindle_formats::table::{Column, Table};

use layout::column;

use crate::origin::Origin;
use crate::split::{Shares, Split};

pub use answers::{Answers, Probabilities};
pub use calibration::{Calibration, CalibrationBin};
pub use classes::{CLASSES_LIMIT, ClassColumn, ClassOrder};
pub use error::{ExamplesError, listed};
pub use evaluation::{CompareError, Confusion, NumberErrors, TableEvaluation};
pub use layout::{TableLayout, TargetKind, one_or_more};
pub use memory::TableSize;
pub use missing::{Fillings, Missing};
pub use numbers::{LARGEST_NUMBER, NumberColumn, Statistics};
pub use questions::{ModelInputs, Questions};

/// Rows as a table gives them: nothing is scaled or encoded.
#[derive(Debug, Clone, PartialEq)]
pub struct TableExamples {
    /// Where they are from.
    pub origin: Origin,
    /// What is predicted from.
    pub inputs: Vec<NumberColumn>,
    /// What is to be predicted.
    pub target: TableTarget,
    /// What whoever learns them should know: how the file was understood, and what is left out.
    pub notes: Vec<String>,
}

/// What is to be predicted.
#[derive(Debug, Clone, PartialEq)]
pub enum TableTarget {
    /// The class of each row.
    Classes(ClassColumn),
    /// Numbers.
    Numbers(Vec<NumberColumn>),
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
        let origin = Origin::File(file.to_owned());
        let table = Table::read_as(path, layout.format).map_err(ExamplesError::of_file)?;
        Self::of_table(origin, &table, layout)
    }

    /// The examples of a table.
    ///
    /// # Errors
    /// When its columns are not those of the layout, or hold other values than it says.
    pub fn of_table(origin: Origin, table: &Table, layout: &TableLayout<'_>) -> Result<Self, ExamplesError> {
        layout.check(&origin, table)?;
        let inputs: Vec<&Column> = table.columns().iter().filter(|column| layout.is_input(column)).collect();
        if inputs.is_empty() {
            return Err(ExamplesError::NoInputs { origin });
        }
        for input in &inputs {
            NumberColumn::check(&origin, input).map_err(ExamplesError::of_input)?;
        }
        let targets: Result<Vec<&Column>, ExamplesError> =
            layout.targets.iter().map(|target| column(&origin, table, target)).collect();
        let targets = targets?;
        let (rows, left_out) = missing::kept_rows(&origin, layout.missing, &inputs, &targets)?;
        let rows = |column: &Column| missing::rows_of(column, rows.as_deref());
        let target = target(&origin, &targets.into_iter().map(rows).collect::<Vec<_>>(), layout.kind)?;
        let inputs: Result<Vec<NumberColumn>, ExamplesError> =
            inputs.into_iter().map(|column| NumberColumn::of(&origin, &rows(column))).collect();
        let notes = table.notes().iter().cloned().chain(left_out).collect();
        Ok(Self { inputs: inputs?, target, origin, notes })
    }

    /// Where values are missing that are to be filled: puts the mean of these rows in their place. Gives what
    /// stands for a missing value of each input.
    ///
    /// # Errors
    /// When an input has no value in any of these rows.
    pub fn fill(&mut self, policy: Missing, train: &[usize]) -> Result<Option<Fillings>, ExamplesError> {
        if policy != Missing::Mean {
            return Ok(None);
        }
        let fillings = missing::means(&self.origin, &self.inputs, train)?;
        self.notes.extend(missing::fill(&mut self.inputs, &fillings));
        Ok(Some(fillings))
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
            // Both zeros are the same number, and so are all that is missing.
            let canonical = |value: f64| if value.is_nan() { f64::NAN } else { value + 0.0 };
            self.inputs.iter().flat_map(|input| canonical(input.values[row]).to_le_bytes()).collect()
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

fn target(origin: &Origin, targets: &[Column], kind: TargetKind) -> Result<TableTarget, ExamplesError> {
    match (kind, targets) {
        (TargetKind::Classes(order), [column, ..]) => {
            Ok(TableTarget::Classes(ClassColumn::of(origin, column, order)?))
        }
        (_, targets) => {
            let columns = targets.iter().map(|column| NumberColumn::of(origin, column));
            columns.collect::<Result<_, _>>().map(TableTarget::Numbers)
        }
    }
}

#[cfg(test)]
mod tests {
    use rekindle_formats::table::{CsvFormat, Values};

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
        let (missing, format) = (Missing::Refuse, CsvFormat::default());
        let layout = TableLayout { targets: &targets, ignored: &ignored, kind, missing, format };
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
                "it: no column is named to be learnt; set training.data.target=\"word\"; there are: x, y, word",
            ),
            (&["z"], &[], CLASSES, "it: there is no column `z` (did you mean `x`?); there are: x, y, word"),
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

    const GAPS: [f64; 5] = [1.0, f64::NAN, 3.0, 8.0, f64::NAN];

    fn with_gaps(missing: Missing, kinds: [&str; 5]) -> Result<TableExamples, ExamplesError> {
        let column = |name: &str, values| Column { name: name.to_owned(), values };
        let table = Table::new(vec![
            column("x", Values::Numbers(GAPS.to_vec())),
            column("y", Values::Numbers(vec![0.0, 1.0, f64::NAN, 3.0, 4.0])),
            column("kind", Values::Text(kinds.map(str::to_owned).to_vec())),
            column("id", Values::Numbers(vec![f64::NAN; 5])),
        ]);
        let (targets, ignored) = (["kind".to_owned()], ["id".to_owned()]);
        let format = CsvFormat::default();
        let layout = TableLayout { targets: &targets, ignored: &ignored, kind: CLASSES, missing, format };
        TableExamples::of_table(Origin::Named("it"), &table.unwrap(), &layout)
    }

    #[test]
    fn a_missing_value_is_refused_by_its_row_and_column() {
        let error = with_gaps(Missing::Refuse, ["a", "b", "a", "b", "a"]).unwrap_err().to_string();
        assert!(error.starts_with("it: column `x` has no value in row 2; "), "{error}");
        assert!(error.contains("training.data.missing=drop") && error.contains("=mean"), "{error}");
    }

    #[test]
    fn rows_with_missing_values_are_left_out_and_counted() {
        let examples = with_gaps(Missing::Drop, ["a", "b", "a", "b", ""]).unwrap();
        assert_eq!(examples.rows(), 2);
        assert_eq!(examples.inputs[0].values, [1.0, 8.0]);
        let TableTarget::Classes(classes) = &examples.target else { panic!("classes were asked for") };
        assert_eq!((&classes.classes[..], &classes.labels[..]), (&["a".into(), "b".into()][..], &[0, 1][..]));
        let note = "3 of 5 rows are left out, as a value is missing: 1 in `kind`, 2 in `x`, 1 in `y`";
        assert_eq!(examples.notes, [note]);
        let none = with_gaps(Missing::Drop, ["", "b", "a", "", "b"]).unwrap_err().to_string();
        assert!(none.contains("in each of 5 rows a value is missing"), "{none}");
    }

    #[test]
    fn missing_inputs_are_filled_with_the_mean_of_what_is_learnt() {
        let mut examples = with_gaps(Missing::Mean, ["a", "b", "a", "b", "a"]).unwrap();
        assert!(examples.notes.is_empty() && examples.rows() == 5);
        let fillings = examples.fill(Missing::Mean, &[0, 1, 2]).unwrap();
        assert_eq!(fillings.unwrap().values, [2.0, 0.5]);
        assert_eq!(examples.inputs[0].values, [1.0, 2.0, 3.0, 8.0, 2.0]);
        let note = "3 missing values are filled with the mean of what was learnt: 2 in `x`, 1 in `y`";
        assert_eq!(examples.notes, [note]);
        let mut examples = with_gaps(Missing::Mean, ["a", "b", "a", "b", ""]).unwrap();
        assert_eq!((examples.rows(), examples.notes.len()), (4, 1), "what is to be predicted is not made up");
        let error = examples.fill(Missing::Mean, &[1]).unwrap_err().to_string();
        assert!(error.contains("column `x` has no value in any row that is learnt"), "{error}");
    }

    fn ask(table: &Table, fillings: Option<&Fillings>) -> Result<Questions, ExamplesError> {
        Questions::of(table, ModelInputs { inputs: &["x", "y"], targets: &["kind"], fillings })
    }

    #[test]
    fn a_table_without_names_is_taken_by_position_where_the_count_fits() {
        let of = |count: usize| {
            let column = |index: usize| Column {
                name: (index + 1).to_string(),
                values: Values::Numbers(vec![index as f64; 3]),
            };
            Table::new((0..count).map(column).collect()).unwrap().without_names()
        };
        let found = ask(&of(2), None).unwrap();
        assert_eq!((found.inputs[1].name.as_str(), found.inputs[1].values[0]), ("y", 1.0));
        assert_eq!(found.notes, ["the columns have no names and are taken, in their order, for x, y"]);
        let labelled = ask(&of(3), None).unwrap();
        assert_eq!(
            labelled.notes,
            ["the columns have no names and are taken, in their order, for x, y, kind"]
        );
        for count in [1, 4] {
            let error = ask(&of(count), None).unwrap_err().to_string();
            assert!(
                error.contains(&format!("{count} columns without names, and 2 are asked for: x, y")),
                "{error}"
            );
        }
    }

    #[test]
    fn a_question_lacks_a_value_only_where_something_stands_for_it() {
        let column = |name: &str, values: &[f64]| Column {
            name: name.to_owned(),
            values: Values::Numbers(values.to_vec()),
        };
        let table = Table::new(vec![column("y", &[1.0, f64::NAN]), column("x", &[5.0, 6.0])]).unwrap();
        let error = ask(&table, None).unwrap_err().to_string();
        assert!(error.contains("column `y` has no value in row 2") && !error.contains("=drop"), "{error}");
        let found = ask(&table, Some(&Fillings { values: vec![7.0, 8.0] })).unwrap();
        assert_eq!(found.inputs[1].values, [1.0, 8.0]);
        assert_eq!(found.notes.len(), 1);
    }

    #[test]
    fn answers_are_compared_by_position_with_a_table_without_names() {
        let column = |name: &str, values: &[f64]| Column {
            name: name.to_owned(),
            values: Values::Numbers(values.to_vec()),
        };
        let table = Table::new(vec![column("1", &[0.0; 3]), column("2", &[1.0, 2.0, f64::NAN])]).unwrap();
        let answers = Answers {
            table: Table::new(vec![column("kind", &[1.0, 1.0, 1.0])]).unwrap(),
            probabilities: Some(Probabilities { classes: vec!["1".to_owned()], shares: vec![vec![1.0; 3]] }),
        };
        let TableEvaluation::Classes(found, _) =
            TableEvaluation::of(&answers, &table.without_names()).unwrap()
        else {
            panic!("classes were answered")
        };
        assert_eq!((found.matrix.all(), found.matrix.right()), (2, 1), "what is not known is not compared");
    }
}
