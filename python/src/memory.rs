//! Memory of Python objects that the engine reads and fills while the interpreter goes on.

use pyo3::buffer::PyBuffer;
use pyo3::prelude::*;
use rekindle::tree::{ArrayBytes, ArrayType};

/// An array whose bytes lie in a Python object.
///
/// Whoever makes one keeps the buffer of the object for as long as the memory is used; nobody may write into it
/// meanwhile, which is the caller's part: a save of bytes that change is found damaged, never loaded as if whole.
#[derive(Debug)]
pub struct Memory {
    kind: ArrayType,
    start: *const u8,
    len: usize,
}

// SAFETY: the memory is only read, and stays where it is while its buffer is held.
unsafe impl Send for Memory {}
// SAFETY: as above.
unsafe impl Sync for Memory {}

impl Memory {
    /// The elements of an array of type `kind`, which fill `buffer`.
    pub fn of(kind: ArrayType, buffer: &PyBuffer<u8>) -> Self {
        Self { kind, start: buffer.buf_ptr().cast(), len: buffer.len_bytes() }
    }
}

impl ArrayBytes for Memory {
    fn kind(&self) -> &ArrayType {
        &self.kind
    }

    fn bytes(&self) -> &[u8] {
        if self.len == 0 {
            return &[];
        }
        // SAFETY: the buffer is contiguous, has this length, and is held by whoever made the memory.
        unsafe { std::slice::from_raw_parts(self.start, self.len) }
    }
}

/// Memory of a new Python object, which nobody else knows yet.
pub struct Room {
    start: *mut u8,
    len: usize,
    _buffer: PyBuffer<u8>,
}

// SAFETY: the memory is written by one thread at a time, before Python code sees it.
unsafe impl Send for Room {}

impl Room {
    /// The memory of `object`: writable bytes.
    ///
    /// # Errors
    /// When it is something else.
    pub fn of(object: &Bound<'_, PyAny>) -> PyResult<Self> {
        let buffer = PyBuffer::<u8>::get(object)?;
        Ok(Self { start: buffer.buf_ptr().cast(), len: buffer.len_bytes(), _buffer: buffer })
    }

    /// The bytes, to be filled.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        if self.len == 0 {
            return &mut [];
        }
        // SAFETY: the buffer is contiguous, writable, has this length and is held here.
        unsafe { std::slice::from_raw_parts_mut(self.start, self.len) }
    }
}
