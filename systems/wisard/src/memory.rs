//! The RAMs of all classes.

use std::ops::Range;

use rekindle_compute::Pool;
use rekindle_train::StateMismatch;
use serde::{Deserialize, Serialize};

use super::data::Examples;
use super::error::WisardError;
use super::mapping::Mapping;
use super::planes::BLOCK;

/// The counters never take more: bytes.
const MEMORY_LIMIT: u64 = 2 << 30;
/// Every address has counters if all of them take at most this: bytes.
const DENSE_LIMIT: u64 = 64 << 20;
/// And if there are at most so many addresses for each row that is learnt; where most addresses
/// never occur, a search among those that do is smaller and no slower.
const ADDRESSES_PER_ROW: u64 = 4;
/// Counters to be raised below which handing work to threads takes longer than doing it.
const PARALLEL_INCREMENTS: usize = 200_000;

/// How often each class has shown each address of each tuple, counted to 65535.
///
/// Counters lie by tuple, address and class, so that the counters of all classes for an address
/// (a *cell*) lie side by side: a query finds them by one look-up and compares them at once, and a
/// tuple's counters are a piece of their own, which threads learn without meeting.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Memory {
    /// A cell for each address.
    Dense {
        /// By tuple, address and class.
        #[serde(with = "rekindle::array")]
        counts: Vec<u16>,
    },
    /// A cell for each address that occurs among the rows to be learnt.
    Sparse {
        /// The number of each tuple's first cell, and the number of all cells.
        #[serde(with = "rekindle::array")]
        starts: Vec<u64>,
        /// The address of each cell, ascending within a tuple.
        #[serde(with = "rekindle::array")]
        addresses: Vec<u64>,
        /// By cell and class.
        #[serde(with = "rekindle::array")]
        counts: Vec<u16>,
    },
}

/// The counters of one tuple.
struct Ram<'a> {
    /// The addresses that have a cell; absent where all have.
    addresses: Option<&'a [u64]>,
    counts: &'a mut [u16],
}

impl Memory {
    /// Counters of 0 for all that is to be learnt.
    pub(super) fn new(mapping: &Mapping, examples: &Examples, classes: usize) -> Result<Self, WisardError> {
        if is_dense(mapping, classes, examples.planes.rows() as u64) {
            let cells = dense_cells(mapping);
            return Ok(Self::Dense { counts: vec![0; (cells * classes as u64) as usize] });
        }
        let (mut starts, mut addresses) = (vec![0], Vec::new());
        for tuple in 0..mapping.tuples() {
            addresses.extend(occurring(mapping, examples, tuple));
            starts.push(addresses.len() as u64);
            let bytes = (addresses.len() as u64).saturating_mul(8 + 2 * classes as u64);
            if bytes > MEMORY_LIMIT {
                return Err(WisardError::TooLarge {
                    what: "the counters",
                    bytes,
                    limit: MEMORY_LIMIT,
                    advice: "use fewer `model.encoding.bits` or `model.orders`, or another `model.tuple_bits`",
                });
            }
        }
        let counts = vec![0; addresses.len() * classes];
        Ok(Self::Sparse { starts, addresses, counts })
    }

    /// The counters of all cells, cell by cell.
    pub(super) fn counts(&self) -> &[u16] {
        match self {
            Self::Dense { counts } | Self::Sparse { counts, .. } => counts,
        }
    }

    /// What the counters and their addresses take: bytes.
    pub(super) fn bytes(&self) -> usize {
        let counts = 2 * self.counts().len();
        match self {
            Self::Dense { .. } => counts,
            Self::Sparse { starts, addresses, .. } => counts + 8 * (starts.len() + addresses.len()),
        }
    }

    /// The number of the cell of an address; absent where no row that is learnt has it.
    pub(super) fn cell(&self, mapping: &Mapping, tuple: usize, address: u64) -> Option<usize> {
        match self {
            Self::Dense { .. } => Some(tuple << mapping.tuple_bits | address as usize),
            Self::Sparse { starts, addresses, .. } => {
                let cells = starts[tuple] as usize..starts[tuple + 1] as usize;
                let found = addresses[cells.clone()].binary_search(&address);
                found.ok().map(|cell| cells.start + cell)
            }
        }
    }

    /// The address of each cell of a tuple, with the cell's number.
    pub(super) fn cells(
        &self,
        mapping: &Mapping,
        tuple: usize,
    ) -> Box<dyn Iterator<Item = (usize, u64)> + '_> {
        match self {
            Self::Dense { .. } => {
                let first = tuple << mapping.tuple_bits;
                Box::new(
                    (0..1_u64 << mapping.tuple_bits).map(move |address| (first + address as usize, address)),
                )
            }
            Self::Sparse { starts, addresses, .. } => {
                let cells = starts[tuple] as usize..starts[tuple + 1] as usize;
                Box::new(cells.map(|cell| (cell, addresses[cell])))
            }
        }
    }

    /// Learns these rows: raises their counters by 1.
    pub(super) fn learn(
        &mut self,
        pool: &Pool,
        mapping: &Mapping,
        examples: &Examples,
        classes: usize,
        rows: Range<usize>,
    ) {
        let mut rams = self.rams(mapping, classes);
        let is_parallel = rows.len() * rams.len() >= PARALLEL_INCREMENTS;
        let learn =
            |tuple: usize, ram: &mut Ram<'_>| ram.learn(tuple, mapping, examples, classes, rows.clone());
        if is_parallel {
            pool.for_each(&mut rams, learn);
        } else {
            rams.iter_mut().enumerate().for_each(|(tuple, ram)| learn(tuple, ram));
        }
    }

    fn rams(&mut self, mapping: &Mapping, classes: usize) -> Vec<Ram<'_>> {
        match self {
            Self::Dense { counts } => {
                let rams = counts.chunks_exact_mut(classes << mapping.tuple_bits);
                rams.map(|counts| Ram { addresses: None, counts }).collect()
            }
            Self::Sparse { starts, addresses, counts } => {
                let mut rest = &mut counts[..];
                let ram = |cells: &[u64]| {
                    let cells = cells[0] as usize..cells[1] as usize;
                    let (counts, after) = std::mem::take(&mut rest).split_at_mut(cells.len() * classes);
                    rest = after;
                    Ram { addresses: Some(&addresses[cells]), counts }
                };
                starts.windows(2).map(ram).collect()
            }
        }
    }

    /// Checks that it is that of this mapping, for so many classes and rows.
    pub(super) fn check(&self, mapping: &Mapping, classes: usize, rows: u64) -> Result<(), StateMismatch> {
        let (is_dense_now, cells) = match self {
            Self::Dense { .. } => (true, dense_cells(mapping)),
            Self::Sparse { addresses, .. } => (false, addresses.len() as u64),
        };
        StateMismatch::require(is_dense_now == is_dense(mapping, classes, rows), || {
            "its memory is not of the kind that the config asks for".to_owned()
        })?;
        let counts = self.counts().len();
        StateMismatch::require(counts as u64 == cells.saturating_mul(classes as u64), || {
            format!("{counts} counters for {cells} cells of {classes} classes")
        })?;
        match self {
            Self::Dense { .. } => Ok(()),
            Self::Sparse { starts, addresses, .. } => check_sparse(mapping, starts, addresses),
        }
    }
}

impl Ram<'_> {
    fn learn(
        &mut self,
        tuple: usize,
        mapping: &Mapping,
        examples: &Examples,
        classes: usize,
        rows: Range<usize>,
    ) {
        for block in rows.start / BLOCK..rows.end.div_ceil(BLOCK) {
            let addresses = mapping.addresses(tuple, examples.planes.block(block));
            let first = block * BLOCK;
            for row in rows.start.max(first)..rows.end.min(first + BLOCK) {
                let Some(cell) = self.cell(addresses[row - first]) else { continue };
                let count = &mut self.counts[cell * classes + usize::from(examples.class[row])];
                *count = count.saturating_add(1);
            }
        }
    }

    fn cell(&self, address: u64) -> Option<usize> {
        self.addresses.map_or(Some(address as usize), |addresses| addresses.binary_search(&address).ok())
    }
}

/// The addresses of a tuple that occur, ascending.
fn occurring(mapping: &Mapping, examples: &Examples, tuple: usize) -> Vec<u64> {
    let rows = examples.planes.rows();
    let mut occurring = Vec::with_capacity(rows);
    for block in 0..examples.planes.blocks() {
        let addresses = mapping.addresses(tuple, examples.planes.block(block));
        occurring.extend_from_slice(&addresses[..BLOCK.min(rows - block * BLOCK)]);
    }
    occurring.sort_unstable();
    occurring.dedup();
    occurring
}

fn is_dense(mapping: &Mapping, classes: usize, rows: u64) -> bool {
    let few_addresses =
        mapping.tuple_bits < 32 && 1 << mapping.tuple_bits <= rows.saturating_mul(ADDRESSES_PER_ROW);
    few_addresses && dense_cells(mapping).saturating_mul(2 * classes as u64) <= DENSE_LIMIT
}

fn dense_cells(mapping: &Mapping) -> u64 {
    1_u64
        .checked_shl(mapping.tuple_bits)
        .map_or(u64::MAX, |cells| cells.saturating_mul(mapping.tuples() as u64))
}

fn check_sparse(mapping: &Mapping, starts: &[u64], addresses: &[u64]) -> Result<(), StateMismatch> {
    let (tuples, cells) = (mapping.tuples(), addresses.len() as u64);
    let is_whole = starts.first() == Some(&0) && starts.last() == Some(&cells);
    StateMismatch::require(starts.len() == tuples + 1 && is_whole && starts.is_sorted(), || {
        format!("the {cells} cells are not cut into {tuples} tuples")
    })?;
    let highest = u64::MAX >> (64 - mapping.tuple_bits);
    let in_order = starts.windows(2).all(|pair| {
        let addresses = &addresses[pair[0] as usize..pair[1] as usize];
        addresses.is_sorted_by(|a, b| a < b) && addresses.last().is_none_or(|&last| last <= highest)
    });
    StateMismatch::require(in_order, || "the addresses of a tuple are not in order".to_owned())
}
