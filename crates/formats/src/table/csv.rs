//! CSV: comma-separated values with a head.

use std::io::Read;

use csv::{ReaderBuilder, StringRecord, WriterBuilder};

use super::{COLUMNS_LIMIT, Column, Table, Values};

pub(super) fn read(file: impl Read) -> Result<Table, String> {
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(file);
    let mut records = reader.records();
    let Some(first) = records.next() else { return Err("it has no rows".to_owned()) };
    let first = first.map_err(describe)?;
    if first.len() > COLUMNS_LIMIT {
        return Err(format!("it has {} columns, at most {COLUMNS_LIMIT} are read", first.len()));
    }
    // A head is a row of which no field is a number.
    let is_data = first.iter().all(|field| number(field).is_some());
    let names: Vec<String> = if is_data {
        (1..=first.len()).map(|index| index.to_string()).collect()
    } else {
        first.iter().map(|name| name.trim().to_owned()).collect()
    };
    let mut columns = vec![Vec::new(); names.len()];
    if is_data {
        take(&first, &names, &mut columns)?;
    }
    for record in records {
        take(&record.map_err(describe)?, &names, &mut columns)?;
    }
    if columns.first().is_none_or(Vec::is_empty) {
        return Err("it has no rows".to_owned());
    }
    let columns = names.into_iter().zip(columns).map(|(name, fields)| column(name, fields));
    Table::new(columns.collect())
}

fn take(record: &StringRecord, names: &[String], columns: &mut [Vec<String>]) -> Result<(), String> {
    let line = record.position().map_or(0, csv::Position::line);
    if record.len() != names.len() {
        let (found, expected) = (record.len(), names.len());
        return Err(format!("line {line} has {found} fields, the first has {expected}"));
    }
    for ((field, name), column) in record.iter().zip(names).zip(columns) {
        let field = field.trim();
        if field.is_empty() || number(field).is_some_and(|number| !number.is_finite()) {
            return Err(format!(
                "line {line}, column `{name}`: `{field}` is not a value that can be learnt from"
            ));
        }
        column.push(field.to_owned());
    }
    Ok(())
}

fn number(field: &str) -> Option<f64> {
    field.trim().parse().ok()
}

fn column(name: String, fields: Vec<String>) -> Column {
    let numbers: Option<Vec<f64>> = fields.iter().map(|field| number(field)).collect();
    let values = numbers.map_or_else(|| Values::Text(fields), Values::Numbers);
    Column { name, values }
}

fn describe(error: csv::Error) -> String {
    let line = error.position().map_or(0, csv::Position::line);
    match error.kind() {
        csv::ErrorKind::Utf8 { .. } => return format!("line {line} is not UTF-8"),
        csv::ErrorKind::Io(source) => return source.to_string(),
        _ => {}
    }
    match error.position() {
        Some(position) => format!("line {}: {error}", position.line()),
        None => error.to_string(),
    }
}

pub(super) fn write(table: &Table) -> Vec<u8> {
    let mut writer = WriterBuilder::new().from_writer(Vec::new());
    // Writing to memory fails only for rows of unequal length, and there are none.
    let _ = writer.write_record(table.columns().iter().map(|column| &column.name));
    for row in 0..table.rows() {
        let _ = writer.write_record(table.columns().iter().map(|column| column.values.text(row)));
    }
    writer.into_inner().unwrap_or_default()
}
