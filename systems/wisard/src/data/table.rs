//! Examples of a table.

use std::path::Path;

use rekindle_formats::table::{Column, Table, Values};

use super::{CLASSES_LIMIT, Raw};
use crate::config::Data;
use crate::error::WisardError;

/// Values are never larger: their squares must fit a double.
const LARGEST: f64 = 1e30;
/// Columns that a message names.
const LISTED: usize = 12;

/// Reads the examples of a file.
pub(super) fn read(file: &str, config: &Data) -> Result<Raw, WisardError> {
    if Path::new(file).exists() && !Path::new(file).is_file() {
        return Err(WisardError::NotRegular { file: file.to_owned() });
    }
    let table = Table::read(Path::new(file))?;
    examples(format!("`{file}`"), &table, config)
}

/// The examples of a table.
pub(super) fn examples(origin: String, table: &Table, config: &Data) -> Result<Raw, WisardError> {
    let Some(target) = &config.target else {
        let names = names(table);
        let last = names.last().cloned().unwrap_or_default();
        return Err(WisardError::NoTarget { origin, last, columns: listed(&names) });
    };
    let answers = column(&origin, table, target)?;
    for ignored in &config.ignore {
        column(&origin, table, ignored)?;
    }
    if config.ignore.contains(target) {
        let reason = format!("column `{target}` is to be learnt and to be left out");
        return Err(WisardError::Columns { origin, reason });
    }
    let is_input = |column: &&Column| column.name != *target && !config.ignore.contains(&column.name);
    let inputs: Vec<&Column> = table.columns().iter().filter(is_input).collect();
    if inputs.is_empty() {
        return Err(WisardError::Columns { origin, reason: "no column is left to learn from".to_owned() });
    }
    let columns: Result<Vec<Vec<f64>>, WisardError> =
        inputs.iter().map(|column| numbers(&origin, column)).collect();
    let (classes, class) = classes(&origin, answers)?;
    Ok(Raw {
        inputs: inputs.iter().map(|column| column.name.clone()).collect(),
        columns: columns?,
        target: target.clone(),
        classes,
        class,
        origin,
    })
}

/// The different values of a column, and which of them each row has.
fn classes(origin: &str, column: &Column) -> Result<(Vec<String>, Vec<u16>), WisardError> {
    let labels: Vec<String> = (0..column.values.len()).map(|row| column.values.text(row)).collect();
    let mut classes = labels.clone();
    classes.sort_unstable();
    classes.dedup();
    if classes.len() > CLASSES_LIMIT {
        return Err(WisardError::TooManyClasses {
            origin: origin.to_owned(),
            column: column.name.clone(),
            classes: classes.len(),
            limit: CLASSES_LIMIT,
        });
    }
    let position = |label: &String| classes.binary_search(label).unwrap_or_default();
    let mut place: Vec<u16> = (0..classes.len() as u16).collect();
    if let Values::Numbers(_) = column.values {
        let number = |class: u16| classes[usize::from(class)].parse().unwrap_or(f64::NAN);
        place.sort_by(|&a, &b| number(a).total_cmp(&number(b)));
    }
    let mut rank = vec![0; classes.len()];
    (0..).zip(&place).for_each(|(new, &old): (u16, &u16)| rank[usize::from(old)] = new);
    let class = labels.iter().map(|label| rank[position(label)]).collect();
    Ok((place.iter().map(|&old| classes[usize::from(old)].clone()).collect(), class))
}

/// The column of that name.
pub(super) fn column<'a>(origin: &str, table: &'a Table, name: &str) -> Result<&'a Column, WisardError> {
    table.column(name).ok_or_else(|| WisardError::UnknownColumn {
        origin: origin.to_owned(),
        column: name.to_owned(),
        columns: listed(&names(table)),
    })
}

/// The numbers of a column; text is refused, and so is what is too large.
pub(super) fn numbers(origin: &str, column: &Column) -> Result<Vec<f64>, WisardError> {
    let refuse = |row: usize, reason: String| WisardError::Value {
        origin: origin.to_owned(),
        column: column.name.clone(),
        row: row + 1,
        value: column.values.text(row),
        reason,
    };
    match &column.values {
        Values::Text(words) => {
            let row = words.iter().position(|word| word.parse::<f64>().is_err()).unwrap_or(0);
            let name = &column.name;
            let advice = format!("leave the column out with --set 'training.data.ignore=[\"{name}\"]'");
            Err(refuse(row, format!("which is no number; {advice}")))
        }
        // A table made in memory may have what no file is read with.
        Values::Numbers(numbers) => {
            match numbers.iter().position(|number| number.is_nan() || number.abs() > LARGEST) {
                Some(row) => {
                    Err(refuse(row, format!("which cannot be learnt from: numbers are at most {LARGEST:e}")))
                }
                None => Ok(numbers.clone()),
            }
        }
    }
}

fn names(table: &Table) -> Vec<String> {
    table.columns().iter().map(|column| column.name.clone()).collect()
}

/// The first names of a list, and how many more there are.
pub(super) fn listed(names: &[String]) -> String {
    let shown = names[..names.len().min(LISTED)].join(", ");
    match names.len().saturating_sub(LISTED) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
