//! Weights of 8 bits, in blocks with a scale each.
//!
//! This is the form `Q8_0` of llama.cpp: 32 weights along the inputs of an output are whole numbers
//! from -127 to 127 times a scale of 16 bits. Only the layout differs: the blocks of 16 outputs lie
//! together, pair of inputs by pair of inputs, so that a product needs no sums across a register.

use half::f16;
use rekindle::Matrix;
use rekindle_compute::{KernelPath, LANES, kernel};

use super::dot;

/// Weights with one scale; a row that does not fill its last block is filled up with zeros.
pub const BLOCK: usize = 32;
/// The largest whole number of a weight. There is no -128, so that the numbers are symmetric.
const LARGEST: f32 = 127.0;
/// Numbers smaller than this are taken for zero: the scale's inverse must be finite.
const SMALLEST: f32 = 1e-30;
/// Adding this to a float of at most 2^22 in magnitude leaves it rounded to an integer, ties to
/// even, in the low bits.
const ROUND: f32 = 12_582_912.0;

/// Two numbers for each pair of inputs.
pub(super) type Pairs<T> = [[T; 2]; BLOCK / 2];

/// The blocks of 16 outputs at the same 32 inputs.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Panel {
    pub scales: [f16; LANES],
    /// Pair of inputs, output, input.
    pub weights: [[[i8; 2]; LANES]; BLOCK / 2],
}

/// A matrix whose rows are the weights of an output, in blocks of 8-bit numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Q8Matrix {
    outputs: usize,
    inputs: usize,
    /// 16 outputs after the other; of each, [`BLOCK`] inputs after the other.
    panels: Vec<Panel>,
}

impl Q8Matrix {
    /// Takes the nearest of the numbers that 8 bits and a scale can express. A row of `weights` is
    /// an output, a column an input; the numbers must be finite. The scales have 16 bits: magnitudes
    /// above 8.3 million become that, and a block of none above 0.000003 becomes zeros.
    pub fn quantise(weights: &Matrix<f32>) -> Self {
        let (outputs, inputs) = (weights.rows(), weights.columns());
        let empty = Panel { scales: [f16::ZERO; LANES], weights: [[[0; 2]; LANES]; BLOCK / 2] };
        let blocks = inputs.div_ceil(BLOCK);
        let mut panels = vec![empty; outputs.div_ceil(LANES) * blocks];
        if inputs == 0 {
            return Self { outputs, inputs, panels };
        }
        for (output, row) in weights.as_slice().chunks_exact(inputs).enumerate() {
            for (block, numbers) in row.chunks(BLOCK).enumerate() {
                let panel = &mut panels[output / LANES * blocks + block];
                panel.quantise(output % LANES, numbers);
            }
        }
        Self { outputs, inputs, panels }
    }

    /// The outputs for rows of inputs, row by row: `product` has a row of outputs for each row.
    ///
    /// # Panics
    /// If the shapes do not fit.
    pub(super) fn multiply(&self, path: KernelPath, product: &mut [f32], rows: &QuantisedRows) {
        assert_eq!(rows.blocks, self.blocks(), "the inputs agree");
        assert_eq!(product.len(), rows.count * self.outputs, "the product has room");
        dot::multiply(path, product, self.outputs, &self.panels, rows);
    }

    fn blocks(&self) -> usize {
        self.inputs.div_ceil(BLOCK)
    }
}

impl Panel {
    /// Takes at most [`BLOCK`] weights of an output.
    fn quantise(&mut self, lane: usize, numbers: &[f32]) {
        let largest = numbers.iter().fold(0.0_f32, |largest, number| largest.max(number.abs()));
        let scale = f16::from_f32(largest / LARGEST).min(f16::MAX);
        self.scales[lane] = scale;
        let inverse = if scale == f16::ZERO { 0.0 } else { 1.0 / scale.to_f32() };
        for (input, number) in numbers.iter().enumerate() {
            // The scale was rounded, so that the largest number may be more than 127 times it.
            let whole = (number * inverse).round_ties_even().clamp(-LARGEST, LARGEST);
            self.weights[input / 2][lane][input % 2] = whole as i8;
        }
    }
}

/// Rows of inputs in blocks of whole numbers from -127 to 127, each with a scale.
#[derive(Debug, Clone, Default)]
pub(super) struct QuantisedRows {
    /// Number of rows.
    pub count: usize,
    /// Blocks of a row.
    pub blocks: usize,
    pub numbers: Vec<Pairs<i16>>,
    pub scales: Vec<f32>,
}

impl QuantisedRows {
    /// Takes rows of `inputs` numbers each, at least one, in the memory of the rows before.
    pub fn quantise(&mut self, path: KernelPath, rows: &[f32], inputs: usize) {
        self.count = rows.len() / inputs;
        self.blocks = inputs.div_ceil(BLOCK);
        self.numbers.resize(self.count * self.blocks, [[0; 2]; BLOCK / 2]);
        self.scales.resize(self.count * self.blocks, 0.0);
        quantise_rows(path, &mut self.numbers, &mut self.scales, rows, inputs);
    }
}

kernel! {
    fn quantise_rows(numbers: &mut [Pairs<i16>], scales: &mut [f32], rows: &[f32], inputs: usize) {
        let blocks = inputs.div_ceil(BLOCK);
        let targets = numbers.chunks_exact_mut(blocks).zip(scales.chunks_exact_mut(blocks));
        for (row, (numbers, scales)) in rows.chunks_exact(inputs).zip(targets) {
            for (block, (numbers, scale)) in row.chunks(BLOCK).zip(numbers.iter_mut().zip(scales)) {
                let mut padded = [0.0_f32; BLOCK];
                match <&[f32; BLOCK]>::try_from(block) {
                    Ok(block) => padded = *block,
                    Err(_) => padded[..block.len()].copy_from_slice(block),
                }
                *scale = quantise_block(numbers.as_flattened_mut(), &padded);
            }
        }
    }
}

/// Sets the whole numbers of a block and gives its scale.
#[inline(always)]
fn quantise_block(numbers: &mut [i16], block: &[f32; BLOCK]) -> f32 {
    // As integers the bits of magnitudes are ordered as they are, with what is not a number above all.
    let mut largest = [0_u32; LANES];
    for half in block.as_chunks::<LANES>().0 {
        for lane in 0..LANES {
            largest[lane] = largest[lane].max(half[lane].abs().to_bits());
        }
    }
    let mut width = LANES / 2;
    while width > 0 {
        for lane in 0..width {
            largest[lane] = largest[lane].max(largest[lane + width]);
        }
        width /= 2;
    }
    let largest = f32::from_bits(largest[0]);
    let is_zero = largest < SMALLEST;
    let inverse = if is_zero { 0.0 } else { LARGEST / largest };
    for (number, float) in numbers.iter_mut().zip(block) {
        *number = (float * inverse + ROUND).to_bits() as i16;
    }
    if is_zero { 0.0 } else { largest / LARGEST }
}

#[cfg(test)]
mod tests {
    use rekindle_compute::rng;

    use super::*;
    use crate::model::network::{fill_normal, matrix};

    impl Q8Matrix {
        /// The numbers that stand for the weights: a row for each output.
        fn dequantise(&self) -> Matrix<f32> {
            let blocks = self.blocks();
            let number = |output: usize, input: usize| {
                let panel = &self.panels[output / LANES * blocks + input / BLOCK];
                let (pair, lane) = (input % BLOCK / 2, output % LANES);
                f32::from(panel.weights[pair][lane][input % 2]) * panel.scales[lane].to_f32()
            };
            let numbers =
                (0..self.outputs).flat_map(|output| (0..self.inputs).map(move |input| (output, input)));
            let numbers = numbers.map(|(output, input)| number(output, input)).collect();
            matrix(self.outputs, self.inputs, numbers)
        }

        /// Memory of weights and scales, filling included: bytes.
        fn size_in_bytes(&self) -> usize {
            std::mem::size_of_val(self.panels.as_slice())
        }
    }

    fn random(rows: usize, columns: usize, seed: u64) -> Matrix<f32> {
        let mut numbers = vec![0.0; rows * columns];
        fill_normal(&mut numbers, &mut rng::stream(seed, 0, 0), 0.5);
        matrix(rows, columns, numbers)
    }

    #[test]
    fn weights_are_within_half_a_step_of_what_they_were() {
        let weights = random(37, 75, 1);
        let back = Q8Matrix::quantise(&weights).dequantise();
        for (row, back) in weights.as_slice().chunks(75).zip(back.as_slice().chunks(75)) {
            for (numbers, back) in row.chunks(BLOCK).zip(back.chunks(BLOCK)) {
                let largest = numbers.iter().fold(0.0_f32, |largest, x| largest.max(x.abs()));
                // Half a step, and what the rounding of the scale takes from the largest number.
                let bound = largest / 127.0 * 0.57;
                assert!(numbers.iter().zip(back).all(|(x, y)| (x - y).abs() <= bound));
            }
        }
    }

    #[test]
    fn whole_numbers_and_zeros_come_back_as_they_were() {
        let numbers: Vec<f32> = (0..64).map(|i| if i < 32 { (i * 8 - 121) as f32 } else { 0.0 }).collect();
        let numbers: Vec<f32> = numbers.iter().map(|x| if *x == 119.0 { 127.0 } else { *x }).collect();
        let weights = matrix(1, 64, numbers);
        assert_eq!(Q8Matrix::quantise(&weights).dequantise(), weights);
    }

    #[test]
    fn numbers_beyond_all_scales_stay_finite() {
        let weights = matrix(1, 3, vec![f32::MAX, -1e9, 1e-30]);
        let back = Q8Matrix::quantise(&weights).dequantise();
        assert!(back.as_slice().iter().all(|x| x.is_finite()));
        assert_eq!(Q8Matrix::quantise(&matrix(1, 1, vec![1e-20])).dequantise().as_slice(), [0.0]);
    }

    #[test]
    fn the_size_is_a_little_more_than_a_byte_for_a_weight() {
        let matrix = Q8Matrix::quantise(&random(32, 64, 3));
        assert_eq!(matrix.size_in_bytes(), 32 * 64 + 32 * 2 * 2);
    }

    /// The products as their definition says.
    fn expected(weights: &Q8Matrix, rows: &QuantisedRows, row: usize, output: usize) -> f32 {
        let blocks = weights.blocks();
        (0..blocks).fold(0.0, |sum, block| {
            let panel = &weights.panels[output / LANES * blocks + block];
            let numbers = rows.numbers[row * blocks + block];
            let whole: i32 = (0..BLOCK)
                .map(|i| {
                    i32::from(panel.weights[i / 2][output % LANES][i % 2]) * i32::from(numbers[i / 2][i % 2])
                })
                .sum();
            let scale = panel.scales[output % LANES].to_f32() * rows.scales[row * blocks + block];
            (whole as f32).mul_add(scale, sum)
        })
    }

    #[test]
    fn every_path_computes_the_same_bits() {
        for (count, inputs, outputs) in [(1, 32, 16), (1, 70, 33), (5, 288, 40), (9, 1, 1), (4, 64, 17)] {
            let weights = Q8Matrix::quantise(&random(outputs, inputs, 4));
            let inputs_of_rows = random(count, inputs, 5);
            for path in KernelPath::available() {
                let mut rows = QuantisedRows::default();
                rows.quantise(path, inputs_of_rows.as_slice(), inputs);
                let mut product = vec![f32::NAN; count * outputs];
                weights.multiply(path, &mut product, &rows);
                for (index, number) in product.iter().enumerate() {
                    let expected = expected(&weights, &rows, index / outputs, index % outputs);
                    assert_eq!(number.to_bits(), expected.to_bits(), "{path}: {index}");
                }
            }
        }
    }

    #[test]
    fn the_extremes_do_not_overflow() {
        let weights = Q8Matrix::quantise(&matrix(1, 64, vec![-3.0; 64]));
        for sign in [1.0, -1.0] {
            let mut rows = QuantisedRows::default();
            rows.quantise(KernelPath::best(), &[5.0 * sign; 64], 64);
            let mut product = [0.0];
            weights.multiply(KernelPath::best(), &mut product, &rows);
            assert!((product[0] + sign * 960.0).abs() < 1.0, "{product:?}");
        }
    }

    #[test]
    fn rows_that_are_no_numbers_do_not_become_ordinary_ones() {
        let weights = Q8Matrix::quantise(&matrix(1, 32, vec![1.0; 32]));
        for bad in [f32::INFINITY, f32::NAN] {
            let mut rows = [1.0; 32];
            rows[7] = bad;
            for path in KernelPath::available() {
                let mut quantised = QuantisedRows::default();
                quantised.quantise(path, &rows, 32);
                let mut product = [0.0];
                weights.multiply(path, &mut product, &quantised);
                assert!(!product[0].is_finite(), "{bad}");
            }
        }
    }
}
