//! Products of 8-bit weights: the only module of the decoder with instructions of one processor.
//!
//! LLVM does not find the instruction that multiplies 16-bit numbers and adds neighbours
//! (`vpmaddwd`) in a plain loop over the outputs; written by hand the product is twelve times as
//! fast. The sum of a block is an exact integer whoever computes it, and what is done with it is one
//! chain of fused multiply-adds for an output: every path gives the same bits.

use rekindle_compute::{KernelPath, LANES};

use super::q8::{Pairs, Panel, QuantisedRows};

/// Rows that share one look at the weights.
const TILE: usize = 4;
/// 2^112: what the exponents of floats of 16 and of 32 bits differ by.
const REBASE: f32 = f32::from_bits(0x7780_0000);

/// The weights of a [`Panel`].
type Weights = [[[i8; 2]; LANES]; 16];

/// The outputs for rows of inputs; `product` has `outputs` numbers for each row.
///
/// # Panics
/// If the shapes do not fit.
pub(super) fn multiply(
    path: KernelPath,
    product: &mut [f32],
    outputs: usize,
    panels: &[Panel],
    rows: &QuantisedRows,
) {
    match path {
        // SAFETY: the guard has just asked the processor for these features.
        #[cfg(target_arch = "x86_64")]
        KernelPath::Avx512 | KernelPath::Avx2 if KernelPath::Avx2.is_available() => unsafe {
            multiply_avx2(product, outputs, panels, rows);
        },
        _ => multiply_with(product, outputs, panels, rows, &Portable),
    }
}

/// Adds up blocks.
trait BlockSums {
    /// For each of `ROWS` rows and each output of a panel: the sum of the products of a block.
    fn sums<const ROWS: usize>(&self, weights: &Weights, rows: [&Pairs<i16>; ROWS]) -> [[i32; LANES]; ROWS];
}

struct Portable;

impl BlockSums for Portable {
    #[inline(always)]
    fn sums<const ROWS: usize>(&self, weights: &Weights, rows: [&Pairs<i16>; ROWS]) -> [[i32; LANES]; ROWS] {
        rows.map(|row| {
            std::array::from_fn(|lane| {
                let pairs = weights.iter().zip(row);
                pairs
                    .map(|(weights, row)| {
                        i32::from(weights[lane][0]) * i32::from(row[0])
                            + i32::from(weights[lane][1]) * i32::from(row[1])
                    })
                    .sum()
            })
        })
    }
}

#[inline(always)]
fn multiply_with(
    product: &mut [f32],
    outputs: usize,
    panels: &[Panel],
    rows: &QuantisedRows,
    sums: &impl BlockSums,
) {
    for (index, panels) in panels.chunks_exact(rows.blocks).enumerate() {
        let first = index * LANES;
        let place = Place { outputs, first, len: LANES.min(outputs - first) };
        let mut row = 0;
        while row + TILE <= rows.count {
            tile::<TILE>(product, place, panels, rows, row, sums);
            row += TILE;
        }
        while row < rows.count {
            tile::<1>(product, place, panels, rows, row, sums);
            row += 1;
        }
    }
}

/// Where the outputs of a panel stand in a product.
#[derive(Clone, Copy)]
struct Place {
    /// Numbers of a row.
    outputs: usize,
    /// The first of the panel.
    first: usize,
    /// Outputs of the panel.
    len: usize,
}

/// `ROWS` rows of the product, from `row` on, at the outputs of one panel.
#[inline(always)]
fn tile<const ROWS: usize>(
    product: &mut [f32],
    place: Place,
    panels: &[Panel],
    rows: &QuantisedRows,
    row: usize,
    sums: &impl BlockSums,
) {
    let of = |row: usize| row * rows.blocks..(row + 1) * rows.blocks;
    let numbers: [&[Pairs<i16>]; ROWS] = std::array::from_fn(|offset| &rows.numbers[of(row + offset)]);
    let scales: [&[f32]; ROWS] = std::array::from_fn(|offset| &rows.scales[of(row + offset)]);
    let mut totals = [[0.0_f32; LANES]; ROWS];
    for (block, panel) in panels.iter().enumerate() {
        let sums = sums.sums(&panel.weights, numbers.map(|numbers| &numbers[block]));
        // A scale is not negative and finite: its bits, moved, are those of a float 2^112 times less.
        let weight_scales =
            panel.scales.map(|scale| f32::from_bits(u32::from(scale.to_bits()) << 13) * REBASE);
        for offset in 0..ROWS {
            for lane in 0..LANES {
                let scale = weight_scales[lane] * scales[offset][block];
                totals[offset][lane] = (sums[offset][lane] as f32).mul_add(scale, totals[offset][lane]);
            }
        }
    }
    for (offset, totals) in totals.iter().enumerate() {
        let start = (row + offset) * place.outputs + place.first;
        product[start..start + place.len].copy_from_slice(&totals[..place.len]);
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn multiply_avx2(product: &mut [f32], outputs: usize, panels: &[Panel], rows: &QuantisedRows) {
    multiply_with(product, outputs, panels, rows, &avx2::Avx2::new());
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::{
        __m128i, __m256i, _mm_loadu_si128, _mm256_add_epi32, _mm256_cvtepi8_epi16, _mm256_madd_epi16,
        _mm256_set1_epi32, _mm256_setzero_si256, _mm256_storeu_si256,
    };

    use super::{BlockSums, LANES, Pairs, Weights};

    /// Is only where the processor has AVX2.
    pub(super) struct Avx2(());

    impl Avx2 {
        #[inline]
        #[target_feature(enable = "avx2")]
        pub(super) fn new() -> Self {
            Self(())
        }
    }

    impl BlockSums for Avx2 {
        #[inline(always)]
        fn sums<const ROWS: usize>(
            &self,
            weights: &Weights,
            rows: [&Pairs<i16>; ROWS],
        ) -> [[i32; LANES]; ROWS] {
            // SAFETY: `self` was made by a function that runs with AVX2 only.
            unsafe { sums(weights, rows) }
        }
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn sums<const ROWS: usize>(weights: &Weights, rows: [&Pairs<i16>; ROWS]) -> [[i32; LANES]; ROWS] {
        let mut totals = [[_mm256_setzero_si256(); 2]; ROWS];
        for (pair, weights) in weights.iter().enumerate() {
            let (left, right) = load(weights);
            for (row, totals) in rows.iter().zip(&mut totals) {
                let [first, second] = row[pair].map(|number| u32::from(number as u16));
                let both = _mm256_set1_epi32((first | second << 16) as i32);
                totals[0] = _mm256_add_epi32(totals[0], _mm256_madd_epi16(left, both));
                totals[1] = _mm256_add_epi32(totals[1], _mm256_madd_epi16(right, both));
            }
        }
        totals.map(|totals| store(totals))
    }

    /// 16 pairs of weights as numbers of 16 bits.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn load(weights: &[[i8; 2]; LANES]) -> (__m256i, __m256i) {
        let start = weights.as_ptr().cast::<__m128i>();
        // SAFETY: the array has 32 bytes, two times what is loaded; any alignment will do.
        let (left, right) = unsafe { (_mm_loadu_si128(start), _mm_loadu_si128(start.add(1))) };
        (_mm256_cvtepi8_epi16(left), _mm256_cvtepi8_epi16(right))
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn store(totals: [__m256i; 2]) -> [i32; LANES] {
        let mut sums = [0; LANES];
        let start = sums.as_mut_ptr().cast::<__m256i>();
        // SAFETY: the array has 64 bytes, two times what is stored; any alignment will do.
        unsafe {
            _mm256_storeu_si256(start, totals[0]);
            _mm256_storeu_si256(start.add(1), totals[1]);
        }
        sums
    }
}
