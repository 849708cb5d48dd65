//! Causal attention of one head over one sequence.

use rekindle_compute::{KernelPath, kernel, math};

use super::loss::largest;
use super::matmul::{Onto, Packed, View, multiply};
use super::rows::sum_of;

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
    fn queries<'a>(&self, joined: &'a [f32], tokens: usize) -> View<'a> {
        self.part(joined, tokens, 0)
    }

    fn keys<'a>(&self, joined: &'a [f32], tokens: usize) -> View<'a> {
        self.part(joined, tokens, 1)
    }

    fn values<'a>(&self, joined: &'a [f32], tokens: usize) -> View<'a> {
        self.part(joined, tokens, 2)
    }

    fn part<'a>(&self, joined: &'a [f32], tokens: usize, part: usize) -> View<'a> {
        View::new(&joined[self.place(part)..], tokens, self.width, 3 * self.all)
    }

    fn place(&self, part: usize) -> usize {
        part * self.all + self.index * self.width
    }

    fn scale(&self) -> f32 {
        1.0 / (self.width as f32).sqrt()
    }
}

/// What is needed beside the numbers.
#[derive(Debug, Default)]
pub struct Scratch {
    packed: Packed,
    change: Vec<f32>,
}

/// Mixes the values of a sequence of `tokens` rows: `mixed` gets the rows of this head, `weights`
/// (tokens x tokens) how much each row takes of each.
pub fn attend(
    path: KernelPath,
    mixed: &mut [f32],
    weights: &mut [f32],
    joined: &[f32],
    tokens: usize,
    head: Head,
    scratch: &mut Scratch,
) {
    let packed = &mut scratch.packed;
    packed.pack(head.keys(joined, tokens).transposed());
    multiply(path, weights, tokens, head.queries(joined, tokens), packed, Onto::Nothing);
    causal_softmax(path, weights, tokens, head.scale());
    packed.pack(head.values(joined, tokens));
    let weights = View::new(weights, tokens, tokens, tokens);
    multiply(path, &mut mixed[head.index * head.width..], head.all, weights, packed, Onto::Nothing);
}

/// The way back of [`attend`]: `mixed_change` is the gradient of `mixed`; the gradient of `joined`
/// is put into this head's part of `joined_change`.
#[allow(clippy::too_many_arguments, reason = "what went in, what came out, and where the rest goes")]
pub fn attend_back(
    path: KernelPath,
    joined_change: &mut [f32],
    mixed_change: &[f32],
    weights: &[f32],
    joined: &[f32],
    tokens: usize,
    head: Head,
    scratch: &mut Scratch,
) {
    let Scratch { packed, change } = scratch;
    change.resize(tokens * tokens, 0.0);
    let mixed_change = View::new(&mixed_change[head.index * head.width..], tokens, head.width, head.all);
    let taken = View::new(weights, tokens, tokens, tokens);
    let stride = 3 * head.all;

    packed.pack(mixed_change);
    multiply(path, &mut joined_change[head.place(2)..], stride, taken.transposed(), packed, Onto::Nothing);

    packed.pack(head.values(joined, tokens).transposed());
    multiply(path, change, tokens, mixed_change, packed, Onto::Nothing);
    softmax_back(path, change, weights, tokens, head.scale());
    let change = View::new(change, tokens, tokens, tokens);

    packed.pack(head.keys(joined, tokens));
    multiply(path, &mut joined_change[head.place(0)..], stride, change, packed, Onto::Nothing);
    packed.pack(head.queries(joined, tokens));
    multiply(path, &mut joined_change[head.place(1)..], stride, change.transposed(), packed, Onto::Nothing);
}

kernel! {
    /// Makes weights of scores: row `i` over the columns `0..=i`, nothing behind.
    fn causal_softmax(scores: &mut [f32], tokens: usize, scale: f32) {
        for (row, scores) in scores.chunks_exact_mut(tokens).enumerate() {
            let (seen, unseen) = scores.split_at_mut(row + 1);
            let shift = -largest(seen) * scale;
            for score in seen.iter_mut() {
                *score = math::exp(score.mul_add(scale, shift));
            }
            let factor = 1.0 / sum_of(seen.len(), |column| seen[column]);
            for score in seen.iter_mut() {
                *score *= factor;
            }
            unseen.fill(0.0);
        }
    }
}

kernel! {
    /// Makes the gradient of the scores, before they are scaled, of that of the weights.
    fn softmax_back(change: &mut [f32], weights: &[f32], tokens: usize, scale: f32) {
        let rows = change.chunks_exact_mut(tokens).zip(weights.chunks_exact(tokens));
        for (row, (change, weights)) in rows.enumerate() {
            let (seen, unseen) = change.split_at_mut(row + 1);
            let mean = sum_of(seen.len(), |column| seen[column] * weights[column]);
            for (change, weight) in seen.iter_mut().zip(weights) {
                *change = (*change - mean) * weight * scale;
            }
            unseen.fill(0.0);
        }
    }
}
