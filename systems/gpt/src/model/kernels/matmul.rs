//! Matrix products on one core.
//!
//! The right factor is packed into panels of [`LANES`] columns first ([`Packed`]), once for any number
//! of left factors. A tile of rows times one panel is held in registers while the inner dimension
//! runs. Each element of a product is one chain of fused multiply-adds along the inner dimension, in
//! order, whatever the tile and the instruction set: the result is the same bits everywhere.

use rekindle_compute::{KernelPath, LANES, kernel};

/// Rows of a tile: with a panel of 16 columns they fill the registers of AVX2.
const TILE: usize = 6;
/// So much of the inner dimension at a time: its part of a panel stays in the first cache.
const DEPTH: usize = 256;
/// So many columns at a time: with [`DEPTH`] rows they stay in the second cache.
const COLUMNS: usize = 256;

/// A matrix somewhere in memory: row-major, or the transpose of a row-major one.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    elements: &'a [f32],
    rows: usize,
    columns: usize,
    /// Distance of the rows; of the columns when `transposed`.
    stride: usize,
    transposed: bool,
}

impl<'a> View<'a> {
    /// `rows` x `columns`, whose rows lie `stride` elements apart.
    ///
    /// # Panics
    /// If `elements` is too short, or rows overlap.
    pub fn new(elements: &'a [f32], rows: usize, columns: usize, stride: usize) -> Self {
        assert!(columns <= stride, "rows overlap");
        assert!(rows == 0 || elements.len() >= (rows - 1) * stride + columns, "too few elements");
        Self { elements, rows, columns, stride, transposed: false }
    }

    /// The same matrix mirrored at its diagonal: no element is moved.
    pub fn transposed(self) -> Self {
        Self { rows: self.columns, columns: self.rows, transposed: !self.transposed, ..self }
    }
}

/// A matrix in panels of [`LANES`] columns, the last one filled up with zeros: the right factor of
/// products.
#[derive(Debug, Clone, Default)]
pub struct Packed {
    rows: usize,
    columns: usize,
    panels: Vec<f32>,
}

impl Packed {
    /// Number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Packs a matrix, in the memory of the one before.
    pub fn pack(&mut self, matrix: View<'_>) {
        self.rows = matrix.rows;
        self.columns = matrix.columns;
        let len = matrix.columns.div_ceil(LANES) * LANES * matrix.rows;
        self.panels.resize(len, 0.0);
        if matrix.rows == 0 {
            return;
        }
        for (index, panel) in self.panels.chunks_exact_mut(matrix.rows * LANES).enumerate() {
            let first = index * LANES;
            let columns = LANES.min(matrix.columns - first);
            let (panel, _) = panel.as_chunks_mut::<LANES>();
            if matrix.transposed {
                pack_transposed(panel, matrix, first, columns);
            } else {
                pack_rows(panel, matrix, first, columns);
            }
        }
    }
}

fn pack_rows(panel: &mut [[f32; LANES]], matrix: View<'_>, first: usize, columns: usize) {
    for (row, packed) in panel.iter_mut().enumerate() {
        let start = row * matrix.stride + first;
        let elements = &matrix.elements[start..start + columns];
        match <&[f32; LANES]>::try_from(elements) {
            Ok(elements) => *packed = *elements,
            Err(_) => {
                packed[..columns].copy_from_slice(elements);
                packed[columns..].fill(0.0);
            }
        }
    }
}

fn pack_transposed(panel: &mut [[f32; LANES]], matrix: View<'_>, first: usize, columns: usize) {
    for lane in 0..LANES {
        if lane >= columns {
            panel.iter_mut().for_each(|packed| packed[lane] = 0.0);
            continue;
        }
        let start = (first + lane) * matrix.stride;
        let elements = &matrix.elements[start..start + panel.len()];
        for (packed, element) in panel.iter_mut().zip(elements) {
            packed[lane] = *element;
        }
    }
}

/// What happens to the numbers that are where a product is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteMode {
    /// They are replaced.
    Overwrite,
    /// The product is added to them.
    Accumulate,
}

/// `product = left x right`, or added to what `product` holds. The rows of `product` lie `stride`
/// elements apart.
///
/// # Panics
/// If the shapes do not fit.
pub fn multiply(
    path: KernelPath,
    product: &mut [f32],
    stride: usize,
    left: View<'_>,
    right: &Packed,
    mode: WriteMode,
) {
    assert_eq!(left.columns, right.rows, "the inner dimensions agree");
    assert!(right.columns <= stride, "rows of the product overlap");
    if left.rows == 0 || right.columns == 0 {
        return;
    }
    assert!(product.len() >= (left.rows - 1) * stride + right.columns, "the product has room");
    if left.columns == 0 {
        if mode == WriteMode::Overwrite {
            product.chunks_mut(stride).for_each(|row| row[..right.columns].fill(0.0));
        }
        return;
    }
    product_kernel(path, product, stride, left, right, mode);
}

kernel! {
    fn product_kernel(
        product: &mut [f32],
        stride: usize,
        left: View<'_>,
        right: &Packed,
        mode: WriteMode,
    ) {
        let mut factors = [0.0; TILE * DEPTH];
        for start in (0..right.rows).step_by(DEPTH) {
            let block = Block {
                start,
                depth: DEPTH.min(right.rows - start),
                adds: start > 0 || mode == WriteMode::Accumulate,
            };
            for first in (0..right.columns).step_by(COLUMNS) {
                let mut row = 0;
                while row < left.rows {
                    let factors = &mut factors;
                    row += match left.rows - row {
                        1 => tile_row::<1>(product, stride, left, right, block, row, first, factors),
                        2 => tile_row::<2>(product, stride, left, right, block, row, first, factors),
                        3 => tile_row::<3>(product, stride, left, right, block, row, first, factors),
                        // Two small tiles are faster than a full one and one of a row or two.
                        4 | 7 | 8 => tile_row::<4>(product, stride, left, right, block, row, first, factors),
                        5 => tile_row::<5>(product, stride, left, right, block, row, first, factors),
                        _ => tile_row::<TILE>(product, stride, left, right, block, row, first, factors),
                    };
                }
            }
        }
    }
}

/// A part of the inner dimension.
#[derive(Clone, Copy)]
struct Block {
    start: usize,
    depth: usize,
    /// The product holds a sum to add to.
    adds: bool,
}

/// `ROWS` rows of `left` times the panels from column `first` on, at most [`COLUMNS`] columns. `room` is
/// for the rows as they are packed. Gives the number of rows.
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "three matrices, where in them, and room")]
fn tile_row<const ROWS: usize>(
    product: &mut [f32],
    stride: usize,
    left: View<'_>,
    right: &Packed,
    block: Block,
    row: usize,
    first: usize,
    room: &mut [f32; TILE * DEPTH],
) -> usize {
    let Block { start, depth, adds } = block;
    let (factors, _) = room.as_chunks_mut::<ROWS>();
    let factors = &mut factors[..depth];
    pack_left(factors, left, row, start);
    let panels = right.panels.chunks_exact(right.rows * LANES).skip(first / LANES).take(COLUMNS / LANES);
    for (index, panel) in panels.enumerate() {
        let (panel, _) = panel[start * LANES..(start + depth) * LANES].as_chunks::<LANES>();
        let column = first + index * LANES;
        let columns = LANES.min(right.columns - column);
        let mut sums = [[0.0; LANES]; ROWS];
        if adds {
            for (offset, sums) in sums.iter_mut().enumerate() {
                let at = (row + offset) * stride + column;
                load(sums, &product[at..at + columns]);
            }
        }
        let sums = tile(sums, factors, panel);
        for (offset, sums) in sums.iter().enumerate() {
            let at = (row + offset) * stride + column;
            store(&mut product[at..at + columns], sums);
        }
    }
    ROWS
}

#[inline(always)]
fn pack_left<const ROWS: usize>(factors: &mut [[f32; ROWS]], left: View<'_>, row: usize, start: usize) {
    if left.transposed {
        for (depth, factors) in factors.iter_mut().enumerate() {
            let at = (start + depth) * left.stride + row;
            factors.copy_from_slice(&left.elements[at..at + ROWS]);
        }
        return;
    }
    for offset in 0..ROWS {
        let at = (row + offset) * left.stride + start;
        let elements = &left.elements[at..at + factors.len()];
        for (factors, element) in factors.iter_mut().zip(elements) {
            factors[offset] = *element;
        }
    }
}

/// Adds the products of `ROWS` rows and one panel to their sums.
///
/// Its own copy of the sums is only indexed by loops of constant length, so that it stays in
/// registers.
#[inline(always)]
#[allow(clippy::needless_range_loop, reason = "iterators keep the sums in memory")]
fn tile<const ROWS: usize>(
    sums: [[f32; LANES]; ROWS],
    factors: &[[f32; ROWS]],
    panel: &[[f32; LANES]],
) -> [[f32; LANES]; ROWS] {
    let mut sums = sums;
    for (factors, right) in factors.iter().zip(panel) {
        for offset in 0..ROWS {
            for lane in 0..LANES {
                sums[offset][lane] = factors[offset].mul_add(right[lane], sums[offset][lane]);
            }
        }
    }
    sums
}

#[inline(always)]
fn load(lanes: &mut [f32; LANES], numbers: &[f32]) {
    match numbers.try_into() {
        Ok(numbers) => *lanes = numbers,
        Err(_) => lanes[..numbers.len()].copy_from_slice(numbers),
    }
}

#[inline(always)]
fn store(numbers: &mut [f32], lanes: &[f32; LANES]) {
    match <&mut [f32; LANES]>::try_from(&mut *numbers) {
        Ok(numbers) => *numbers = *lanes,
        Err(_) => numbers.copy_from_slice(&lanes[..numbers.len()]),
    }
}
