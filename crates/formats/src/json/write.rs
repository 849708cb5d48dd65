//! Writing the JSON form: streamed, one array in memory at a time.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;

use rekindle::tree::{ArrayRef, ArrayType, DType, Scalar, StoredTree};
use rekindle::{Checkpoint, EntryPath, Node};

use super::MARK;
use crate::document::{FormatError, Header};
use crate::files::NewFile;

pub(super) fn write(checkpoint: &Checkpoint<'_>, path: &Path) -> Result<(), FormatError> {
    let mut file = NewFile::create(path).map_err(|error| FormatError::write(path, error))?;
    write_document(checkpoint, &mut file, path)?;
    file.finish().map_err(|error| FormatError::write(path, error))
}

pub(super) fn write_gzip(checkpoint: &Checkpoint<'_>, path: &Path) -> Result<(), FormatError> {
    let failed = |error| FormatError::write(path, error);
    let encoder = GzEncoder::new(NewFile::create(path).map_err(failed)?, Compression::default());
    // A number is written in a few bytes, which the encoder takes one call at a time.
    let mut buffered = BufWriter::new(encoder);
    write_document(checkpoint, &mut buffered, path)?;
    let encoder = buffered.into_inner().map_err(|error| failed(error.into_error()))?;
    encoder.finish().and_then(NewFile::finish).map_err(failed)
}

fn write_document(checkpoint: &Checkpoint<'_>, out: &mut impl Write, path: &Path) -> Result<(), FormatError> {
    let failed = |error| FormatError::write(path, error);
    let tree = checkpoint.tree()?;
    let header =
        serde_json::to_string_pretty(&Header::of(checkpoint)).map_err(|error| failed(error.into()))?;
    write!(out, "{{\n\"{MARK}\": 1,\n\"checkpoint\": {header},\n\"state\": ").map_err(failed)?;
    let mut elements =
        |out: &mut _, path: &EntryPath, array: &ArrayRef| write_array(checkpoint, out, path, array);
    write_tree(&tree, out, &mut elements).map_err(|error| error.at(path))?;
    out.write_all(b"\n}\n").map_err(failed)
}

/// Writes the JSON form of `tree`; `array` writes what stands for an array.
pub(crate) fn write_tree<W: Write>(
    tree: &StoredTree,
    out: &mut W,
    array: &mut ArrayForm<'_, W>,
) -> Result<(), Failure> {
    Writer { out, array, path: EntryPath::root(), indent: 0 }.node(tree)
}

type ArrayForm<'a, W> = dyn FnMut(&mut W, &EntryPath, &ArrayRef) -> Result<(), Failure> + 'a;

fn write_array(
    checkpoint: &Checkpoint<'_>,
    out: &mut impl Write,
    path: &EntryPath,
    array: &ArrayRef,
) -> Result<(), Failure> {
    let bytes = checkpoint.read_array(path, array)?;
    let ArrayType { dtype, shape } = array.kind();
    write!(out, "{{\"$array\": \"{dtype}\", \"shape\": {shape:?}, \"data\": [")?;
    for (position, element) in bytes.chunks_exact(dtype.size()).enumerate() {
        if position > 0 {
            out.write_all(b",")?;
        }
        write_element(*dtype, element, out)?;
    }
    Ok(out.write_all(b"]}")?)
}

pub(crate) enum Failure {
    Io(io::Error),
    Read(rekindle::ReadError),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<rekindle::ReadError> for Failure {
    fn from(error: rekindle::ReadError) -> Self {
        Self::Read(error)
    }
}

impl Failure {
    /// The failure as one of writing the file at `path`.
    pub fn at(self, path: &Path) -> FormatError {
        match self {
            Self::Io(error) => FormatError::write(path, error),
            Self::Read(error) => error.into(),
        }
    }
}

struct Writer<'a, 'b, W> {
    out: &'a mut W,
    array: &'a mut ArrayForm<'b, W>,
    path: EntryPath,
    indent: usize,
}

impl<W: Write> Writer<'_, '_, W> {
    fn node(&mut self, node: &StoredTree) -> Result<(), Failure> {
        match node {
            Node::Null => self.out.write_all(b"null")?,
            Node::Scalar(scalar) => self.scalar(scalar)?,
            Node::Array(array) => (self.array)(self.out, &self.path, array)?,
            Node::Some(content) => {
                self.out.write_all(b"{\"$some\": ")?;
                self.node(content)?;
                self.out.write_all(b"}")?;
            }
            Node::Variant(name, content) => {
                write!(self.out, "{{\"$variant\": {}, \"content\": ", quoted(name))?;
                self.below(name, content)?;
                self.out.write_all(b"}")?;
            }
            Node::List(items) => {
                let items: Vec<_> = items.iter().enumerate().collect();
                self.lines("[", "]", &items, |writer, (position, item)| {
                    writer.below(&position.to_string(), item)
                })?;
            }
            Node::Struct(fields) => self.lines("{", "}", fields, |writer, (name, field)| {
                let escape = if name.starts_with('$') { "$" } else { "" };
                write!(writer.out, "{}: ", quoted(&format!("{escape}{name}")))?;
                writer.below(name, field)
            })?,
            Node::Map(entries) => self.lines("{\"$map\": [", "]}", entries, |writer, (key, value)| {
                writer.out.write_all(b"[")?;
                writer.scalar(key)?;
                writer.out.write_all(b", ")?;
                writer.below(&key.to_string(), value)?;
                Ok(writer.out.write_all(b"]")?)
            })?,
        }
        Ok(())
    }

    fn below(&mut self, segment: &str, node: &StoredTree) -> Result<(), Failure> {
        self.path.push(segment);
        self.node(node)?;
        self.path.pop();
        Ok(())
    }

    /// Items between brackets, each on a line of its own.
    fn lines<T>(
        &mut self,
        open: &str,
        close: &str,
        items: &[T],
        write: impl Fn(&mut Self, &T) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        self.out.write_all(open.as_bytes())?;
        self.indent += 1;
        for (position, item) in items.iter().enumerate() {
            let comma = if position > 0 { "," } else { "" };
            write!(self.out, "{comma}\n{:1$}", "", 2 * self.indent)?;
            write(self, item)?;
        }
        self.indent -= 1;
        if !items.is_empty() {
            write!(self.out, "\n{:1$}", "", 2 * self.indent)?;
        }
        Ok(self.out.write_all(close.as_bytes())?)
    }

    fn scalar(&mut self, scalar: &Scalar) -> Result<(), Failure> {
        match scalar {
            Scalar::Bool(value) => write!(self.out, "{value}")?,
            Scalar::Str(text) => write!(self.out, "{}", quoted(text))?,
            Scalar::Char(character) => write!(self.out, "{{\"$char\": {}}}", quoted(&character.to_string()))?,
            number => {
                write!(self.out, "{{\"${}\": ", number.type_name())?;
                write_number(number, self.out)?;
                self.out.write_all(b"}")?;
            }
        }
        Ok(())
    }
}

pub(crate) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn write_number(number: &Scalar, out: &mut impl Write) -> io::Result<()> {
    const EXACT: u64 = 1 << 53;
    match number {
        Scalar::F32(value) => write_f32(*value, out),
        Scalar::F64(value) if value.is_nan() => write!(out, "\"nan:{:016x}\"", value.to_bits()),
        Scalar::F64(value) if value.is_infinite() => write!(out, "\"{value}\""),
        Scalar::F64(value) => write!(out, "{value:?}"),
        Scalar::I64(value) if value.unsigned_abs() > EXACT => write!(out, "\"{value}\""),
        Scalar::U64(value) if *value > EXACT => write!(out, "\"{value}\""),
        Scalar::I128(value) => write!(out, "\"{value}\""),
        Scalar::U128(value) => write!(out, "\"{value}\""),
        other => write!(out, "{other}"),
    }
}

fn write_f32(value: f32, out: &mut impl Write) -> io::Result<()> {
    if value.is_nan() {
        write!(out, "\"nan:{:08x}\"", value.to_bits())
    } else if value.is_infinite() {
        write!(out, "\"{value}\"")
    } else {
        // The shortest digits that give this number back.
        write!(out, "{value:?}")
    }
}

fn write_element(dtype: DType, bytes: &[u8], out: &mut impl Write) -> io::Result<()> {
    match (dtype, bytes) {
        (DType::Bool, [byte @ 0..=1]) => write!(out, "{}", *byte == 1),
        (DType::F32, &[a, b, c, d]) => write_f32(f32::from_le_bytes([a, b, c, d]), out),
        (DType::F64, _) => write_number(&Scalar::F64(dtype.to_f64(bytes)), out),
        (DType::I64, bytes) => write_number(&Scalar::I64(i64::from_le_bytes(eight(bytes))), out),
        (DType::U64, bytes) => write_number(&Scalar::U64(u64::from_le_bytes(eight(bytes))), out),
        // A NaN of half precision keeps its bits only in its own width.
        (DType::F16 | DType::BF16, &[low, high]) if dtype.to_f64(bytes).is_nan() => {
            write!(out, "\"nan:{high:02x}{low:02x}\"")
        }
        (DType::F16 | DType::BF16, _) => write_f32(dtype.to_f64(bytes) as f32, out),
        (_, bytes) => write!(out, "{}", dtype.to_f64(bytes)),
    }
}

fn eight(bytes: &[u8]) -> [u8; 8] {
    std::array::from_fn(|i| bytes.get(i).copied().unwrap_or(0))
}
