//! Values that are missing in a table.

use rekindle_formats::table::{Column, Values};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::error::ExamplesError;
use super::numbers::{NumberColumn, Statistics};
use crate::origin::Origin;

/// What becomes of a row in which a value is missing: of an input, or of what is to be predicted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Missing {
    /// Nothing is learnt; the row is named.
    #[default]
    Refuse,
    /// The row is left out.
    Drop,
    /// The mean of the column stands in its place, over the rows that are learnt; it is kept with the model,
    /// and stands there when the model is asked too. A row without what is to be predicted is left out.
    Mean,
}

impl Missing {
    /// False for what is so anyway.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// What stands for values that are missing; a part of a model's state.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Fillings {
    /// One for each input, in their order.
    #[serde(with = "rekindle::growing")]
    pub values: Vec<f64>,
}

impl Fillings {
    /// True where they are those of so many inputs.
    pub fn fit(&self, inputs: usize) -> bool {
        self.values.len() == inputs && self.values.iter().all(|value| value.is_finite())
    }
}

/// How many values are missing in a column.
struct Gap<'a> {
    column: &'a str,
    values: usize,
}

/// The rows that can be learnt, where some cannot, and a note of what is left out.
pub(super) fn kept_rows(
    origin: &Origin,
    policy: Missing,
    inputs: &[&Column],
    targets: &[&Column],
) -> Result<(Option<Vec<usize>>, Option<String>), ExamplesError> {
    let rows = targets.iter().chain(inputs).map(|column| column.values.len()).max().unwrap_or(0);
    let needed: Vec<&Column> = match policy {
        Missing::Mean => targets.to_vec(),
        Missing::Drop | Missing::Refuse => targets.iter().chain(inputs).copied().collect(),
    };
    let is_whole = |row: usize| needed.iter().all(|column| !column.values.is_missing(row));
    let kept: Vec<usize> = (0..rows).filter(|&row| is_whole(row)).collect();
    if kept.len() == rows {
        return Ok((None, None));
    }
    if policy == Missing::Refuse {
        let all = inputs.iter().chain(targets);
        all.copied().try_for_each(|column| refuse(origin, column))?;
    }
    if kept.is_empty() {
        return Err(ExamplesError::NothingWhole { origin: origin.clone(), rows });
    }
    let gaps = needed.iter().map(|column| Gap {
        column: &column.name,
        values: (0..rows).filter(|&row| column.values.is_missing(row)).count(),
    });
    let note = format!(
        "{} of {rows} rows are left out, as a value is missing: {}",
        rows - kept.len(),
        in_words(gaps)
    );
    Ok((Some(kept), Some(note)))
}

/// These rows of a column.
pub(super) fn rows_of(column: &Column, rows: Option<&[usize]>) -> Column {
    let Some(rows) = rows else { return column.clone() };
    let values = match &column.values {
        Values::Numbers(values) => Values::Numbers(rows.iter().map(|&row| values[row]).collect()),
        Values::Text(values) => Values::Text(rows.iter().map(|&row| values[row].clone()).collect()),
    };
    Column { name: column.name.clone(), values }
}

/// Refuses a column in which a value is missing.
pub(super) fn refuse(origin: &Origin, column: &Column) -> Result<(), ExamplesError> {
    match (0..column.values.len()).find(|&row| column.values.is_missing(row)) {
        None => Ok(()),
        Some(row) => {
            Err(ExamplesError::Missing { origin: origin.clone(), column: column.name.clone(), row: row + 1 })
        }
    }
}

/// What stands for a value that is missing, for each input: the mean of what these rows have.
pub(super) fn means(
    origin: &Origin,
    inputs: &[NumberColumn],
    train: &[usize],
) -> Result<Fillings, ExamplesError> {
    let mean = |input: &NumberColumn| {
        input.check_range(origin)?;
        let known: Vec<f64> =
            train.iter().map(|&row| input.values[row]).filter(|value| !value.is_nan()).collect();
        match known.is_empty() {
            true => Err(ExamplesError::NothingKnown { origin: origin.clone(), column: input.name.clone() }),
            false => Ok(Statistics::of(known.iter().copied()).mean),
        }
    };
    let values: Result<Vec<f64>, ExamplesError> = inputs.iter().map(mean).collect();
    Ok(Fillings { values: values? })
}

/// Puts something in the place of each value that is missing; gives a note of what was done.
pub(super) fn fill(inputs: &mut [NumberColumn], fillings: &Fillings) -> Option<String> {
    let mut gaps = Vec::new();
    for (input, &filling) in inputs.iter_mut().zip(&fillings.values) {
        let missing = input.values.iter_mut().filter(|value| value.is_nan());
        let values = missing.map(|value| *value = filling).count();
        gaps.push(Gap { column: &input.name, values });
    }
    let all: usize = gaps.iter().map(|gap| gap.values).sum();
    let gaps = in_words(gaps.into_iter());
    (all > 0).then(|| format!("{all} missing values are filled with the mean of what was learnt: {gaps}"))
}

/// The columns in which values are missing, with how many.
fn in_words<'a>(gaps: impl Iterator<Item = Gap<'a>>) -> String {
    let gaps = gaps.filter(|gap| gap.values > 0);
    let gaps: Vec<String> = gaps.map(|Gap { column, values }| format!("{values} in `{column}`")).collect();
    super::listed(&gaps.iter().map(String::as_str).collect::<Vec<_>>())
}
