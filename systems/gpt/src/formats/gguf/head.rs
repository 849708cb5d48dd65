//! What stands before the tensors of a file, read.

use std::collections::BTreeMap;
use std::path::Path;

use super::super::bytes::Bytes;
use super::super::error::ModelFileError;
use super::{ALIGNMENT, MAGIC, VERSION, metadata};

/// No tensor has more extents.
const DIMENSIONS: u32 = 4;
/// No alignment is larger: bytes.
const LARGEST_ALIGNMENT: u64 = 1 << 16;
const ALIGNMENT_KEY: &str = "general.alignment";

/// Metadata, and where the tensors are.
#[derive(Debug)]
pub(super) struct Head<'a> {
    pub path: &'a Path,
    metadata: BTreeMap<&'a str, Value<'a>>,
    /// By their names.
    pub tensors: BTreeMap<&'a str, Entry>,
    /// From where on offsets count: bytes.
    start: usize,
    alignment: u64,
}

/// A value of the metadata.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value<'a> {
    Whole(i128),
    Real(f64),
    Bool(bool),
    Text(&'a str),
    Texts(Vec<&'a str>),
    Wholes(Vec<i128>),
    /// A list that nothing here asks for.
    Other,
}

/// What is said of a tensor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// Extents; the last varies fastest.
    pub shape: Vec<u64>,
    /// Number of its type.
    pub code: u32,
    /// Behind the head: bytes.
    pub offset: u64,
}

impl<'a> Head<'a> {
    /// Reads the head of a file; whatever it says is compared with the length of the file.
    ///
    /// # Errors
    /// When it is torn, of another version, or contradicts itself.
    pub fn read(path: &'a Path, file: &'a [u8]) -> Result<Self, ModelFileError> {
        let mut bytes = Bytes::new(path, file);
        check_version(&mut bytes)?;
        let tensors = bytes.u64(&|| "the number of tensors".to_owned())?;
        let entries = bytes.u64(&|| "the number of metadata".to_owned())?;
        let metadata = read_metadata(&mut bytes, entries)?;
        let tensors = read_tensors(&mut bytes, tensors)?;
        let mut head = Self { path, metadata, tensors, start: 0, alignment: ALIGNMENT as u64 };
        if let Some(alignment) = head.whole(ALIGNMENT_KEY)? {
            if !alignment.is_power_of_two() || alignment > LARGEST_ALIGNMENT {
                let expected = format!("a power of two up to {LARGEST_ALIGNMENT} is possible");
                return Err(ModelFileError::malformed(path, ALIGNMENT_KEY, alignment, expected));
            }
            head.alignment = alignment;
        }
        head.start = bytes.offset().next_multiple_of(head.alignment as usize);
        Ok(head)
    }

    /// The bytes of a tensor, in the file that the head is of.
    ///
    /// # Errors
    /// When they are not all in the file, or do not begin where tensors do.
    pub fn bytes(
        &self,
        name: &str,
        entry: &Entry,
        file: &'a [u8],
        len: u64,
    ) -> Result<&'a [u8], ModelFileError> {
        let location = format!("tensor `{name}`");
        if !entry.offset.is_multiple_of(self.alignment) {
            let expected = format!("tensors begin at multiples of {}", self.alignment);
            return Err(ModelFileError::malformed(
                self.path,
                location,
                format!("at byte {}", entry.offset),
                expected,
            ));
        }
        let start = (self.start as u64).saturating_add(entry.offset);
        let left = (file.len() as u64).saturating_sub(start);
        if len > left {
            return Err(ModelFileError::Torn { path: self.path.to_owned(), location, needed: len, left });
        }
        Ok(&file[start as usize..(start + len) as usize])
    }

    /// A number of the metadata that is not negative; none when it is not there.
    ///
    /// # Errors
    /// When it is something else.
    pub fn whole(&self, key: &str) -> Result<Option<u64>, ModelFileError> {
        match self.metadata.get(key) {
            None => Ok(None),
            Some(Value::Whole(number)) if u64::try_from(*number).is_ok() => Ok(Some(*number as u64)),
            Some(other) => Err(self.other_type(key, other, "it must be a whole number")),
        }
    }

    pub fn real(&self, key: &str) -> Result<Option<f64>, ModelFileError> {
        match self.metadata.get(key) {
            None => Ok(None),
            Some(Value::Real(number)) => Ok(Some(*number)),
            Some(other) => Err(self.other_type(key, other, "it must be a floating-point number")),
        }
    }

    pub fn bool(&self, key: &str) -> Result<Option<bool>, ModelFileError> {
        match self.metadata.get(key) {
            None => Ok(None),
            Some(Value::Bool(value)) => Ok(Some(*value)),
            Some(other) => Err(self.other_type(key, other, "it must be true or false")),
        }
    }

    pub fn text(&self, key: &str) -> Result<Option<&'a str>, ModelFileError> {
        match self.metadata.get(key) {
            None => Ok(None),
            Some(Value::Text(text)) => Ok(Some(text)),
            Some(other) => Err(self.other_type(key, other, "it must be a text")),
        }
    }

    pub fn texts(&self, key: &str) -> Result<Option<&[&'a str]>, ModelFileError> {
        match self.metadata.get(key) {
            None => Ok(None),
            Some(Value::Texts(texts)) => Ok(Some(texts)),
            Some(other) => Err(self.other_type(key, other, "it must be a list of texts")),
        }
    }

    pub fn wholes(&self, key: &str) -> Result<Option<&[i128]>, ModelFileError> {
        match self.metadata.get(key) {
            None => Ok(None),
            Some(Value::Wholes(numbers)) => Ok(Some(numbers)),
            Some(other) => Err(self.other_type(key, other, "it must be a list of whole numbers")),
        }
    }

    fn other_type(&self, key: &str, found: &Value<'_>, expected: &str) -> ModelFileError {
        let found = match found {
            Value::Whole(number) => number.to_string(),
            Value::Real(number) => number.to_string(),
            Value::Bool(value) => value.to_string(),
            Value::Text(_) => "a text".to_owned(),
            Value::Texts(_) | Value::Wholes(_) | Value::Other => "a list".to_owned(),
        };
        ModelFileError::malformed(self.path, format!("`{key}`"), found, expected)
    }
}

fn check_version(bytes: &mut Bytes<'_>) -> Result<(), ModelFileError> {
    let path = bytes.path;
    let magic = bytes.take(MAGIC.len() as u64, &|| "the first bytes".to_owned())?;
    if magic != MAGIC {
        return Err(ModelFileError::malformed(
            path,
            "the first bytes",
            "others",
            "a GGUF file begins with `GGUF`",
        ));
    }
    match bytes.u32(&|| "the version".to_owned())? {
        2 | VERSION => Ok(()),
        version if [2, VERSION].contains(&version.swap_bytes()) => {
            let found = "numbers with the most significant byte first";
            Err(ModelFileError::unsupported(
                path,
                found,
                "only files with the least significant byte first are read",
            ))
        }
        version => {
            let found = format!("version {version} of GGUF");
            Err(ModelFileError::unsupported(
                path,
                found,
                "the versions 2 and 3 are read; convert the model anew",
            ))
        }
    }
}

fn read_metadata<'a>(
    bytes: &mut Bytes<'a>,
    count: u64,
) -> Result<BTreeMap<&'a str, Value<'a>>, ModelFileError> {
    let mut metadata = BTreeMap::new();
    for index in 0..count {
        let key = text(bytes, &|| format!("the name of metadata {index}"))?;
        let location = || format!("`{key}`");
        let kind = bytes.u32(&location)?;
        let value = value(bytes, kind, &location)?;
        if metadata.insert(key, value).is_some() {
            return Err(ModelFileError::malformed(
                bytes.path,
                location(),
                "there twice",
                "each is there once",
            ));
        }
    }
    Ok(metadata)
}

fn value<'a>(
    bytes: &mut Bytes<'a>,
    kind: u32,
    location: &dyn Fn() -> String,
) -> Result<Value<'a>, ModelFileError> {
    Ok(match kind {
        metadata::BOOL => Value::Bool(bytes.u8(location)? != 0),
        metadata::F32 => Value::Real(bytes.f32(location)?.into()),
        metadata::F64 => Value::Real(f64::from_bits(bytes.u64(location)?)),
        metadata::TEXT => Value::Text(text(bytes, location)?),
        metadata::LIST => list(bytes, location)?,
        kind => Value::Whole(whole(bytes, kind, location)?),
    })
}

fn list<'a>(bytes: &mut Bytes<'a>, location: &dyn Fn() -> String) -> Result<Value<'a>, ModelFileError> {
    let kind = bytes.u32(location)?;
    let len = bytes.u64(location)?;
    // Nothing is reserved for `len`: what is there is read until the file ends.
    let size = match kind {
        metadata::TEXT => {
            return (0..len).map(|_| text(bytes, location)).collect::<Result<_, _>>().map(Value::Texts);
        }
        metadata::U32 | metadata::I32 => {
            let numbers = (0..len).map(|_| whole(bytes, kind, location)).collect::<Result<_, _>>();
            return numbers.map(Value::Wholes);
        }
        metadata::U8 | metadata::I8 | metadata::BOOL => 1,
        metadata::U16 | metadata::I16 => 2,
        metadata::F32 => 4,
        metadata::U64 | metadata::I64 | metadata::F64 => 8,
        other => {
            let found = format!("a list of the type {other} at {}", location());
            return Err(ModelFileError::unsupported(
                bytes.path,
                found,
                "lists of numbers and of texts are read",
            ));
        }
    };
    bytes.take(len.saturating_mul(size), location).map(|_| Value::Other)
}

fn whole(bytes: &mut Bytes<'_>, kind: u32, location: &dyn Fn() -> String) -> Result<i128, ModelFileError> {
    Ok(match kind {
        metadata::U8 => bytes.u8(location)?.into(),
        metadata::I8 => (bytes.u8(location)? as i8).into(),
        metadata::U16 => bytes.u16(location)?.into(),
        metadata::I16 => (bytes.u16(location)? as i16).into(),
        metadata::U32 => bytes.u32(location)?.into(),
        metadata::I32 => (bytes.u32(location)? as i32).into(),
        metadata::U64 => bytes.u64(location)?.into(),
        metadata::I64 => (bytes.u64(location)? as i64).into(),
        other => {
            let expected = "0 to 12 are the types of metadata";
            return Err(ModelFileError::malformed(
                bytes.path,
                location(),
                format!("of type {other}"),
                expected,
            ));
        }
    })
}

fn text<'a>(bytes: &mut Bytes<'a>, location: &dyn Fn() -> String) -> Result<&'a str, ModelFileError> {
    let len = bytes.u64(location)?;
    let path = bytes.path;
    str::from_utf8(bytes.take(len, location)?)
        .map_err(|error| ModelFileError::malformed(path, location(), error, "texts are UTF-8"))
}

fn read_tensors<'a>(bytes: &mut Bytes<'a>, count: u64) -> Result<BTreeMap<&'a str, Entry>, ModelFileError> {
    let mut tensors = BTreeMap::new();
    for index in 0..count {
        let name = text(bytes, &|| format!("the name of tensor {index}"))?;
        let location = || format!("tensor `{name}`");
        let dimensions = bytes.u32(&location)?;
        if dimensions > DIMENSIONS {
            let expected = format!("at most {DIMENSIONS} are possible");
            return Err(ModelFileError::malformed(
                bytes.path,
                location(),
                format!("of {dimensions} extents"),
                expected,
            ));
        }
        let mut shape = (0..dimensions).map(|_| bytes.u64(&location)).collect::<Result<Vec<_>, _>>()?;
        shape.reverse();
        let entry = Entry { shape, code: bytes.u32(&location)?, offset: bytes.u64(&location)? };
        if tensors.insert(name, entry).is_some() {
            return Err(ModelFileError::malformed(
                bytes.path,
                location(),
                "there twice",
                "each is there once",
            ));
        }
    }
    Ok(tensors)
}
