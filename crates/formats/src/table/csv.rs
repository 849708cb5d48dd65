//! CSV: separated values, with or without a head.

use std::io::Read;

use csv::{ReaderBuilder, StringRecord, WriterBuilder};

use super::dialect::{self, CsvFormat, Dialect, number};
use super::{COLUMNS_LIMIT, Column, ReadError, Table, Values};

pub(super) fn read(mut file: impl Read, format: CsvFormat) -> Result<Table, ReadError> {
    let mut sample = Vec::new();
    file.by_ref().take(super::SAMPLE).read_to_end(&mut sample).map_err(|error| error.to_string())?;
    let separator = match format.separator {
        Some(separator) => separator,
        None => dialect::separator(&sample)?,
    };
    let whole = sample.as_slice().chain(file);
    let (names, fields) = fields(whole, separator.byte())?;
    let decimal = match format.decimal {
        Some(decimal) => decimal,
        None => dialect::decimal(&fields, |column| name(names.as_deref(), column))?,
    };
    let dialect = Dialect { separator, decimal };
    let columns: Result<Vec<Column>, String> = fields
        .into_iter()
        .enumerate()
        .map(|(index, fields)| column(name(names.as_deref(), index), fields, dialect))
        .collect();
    let table = Table::new(columns?)?.with_notes(dialect.note(format));
    Ok(if names.is_some() { table } else { table.without_names() })
}

/// The names in the head, if there is one, and the fields of each column.
type Fields = (Option<Vec<String>>, Vec<Vec<String>>);

fn fields(file: impl Read, separator: u8) -> Result<Fields, String> {
    let mut reader =
        ReaderBuilder::new().has_headers(false).flexible(true).delimiter(separator).from_reader(file);
    let mut records = reader.records();
    let Some(first) = records.next() else { return Err("it has no rows".to_owned()) };
    let first = first.map_err(describe)?;
    if first.len() > COLUMNS_LIMIT {
        return Err(format!("it has {} columns, at most {COLUMNS_LIMIT} are read", first.len()));
    }
    let mut columns = vec![Vec::new(); first.len()];
    let names = match dialect::is_data(&first) {
        true => {
            take(&first, &mut columns)?;
            None
        }
        false => Some(first.iter().map(|name| name.trim().to_owned()).collect()),
    };
    for record in records {
        take(&record.map_err(describe)?, &mut columns)?;
    }
    if columns.first().is_none_or(Vec::is_empty) {
        return Err("it has no rows".to_owned());
    }
    Ok((names, columns))
}

fn take(record: &StringRecord, columns: &mut [Vec<String>]) -> Result<(), String> {
    if record.len() != columns.len() {
        let line = record.position().map_or(0, csv::Position::line);
        let (found, expected) = (record.len(), columns.len());
        return Err(format!("line {line} has {found} fields, the first has {expected}"));
    }
    for (field, column) in record.iter().zip(columns) {
        let field = field.trim();
        // What is missing is an empty text, whatever the file has in its place.
        column.push(if dialect::is_missing(field) { String::new() } else { field.to_owned() });
    }
    Ok(())
}

/// The name of a column; without a head its number, counted from 1.
fn name(names: Option<&[String]>, column: usize) -> String {
    names.map_or_else(|| (column + 1).to_string(), |names| names[column].clone())
}

/// A column of numbers where all that it has are.
fn column(name: String, fields: Vec<String>, dialect: Dialect) -> Result<Column, String> {
    let parse = |field: &String| match field.as_str() {
        "" => Some(f64::NAN),
        field => number(field, dialect.decimal),
    };
    let numbers: Option<Vec<f64>> = fields.iter().map(parse).collect();
    let Some(numbers) = numbers else { return Ok(Column { name, values: Values::Text(fields) }) };
    match numbers.iter().position(|number| number.is_infinite()) {
        Some(row) => Err(format!(
            "row {}, column `{name}`: `{}` is not a value that can be learnt from",
            row + 1,
            fields[row]
        )),
        None => Ok(Column { name, values: Values::Numbers(numbers) }),
    }
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
