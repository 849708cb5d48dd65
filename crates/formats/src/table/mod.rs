//! Tables of examples: a row for each example, a column for each of its properties.
//!
//! Read from CSV and NPY files, told apart by their first bytes, and written as either, told apart
//! by the ending of the name.

mod csv;
mod npy;

use std::io::Read;
use std::path::{Path, PathBuf};

use crate::files;

/// A file is never longer: bytes.
const FILE_LIMIT: u64 = 4 << 30;
/// A table never has more columns.
const COLUMNS_LIMIT: usize = 1_000_000;

/// Named columns of equal length.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Table {
    columns: Vec<Column>,
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
    /// All of them are numbers, none is infinite or NaN.
    Numbers(Vec<f64>),
    /// At least one is not a number.
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
    /// The table cannot be written in this format.
    #[error("`{}` cannot be written: {reason}", path.display())]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
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

    /// The value of a row as text.
    pub fn text(&self, row: usize) -> String {
        match self {
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
        Ok(Self { columns })
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

    /// Reads a CSV or NPY file.
    ///
    /// # Errors
    /// When it cannot be read, or is not well formed; says at which line.
    pub fn read(path: &Path) -> Result<Self, TableError> {
        let io = |source| TableError::Io { action: "read", path: path.to_owned(), source };
        let malformed = |reason| TableError::Malformed { path: path.to_owned(), reason };
        let len = files::len(path).map_err(io)?;
        if len > FILE_LIMIT {
            return Err(malformed(format!("it has {len} bytes, at most {FILE_LIMIT} are read")));
        }
        // Opened once, as what comes through a pipe comes once; and bounded, as a pipe has no length.
        let mut file = files::open(path).map_err(io)?.take(FILE_LIMIT);
        let mut head = Vec::new();
        file.by_ref().take(npy::MAGIC.len() as u64).read_to_end(&mut head).map_err(io)?;
        let is_npy = head == npy::MAGIC;
        let whole = head.as_slice().chain(file);
        let table = if is_npy { npy::read(whole) } else { csv::read(whole) };
        table.map_err(malformed)
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
            ("a,b\n1,2\n3,nan\n", "line 3, column `b`"),
            ("a,b\n1,inf\n", "line 2, column `b`"),
            ("a,b\n1,2\n,3\n", "line 3, column `a`"),
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
    fn npy_comes_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.npy");
        let column = |name: &str, values| Column { name: name.to_owned(), values: Values::Numbers(values) };
        let table = Table::new(vec![column("1", vec![1.0, 2.0]), column("2", vec![0.5, -3.25])]).unwrap();
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
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }\n", &[0, 0, 192, 127], "row 1"),
            ("nonsense", &[], "header"),
        ] {
            let error = read(&file(header, data)).unwrap_err();
            assert!(error.contains(expected), "{header}: {error}");
        }
    }
}
