//! Causal attention of one head over one sequence.

use rekindle_compute::{KernelPath, kernel, math};

use super::loss::largest;
use super::matmul::{Packed, View, WriteMode, multiply};
use super::rows::sum_of;
use crate::model::structure::{PAIRS, PairTable};

/// Where a head's queries, keys and values lie: in the rows of all heads, queries first.
#[derive(Debug, Clone, Copy)]
pub struct Head {
    /// Which one.
    pub index: usize,
    /// Its width.
    pub width: usize,
    /// Width of all heads.
    pub all: usize,
}

impl Head {
    fn queries<'a>(&self, qkv: &'a [f32], tokens: usize) -> View<'a> {
        self.part(qkv, tokens, 0)
    }

    fn keys<'a>(&self, qkv: &'a [f32], tokens: usize) -> View<'a> {
        self.part(qkv, tokens, 1)
    }

    fn values<'a>(&self, qkv: &'a [f32], tokens: usize) -> View<'a> {
        self.part(qkv, tokens, 2)
    }

    fn part<'a>(&self, qkv: &'a [f32], tokens: usize, part: usize) -> View<'a> {
        View::new(&qkv[self.offset(part)..], tokens, self.width, 3 * self.all)
    }

    fn offset(&self, part: usize) -> usize {
        part * self.all + self.index * self.width
    }

    fn scale(&self) -> f32 {
        1.0 / (self.width as f32).sqrt()
    }
}

/// Memory that is used again from head to head.
#[derive(Debug, Default)]
pub struct Scratch {
    packed: Packed,
    grad: Vec<f32>,
    /// What is added to the logits: tokens x tokens.
    bias: Vec<f32>,
}

/// How the tokens of a sequence stand to each other, and what a head makes of it.
#[derive(Clone, Copy)]
pub struct PairBias<'a> {
    /// The number of each pair in the table: tokens x tokens, used up to the diagonal.
    pub pairs: &'a [u8],
    /// What is added to the logits of a pair.
    pub table: &'a PairTable,
}

impl PairBias<'_> {
    /// What is added to the logits of one token.
    pub fn fill_row(&self, bias: &mut [f32]) {
        for (bias, pair) in bias.iter_mut().zip(self.pairs) {
            *bias = self.table[usize::from(pair % TABLE)];
        }
    }

    /// What is added to each logit.
    fn fill(&self, bias: &mut Vec<f32>, tokens: usize) {
        bias.resize(tokens * tokens, 0.0);
        let rows = bias.chunks_exact_mut(tokens).zip(self.pairs.chunks_exact(tokens));
        for (row, (bias, pairs)) in rows.enumerate() {
            for (bias, pair) in bias[..=row].iter_mut().zip(pairs) {
                *bias = self.table[usize::from(pair % TABLE)];
            }
        }
    }
}

/// The length of a table, a power of two.
const TABLE: u8 = (PAIRS + 1) as u8;

/// Scaled dot-product attention of one head over a sequence of `tokens` rows: `output` gets this head's
/// columns (tokens x head width), `probabilities` (tokens x tokens) the softmax. With a bias of zeros the bits
/// are those without one.
#[allow(clippy::too_many_arguments, reason = "what goes in, what comes out, and what stays")]
pub fn attend(
    path: KernelPath,
    output: &mut [f32],
    probabilities: &mut [f32],
    qkv: &[f32],
    tokens: usize,
    head: Head,
    bias: Option<PairBias<'_>>,
    scratch: &mut Scratch,
) {
    let Scratch { packed, bias: biases, .. } = scratch;
    packed.pack(head.keys(qkv, tokens).transposed());
    multiply(path, probabilities, tokens, head.queries(qkv, tokens), packed, WriteMode::Overwrite);
    match bias {
        None => causal_softmax(path, probabilities, tokens, head.scale()),
        Some(bias) => {
            bias.fill(biases, tokens);
            biased_softmax(path, probabilities, biases, tokens, head.scale());
        }
    }
    packed.pack(head.values(qkv, tokens));
    let probabilities = View::new(probabilities, tokens, tokens, tokens);
    multiply(
        path,
        &mut output[head.index * head.width..],
        head.all,
        probabilities,
        packed,
        WriteMode::Overwrite,
    );
}

/// The backward pass of [`attend`]: `output_grad` is the gradient of `output`; the gradient of `qkv`
/// is put into this head's part of `qkv_grad`. Where there is a bias, the gradient of its table is added to
/// `table_grad`.
#[allow(clippy::too_many_arguments, reason = "what went in, what came out, and where the rest goes")]
pub fn attend_backward(
    path: KernelPath,
    qkv_grad: &mut [f32],
    output_grad: &[f32],
    probabilities: &[f32],
    qkv: &[f32],
    tokens: usize,
    head: Head,
    table_grad: Option<(&[u8], &mut [f32])>,
    scratch: &mut Scratch,
) {
    let Scratch { packed, grad, .. } = scratch;
    grad.resize(tokens * tokens, 0.0);
    let output_grad = View::new(&output_grad[head.index * head.width..], tokens, head.width, head.all);
    let attended = View::new(probabilities, tokens, tokens, tokens);
    let stride = 3 * head.all;

    packed.pack(output_grad);
    multiply(
        path,
        &mut qkv_grad[head.offset(2)..],
        stride,
        attended.transposed(),
        packed,
        WriteMode::Overwrite,
    );

    packed.pack(head.values(qkv, tokens).transposed());
    multiply(path, grad, tokens, output_grad, packed, WriteMode::Overwrite);
    softmax_backward(path, grad, probabilities, tokens, head.scale());
    if let Some((pairs, table_grad)) = table_grad {
        add_table_grad(table_grad, grad, pairs, tokens, 1.0 / head.scale());
    }
    let grad = View::new(grad, tokens, tokens, tokens);

    packed.pack(head.keys(qkv, tokens));
    multiply(path, &mut qkv_grad[head.offset(0)..], stride, grad, packed, WriteMode::Overwrite);
    packed.pack(head.queries(qkv, tokens));
    multiply(path, &mut qkv_grad[head.offset(1)..], stride, grad.transposed(), packed, WriteMode::Overwrite);
}

kernel! {
    /// The softmax of each row `i` over the columns `0..=i`, 0 behind, in the place of the logits.
    fn causal_softmax(logits: &mut [f32], tokens: usize, scale: f32) {
        for (row, logits) in logits.chunks_exact_mut(tokens).enumerate() {
            let (allowed, masked) = logits.split_at_mut(row + 1);
            let shift = -largest(allowed) * scale;
            for logit in allowed.iter_mut() {
                *logit = math::exp(logit.mul_add(scale, shift));
            }
            let factor = 1.0 / sum_of(allowed.len(), |column| allowed[column]);
            for logit in allowed.iter_mut() {
                *logit *= factor;
            }
            masked.fill(0.0);
        }
    }
}

kernel! {
    /// The same with a number that is added to each scaled logit.
    fn biased_softmax(logits: &mut [f32], bias: &[f32], tokens: usize, scale: f32) {
        let rows = logits.chunks_exact_mut(tokens).zip(bias.chunks_exact(tokens));
        for (row, (logits, bias)) in rows.enumerate() {
            let (allowed, masked) = logits.split_at_mut(row + 1);
            let bias = &bias[..=row];
            let mut largest = f32::NEG_INFINITY;
            for (logit, bias) in allowed.iter().zip(bias) {
                let biased = logit * scale + bias;
                largest = if biased > largest { biased } else { largest };
            }
            for (logit, bias) in allowed.iter_mut().zip(bias) {
                *logit = math::exp(logit.mul_add(scale, bias - largest));
            }
            let factor = 1.0 / sum_of(allowed.len(), |column| allowed[column]);
            for logit in allowed.iter_mut() {
                *logit *= factor;
            }
            masked.fill(0.0);
        }
    }
}

/// Adds to the gradient of a table: that of each pair's logit, which comes scaled.
fn add_table_grad(table_grad: &mut [f32], grad: &[f32], pairs: &[u8], tokens: usize, unscale: f32) {
    let mut sums = [0.0; TABLE as usize];
    let rows = grad.chunks_exact(tokens).zip(pairs.chunks_exact(tokens));
    for (row, (grad, pairs)) in rows.enumerate() {
        for (grad, pair) in grad[..=row].iter().zip(pairs) {
            sums[usize::from(pair % TABLE)] += grad;
        }
    }
    table_grad.iter_mut().zip(sums).for_each(|(total, sum)| *total += sum * unscale);
}

kernel! {
    /// The gradient of the logits, before they are scaled, in the place of that of the probabilities.
    fn softmax_backward(grad: &mut [f32], probabilities: &[f32], tokens: usize, scale: f32) {
        let rows = grad.chunks_exact_mut(tokens).zip(probabilities.chunks_exact(tokens));
        for (row, (grad, probabilities)) in rows.enumerate() {
            let (allowed, masked) = grad.split_at_mut(row + 1);
            let mean = sum_of(allowed.len(), |column| allowed[column] * probabilities[column]);
            for (grad, probability) in allowed.iter_mut().zip(probabilities) {
                *grad = (*grad - mean) * probability * scale;
            }
            masked.fill(0.0);
        }
    }
}
