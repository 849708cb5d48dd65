//! `predict`: what a trained model answers to the rows of a table.

use std::path::PathBuf;

use anyhow::bail;
use rekindle_formats::table::{Table, Values};
use rekindle_train::Registry;
use serde_json::{Map, Value, json};

use crate::address::Source;
use crate::args::PredictArgs;
use crate::commands::train::system_of;
use crate::output;

pub fn predict(registry: &Registry, args: &PredictArgs, json: bool) -> anyhow::Result<u8> {
    let is_data =
        |out: &PathBuf| out.canonicalize().ok().is_some_and(|out| args.data.canonicalize().ok() == Some(out));
    if args.out.as_ref().is_some_and(is_data) {
        bail!("--out names the file of the questions, which would be lost; name another");
    }
    let source = Source::open(&args.checkpoint)?;
    let system = registry.system(&system_of(&source.store), &args.checkpoint)?;
    let (step, table, answers) = source.read(|source| {
        let checkpoint = source.checkpoint()?;
        let table = system.read_table(&checkpoint, &args.data)?;
        let answers = system.predict(&checkpoint, &table)?;
        Ok((source.step, table, answers))
    })?;
    tell_notes(&[&table, &answers]);
    match &args.out {
        Some(out) => {
            answers.write(out)?;
            if json {
                output::print_json(&json!({"file": out, "rows": answers.rows(), "step": step}))?;
            } else {
                output::print(&format!("wrote {} answers to {}", answers.rows(), out.display()))?;
            }
        }
        None if json => output::print_json(&to_json(&answers))?,
        None => output::print(answers.to_csv().trim_end())?,
    }
    Ok(0)
}

/// Tells how tables were understood.
pub fn tell_notes(tables: &[&Table]) {
    tables.iter().flat_map(|table| table.notes()).for_each(|note| tell!("note: {note}"));
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
