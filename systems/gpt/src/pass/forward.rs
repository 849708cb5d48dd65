//! The way to the last row before the scores.

use super::dropout::EMBEDDINGS;
use super::packed::PackedLayer;
use super::{How, Keep, PackedNetwork, Pass, Saved, Sequence, Work};
use crate::kernels::activation::activate;
use crate::kernels::attention::{Head, attend};
use crate::kernels::matmul::{Onto, Packed, View, multiply};
use crate::kernels::norm::{Spread, normalise};
use crate::kernels::rows;
use crate::network::{Attention, FeedForward, Layer, Network, Norm};

impl Pass {
    pub(super) fn forward(
        &mut self,
        how: How,
        network: &Network,
        packed: &PackedNetwork,
        part: &[Sequence],
        keep: Keep,
    ) {
        self.embed(how, network, part);
        match keep {
            Keep::ForTheWayBack => self.saved.resize_with(network.layers.len(), Saved::default),
            // Those of training stay for the next step.
            Keep::Nothing if self.saved.is_empty() => self.saved.push(Saved::default()),
            Keep::Nothing => {}
        }
        let width = network.width();
        for (place, (layer, packed)) in network.layers.iter().zip(&packed.layers).enumerate() {
            let saved = &mut self.saved[if keep == Keep::Nothing { 0 } else { place }];
            if let Some(dropout) = how.dropout {
                dropout.mask(&mut saved.mask, place, width, lengths(part));
            }
            saved.input.clone_from(&self.stream);
            match layer {
                Layer::Attention(layer) => {
                    attention(how, layer, packed, part, keep, saved, &mut self.stream, &mut self.work);
                }
                Layer::FeedForward(layer) => {
                    feed_forward(how, layer, packed, saved, &mut self.stream, &mut self.work);
                }
                Layer::Norm(norm) => {
                    saved.spreads.resize(saved.input.len() / width, Spread::default());
                    normalise(how.path, &mut self.stream, &mut saved.spreads, &saved.input, norm);
                    how.precision.store(how.path, &mut self.stream);
                }
            }
        }
    }

    fn embed(&mut self, how: How, network: &Network, part: &[Sequence]) {
        let width = network.width();
        self.stream.clear();
        for sequence in part {
            let positions = network.position_embedding.as_slice().chunks_exact(width);
            for (&token, position) in sequence.tokens.iter().zip(positions) {
                let start = token as usize * width;
                let token = match &self.instead {
                    Some((replaced, row)) if *replaced == token => row,
                    _ => &network.token_embedding.as_slice()[start..start + width],
                };
                self.stream.extend(token.iter().zip(position).map(|(token, position)| token + position));
            }
        }
        if let Some(dropout) = how.dropout {
            dropout.mask(&mut self.mask, EMBEDDINGS, width, lengths(part));
            rows::multiply_each(how.path, &mut self.stream, &self.mask);
        }
        how.precision.store(how.path, &mut self.stream);
    }
}

/// Tokens of each sequence.
fn lengths(part: &[Sequence]) -> impl Iterator<Item = usize> {
    part.iter().map(|sequence| sequence.tokens.len())
}

#[allow(clippy::too_many_arguments, reason = "what goes in, what comes out, and what stays")]
fn attention(
    how: How,
    layer: &Attention,
    packed: &PackedLayer,
    part: &[Sequence],
    keep: Keep,
    saved: &mut Saved,
    stream: &mut [f32],
    work: &mut Work,
) {
    let width = layer.joined.inputs();
    let rows = stream.len() / width;
    see(how, layer.norm.as_ref(), saved, width);
    let Saved { input, normed, inner, weights, mixed, mask, .. } = saved;
    let seen = if layer.norm.is_some() { normed } else { input };
    let all = 3 * width;
    inner.resize(rows * all, 0.0);
    linear(how, inner, seen, &packed.first.forward, all, &layer.joined.bias);

    let heads = layer.heads as usize;
    mixed.resize(rows * width, 0.0);
    let squares = lengths(part).map(|tokens| tokens * tokens);
    weights.resize(
        match keep {
            Keep::ForTheWayBack => heads * squares.sum::<usize>(),
            Keep::Nothing => squares.max().unwrap_or(0),
        },
        0.0,
    );
    let (mut inner, mut mixed_rest, mut weights_rest) = (&inner[..], &mut mixed[..], &mut weights[..]);
    for tokens in lengths(part) {
        let joined = inner.split_off(..tokens * all).unwrap_or_default();
        let mixed = mixed_rest.split_off_mut(..tokens * width).unwrap_or_default();
        for index in 0..heads {
            let head = Head { index, width: width / heads, all: width };
            let weights = match keep {
                Keep::ForTheWayBack => weights_rest.split_off_mut(..tokens * tokens).unwrap_or_default(),
                Keep::Nothing => &mut weights_rest[..tokens * tokens],
            };
            attend(how.path, mixed, weights, joined, tokens, head, &mut work.attention);
        }
    }
    how.precision.store(how.path, mixed);
    match &layer.output {
        Some(output) => add(how, stream, mixed, &packed.second.forward, &output.bias, mask, work),
        None if how.dropout.is_some() => rows::add_product(how.path, stream, mixed, mask),
        None => rows::add(how.path, stream, mixed),
    }
    how.precision.store(how.path, stream);
}

fn feed_forward(
    how: How,
    layer: &FeedForward,
    packed: &PackedLayer,
    saved: &mut Saved,
    stream: &mut [f32],
    work: &mut Work,
) {
    let (width, inner_width) = (layer.up.inputs(), layer.up.outputs());
    let rows = stream.len() / width;
    see(how, layer.norm.as_ref(), saved, width);
    let Saved { input, normed, inner, weights: derivative, mask, .. } = saved;
    let seen = if layer.norm.is_some() { normed } else { input };
    inner.resize(rows * inner_width, 0.0);
    derivative.resize(rows * inner_width, 0.0);
    let seen = View::new(seen, rows, width, width);
    multiply(how.path, inner, inner_width, seen, &packed.first.forward, Onto::Nothing);
    let none = vec![0.0; if layer.up.bias.is_empty() { inner_width } else { 0 }];
    let bias = if layer.up.bias.is_empty() { &none } else { &layer.up.bias };
    activate(how.path, layer.activation, inner, derivative, bias);
    how.precision.store(how.path, inner);
    add(how, stream, inner, &packed.second.forward, &layer.down.bias, mask, work);
    how.precision.store(how.path, stream);
}

/// Normalises what a layer sees, if it does.
fn see(how: How, norm: Option<&Norm>, saved: &mut Saved, width: usize) {
    let Some(norm) = norm else { return };
    let Saved { input, normed, spreads, .. } = saved;
    normed.resize(input.len(), 0.0);
    spreads.resize(input.len() / width, Spread::default());
    normalise(how.path, normed, spreads, input, norm);
    how.precision.store(how.path, normed);
}

/// `output = input x weight + bias`.
fn linear(how: How, output: &mut [f32], input: &[f32], weight: &Packed, outputs: usize, bias: &[f32]) {
    let rows = output.len() / outputs;
    let inputs = input.len() / rows;
    let input = View::new(input, rows, inputs, inputs);
    multiply(how.path, output, outputs, input, weight, Onto::Nothing);
    if !bias.is_empty() {
        rows::add_to_each(how.path, output, bias);
    }
    how.precision.store(how.path, output);
}

/// `stream += input x weight + bias`, as far as dropout leaves it.
fn add(
    how: How,
    stream: &mut [f32],
    input: &[f32],
    weight: &Packed,
    bias: &[f32],
    mask: &[f32],
    work: &mut Work,
) {
    let width = weight.columns();
    let rows = stream.len() / width;
    let inputs = input.len() / rows;
    let input = View::new(input, rows, inputs, inputs);
    if how.dropout.is_none() {
        multiply(how.path, stream, width, input, weight, Onto::What);
        if !bias.is_empty() {
            rows::add_to_each(how.path, stream, bias);
        }
        return;
    }
    work.added.resize(stream.len(), 0.0);
    multiply(how.path, &mut work.added, width, input, weight, Onto::Nothing);
    if !bias.is_empty() {
        rows::add_to_each(how.path, &mut work.added, bias);
    }
    rows::add_product(how.path, stream, &work.added, mask);
}
