//! A small language model that is really trained: its weights are what the compression of trained
//! numbers is measured on.
//!
//! The bytes of a text, 16 at a time, are embedded and go through two hidden layers to the
//! distribution of the next byte (Bengio et al., "A neural probabilistic language model", 2003).
//! Seeded, and the same bits with any number of threads.

use anyhow::ensure;
use rayon::prelude::*;
use rekindle_compute::{AdamW, KernelPath, LANES, Moments, kernel, rng};

use crate::states;

/// Bytes that the model sees.
const CONTEXT: usize = 16;
/// Distinct bytes of a text: rarer ones are left out.
const SYMBOLS: usize = 64;
/// Width of an embedding, and of the layers.
const EMBEDDING: usize = 48;
const WIDTHS: [usize; 4] = [CONTEXT * EMBEDDING, 1536, 768, SYMBOLS];
const BATCH: usize = 128;
const ADAMW: AdamW = AdamW { learning_rate: 1e-3, betas: [0.9, 0.99], epsilon: 1e-8, weight_decay: 0.01 };

/// The random streams of this module.
const INITIAL: u64 = 1 << 33;
const BATCHES: u64 = INITIAL + 1;
const TEXT: u64 = INITIAL + 2;

/// A trained model.
#[derive(Debug)]
pub struct LanguageModel {
    /// Embeddings, and a matrix for each layer: row-major, with the input along the rows.
    pub matrices: Vec<Matrix>,
    /// Mean loss of the first and of the last hundred steps: nats for each byte.
    pub losses: [f64; 2],
    path: KernelPath,
}

/// A matrix of parameters, and what the optimiser keeps of it.
#[derive(Debug)]
pub struct Matrix {
    /// Rows and columns.
    pub shape: [usize; 2],
    /// The weights.
    pub values: Vec<f32>,
    /// The optimiser's moments.
    pub moments: Moments,
}

/// Trains a model on `text` for so many steps.
pub fn train(text: &[u8], steps: u64) -> anyhow::Result<LanguageModel> {
    let symbols = symbols_of(text);
    ensure!(symbols.len() > 2 * CONTEXT, "the text is too short to be learned");
    let mut model = LanguageModel::new();
    let mut losses = Vec::new();
    for step in 1..=steps {
        let mut draws = rng::stream(0, BATCHES, step);
        let starts: Vec<usize> =
            (0..BATCH).map(|_| draws.below((symbols.len() - CONTEXT) as u64) as usize).collect();
        losses.push(model.step(step, &symbols, &starts));
    }
    let mean = |losses: &[f64]| losses.iter().sum::<f64>() / losses.len() as f64;
    let shown = losses.len().min(100);
    model.losses = [mean(&losses[..shown]), mean(&losses[losses.len() - shown..])];
    Ok(model)
}

/// Text of a random grammar, for when there is no real one: words of a fixed vocabulary, each of
/// which has few successors.
pub fn generated_text(length: usize) -> Vec<u8> {
    let mut draws = rng::stream(0, TEXT, 0);
    let words: Vec<Vec<u8>> = (0..2000)
        .map(|_| {
            (0..2 + draws.below(7)).map(|_| b'a' + (draws.below(26).min(draws.below(26))) as u8).collect()
        })
        .collect();
    let mut text = Vec::with_capacity(length + 16);
    let mut word = 0;
    while text.len() < length {
        text.extend_from_slice(&words[word]);
        text.push(if draws.below(12) == 0 { b'\n' } else { b' ' });
        word = (word * 7 + 13 + draws.below(5) as usize) % words.len();
    }
    text
}

/// The text as numbers of its most frequent bytes.
fn symbols_of(text: &[u8]) -> Vec<u8> {
    let mut counts = [0usize; 256];
    text.iter().for_each(|&byte| counts[usize::from(byte)] += 1);
    let mut order: Vec<usize> = (0..256).collect();
    order.sort_by_key(|&byte| (usize::MAX - counts[byte], byte));
    let mut number = [u8::MAX; 256];
    order[..SYMBOLS].iter().zip(0..).for_each(|(&byte, symbol)| number[byte] = symbol);
    text.iter().map(|&byte| number[usize::from(byte)]).filter(|&symbol| symbol != u8::MAX).collect()
}

impl LanguageModel {
    fn new() -> Self {
        let shapes =
            [[SYMBOLS, EMBEDDING], [WIDTHS[0], WIDTHS[1]], [WIDTHS[1], WIDTHS[2]], [WIDTHS[2], WIDTHS[3]]];
        let matrices =
            shapes.into_iter().zip(0..).map(|(shape, number)| Matrix::new(shape, number)).collect();
        Self { matrices, losses: [0.0; 2], path: KernelPath::best() }
    }

    /// One step on the examples that begin at `starts`; gives the loss.
    fn step(&mut self, step: u64, symbols: &[u8], starts: &[usize]) -> f64 {
        let mut activations = vec![self.embed(symbols, starts)];
        for layer in 0..3 {
            let matrix = &self.matrices[layer + 1];
            let mut output = product(self.path, &activations[layer], &matrix.values, BATCH, matrix.shape);
            if layer < 2 {
                output.iter_mut().for_each(|value| *value = value.max(0.0));
            }
            activations.push(output);
        }
        let targets: Vec<u8> = starts.iter().map(|start| symbols[start + CONTEXT]).collect();
        let mut output = activations.pop().unwrap_or_default();
        let loss = softmax_gradient(&mut output, &targets);
        let mut gradient = output;
        for layer in (0..3).rev() {
            gradient = self.descend(step, layer, &activations[layer], &gradient);
        }
        self.descend_embeddings(step, symbols, starts, &gradient);
        loss
    }

    fn embed(&self, symbols: &[u8], starts: &[usize]) -> Vec<f32> {
        let row = |symbol: u8| &self.matrices[0].values[usize::from(symbol) * EMBEDDING..][..EMBEDDING];
        starts
            .iter()
            .flat_map(|&start| &symbols[start..start + CONTEXT])
            .flat_map(|&s| row(s))
            .copied()
            .collect()
    }

    /// Updates a layer and gives the gradient of its input.
    fn descend(&mut self, step: u64, layer: usize, input: &[f32], gradient: &[f32]) -> Vec<f32> {
        let matrix = &mut self.matrices[layer + 1];
        let [rows, columns] = matrix.shape;
        let back = transposed(&matrix.values, [rows, columns]);
        let mut of_input = product(self.path, gradient, &back, BATCH, [columns, rows]);
        if layer > 0 {
            let dead = of_input.iter_mut().zip(input).filter(|(_, value)| **value == 0.0);
            dead.for_each(|(gradient, _)| *gradient = 0.0);
        }
        let of_matrix =
            product(self.path, &transposed(input, [BATCH, rows]), gradient, rows, [BATCH, columns]);
        ADAMW.update(self.path, step, &mut matrix.values, &of_matrix, &mut matrix.moments);
        of_input
    }

    fn descend_embeddings(&mut self, step: u64, symbols: &[u8], starts: &[usize], gradient: &[f32]) {
        let matrix = &mut self.matrices[0];
        let mut of_matrix = vec![0.0; matrix.values.len()];
        let seen = starts.iter().flat_map(|&start| &symbols[start..start + CONTEXT]);
        for (&symbol, gradient) in seen.zip(gradient.chunks(EMBEDDING)) {
            let row = &mut of_matrix[usize::from(symbol) * EMBEDDING..][..EMBEDDING];
            row.iter_mut().zip(gradient).for_each(|(sum, value)| *sum += value);
        }
        ADAMW.update(self.path, step, &mut matrix.values, &of_matrix, &mut matrix.moments);
    }
}

impl Matrix {
    /// Normal numbers, scaled for rectified units (He et al., 2015).
    fn new(shape: [usize; 2], number: u64) -> Self {
        let [rows, columns] = shape;
        let deviation = (2.0 / rows as f32).sqrt();
        let values = states::numbers(&states::normal(INITIAL + number, rows * columns, deviation));
        Self { shape, moments: Moments::zeros(rows * columns), values }
    }
}

/// Turns outputs into the gradient of the mean cross-entropy, and gives that.
fn softmax_gradient(outputs: &mut [f32], targets: &[u8]) -> f64 {
    let mut loss = 0.0;
    for (row, &target) in outputs.chunks_mut(SYMBOLS).zip(targets) {
        let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        row.iter_mut().for_each(|value| *value = (*value - largest).exp());
        let sum: f32 = row.iter().sum();
        loss -= f64::from(row[usize::from(target)] / sum).ln();
        row.iter_mut().for_each(|value| *value /= sum * BATCH as f32);
        row[usize::from(target)] -= 1.0 / BATCH as f32;
    }
    loss / targets.len() as f64
}

/// `a`, of `rows` rows, times `b`.
fn product(path: KernelPath, a: &[f32], b: &[f32], rows: usize, [inner, columns]: [usize; 2]) -> Vec<f32> {
    let mut out = vec![0.0; rows * columns];
    let blocks = out.par_chunks_mut(ROWS * columns).zip(a.par_chunks(ROWS * inner));
    blocks.for_each(|(out, a)| multiply(path, out, a, b, columns));
    out
}

fn transposed(values: &[f32], [rows, columns]: [usize; 2]) -> Vec<f32> {
    let mut out = vec![0.0; values.len()];
    out.par_chunks_mut(rows).enumerate().for_each(|(column, out)| {
        out.iter_mut().enumerate().for_each(|(row, value)| *value = values[row * columns + column]);
    });
    out
}

/// Rows that are multiplied at once; the numbers of rows here are multiples of it.
const ROWS: usize = 4;

kernel! {
    /// `ROWS` rows of a product; `columns` is a multiple of the lanes.
    fn multiply(out: &mut [f32], a: &[f32], b: &[f32], columns: usize) {
        let inner = a.len() / ROWS;
        for start in (0..columns).step_by(LANES) {
            let mut sums = [[0.0f32; LANES]; ROWS];
            for (position, b) in b.chunks_exact(columns).enumerate() {
                let b = &b[start..start + LANES];
                for row in 0..ROWS {
                    let factor = a[row * inner + position];
                    for lane in 0..LANES {
                        sums[row][lane] = factor.mul_add(b[lane], sums[row][lane]);
                    }
                }
            }
            for row in 0..ROWS {
                out[row * columns + start..][..LANES].copy_from_slice(&sums[row]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_product_is_that_of_matrices() {
        let a: Vec<f32> = (0..12).map(|value| value as f32).collect();
        let b: Vec<f32> = (0..48).map(|value| (value % 7) as f32).collect();
        let out = product(KernelPath::best(), &a, &b, 4, [3, 16]);
        let expected = |row: usize, column: usize| -> f32 {
            (0..3).map(|inner| a[row * 3 + inner] * b[inner * 16 + column]).sum()
        };
        assert_eq!(out[2 * 16 + 5], expected(2, 5));
        assert_eq!(transposed(&a, [4, 3])[4..8], [1.0, 4.0, 7.0, 10.0]);
    }

    #[test]
    fn the_loss_falls() {
        let text = generated_text(10_000);
        let [fresh, trained] = [1, 8].map(|steps| train(&text, steps).unwrap().losses[1]);
        assert!(trained < fresh - 0.2, "{fresh} {trained}");
    }
}
