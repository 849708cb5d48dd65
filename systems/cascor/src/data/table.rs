//! Examples of a table.

use std::path::Path;

use rekindle_formats::table::{Column, Table, Values};

use super::{Raw, RawTargets};
use crate::config::Data;
use crate::error::CascorError;

/// Reads the examples of a file.
pub(super) fn read(file: &str, config: &Data) -> Result<Raw, CascorError> {
    let refuse = |reason: String| CascorError::Data { origin: format!("`{file}`"), reason };
    if Path::new(file).exists() && !Path::new(file).is_file() {
        return Err(refuse(
            "it is no regular file, and examples are read again when a run goes on".to_owned(),
        ));
    }
    let table = Table::read(Path::new(file))?;
    if config.targets.is_empty() {
        let names: Vec<&str> = table.columns().iter().map(|column| column.name.as_str()).collect();
        let last = names.last().copied().unwrap_or_default();
        return Err(refuse(format!(
            "no column is named to be learnt; name it with {}; there are: {}",
            setting("targets", last),
            names.join(", ")
        )));
    }
    let named = config.targets.iter().chain(&config.ignore);
    for name in named {
        if table.column(name).is_none() {
            let names: Vec<&str> = table.columns().iter().map(|column| column.name.as_str()).collect();
            return Err(refuse(format!("there is no column `{name}`; there are: {}", names.join(", "))));
        }
    }
    if let Some(both) = config.targets.iter().find(|name| config.ignore.contains(name)) {
        return Err(refuse(format!("column `{both}` is to be learnt and to be left out")));
    }
    let is_input =
        |column: &&Column| !config.targets.contains(&column.name) && !config.ignore.contains(&column.name);
    let columns: Vec<&Column> = table.columns().iter().filter(is_input).collect();
    if columns.is_empty() {
        return Err(refuse("no column is left to learn from".to_owned()));
    }
    let inputs: Result<Vec<Vec<f64>>, String> = columns
        .iter()
        .map(|column| {
            numbers(column).map_err(|reason| {
                format!("{reason}; leave the column out with {}", setting("ignore", &column.name))
            })
        })
        .collect();
    Ok(Raw {
        origin: format!("`{file}`"),
        input_names: columns.iter().map(|column| column.name.clone()).collect(),
        inputs: inputs.map_err(refuse)?,
        targets: targets(&table, config).map_err(refuse)?,
    })
}

fn targets(table: &Table, config: &Data) -> Result<RawTargets, String> {
    let columns = || config.targets.iter().filter_map(|name| table.column(name));
    if !config.task.is_classification() {
        let values: Result<Vec<Vec<f64>>, String> = columns().map(numbers).collect();
        return Ok(RawTargets::Numbers { names: config.targets.clone(), values: values? });
    }
    let [name] = &config.targets[..] else {
        return Err(format!(
            "a classification learns one column, {} are named; for numbers use --set training.data.task=regression",
            config.targets.len()
        ));
    };
    let labels: Vec<String> =
        columns().flat_map(|column| (0..table.rows()).map(|row| column.values.text(row))).collect();
    let mut classes = labels.clone();
    classes.sort();
    classes.dedup();
    if classes.len() > CLASSES_LIMIT {
        return Err(format!(
            "column `{name}` has {} different values, too many for classes; \
             for numbers use --set training.data.task=regression",
            classes.len()
        ));
    }
    let class = labels.iter().map(|label| classes.binary_search(label).unwrap_or_default()).collect();
    Ok(RawTargets::Classes { name: name.clone(), classes, class })
}

/// The setting that names a column, quoted: YAML takes `[y]` and `[3]` for other things than names.
pub(super) fn setting(list: &str, column: &str) -> String {
    format!("--set 'training.data.{list}=[\"{column}\"]'")
}

/// More different values are taken for numbers that were meant to be learnt as such.
const CLASSES_LIMIT: usize = 1000;

/// The numbers of a column; text is refused.
pub(super) fn numbers(column: &Column) -> Result<Vec<f64>, String> {
    match &column.values {
        Values::Numbers(numbers) => Ok(numbers.clone()),
        Values::Text(words) => {
            let row = words.iter().position(|word| word.parse::<f64>().is_err()).unwrap_or(0);
            let (name, word) = (&column.name, &words[row]);
            Err(format!("column `{name}` has `{word}` in row {}, which is no number", row + 1))
        }
    }
}
