//! Tables of examples: a row for each example, a column for each of its properties.
//!
//! Read from CSV and NPY files and from [pictures](mod@pictures), told apart by their first bytes, and
//! written as CSV or NPY, told apart by the ending of the name.

mod csv;
mod dialect;
mod npy;

use std::io::Read;
use std::path::{Path, PathBuf};

use crate::files;
use crate::gzip;
use crate::pictures::{self, PictureError};

pub use dialect::{CsvFormat, Decimal, Separator};

/// A file is never longer: bytes.
const FILE_LIMIT: u64 = 4 << 30;
/// How a file is to be read is found out from its beginning, which is in memory beside the table: bytes.
pub const SAMPLE: u64 = 1 << 16;
/// A table never has more columns, and a picture never more pixels, each of which is a column.
pub(crate) const COLUMNS_LIMIT: usize = 1_000_000;

/// Named columns of equal length.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Table {
    columns: Vec<Column>,
    is_unnamed: bool,
    notes: Vec<String>,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Its name: from the head of the file, or its number, counted from 1.
    pub name: String,
    /// A value for each row.
    pub values: Values,
}

/// The values of a column.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// All of them are numbers, none is infinite; those that are missing are NaN.
    Numbers(Vec<f64>),
    /// At least one is not a number; those that are missing are empty.
    Text(Vec<String>),
}

/// A table cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TableError {
    /// The system refused.
    #[error("cannot {action} `{}`: {source}", path.display())]
    Io {
        /// `read` or `write`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not a table.
    #[error("`{}` cannot be read as a table: {reason}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        reason: String,
    },
    /// The file can be read as more than one table.
    #[error("`{}` can be read in more than one way: {reason}", path.display())]
    Ambiguous {
        /// The file.
        path: PathBuf,
        /// Which ways these are.
        reason: String,
        /// What settles it.
        unsettled: Unsettled,
    },
    /// The file is one of pictures, or the path a folder of them, which cannot be read.
    #[error(transparent)]
    Pictures(#[from] PictureError),
    /// The table cannot be written in this format.
    #[error("`{}` cannot be written: {reason}", path.display())]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

/// What a file does not tell of its format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsettled {
    /// The [`Separator`].
    Separator,
    /// The [`Decimal`].
    Decimal,
}

/// Why a file cannot be read as a table. Its name is added by whoever opened it.
#[derive(Debug)]
enum ReadError {
    Malformed(String),
    Separator(String),
    Decimal(String),
}

impl From<String> for ReadError {
    fn from(reason: String) -> Self {
        Self::Malformed(reason)
    }
}

impl ReadError {
    fn of(self, path: &Path) -> TableError {
        let path = path.to_owned();
        let (reason, unsettled) = match self {
            Self::Malformed(reason) => return TableError::Malformed { path, reason },
            Self::Separator(reason) => (reason, Unsettled::Separator),
            Self::Decimal(reason) => (reason, Unsettled::Decimal),
        };
        TableError::Ambiguous { path, reason, unsettled }
    }
}

impl Values {
    /// Number of values.
    pub fn len(&self) -> usize {
        match self {
            Self::Numbers(values) => values.len(),
            Self::Text(values) => values.len(),
        }
    }

    /// True when there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Numbers of 32 bits: each is the shortest decimal number that rounds to it.
    pub fn of_f32(numbers: impl IntoIterator<Item = f32>) -> Self {
        let shortest = |number: f32| number.to_string().parse().unwrap_or_else(|_| f64::from(number));
        Self::Numbers(numbers.into_iter().map(shortest).collect())
    }

    /// True for a row whose value is missing.
    pub fn is_missing(&self, row: usize) -> bool {
        match self {
            Self::Numbers(values) => values[row].is_nan(),
            Self::Text(values) => values[row].is_empty(),
        }
    }

    /// The value of a row as text; empty where it is missing.
    pub fn text(&self, row: usize) -> String {
        match self {
            Self::Numbers(values) if values[row].is_nan() => String::new(),
            Self::Numbers(values) => values[row].to_string(),
            Self::Text(values) => values[row].clone(),
        }
    }
}

impl Table {
    /// A table of these columns.
    ///
    /// # Errors
    /// When they differ in length or two have the same name; says which.
    pub fn new(columns: Vec<Column>) -> Result<Self, String> {
        let rows = columns.first().map_or(0, |column| column.values.len());
        let mut names = std::collections::BTreeSet::new();
        for column in &columns {
            if column.values.len() != rows {
                let len = column.values.len();
                return Err(format!("column `{}` has {len} rows, the first has {rows}", column.name));
            }
            if !names.insert(&column.name) {
                return Err(format!("two columns are named `{}`", column.name));
            }
        }
        Ok(Self { columns, is_unnamed: false, notes: Vec::new() })
    }

    /// The same, whose columns are known by their numbers alone.
    #[must_use]
    pub fn without_names(self) -> Self {
        Self { is_unnamed: true, ..self }
    }

    /// True where the file names no columns: they are called by their numbers.
    pub fn is_unnamed(&self) -> bool {
        self.is_unnamed
    }

    /// The same with more to be told of it.
    #[must_use]
    pub fn with_notes(mut self, notes: impl IntoIterator<Item = String>) -> Self {
        self.notes.extend(notes);
        self
    }

    /// What whoever reads or asks should know: how a file was understood, or what was made of its values.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// All columns.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The column of that name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.columns.first().map_or(0, |column| column.values.len())
    }

    /// Reads a CSV or NPY file; what separates columns and numbers is found out. Of an IDX file of pictures,
    /// and of a folder of PNG files for each class, the table has a column for each pixel, and a column
    /// [`LABEL`](pictures::LABEL) of the classes: the names of the folders, or what is in the file of labels
    /// beside that of the pictures, if there is one.
    ///
    /// # Errors
    /// When it cannot be read, is not well formed, or can be read in more than one way; says at which line.
    pub fn read(path: &Path) -> Result<Self, TableError> {
        Self::read_as(path, CsvFormat::default())
    }

    /// Reads a CSV file of this format, or an NPY file.
    ///
    /// # Errors
    /// As those of [`read`](Self::read).
    pub fn read_as(path: &Path, format: CsvFormat) -> Result<Self, TableError> {
        let io = |source| TableError::Io { action: "read", path: path.to_owned(), source };
        if path.is_dir() {
            return of_folder(path);
        }
        let len = files::len(path).map_err(io)?;
        if len > FILE_LIMIT {
            let reason = format!("it has {len} bytes, at most {FILE_LIMIT} are read");
            return Err(TableError::Malformed { path: path.to_owned(), reason });
        }
        // Opened once, as what comes through a pipe comes once; and bounded, as a pipe has no length.
        let mut file = files::open(path).map_err(io)?.take(FILE_LIMIT);
        let mut head = Vec::new();
        file.by_ref().take(npy::MAGIC.len() as u64).read_to_end(&mut head).map_err(io)?;
        if gzip::is_gzip(&head) {
            file.by_ref().take(crate::HEAD as u64).read_to_end(&mut head).map_err(io)?;
        }
        if pictures::is_images(&head)
            || gzip::is_gzip(&head) && pictures::is_images(&gzip::unpacked_head(&head))
        {
            return of_images(path);
        }
        let is_npy = head.starts_with(npy::MAGIC);
        let whole = head.as_slice().chain(file);
        let table = if is_npy { npy::read(whole).map_err(Into::into) } else { csv::read(whole, format) };
        table.map_err(|error| error.of(path))
    }

    /// Writes a `.npy` file, or a CSV file under any other name.
    ///
    /// # Errors
    /// When it cannot be written, or the format cannot hold it.
    pub fn write(&self, path: &Path) -> Result<(), TableError> {
        let io = |source| TableError::Io { action: "write", path: path.to_owned(), source };
        let is_npy = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("npy"));
        let bytes = if is_npy {
            npy::write(self).map_err(|reason| TableError::Unsupported { path: path.to_owned(), reason })?
        } else {
            csv::write(self)
        };
        files::write(path, &bytes).map_err(io)
    }

    /// The table as CSV text.
    pub fn to_csv(&self) -> String {
        String::from_utf8_lossy(&csv::write(self)).into_owned()
    }
}

/// A folder of PNG files.
fn of_folder(path: &Path) -> Result<Table, TableError> {
    let pictures::ClassedPictures { pictures, classes, notes } = pictures::read_folder(path)?;
    let table = pictures.to_table(Some(Values::Text(classes)));
    let table = table.map_err(|reason| TableError::Malformed { path: path.to_owned(), reason })?;
    Ok(table.with_notes(notes))
}

/// An IDX file of pictures, with the labels beside it.
fn of_images(path: &Path) -> Result<Table, TableError> {
    let pictures = pictures::read_images(path)?;
    let labels = pictures::labels_beside(path).map(|path| pictures::read_labels(&path)).transpose()?;
    let labels = labels.map(|labels| Values::Numbers(labels.into_iter().map(f64::from).collect()));
    pictures.to_table(labels).map_err(|reason| TableError::Malformed { path: path.to_owned(), reason })
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "a test makes its files")]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<Table, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        Table::read(file.path()).map_err(|error| error.to_string())
    }

    fn table() -> Table {
        let column = |name: &str, values| Column { name: name.to_owned(), values };
        Table::new(vec![
            column("x", Values::Numbers(vec![1.0, -0.25, 1e-9])),
            column("kind, quoted", Values::Text(vec!["a".into(), "b \"c\"".into(), "d\ne".into()])),
        ])
        .unwrap()
    }

    #[test]
    fn csv_comes_back() {
        assert_eq!(read(table().to_csv().as_bytes()).unwrap(), table());
    }

    #[test]
    fn a_csv_without_a_head_has_numbers_for_names() {
        let table = read(b"1,2.5\n3,-4e2\n").unwrap();
        assert_eq!(table.rows(), 2);
        assert_eq!(table.column("2").unwrap().values, Values::Numbers(vec![2.5, -400.0]));
    }

    #[test]
    fn broken_lines_are_named() {
        for (text, expected) in [
            ("a,b\n1,2\n3\n", "line 3"),
            ("a,b\n1,2\n3,inf\n", "row 2, column `b`: `inf`"),
            ("a,a\n1,2\n", "two columns are named `a`"),
            ("", "no rows"),
            ("a,b\n", "no rows"),
            ("a,b\n\u{0}\"", "line"),
        ] {
            let error = read(text.as_bytes()).unwrap_err();
            assert!(error.contains(expected), "{text:?}: {error}");
        }
        assert!(read(b"a\n\xff\xfe\n").unwrap_err().contains("line 2"));
    }

    #[test]
    fn separators_and_decimal_commas_are_found_out_and_said() {
        let numbers = |values: &[f64]| Values::Numbers(values.to_vec());
        for (text, expected) in [
            ("x;y\n1,5;2\n-0,25;1e3\n", "columns are separated by `;`, numbers have a decimal comma"),
            ("1,5;2\n-0,25;1e3\n", "columns are separated by `;`, numbers have a decimal comma"),
            ("x\ty\n1.5\t2\n-0.25\t1000\n", "columns are separated by tabs"),
            ("x;y\n1.5;2\n-0.25;1000\n", "columns are separated by `;`"),
            ("x,y\n\"1,5\",2\n\"-0,25\",1000\n", "numbers have a decimal comma"),
        ] {
            let table = read(text.as_bytes()).unwrap();
            assert_eq!(table.notes(), [expected], "{text:?}");
            assert_eq!(table.columns()[0].values, numbers(&[1.5, -0.25]), "{text:?}");
            assert_eq!(table.columns()[1].values, numbers(&[2.0, 1000.0]), "{text:?}");
        }
        let with_texts = read(b"x,note\n1,a;b\n2,c;d\n").unwrap();
        assert_eq!((with_texts.columns().len(), with_texts.notes()), (2, &[][..]));
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_refused_until_it_is_said() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let of = |text: &str, format| {
            std::fs::write(file.path(), text).unwrap();
            Table::read_as(file.path(), format)
        };
        let both = "a,b;c,d\n1,5;2,5\n";
        for (text, unsettled, expected) in [
            (both, Unsettled::Separator, "`,` (3 columns) or by `;` (2 columns)"),
            ("x;y\n1,234;2\n", Unsettled::Decimal, "`1,234` in column `x`, row 1"),
            ("x;y\n1,5;2\n1;2.5\n", Unsettled::Decimal, "and `2.5` in column `y`, row 2"),
        ] {
            let error = of(text, CsvFormat::default()).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
            assert!(
                matches!(error, TableError::Ambiguous { unsettled: of, .. } if of == unsettled),
                "{error}"
            );
        }
        let semicolon = CsvFormat { separator: Some(Separator::Semicolon), decimal: Some(Decimal::Comma) };
        let table = of(both, semicolon).unwrap();
        assert_eq!(table.column("c,d").unwrap().values, Values::Numbers(vec![2.5]));
        assert!(table.notes().is_empty(), "it was said");
        let point = CsvFormat { decimal: Some(Decimal::Point), ..CsvFormat::default() };
        let table = of("x;y\n1,234;2\n", point).unwrap();
        assert_eq!(table.column("x").unwrap().values, Values::Text(vec!["1,234".to_owned()]));
    }

    #[test]
    fn a_long_file_is_known_by_its_beginning() {
        let mut text = "x;y\n".to_owned();
        (0..20_000).for_each(|row| text.push_str(&format!("{row},5;{row}\n")));
        let table = read(text.as_bytes()).unwrap();
        assert_eq!((table.rows(), table.columns().len()), (20_000, 2));
    }

    #[test]
    fn what_is_missing_is_known_by_several_names() {
        let table = read(b"x,kind\n1,a\nNaN,?\n,b\nn/a,\n").unwrap();
        let missing = |name: &str| {
            let column = table.column(name).unwrap();
            (0..table.rows()).map(|row| column.values.is_missing(row)).collect::<Vec<_>>()
        };
        assert_eq!(missing("x"), [false, true, true, true]);
        assert_eq!(missing("kind"), [false, true, false, true]);
        assert_eq!(table.to_csv(), "x,kind\n1,a\n,\n,b\n,\n");
        assert!(read(b"1,,3\n4,5,6\n").unwrap().is_unnamed(), "a head has no numbers");
    }

    #[test]
    fn npy_comes_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.npy");
        let column = |name: &str, values| Column { name: name.to_owned(), values: Values::Numbers(values) };
        let table = Table::new(vec![column("1", vec![1.0, 2.0]), column("2", vec![0.5, -3.25])]).unwrap();
        let table = table.without_names();
        table.write(&path).unwrap();
        assert_eq!(Table::read(&path).unwrap(), table);
    }

    #[test]
    fn npy_of_other_types_and_orders() {
        let file = |header: &str, data: &[u8]| {
            let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
            bytes.extend(u16::try_from(header.len()).unwrap().to_le_bytes());
            bytes.extend(header.as_bytes());
            bytes.extend(data);
            bytes
        };
        let fortran = file("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 2), }\n", &[1, 2, 3, 4]);
        let table = read(&fortran).unwrap();
        assert_eq!(table.column("2").unwrap().values, Values::Numbers(vec![3.0, 4.0]));
        let flat = file("{'descr': '<i2', 'fortran_order': False, 'shape': (2,), }\n", &[1, 0, 255, 255]);
        assert_eq!(read(&flat).unwrap().column("1").unwrap().values, Values::Numbers(vec![1.0, -1.0]));
        for (header, data, expected) in [
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (9, 9), }\n", &[0; 8][..], "torn"),
            ("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }\n", &[0; 8], "`|O`"),
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 1), }\n", &[0; 4], "dimensions"),
            (
                "{'descr': '<f4', 'fortran_order': False, 'shape': (18446744073709551615, 8), }\n",
                &[0; 4],
                "large",
            ),
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }\n", &[0, 0, 128, 127], "row 1"),
            ("nonsense", &[], "header"),
        ] {
            let error = read(&file(header, data)).unwrap_err();
            assert!(error.contains(expected), "{header}: {error}");
        }
    }
}
