//! A linear map, or some outputs of one.

use std::ops::Range;

use rekindle::Matrix;
use rekindle_compute::{KernelPath, LANES};

use super::WeightPrecision;
use super::q8::{Q8Matrix, QuantisedRows};
use crate::model::kernels::matmul::{Packed, View, WriteMode, multiply};
use crate::model::network::{Linear, matrix};

/// Rows of inputs, as the weights need them.
#[derive(Debug, Default)]
pub(super) struct Input {
    count: usize,
    numbers: Vec<f32>,
    quantised: QuantisedRows,
}

impl Input {
    /// Takes so many rows, in the memory of the rows before.
    pub fn set(&mut self, path: KernelPath, precision: WeightPrecision, rows: &[f32], count: usize) {
        self.count = count;
        match precision {
            WeightPrecision::F32 => {
                self.numbers.clear();
                self.numbers.extend_from_slice(rows);
            }
            WeightPrecision::Int8 => self.quantised.quantise(path, rows, rows.len() / count),
        }
    }
}

/// `y = x weight + bias` for some outputs.
#[derive(Debug)]
pub(super) struct Projection {
    inputs: usize,
    outputs: usize,
    weights: Weights,
    bias: Vec<f32>,
}

#[derive(Debug)]
enum Weights {
    F32(Packed),
    Int8(Q8Matrix),
}

impl Projection {
    /// These outputs of a map, in this order.
    pub fn of_linear(linear: &Linear, outputs: &[Range<usize>], precision: WeightPrecision) -> Self {
        let (inputs, columns) = (linear.inputs(), linear.outputs());
        let weights = linear.weight.as_slice();
        let outputs = || outputs.iter().cloned().flatten();
        let rows =
            outputs().flat_map(|output| (0..inputs).map(move |input| weights[input * columns + output]));
        let rows = matrix(outputs().count(), inputs, rows.collect());
        let bias =
            if linear.bias.is_empty() { Vec::new() } else { outputs().map(|o| linear.bias[o]).collect() };
        Self::of_rows(&rows, bias, precision)
    }

    /// A map with the weights of each output in a row, and a bias for each or none.
    pub fn of_rows(rows: &Matrix<f32>, bias: Vec<f32>, precision: WeightPrecision) -> Self {
        let (outputs, inputs) = (rows.rows(), rows.columns());
        let weights = match precision {
            WeightPrecision::F32 => {
                let mut packed = Packed::default();
                packed.pack(View::new(rows.as_slice(), outputs, inputs, inputs).transposed());
                Weights::F32(packed)
            }
            WeightPrecision::Int8 => Weights::Int8(Q8Matrix::quantise(rows)),
        };
        Self { inputs, outputs, weights, bias }
    }

    /// The outputs for rows of inputs: `product` gets a row of outputs for each.
    pub fn apply(&self, path: KernelPath, product: &mut Vec<f32>, rows: &Input) {
        product.resize(rows.count * self.outputs, 0.0);
        match &self.weights {
            Weights::F32(weights) => {
                let rows = View::new(&rows.numbers, rows.count, self.inputs, self.inputs);
                multiply(path, product, self.outputs, rows, weights, WriteMode::Overwrite);
            }
            Weights::Int8(weights) => weights.multiply(path, product, &rows.quantised),
        }
        if !self.bias.is_empty() {
            for row in product.chunks_exact_mut(self.outputs) {
                row.iter_mut().zip(&self.bias).for_each(|(number, bias)| *number += bias);
            }
        }
    }
}

/// The outputs of `total` that fall to part `index` of `parts`: whole panels of [`LANES`].
pub(super) fn share(total: usize, index: usize, parts: usize) -> Range<usize> {
    let panels = total.div_ceil(LANES);
    let bound = |index: usize| (panels * index / parts * LANES).min(total);
    bound(index)..bound(index + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_cover_everything_once() {
        for total in [0, 1, 15, 16, 17, 288, 32_000] {
            for parts in 1..6 {
                let shares: Vec<_> = (0..parts).map(|index| share(total, index, parts)).collect();
                assert!(shares.iter().cloned().flatten().eq(0..total), "{shares:?}");
            }
        }
    }
}
