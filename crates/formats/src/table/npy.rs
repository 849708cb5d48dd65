//! NPY: one array of NumPy in a file.
//!
//! Format: NumPy Enhancement Proposal 1. Arrays of one or two dimensions, little-endian.

use std::io::Read;

use super::{COLUMNS_LIMIT, Column, Table, Values};

/// The first bytes of a file.
pub(super) const MAGIC: &[u8] = b"\x93NUMPY";

/// A header is never longer: bytes.
const HEADER_LIMIT: usize = 1 << 16;

pub(super) fn read(mut file: impl Read) -> Result<Table, String> {
    let torn = |_: std::io::Error| "it is torn: it ends within its header".to_owned();
    let mut head = [0; 8];
    file.read_exact(&mut head).map_err(torn)?;
    let length_bytes = match head[6] {
        1 => 2,
        2 | 3 => 4,
        version => return Err(format!("NPY version {version} is not known")),
    };
    let mut length = [0; 4];
    file.read_exact(&mut length[..length_bytes]).map_err(torn)?;
    let header_length = u32::from_le_bytes(length) as usize;
    if header_length > HEADER_LIMIT {
        return Err(format!("its header claims {header_length} bytes, at most {HEADER_LIMIT} are read"));
    }
    let mut header = vec![0; header_length];
    file.read_exact(&mut header).map_err(torn)?;
    let header = Header::parse(&String::from_utf8_lossy(&header))?;
    let data_length = header.data_length()?;
    // No more is allocated than the file has, whatever its header claims.
    let mut data = Vec::new();
    file.take(data_length).read_to_end(&mut data).map_err(|error| error.to_string())?;
    if (data.len() as u64) < data_length {
        let len = data.len();
        return Err(format!("it is torn: its header claims {data_length} bytes of numbers, there are {len}"));
    }
    header.table(&data)
}

/// What the header says.
struct Header {
    element: Element,
    fortran_order: bool,
    rows: u64,
    columns: u64,
}

/// Reads an element of so many bytes.
#[derive(Clone, Copy)]
struct Element {
    size: usize,
    read: fn(&[u8]) -> f64,
}

impl Header {
    /// Parses the Python dictionary, such as
    /// `{'descr': '<f4', 'fortran_order': False, 'shape': (194, 3), }`.
    fn parse(header: &str) -> Result<Self, String> {
        let value = |key: &str| {
            let rest = header.split_once(&format!("'{key}':"));
            rest.map(|(_, rest)| rest.trim_start()).ok_or_else(|| format!("its header has no `{key}`"))
        };
        let name = value("descr")?.trim_start_matches('\'').split('\'').next().unwrap_or_default();
        let shape = value("shape")?.trim_start_matches('(').split(')').next().unwrap_or_default();
        let shape: Result<Vec<u64>, _> =
            shape.split(',').map(str::trim).filter(|extent| !extent.is_empty()).map(str::parse).collect();
        let shape = shape.map_err(|_| "the shape in its header cannot be read".to_owned())?;
        let (rows, columns) = match *shape {
            [rows] => (rows, 1),
            [rows, columns] => (rows, columns),
            _ => return Err(format!("it has {} dimensions; a table has one or two", shape.len())),
        };
        if columns > COLUMNS_LIMIT as u64 {
            return Err(format!("it has {columns} columns, at most {COLUMNS_LIMIT} are read"));
        }
        if rows == 0 || columns == 0 {
            return Err("it has no rows".to_owned());
        }
        Ok(Self {
            element: Element::of(name)?,
            fortran_order: value("fortran_order")?.starts_with("True"),
            rows,
            columns,
        })
    }

    fn data_length(&self) -> Result<u64, String> {
        let elements = self.rows.checked_mul(self.columns);
        let bytes = elements.and_then(|count| count.checked_mul(self.element.size as u64));
        bytes.ok_or_else(|| "the shape in its header is too large".to_owned())
    }

    fn table(&self, data: &[u8]) -> Result<Table, String> {
        let (rows, columns) = (self.rows as usize, self.columns as usize);
        let mut table = Vec::with_capacity(columns);
        for column in 0..columns {
            let mut numbers = Vec::with_capacity(rows);
            for row in 0..rows {
                let index = if self.fortran_order { column * rows + row } else { row * columns + column };
                let bytes = &data[index * self.element.size..][..self.element.size];
                let number = (self.element.read)(bytes);
                // NaN is how arrays say that a number is missing.
                if number.is_infinite() {
                    return Err(format!("row {}, column {} is {number}", row + 1, column + 1));
                }
                numbers.push(number);
            }
            table.push(Column { name: (column + 1).to_string(), values: Values::Numbers(numbers) });
        }
        Table::new(table).map(Table::without_names)
    }
}

impl Element {
    fn of(name: &str) -> Result<Self, String> {
        macro_rules! element {
            ($type:ty) => {
                Self {
                    size: size_of::<$type>(),
                    read: |bytes| <$type>::from_le_bytes(bytes.try_into().unwrap_or_default()) as f64,
                }
            };
        }
        Ok(match name {
            "<f4" => element!(f32),
            "<f8" => element!(f64),
            "|i1" => element!(i8),
            "<i2" => element!(i16),
            "<i4" => element!(i32),
            "<i8" => element!(i64),
            "|u1" | "|b1" => element!(u8),
            "<u2" => element!(u16),
            "<u4" => element!(u32),
            "<u8" => element!(u64),
            name => {
                return Err(format!(
                    "elements of type `{name}` are not read; save it as float32 or float64, little-endian"
                ));
            }
        })
    }
}

/// The table as an array of `float64`.
pub(super) fn write(table: &Table) -> Result<Vec<u8>, String> {
    let columns: Result<Vec<&Vec<f64>>, String> = table
        .columns()
        .iter()
        .map(|column| match &column.values {
            Values::Numbers(numbers) => Ok(numbers),
            Values::Text(_) => {
                Err(format!("column `{}` has text, and NPY holds numbers; write CSV instead", column.name))
            }
        })
        .collect();
    let columns = columns?;
    let shape = format!("({}, {})", table.rows(), columns.len());
    let mut header = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}");
    // The numbers begin at a multiple of 64.
    let unpadded = MAGIC.len() + 2 + 2 + header.len() + 1;
    header.extend(std::iter::repeat_n(' ', unpadded.next_multiple_of(64) - unpadded));
    header.push('\n');
    let mut bytes = MAGIC.to_vec();
    bytes.extend([1, 0]);
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    for row in 0..table.rows() {
        bytes.extend(columns.iter().flat_map(|column| column[row].to_le_bytes()));
    }
    Ok(bytes)
}
