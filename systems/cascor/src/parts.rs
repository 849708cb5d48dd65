//! How work on many cases is split: always the same way, whatever the number of threads.

use std::ops::Range;

use rekindle_compute::Pool;

use crate::columns::Columns;

/// Blocks of one part: small enough for the first-level cache beside the accumulators, large
/// enough that handing a part to a thread costs little.
const PART: usize = 128;

/// Fused multiply-adds below which handing work to threads takes longer than doing it.
const PARALLEL_MULTIPLY_ADDS: usize = 400_000;

/// The parts of the blocks of a column.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parts {
    blocks: usize,
}

impl Parts {
    pub fn of(columns: &Columns) -> Self {
        Self { blocks: columns.blocks_per_column() }
    }

    pub fn len(self) -> usize {
        self.blocks.div_ceil(PART)
    }

    pub fn blocks(self, part: usize) -> Range<usize> {
        part * PART..((part + 1) * PART).min(self.blocks)
    }
}

/// Works on each part: on threads if there are enough multiply-adds to gain by them. The result is the same.
pub(crate) fn for_each<P: Send>(
    pool: &Pool,
    multiply_adds: usize,
    parts: &mut [P],
    work: impl Fn(usize, &mut P) + Sync + Send,
) {
    if parts.len() > 1 && multiply_adds >= PARALLEL_MULTIPLY_ADDS {
        pool.for_each(parts, work);
    } else {
        parts.iter_mut().enumerate().for_each(|(index, part)| work(index, part));
    }
}
