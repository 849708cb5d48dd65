//! Groups, attributes and arrays of an open file, each read with its limits and named in its errors.

use std::cell::Cell;
use std::collections::{HashMap, HashSet};

use hdf5_pure::{AttrValue, Dataset, Datatype, Error, FormatError, Group, Layout, VlenStringReadOptions};

use super::checksum;
use super::error::{Fault, Problem};
use super::limits::{
    MAX_ARRAY_BYTES, MAX_ATTRIBUTE_TEXT, MAX_HISTORY, MAX_LISTED, MAX_TEXT_BYTES, is_attribute_text,
};

type Found<T> = Result<T, Fault>;

/// Bytes that arrays may still take, over the whole file.
pub(super) struct Allowance(Cell<u64>);

impl Allowance {
    pub(super) fn whole() -> Self {
        Self(Cell::new(MAX_ARRAY_BYTES))
    }

    fn take(&self, bytes: u64) -> Result<(), Problem> {
        let over = Problem::TooLarge { what: "bytes of arrays", found: bytes, limit: self.0.get() };
        self.0.set(self.0.get().checked_sub(bytes).ok_or(over)?);
        Ok(())
    }
}

/// A group of the file.
pub(super) struct Folder<'a> {
    group: Group,
    attributes: HashMap<String, AttrValue>,
    path: String,
    allowance: &'a Allowance,
}

impl<'a> Folder<'a> {
    /// The group at `path` of the file, whose root is the empty path.
    pub(super) fn new(group: Group, path: &str, allowance: &'a Allowance) -> Found<Self> {
        let attributes = group.attrs().map_err(|error| Fault::at(shown(path), damaged(&error)))?;
        Ok(Self { group, attributes, path: path.to_owned(), allowance })
    }

    /// Its path, for errors.
    pub(super) fn path(&self) -> &str {
        shown(&self.path)
    }

    fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}/{name}", self.path) }
    }

    /// A group in it that may be missing.
    pub(super) fn folder(&self, name: &str) -> Found<Option<Self>> {
        let path = self.path_of(name);
        match self.group.group(name) {
            Ok(group) => Self::new(group, &path, self.allowance).map(Some),
            Err(Error::Format(FormatError::PathNotFound(_))) => Ok(None),
            Err(Error::NotAGroup(_)) => Err(wrong_type(path, "a group", "none")),
            Err(error) => Err(Fault::at(path, damaged(&error))),
        }
    }

    /// A group in it that must be there.
    pub(super) fn required_folder(&self, name: &str) -> Found<Self> {
        self.folder(name)?.ok_or_else(|| Fault::at(self.path_of(name), Problem::Missing))
    }

    /// All groups in it, in no particular order.
    ///
    /// One walk over a large group: to look up each of its members takes a walk for every one.
    pub(super) fn folders(&self) -> Found<Vec<(String, Self)>> {
        let groups = self.group.iter_groups().map_err(|error| self.damaged(&error))?;
        let found = groups.len() as u64;
        if found > MAX_LISTED as u64 {
            let problem = Problem::TooLarge { what: "groups", found, limit: MAX_LISTED as u64 };
            return Err(Fault::at(self.path(), problem));
        }
        groups
            .map(|(name, group)| {
                let folder = Self::new(group, &self.path_of(&name), self.allowance)?;
                Ok((name, folder))
            })
            .collect()
    }

    /// Names of all groups and datasets in it.
    pub(super) fn names(&self) -> Found<Vec<String>> {
        let mut names = self.group.groups().map_err(|error| self.damaged(&error))?;
        names.extend(self.group.datasets().map_err(|error| self.damaged(&error))?);
        names.sort();
        Ok(names)
    }

    /// True when there is nothing in it, not even an attribute.
    pub(super) fn is_empty(&self) -> Found<bool> {
        Ok(self.attributes.is_empty() && self.names()?.is_empty())
    }

    fn damaged(&self, error: &Error) -> Fault {
        Fault::at(self.path(), damaged(error))
    }

    fn attribute_fault(&self, name: &str, problem: Problem) -> Fault {
        Fault::at(self.attribute_path(name), problem)
    }

    /// Path of an attribute, for errors.
    pub(super) fn attribute_path(&self, name: &str) -> String {
        self.path_of(&format!("@{name}"))
    }

    /// A text attribute.
    pub(super) fn text(&self, name: &str) -> Found<Option<String>> {
        let Some(value) = self.attributes.get(name) else { return Ok(None) };
        match value.as_str() {
            Some(text) if is_attribute_text(text) => Ok(Some(text.to_owned())),
            Some(_) => Err(self.attribute_fault(name, Problem::Text { limit: MAX_ATTRIBUTE_TEXT })),
            None => Err(wrong_type(self.attribute_path(name), "text", value.type_name())),
        }
    }

    /// An attribute that counts something.
    pub(super) fn count(&self, name: &str) -> Found<Option<u64>> {
        let Some(value) = self.attributes.get(name) else { return Ok(None) };
        match (value.as_u64(), value.as_i64()) {
            (Some(count), _) => Ok(Some(count)),
            (None, Some(negative)) => Err(self.attribute_fault(name, Problem::Range(negative.to_string()))),
            (None, None) => Err(wrong_type(self.attribute_path(name), "a whole number", value.type_name())),
        }
    }

    /// An attribute that must be there and counts something.
    pub(super) fn required_count(&self, name: &str) -> Found<u64> {
        self.count(name)?.ok_or_else(|| self.attribute_fault(name, Problem::Missing))
    }

    /// An attribute that measures something; it may be infinite.
    pub(super) fn number(&self, name: &str) -> Found<Option<f64>> {
        let Some(value) = self.attributes.get(name) else { return Ok(None) };
        let number = value.as_f64().or_else(|| value.as_i64().map(|whole| whole as f64));
        match number {
            Some(number) => Ok(Some(number)),
            None => Err(wrong_type(self.attribute_path(name), "a number", value.type_name())),
        }
    }

    /// An attribute that measures something and must be finite.
    pub(super) fn finite(&self, name: &str) -> Found<Option<f64>> {
        match self.number(name)? {
            Some(value) if !value.is_finite() => {
                Err(self.attribute_fault(name, Problem::Range(value.to_string())))
            }
            other => Ok(other),
        }
    }

    /// A dataset in it that may be missing.
    pub(super) fn array(&self, name: &str) -> Found<Option<Array<'a>>> {
        let path = self.path_of(name);
        match self.group.dataset(name) {
            Ok(dataset) => Ok(Some(Array { dataset, path, allowance: self.allowance })),
            Err(Error::Format(FormatError::PathNotFound(_))) => Ok(None),
            Err(Error::NotADataset(_)) => Err(wrong_type(path, "a dataset", "none")),
            Err(error) => Err(Fault::at(path, damaged(&error))),
        }
    }

    /// A dataset in it that must be there.
    pub(super) fn required_array(&self, name: &str) -> Found<Array<'a>> {
        self.array(name)?.ok_or_else(|| Fault::at(self.path_of(name), Problem::Missing))
    }

    /// Its checksums, which older generations lack.
    pub(super) fn checksums(&self) -> Found<Option<Checksums>> {
        let Some(array) = self.array("checksums")? else { return Ok(None) };
        let path = array.path.clone();
        let json = array.text()?;
        match serde_json::from_str(&json) {
            Ok(digests) => Ok(Some(Checksums { digests, path })),
            Err(error) => Err(Fault::at(path, Problem::Json(error.to_string()))),
        }
    }
}

/// The checksums of the arrays of one group.
pub(super) struct Checksums {
    digests: HashMap<String, String>,
    path: String,
}

impl Checksums {
    /// Checks that the array `object` is what was saved as `name`.
    pub(super) fn check(&self, name: &str, object: &str, bytes: &[u8]) -> Found<()> {
        let missing = || Fault::at(format!("{}.{name}", self.path), Problem::Missing);
        let expected = self.digests.get(name).ok_or_else(missing)?;
        let found = checksum::of(bytes);
        if found.eq_ignore_ascii_case(expected) {
            return Ok(());
        }
        Err(Fault::at(object, Problem::Checksum { expected: expected.clone(), found }))
    }
}

/// A dataset of the file, not read yet.
pub(super) struct Array<'a> {
    dataset: Dataset,
    path: String,
    allowance: &'a Allowance,
}

impl Array<'_> {
    fn fault(&self, problem: Problem) -> Fault {
        Fault::at(&self.path, problem)
    }

    fn damaged(&self, error: &Error) -> Fault {
        self.fault(damaged(error))
    }

    fn shape(&self) -> Found<Vec<u64>> {
        self.dataset.shape().map_err(|error| self.damaged(&error))
    }

    /// Its path, for errors.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// 32-bit numbers of one of these shapes, all finite, checked against their checksum.
    pub(super) fn tensor(&self, shapes: &[&[u64]], checksum: Option<(&Checksums, &str)>) -> Found<Vec<f32>> {
        let shape = self.shape()?;
        if !shapes.contains(&shape.as_slice()) {
            return Err(self.fault(Problem::Shape { expected: shapes[0].to_vec(), found: shape }));
        }
        self.expect_type(&hdf5_pure::make_f32_type(), "32-bit floating point, little-endian")?;
        let bytes = self.bytes(&shape, 4)?;
        if let Some((checksums, name)) = checksum {
            checksums.check(name, &self.path, &bytes)?;
        }
        let values =
            bytes.chunks_exact(4).map(|four| f32::from_le_bytes([four[0], four[1], four[2], four[3]]));
        let values: Vec<f32> = values.collect();
        self.all_finite(values.iter().map(|&value| f64::from(value)))?;
        Ok(values)
    }

    /// 64-bit numbers in a row, all finite.
    pub(super) fn series(&self) -> Found<Vec<f64>> {
        let shape = self.shape()?;
        let &[length] = shape.as_slice() else {
            return Err(self.fault(Problem::Shape { expected: vec![0], found: shape }));
        };
        if length > MAX_HISTORY {
            return Err(self.fault(Problem::TooLarge { what: "values", found: length, limit: MAX_HISTORY }));
        }
        self.expect_type(&hdf5_pure::make_f64_type(), "64-bit floating point, little-endian")?;
        let bytes = self.bytes(&shape, 8)?;
        let (values, _) = bytes.as_chunks::<8>();
        let values: Vec<f64> = values.iter().map(|eight| f64::from_le_bytes(*eight)).collect();
        self.all_finite(values.iter().copied())?;
        Ok(values)
    }

    /// A single text.
    pub(super) fn text(&self) -> Found<String> {
        let options =
            VlenStringReadOptions::new().with_max_elements(1).with_max_payload_bytes(MAX_TEXT_BYTES);
        self.check_layout(&self.shape()?, 16)?;
        let texts = self.dataset.read_vlen_strings(options).map_err(|error| self.damaged(&error))?;
        let found = texts.len().to_string();
        texts.into_iter().next().ok_or_else(|| wrong_type(&self.path, "one text", &found))
    }

    fn expect_type(&self, expected: &Datatype, name: &'static str) -> Found<()> {
        let datatype = self.dataset.datatype().map_err(|error| self.damaged(&error))?;
        if datatype == *expected {
            return Ok(());
        }
        Err(wrong_type(&self.path, name, &datatype.to_string()))
    }

    /// Its bytes, of which there are as many as its shape tells, and no more than is allowed.
    fn bytes(&self, shape: &[u64], element: u64) -> Found<Vec<u8>> {
        let expected = self.check_layout(shape, element)?;
        let bytes = self.dataset.read_raw().map_err(|error| self.damaged(&error))?;
        if bytes.len() as u64 != expected {
            let counts = format!("it holds {} bytes of {expected}", bytes.len());
            return Err(self.fault(Problem::Damaged(counts)));
        }
        Ok(bytes)
    }

    /// Bounds what reading it takes, and checks that all of it is there: what was never stored would
    /// be read as zeros.
    fn check_layout(&self, shape: &[u64], element: u64) -> Found<u64> {
        let size = product(shape).and_then(|count| count.checked_mul(element)).unwrap_or(u64::MAX);
        self.allowance.take(size).map_err(|problem| self.fault(problem))?;
        let layout = self.dataset.layout().map_err(|error| self.damaged(&error))?;
        match layout {
            _ if size == 0 => Ok(size),
            Layout::Compact { .. } | Layout::Contiguous { address: Some(_), .. } => Ok(size),
            Layout::Chunked { chunk_shape, .. } => self.check_chunks(shape, &chunk_shape).map(|()| size),
            _ => Err(self.fault(Problem::Damaged("its values were never stored".to_owned()))),
        }
    }

    /// A chunk is decompressed as a whole. None is larger than the array, and they do not overlap, so
    /// that all of them together take no more than a few times as much as the array.
    fn check_chunks(&self, shape: &[u64], chunk_shape: &[u64]) -> Found<()> {
        let fits = chunk_shape.len() == shape.len()
            && chunk_shape.iter().zip(shape).all(|(&chunk, &whole)| 0 < chunk && chunk <= whole);
        if !fits {
            let problem =
                Problem::Damaged(format!("chunks of {chunk_shape:?} do not fit its shape {shape:?}"));
            return Err(self.fault(problem));
        }
        let chunks = self.dataset.chunks().map_err(|error| self.damaged(&error))?;
        let found: HashSet<Vec<u64>> = chunks.iter().map(|chunk| chunk.offset.clone()).collect();
        let grid = shape.iter().zip(chunk_shape).map(|(&whole, &chunk)| whole.div_ceil(chunk));
        let expected = grid.fold(1, u64::saturating_mul);
        if chunks.len() as u64 != expected || found.len() != chunks.len() {
            let counts = format!("it has {} chunks where {expected} make it up", chunks.len());
            return Err(self.fault(Problem::Damaged(counts)));
        }
        Ok(())
    }

    fn all_finite(&self, mut values: impl Iterator<Item = f64>) -> Found<()> {
        match values.by_ref().enumerate().find(|(_, value)| !value.is_finite()) {
            Some((index, value)) => Err(self.fault(Problem::NotFinite { index, value })),
            None => Ok(()),
        }
    }
}

fn product(shape: &[u64]) -> Option<u64> {
    shape.iter().try_fold(1u64, |count, &extent| count.checked_mul(extent))
}

fn shown(path: &str) -> &str {
    if path.is_empty() { "/" } else { path }
}

fn damaged(error: &Error) -> Problem {
    Problem::Damaged(error.to_string())
}

fn wrong_type(object: impl Into<String>, expected: &'static str, found: &str) -> Fault {
    Fault::at(object, Problem::Type { expected, found: found.to_owned() })
}
