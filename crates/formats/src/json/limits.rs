//! How much memory a file may take: what its length makes plausible.

use std::cell::Cell;
use std::fmt;
use std::io::{self, Read};

/// Any file may take this much: bytes.
const ALWAYS: u64 = 64 << 20;
/// Beyond that, so many times its length.
const RATIO: u64 = 16;

/// What a file of some length may take in memory. The data of arrays do not count: they are as long
/// as their elements, which the reader has seen.
pub(super) struct Allowance {
    limit: u64,
    tree: Cell<u64>,
    /// Text that was read since the last node, name or element.
    pending: Cell<u64>,
}

/// More than is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Exceeded {
    what: &'static str,
    limit: u64,
}

impl fmt::Display for Exceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, limit } = self;
        let always = ALWAYS >> 20;
        write!(
            f,
            "{what} more than {limit} bytes, which are {always} MiB and {RATIO} times the file's length"
        )
    }
}

impl Allowance {
    pub fn for_file_of(len: u64) -> Self {
        let limit = ALWAYS.saturating_add(len.saturating_mul(RATIO));
        Self { limit, tree: Cell::new(0), pending: Cell::new(0) }
    }

    /// Takes memory for a part of the tree.
    pub fn spend(&self, bytes: usize) -> Result<(), Exceeded> {
        self.advance();
        self.tree.set(self.tree.get().saturating_add(bytes as u64));
        self.check(self.tree.get(), "without the data of its arrays, the state takes")
    }

    /// What was read so far is accounted for.
    pub fn advance(&self) {
        self.pending.set(0);
    }

    fn check(&self, used: u64, what: &'static str) -> Result<(), Exceeded> {
        if used > self.limit { Err(Exceeded { what, limit: self.limit }) } else { Ok(()) }
    }
}

/// Refuses a single text, number or header without end, which the parser would keep as a whole.
pub(super) struct Metered<'a, R> {
    pub reader: R,
    pub allowance: &'a Allowance,
}

impl<R: Read> Read for Metered<'_, R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(bytes)?;
        let pending = &self.allowance.pending;
        pending.set(pending.get().saturating_add(count as u64));
        let checked = self.allowance.check(pending.get(), "a single text, number or header takes");
        checked.map_err(|exceeded| io::Error::new(io::ErrorKind::InvalidData, exceeded.to_string()))?;
        Ok(count)
    }
}
