//! How the fields of a CSV file are meant: what separates them, and where numbers have their decimal mark.
//!
//! Either is found out where only one reading makes sense of the file. Where two do, neither is taken.

use csv::{ByteRecord, ReaderBuilder, StringRecord};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ReadError;

/// How a CSV file is to be read; what is not said is found out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CsvFormat {
    /// What separates columns.
    pub separator: Option<Separator>,
    /// What numbers have before their fraction.
    pub decimal: Option<Decimal>,
}

/// What separates the columns of a CSV file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Separator {
    /// `,`
    Comma,
    /// `;`
    Semicolon,
    /// The tabulator.
    Tab,
}

/// What numbers have before their fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Decimal {
    /// `2.5`
    Point,
    /// `2,5`
    Comma,
}

/// How a file is read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dialect {
    pub separator: Separator,
    pub decimal: Decimal,
}

/// What stands for a value that is missing, beside nothing at all; in any case of letters.
const MISSING: [&str; 6] = ["nan", "na", "n/a", "null", "?", "<na>"];

/// True for what stands for a value that is missing.
pub(super) fn is_missing(field: &str) -> bool {
    field.is_empty() || MISSING.iter().any(|missing| field.eq_ignore_ascii_case(missing))
}

impl Separator {
    const ALL: [Self; 3] = [Self::Comma, Self::Semicolon, Self::Tab];

    pub(super) fn byte(self) -> u8 {
        match self {
            Self::Comma => b',',
            Self::Semicolon => b';',
            Self::Tab => b'\t',
        }
    }

    fn shown(self) -> &'static str {
        match self {
            Self::Comma => "`,`",
            Self::Semicolon => "`;`",
            Self::Tab => "tabs",
        }
    }
}

impl Dialect {
    /// What was found out that is not as in most files.
    pub(super) fn note(self, said: CsvFormat) -> Option<String> {
        let columns = (said.separator.is_none() && self.separator != Separator::Comma)
            .then(|| format!("columns are separated by {}", self.separator.shown()));
        let numbers = (said.decimal.is_none() && self.decimal == Decimal::Comma)
            .then(|| "numbers have a decimal comma".to_owned());
        let found: Vec<String> = columns.into_iter().chain(numbers).collect();
        (!found.is_empty()).then(|| found.join(", "))
    }
}

/// The number that a field is.
pub(super) fn number(field: &str, decimal: Decimal) -> Option<f64> {
    match decimal {
        Decimal::Point => field.parse().ok(),
        Decimal::Comma if field.contains('.') => None,
        Decimal::Comma => field.replacen(',', ".", 1).parse().ok(),
    }
}

/// True for a first row that is no head: what it has are numbers.
pub(super) fn is_data(first: &StringRecord) -> bool {
    let is_number =
        |field: &str| number(field, Decimal::Point).or_else(|| number(field, Decimal::Comma)).is_some();
    let mut fields = first.iter().map(str::trim).filter(|field| !is_missing(field)).peekable();
    fields.peek().is_some() && fields.all(is_number)
}

/// What separates the columns of a file that begins like this.
pub(super) fn separator(sample: &[u8]) -> Result<Separator, ReadError> {
    let readings = Separator::ALL.map(|separator| Reading::of(sample, separator));
    let regular: Vec<&Reading> = readings.iter().filter(|reading| reading.is_regular()).collect();
    let plain: Vec<&&Reading> = regular.iter().filter(|reading| reading.explains(&regular)).collect();
    match (&regular[..], &plain[..]) {
        ([only], _) => Ok(only.separator),
        // Rows of unequal length are refused when they are read, by their lines.
        ([], _) => Ok(readings
            .iter()
            .find(|reading| reading.columns() > 1)
            .map_or(Separator::Comma, |reading| reading.separator)),
        (_, [only]) => Ok(only.separator),
        (several, _) => {
            let of =
                |reading: &&Reading| format!("{} ({} columns)", reading.separator.shown(), reading.columns());
            let several: Vec<String> = several.iter().map(of).collect();
            Err(ReadError::Separator(format!("its columns may be separated by {}", several.join(" or by "))))
        }
    }
}

/// The first rows of a file, for one separator.
struct Reading {
    separator: Separator,
    rows: Vec<ByteRecord>,
}

impl Reading {
    fn of(sample: &[u8], separator: Separator) -> Self {
        let mut reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(separator.byte())
            .from_reader(sample);
        let mut rows: Vec<ByteRecord> = reader.byte_records().map_while(Result::ok).collect();
        // The last row of a longer file may be cut.
        if sample.len() as u64 >= super::SAMPLE && rows.len() > 1 {
            rows.pop();
        }
        Self { separator, rows }
    }

    fn columns(&self) -> usize {
        self.rows.first().map_or(0, ByteRecord::len)
    }

    /// True where all rows have as many columns, and more than one.
    fn is_regular(&self) -> bool {
        self.columns() > 1 && self.rows.iter().all(|row| row.len() == self.columns())
    }

    /// True where the other separators that there may be are in no field, but for decimal commas.
    fn explains(&self, others: &[&Self]) -> bool {
        let others = others.iter().map(|other| other.separator).filter(|&other| other != self.separator);
        others.into_iter().all(|other| {
            let mut fields = self.rows.iter().flat_map(ByteRecord::iter);
            fields.all(|field| {
                !field.contains(&other.byte()) || (other == Separator::Comma && is_decimal(field))
            })
        })
    }
}

fn is_decimal(field: &[u8]) -> bool {
    let text = std::str::from_utf8(field).map(str::trim);
    text.is_ok_and(|text| number(text, Decimal::Comma).is_some())
}

/// What the numbers in these columns have before their fraction.
pub(super) fn decimal(columns: &[Vec<String>], name: impl Fn(usize) -> String) -> Result<Decimal, ReadError> {
    // Nearly all files end here, and a look is less work than parsing.
    if !columns.iter().flatten().any(|field| field.contains(',')) {
        return Ok(Decimal::Point);
    }
    let of_numbers: Vec<(usize, &Vec<String>)> =
        columns.iter().enumerate().filter(|(_, fields)| are_numbers(fields)).collect();
    let find = |is_wanted: &dyn Fn(&str) -> bool| {
        of_numbers.iter().find_map(|&(column, fields)| {
            let row = fields.iter().position(|field| is_wanted(field))?;
            Some(format!("`{}` in column `{}`, row {}", fields[row], name(column), row + 1))
        })
    };
    let Some(comma) = find(&|field| field.contains(',')) else { return Ok(Decimal::Point) };
    if let Some(point) = find(&|field| field.contains('.')) {
        let reason = format!("it has numbers with a comma and with a point: {comma}, and {point}");
        return Err(ReadError::Decimal(reason));
    }
    match find(&|field| field.contains(',') && !may_be_thousands(field)) {
        Some(_) => Ok(Decimal::Comma),
        None => Err(ReadError::Decimal(format!(
            "the comma of its numbers may be decimal or one of thousands: {comma}"
        ))),
    }
}

/// True where all that a column has are numbers, of one kind or the other.
fn are_numbers(fields: &[String]) -> bool {
    fields.iter().all(|field| {
        field.is_empty() || number(field, Decimal::Point).is_some() || number(field, Decimal::Comma).is_some()
    })
}

/// True for a number such as `1,234`, which may be a thousand or little more than one.
fn may_be_thousands(field: &str) -> bool {
    let Some((before, after)) = field.trim_start_matches(['-', '+']).split_once(',') else { return false };
    let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let is_group = (1..=3).contains(&before.len()) && after.len() == 3;
    is_group && !before.starts_with('0') && are_digits(before) && are_digits(after)
}
