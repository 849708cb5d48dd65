//! The forward pass, up to the last row before the logits.

use super::dropout::EMBEDDINGS;
use super::packed::PackedLayer;
use super::relations::Relations;
use super::{ExecContext, Keep, PackedNetwork, Pass, Saved, Sequence, Work};
use crate::model::kernels::activation::activate;
use crate::model::kernels::attention::{Head, Scratch, attend};
use crate::model::kernels::matmul::{Packed, View, WriteMode, multiply};
use crate::model::kernels::norm::{RowStats, normalise};
use crate::model::kernels::rows;
use crate::model::network::{Attention, FeedForward, Layer, Network, Norm};

impl Pass {
    pub(super) fn forward(
        &mut self,
        ctx: ExecContext,
        network: &Network,
        packed: &PackedNetwork,
        part: &[Sequence],
        keep: Keep,
    ) {
        self.relations.read(network.structure.as_ref(), part);
        self.embed(ctx, network, part);
        match keep {
            Keep::Activations => self.saved.resize_with(network.layers.len(), Saved::default),
            // Those of training stay for the next step.
            Keep::Nothing if self.saved.is_empty() => self.saved.push(Saved::default()),
            Keep::Nothing => {}
        }
        let width = network.width();
        for (index, (layer, packed)) in network.layers.iter().zip(&packed.layers).enumerate() {
            let saved = &mut self.saved[if keep == Keep::Nothing { 0 } else { index }];
            if let Some(dropout) = ctx.dropout {
                dropout.mask(&mut saved.mask, index, width, lengths(part));
            }
            saved.input.clone_from(&self.residual);
            match layer {
                Layer::Attention(layer) => {
                    self.relations.enter(network.structure.as_ref(), layer);
                    let (residual, relations) = (&mut self.residual, &self.relations);
                    attention(ctx, layer, packed, part, keep, saved, residual, relations, &mut self.work);
                }
                Layer::FeedForward(layer) => {
                    feed_forward(ctx, layer, packed, saved, &mut self.residual, &mut self.work);
                }
                Layer::Norm(norm) => {
                    saved.stats.resize(saved.input.len() / width, RowStats::default());
                    normalise(ctx.path, &mut self.residual, &mut saved.stats, &saved.input, norm);
                    ctx.precision.store(ctx.path, &mut self.residual);
                }
            }
        }
    }

    fn embed(&mut self, ctx: ExecContext, network: &Network, part: &[Sequence]) {
        let width = network.width();
        self.residual.clear();
        for sequence in part {
            let positions = network.position_embedding.as_slice().chunks_exact(width).skip(sequence.start);
            for (&token, position) in sequence.tokens.iter().zip(positions) {
                let start = token as usize * width;
                let token = match &self.embedding_override {
                    Some((replaced, row)) if *replaced == token => row,
                    _ => &network.token_embedding.as_slice()[start..start + width],
                };
                self.residual.extend(token.iter().zip(position).map(|(token, position)| token + position));
            }
        }
        if let Some(structure) = &network.structure {
            let rows = self.residual.chunks_exact_mut(width).zip(self.relations.places());
            rows.for_each(|(row, place)| structure.add_to(row, place));
        }
        if let Some(dropout) = ctx.dropout {
            dropout.mask(&mut self.mask, EMBEDDINGS, width, lengths(part));
            rows::multiply_each(ctx.path, &mut self.residual, &self.mask);
        }
        ctx.precision.store(ctx.path, &mut self.residual);
    }
}

/// Tokens of each sequence.
fn lengths(part: &[Sequence]) -> impl Iterator<Item = usize> {
    part.iter().map(|sequence| sequence.tokens.len())
}

#[allow(clippy::too_many_arguments, reason = "what goes in, what comes out, and what stays")]
fn attention(
    ctx: ExecContext,
    layer: &Attention,
    packed: &PackedLayer,
    part: &[Sequence],
    keep: Keep,
    saved: &mut Saved,
    residual: &mut [f32],
    relations: &Relations,
    work: &mut Work,
) {
    let width = layer.qkv.inputs();
    let rows = residual.len() / width;
    normalise_input(ctx, layer.norm.as_ref(), saved, width);
    let input = if layer.norm.is_some() { &saved.normed } else { &saved.input };
    saved.qkv.resize(rows * 3 * width, 0.0);
    linear(ctx, &mut saved.qkv, input, &packed.first.forward, 3 * width, &layer.qkv.bias);
    heads(ctx, layer, part, keep, saved, relations, &mut work.attention);

    let Saved { attention_output, mask, .. } = saved;
    ctx.precision.store(ctx.path, attention_output);
    match &layer.output {
        Some(output) => {
            add_branch(ctx, residual, attention_output, &packed.second.forward, &output.bias, mask, work);
        }
        None if ctx.dropout.is_some() => rows::add_product(ctx.path, residual, attention_output, mask),
        None => rows::add(ctx.path, residual, attention_output),
    }
    ctx.precision.store(ctx.path, residual);
}

/// The output of all heads for all sequences, of queries, keys and values.
fn heads(
    ctx: ExecContext,
    layer: &Attention,
    part: &[Sequence],
    keep: Keep,
    saved: &mut Saved,
    relations: &Relations,
    scratch: &mut Scratch,
) {
    let (width, heads) = (layer.qkv.inputs(), layer.heads as usize);
    let Saved { qkv, attention_probabilities, attention_output, .. } = saved;
    attention_output.resize(qkv.len() / 3, 0.0);
    let squares = lengths(part).map(|tokens| tokens * tokens);
    attention_probabilities.resize(
        match keep {
            Keep::Activations => heads * squares.sum::<usize>(),
            Keep::Nothing => squares.max().unwrap_or(0),
        },
        0.0,
    );
    let (mut qkv, mut output, mut probabilities) =
        (&qkv[..], &mut attention_output[..], &mut attention_probabilities[..]);
    let mut first = 0;
    for tokens in lengths(part) {
        let qkv = qkv.split_off(..tokens * 3 * width).unwrap_or_default();
        let output = output.split_off_mut(..tokens * width).unwrap_or_default();
        for index in 0..heads {
            let head = Head { index, width: width / heads, all: width };
            let probabilities = match keep {
                Keep::Activations => probabilities.split_off_mut(..tokens * tokens).unwrap_or_default(),
                Keep::Nothing => &mut probabilities[..tokens * tokens],
            };
            let bias = relations.bias(index, first, tokens);
            attend(ctx.path, output, probabilities, qkv, tokens, head, bias, scratch);
        }
        first += tokens * tokens;
    }
}

fn feed_forward(
    ctx: ExecContext,
    layer: &FeedForward,
    packed: &PackedLayer,
    saved: &mut Saved,
    residual: &mut [f32],
    work: &mut Work,
) {
    let (width, inner_width) = (layer.up.inputs(), layer.up.outputs());
    let rows = residual.len() / width;
    normalise_input(ctx, layer.norm.as_ref(), saved, width);
    let Saved { input, normed, hidden, activation_derivative, mask, .. } = saved;
    let input = if layer.norm.is_some() { normed } else { input };
    hidden.resize(rows * inner_width, 0.0);
    activation_derivative.resize(rows * inner_width, 0.0);
    let input = View::new(input, rows, width, width);
    multiply(ctx.path, hidden, inner_width, input, &packed.first.forward, WriteMode::Overwrite);
    let none = vec![0.0; if layer.up.bias.is_empty() { inner_width } else { 0 }];
    let bias = if layer.up.bias.is_empty() { &none } else { &layer.up.bias };
    activate(ctx.path, layer.activation, hidden, activation_derivative, bias);
    ctx.precision.store(ctx.path, hidden);
    add_branch(ctx, residual, hidden, &packed.second.forward, &layer.down.bias, mask, work);
    ctx.precision.store(ctx.path, residual);
}

/// Normalises the input of a layer, if the layer has a norm.
fn normalise_input(ctx: ExecContext, norm: Option<&Norm>, saved: &mut Saved, width: usize) {
    let Some(norm) = norm else { return };
    let Saved { input, normed, stats, .. } = saved;
    normed.resize(input.len(), 0.0);
    stats.resize(input.len() / width, RowStats::default());
    normalise(ctx.path, normed, stats, input, norm);
    ctx.precision.store(ctx.path, normed);
}

/// `output = input x weight + bias`.
fn linear(
    ctx: ExecContext,
    output: &mut [f32],
    input: &[f32],
    weight: &Packed,
    outputs: usize,
    bias: &[f32],
) {
    let rows = output.len() / outputs;
    let inputs = input.len() / rows;
    let input = View::new(input, rows, inputs, inputs);
    multiply(ctx.path, output, outputs, input, weight, WriteMode::Overwrite);
    if !bias.is_empty() {
        rows::add_to_each(ctx.path, output, bias);
    }
    ctx.precision.store(ctx.path, output);
}

/// `residual += input x weight + bias`, as far as dropout leaves it.
fn add_branch(
    ctx: ExecContext,
    residual: &mut [f32],
    input: &[f32],
    weight: &Packed,
    bias: &[f32],
    mask: &[f32],
    work: &mut Work,
) {
    let width = weight.columns();
    let rows = residual.len() / width;
    let inputs = input.len() / rows;
    let input = View::new(input, rows, inputs, inputs);
    if ctx.dropout.is_none() {
        multiply(ctx.path, residual, width, input, weight, WriteMode::Accumulate);
        if !bias.is_empty() {
            rows::add_to_each(ctx.path, residual, bias);
        }
        return;
    }
    work.branch.resize(residual.len(), 0.0);
    multiply(ctx.path, &mut work.branch, width, input, weight, WriteMode::Overwrite);
    if !bias.is_empty() {
        rows::add_to_each(ctx.path, &mut work.branch, bias);
    }
    rows::add_product(ctx.path, residual, &work.branch, mask);
}
