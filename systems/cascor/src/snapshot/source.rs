//! The bytes of a file, of which only so many may be read in all.
//!
//! The nodes of an HDF5 file refer to each other by address, and a hostile one can let a few nodes
//! refer to each other such that a walk over them takes 2⁶⁰ steps, or lets a list of results grow
//! until memory is gone. Every node costs a read, so a bound on reads bounds time and memory of any
//! walk. A sound file is read a few times over at most.

use std::sync::atomic::{AtomicU64, Ordering};

use hdf5_pure::{FormatError, Source};

/// What a read costs beyond its bytes, so that tiny ones are bounded too.
const COST_PER_READ: u64 = 64;

/// The file may be read so many times over.
const TIMES: u64 = 16;

/// What even a small file may have read of it.
const AT_LEAST: u64 = 64 << 20;

/// A file in memory.
pub(super) struct BoundedSource {
    bytes: Vec<u8>,
    left: AtomicU64,
}

impl BoundedSource {
    pub(super) fn new(bytes: Vec<u8>) -> Self {
        let left = AT_LEAST + TIMES * bytes.len() as u64;
        Self { bytes, left: AtomicU64::new(left) }
    }

    fn pay(&self, cost: u64) -> Result<(), FormatError> {
        let take = |left: u64| left.checked_sub(cost);
        match self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take) {
            Ok(_) => Ok(()),
            Err(_) => Err(FormatError::Source("its objects refer to each other without end".into())),
        }
    }
}

impl Source for BoundedSource {
    fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), FormatError> {
        self.pay(COST_PER_READ + buffer.len() as u64)?;
        let overflow = FormatError::OffsetOverflow { offset, length: buffer.len() as u64 };
        let start = usize::try_from(offset).map_err(|_| overflow.clone())?;
        let end = start.checked_add(buffer.len()).ok_or(overflow)?;
        let available = self.bytes.len();
        let bytes = self.bytes.get(start..end);
        buffer.copy_from_slice(bytes.ok_or(FormatError::UnexpectedEof { expected: end, available })?);
        Ok(())
    }
}
