//! `predict`: what a trained model answers to the rows of a table.

use std::path::Path;

use anyhow::{Context, bail};
use rekindle_data::Answers;
use rekindle_formats::table::{Column, Table, Values};
use rekindle_train::{AnySystem, Registry};
use serde_json::{Map, Value, json};

use crate::address::Source;
use crate::args::PredictArgs;
use crate::commands::train::system_of;
use crate::output;

pub fn predict(registry: &Registry, args: &PredictArgs, json: bool) -> anyhow::Result<u8> {
    if let Some(out) = &args.out {
        let is_table = out.extension().is_none_or(|ending| {
            ["csv", "npy", "txt"].iter().any(|known| ending.eq_ignore_ascii_case(known))
        });
        if !is_table {
            bail!("`{}`: answers are written as .csv or .npy", out.display());
        }
        args.replace.allow_beside(out, [args.data.as_path()])?;
    }
    let source = Source::open(&args.checkpoint)?;
    let system = registry.system(&system_of(&source.store), &args.checkpoint)?;
    let Asked { step, table, answers } = ask(system, source, &args.data)?;
    let answers = match args.probabilities {
        true => answers.with_probabilities().map_err(anyhow::Error::msg)?,
        false => answers.table,
    };
    let answers = beside(shown_columns(args, &table)?, answers)?;
    match &args.out {
        Some(out) => {
            answers.write(out)?;
            if json {
                output::print_json(&json!({"file": out, "rows": answers.rows(), "step": step}))?;
            } else {
                output::print(&format!("wrote {} answers to {}", answers.rows(), out.display()))?;
            }
        }
        None if json => output::print_json(&json!({"step": step, "answers": to_json(&answers)}))?,
        None => output::print(answers.to_csv().trim_end())?,
    }
    Ok(0)
}

/// The columns of the table that are to stand before the answers.
fn shown_columns(args: &PredictArgs, table: &Table) -> anyhow::Result<Vec<Column>> {
    if args.inputs {
        return Ok(table.columns().to_vec());
    }
    let column = |name: &String| {
        table.column(name).cloned().with_context(|| {
            let names: Vec<&str> = table.columns().iter().map(|column| column.name.as_str()).collect();
            format!("--id {name}: the table has no such column; there are: {}", names.join(", "))
        })
    };
    args.id.iter().map(column).collect()
}

/// The answers behind other columns; one of the same name, which holds what is right, is called so.
fn beside(mut columns: Vec<Column>, answers: Table) -> anyhow::Result<Table> {
    for column in &mut columns {
        if answers.column(&column.name).is_some() {
            column.name = format!("{}_known", column.name);
        }
    }
    columns.extend_from_slice(answers.columns());
    Table::new(columns).map_err(anyhow::Error::msg)
}

/// A table, and what a checkpoint answers to its rows.
pub struct Asked {
    pub step: u64,
    pub table: Table,
    pub answers: Answers,
}

/// Asks the model of a checkpoint about the rows of a file, and tells how the file was understood.
pub fn ask(system: &dyn AnySystem, source: Source, data: &Path) -> anyhow::Result<Asked> {
    let asked = source.read(|source| {
        let checkpoint = source.checkpoint()?;
        let table = system.read_table(&checkpoint, data)?;
        let answers = system.predict(&checkpoint, &table)?;
        Ok(Asked { step: source.step, table, answers })
    })?;
    let notes = asked.table.notes().iter().chain(asked.answers.table.notes());
    notes.for_each(|note| tell!("note: {note}"));
    Ok(asked)
}

/// An object for each row.
fn to_json(table: &Table) -> Vec<Value> {
    let value = |values: &Values, row: usize| match values {
        Values::Numbers(numbers) => Value::from(numbers[row]),
        Values::Text(words) => Value::from(words[row].as_str()),
    };
    let row = |row| {
        let cells = table.columns().iter().map(|column| (column.name.clone(), value(&column.values, row)));
        Value::Object(cells.collect::<Map<_, _>>())
    };
    (0..table.rows()).map(row).collect()
}
