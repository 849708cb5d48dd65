//! Little-endian numbers from the bytes of a file, and into them.

use std::io::{self, Write};
use std::path::Path;

use super::error::ModelFileError;

/// The bytes of a file, read front to back.
pub(super) struct Bytes<'a> {
    pub path: &'a Path,
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Bytes<'a> {
    pub fn new(path: &'a Path, bytes: &'a [u8]) -> Self {
        Self { path, bytes, offset: 0 }
    }

    pub fn offset(&self) -> usize {
        self.offset
    }

    pub fn left(&self) -> usize {
        self.bytes.len() - self.offset
    }

    /// The next `count` bytes; `location` says what they are.
    pub fn take(&mut self, count: u64, location: &dyn Fn() -> String) -> Result<&'a [u8], ModelFileError> {
        let left = self.left() as u64;
        if count > left {
            let (path, location) = (self.path.to_owned(), format!("{} at byte {}", location(), self.offset));
            return Err(ModelFileError::Torn { path, location, needed: count, left });
        }
        let start = self.offset;
        self.offset += count as usize;
        Ok(&self.bytes[start..self.offset])
    }

    pub fn u8(&mut self, location: &dyn Fn() -> String) -> Result<u8, ModelFileError> {
        Ok(self.array::<1>(location)?[0])
    }

    pub fn u16(&mut self, location: &dyn Fn() -> String) -> Result<u16, ModelFileError> {
        Ok(u16::from_le_bytes(self.array(location)?))
    }

    pub fn u32(&mut self, location: &dyn Fn() -> String) -> Result<u32, ModelFileError> {
        Ok(u32::from_le_bytes(self.array(location)?))
    }

    pub fn u64(&mut self, location: &dyn Fn() -> String) -> Result<u64, ModelFileError> {
        Ok(u64::from_le_bytes(self.array(location)?))
    }

    pub fn f32(&mut self, location: &dyn Fn() -> String) -> Result<f32, ModelFileError> {
        Ok(f32::from_le_bytes(self.array(location)?))
    }

    /// So many 32-bit floating-point numbers.
    pub fn numbers(&mut self, count: u64, location: &dyn Fn() -> String) -> Result<Vec<f32>, ModelFileError> {
        Ok(numbers(self.take(count.saturating_mul(4), location)?))
    }

    fn array<const N: usize>(&mut self, location: &dyn Fn() -> String) -> Result<[u8; N], ModelFileError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N as u64, location)?);
        Ok(array)
    }
}

/// 32-bit floating-point numbers.
pub(super) fn numbers(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks().0.iter().map(|&number| f32::from_le_bytes(number)).collect()
}

/// Writes 32-bit floating-point numbers.
pub(super) fn write_numbers(out: &mut impl Write, numbers: &[f32]) -> io::Result<()> {
    let mut buffer = Vec::with_capacity(1 << 14);
    for numbers in numbers.chunks(1 << 12) {
        buffer.clear();
        buffer.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
        out.write_all(&buffer)?;
    }
    Ok(())
}

/// The numbers of a matrix with that many columns, column by column.
pub(super) fn transposed(numbers: &[f32], columns: usize) -> Vec<f32> {
    (0..columns).flat_map(|column| numbers[column..].iter().step_by(columns).copied()).collect()
}

/// Bytes as hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
