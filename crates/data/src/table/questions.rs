//! A table of which a model is asked.

use rekindle_formats::table::{Column, Table};

use super::error::ExamplesError;
use super::missing::{self, Fillings};
use super::numbers::NumberColumn;
use crate::origin::Origin;

/// The inputs of a model in a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Questions {
    /// A column for each input, in the order of the model.
    pub inputs: Vec<NumberColumn>,
    /// What whoever asks should know.
    pub notes: Vec<String>,
}

/// What a model needs of a table.
#[derive(Debug, Clone, Copy)]
pub struct ModelInputs<'a> {
    /// Names of its inputs, in their order.
    pub inputs: &'a [&'a str],
    /// Names of what it answers.
    pub targets: &'a [&'a str],
    /// What stands for a missing value of each input; without it none may be missing.
    pub fillings: Option<&'a Fillings>,
}

impl Questions {
    /// The columns with the names of the inputs. A table without names has exactly the inputs in their order,
    /// with or without the targets behind them.
    ///
    /// # Errors
    /// When a column is not there, is not of numbers, or lacks a value that nothing stands for.
    pub fn of(table: &Table, model: ModelInputs<'_>) -> Result<Self, ExamplesError> {
        let origin = Origin::Named("the table");
        let is_by_name = !table.is_unnamed() || model.inputs.iter().all(|name| table.column(name).is_some());
        let (columns, mut notes) = match is_by_name {
            true => (by_name(&origin, table, model.inputs)?, Vec::new()),
            false => by_position(&origin, table, model)?,
        };
        let number = |(column, name): (&Column, &&str)| {
            let numbers = NumberColumn::of(&origin, column)?;
            Ok(NumberColumn { name: (*name).to_owned(), ..numbers })
        };
        let inputs: Result<Vec<NumberColumn>, ExamplesError> =
            columns.iter().copied().zip(model.inputs).map(number).collect();
        let mut inputs = inputs?;
        match model.fillings {
            Some(fillings) => notes.extend(missing::fill(&mut inputs, fillings)),
            None => columns.iter().try_for_each(|column| {
                missing::refuse(&origin, column).map_err(ExamplesError::of_question)
            })?,
        }
        Ok(Self { inputs, notes })
    }
}

fn by_name<'a>(origin: &Origin, table: &'a Table, names: &[&str]) -> Result<Vec<&'a Column>, ExamplesError> {
    names.iter().map(|name| super::layout::column(origin, table, name)).collect()
}

fn by_position<'a>(
    origin: &Origin,
    table: &'a Table,
    model: ModelInputs<'_>,
) -> Result<(Vec<&'a Column>, Vec<String>), ExamplesError> {
    let ModelInputs { inputs, targets, .. } = model;
    let found = table.columns().len();
    let is_with_targets = found == inputs.len() + targets.len();
    if found != inputs.len() && !is_with_targets {
        return Err(ExamplesError::ColumnCount {
            origin: origin.clone(),
            found,
            inputs: super::listed(inputs),
            count: inputs.len(),
            targets: super::listed(targets),
        });
    }
    let taken: Vec<&str> = inputs.iter().chain(targets).copied().take(found).collect();
    let note =
        format!("the columns have no names and are taken, in their order, for {}", super::listed(&taken));
    Ok((table.columns().iter().take(inputs.len()).collect(), vec![note]))
}
