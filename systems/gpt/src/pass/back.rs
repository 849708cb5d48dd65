//! The way back: from the change of the last rows to the gradients of all parameters.

use super::packed::PackedLayer;
use super::{How, Norms, PackedNetwork, Pass, Saved, Sequence, Work};
use crate::kernels::attention::{Head, attend_back};
use crate::kernels::matmul::{Onto, Packed, View, multiply};
use crate::kernels::norm::{NormGradient, normalise_back};
use crate::kernels::rows;
use crate::network::{Attention, FeedForward, Layer, Linear, Network, Norm};

impl Pass {
    /// Without a gradient to add to, only the change of the rows is followed, down to where tokens are
    /// read.
    pub(super) fn back(
        &mut self,
        how: How,
        network: &Network,
        packed: &PackedNetwork,
        part: &[Sequence],
        mut gradient: Option<&mut Network>,
    ) {
        let Self { change, saved, work, .. } = self;
        how.precision.store(how.path, change);
        let mut gradients = gradient.as_deref_mut().map(|gradient| gradient.layers.iter_mut().rev());
        let layers = network.layers.iter().zip(&packed.layers).zip(saved);
        for ((layer, packed), saved) in layers.rev() {
            let gradient = gradients.as_mut().and_then(Iterator::next);
            match (layer, gradient) {
                (Layer::Attention(layer), gradient) => {
                    let gradient = gradient.and_then(Layer::as_attention_mut);
                    attention(how, layer, packed, part, saved, change, gradient, work);
                }
                (Layer::FeedForward(layer), gradient) => {
                    let gradient = gradient.and_then(Layer::as_feed_forward_mut);
                    feed_forward(how, layer, packed, saved, change, gradient, work);
                }
                (Layer::Norm(layer), gradient) => {
                    work.seen.clone_from(change);
                    change.fill(0.0);
                    let gradient = gradient.and_then(Layer::as_norm_mut);
                    norm(how, layer, saved, change, &work.seen, gradient, &mut work.norms);
                }
            }
            how.precision.store(how.path, change);
        }
        if how.dropout.is_some() {
            rows::multiply_each(how.path, &mut self.change, &self.mask);
        }
        if let Some(gradient) = gradient {
            self.embeddings(how, network, part, gradient);
        }
    }

    fn embeddings(&self, how: How, network: &Network, part: &[Sequence], gradient: &mut Network) {
        let width = network.width();
        let tokens = gradient.token_embedding.as_mut_slice();
        let positions = gradient.position_embedding.as_mut_slice();
        let places = part.iter().flat_map(|sequence| sequence.tokens.iter().enumerate());
        for ((position, &token), change) in places.zip(self.change.chunks_exact(width)) {
            let start = token as usize * width;
            rows::add(how.path, &mut tokens[start..start + width], change);
            let start = position * width;
            rows::add(how.path, &mut positions[start..start + width], change);
        }
    }

    /// After the way back: the gradient of the row that reads a token.
    pub(super) fn row_gradient(&self, how: How, part: &[Sequence], token: u32, gradient: &mut [f32]) {
        gradient.fill(0.0);
        let tokens = part.iter().flat_map(|sequence| &sequence.tokens);
        let rows = tokens.zip(self.change.chunks_exact(gradient.len()));
        for (_, change) in rows.filter(|(found, _)| **found == token) {
            rows::add(how.path, gradient, change);
        }
    }
}

#[allow(clippy::too_many_arguments, reason = "what went in, what came out, and where the rest goes")]
fn attention(
    how: How,
    layer: &Attention,
    packed: &PackedLayer,
    part: &[Sequence],
    saved: &Saved,
    change: &mut [f32],
    mut gradient: Option<&mut Attention>,
    work: &mut Work,
) {
    let width = layer.joined.inputs();
    let rows = change.len() / width;
    let seen = if layer.norm.is_some() { &saved.normed } else { &saved.input };
    work.take_added(how, change, &saved.mask);
    let Work { packed: scratch, attention, added, inner, joined, seen: seen_change, norms } = work;

    // What the heads found.
    let mixed_change = match &layer.output {
        Some(_) => {
            let gradient = gradient.as_deref_mut().and_then(|gradient| gradient.output.as_mut());
            learn(how, gradient, &saved.mixed, added, scratch);
            inner.resize(rows * width, 0.0);
            let added = View::new(added, rows, width, width);
            multiply(how.path, inner, width, added, &packed.second.back, Onto::Nothing);
            how.precision.store(how.path, inner);
            inner
        }
        None => added,
    };

    let heads = layer.heads as usize;
    let all = 3 * width;
    joined.resize(rows * all, 0.0);
    let (mut first, mut weights) = (0, &saved.weights[..]);
    for sequence in part {
        let tokens = sequence.tokens.len();
        let (here, wide) = (first * width..(first + tokens) * width, first * all..(first + tokens) * all);
        for index in 0..heads {
            let head = Head { index, width: width / heads, all: width };
            let weights = weights.split_off(..tokens * tokens).unwrap_or_default();
            let (mixed_change, saved) = (&mixed_change[here.clone()], &saved.inner[wide.clone()]);
            let change = &mut joined[wide.clone()];
            attend_back(how.path, change, mixed_change, weights, saved, tokens, head, attention);
        }
        first += tokens;
    }
    how.precision.store(how.path, joined);

    learn(how, gradient.as_deref_mut().map(|gradient| &mut gradient.joined), seen, joined, scratch);
    let joined = View::new(joined, rows, all, all);
    let gradient = gradient.and_then(|gradient| gradient.norm.as_mut());
    let layer = layer.norm.as_ref();
    see_back(how, joined, &packed.first.back, saved, change, (layer, gradient), seen_change, norms);
}

fn feed_forward(
    how: How,
    layer: &FeedForward,
    packed: &PackedLayer,
    saved: &Saved,
    change: &mut [f32],
    mut gradient: Option<&mut FeedForward>,
    work: &mut Work,
) {
    let (width, inner_width) = (layer.up.inputs(), layer.up.outputs());
    let rows = change.len() / width;
    let seen = if layer.norm.is_some() { &saved.normed } else { &saved.input };
    work.take_added(how, change, &saved.mask);
    let Work { packed: scratch, added, inner, seen: seen_change, norms, .. } = work;

    learn(how, gradient.as_deref_mut().map(|gradient| &mut gradient.down), &saved.inner, added, scratch);
    inner.resize(rows * inner_width, 0.0);
    let added = View::new(added, rows, width, width);
    multiply(how.path, inner, inner_width, added, &packed.second.back, Onto::Nothing);
    rows::multiply_each(how.path, inner, &saved.weights);
    how.precision.store(how.path, inner);

    learn(how, gradient.as_deref_mut().map(|gradient| &mut gradient.up), seen, inner, scratch);
    let inner = View::new(inner, rows, inner_width, inner_width);
    let gradient = gradient.and_then(|gradient| gradient.norm.as_mut());
    let layer = layer.norm.as_ref();
    see_back(how, inner, &packed.first.back, saved, change, (layer, gradient), seen_change, norms);
}

impl Work {
    /// The gradient of what a layer adds: that of the stream, as far as dropout left it.
    fn take_added(&mut self, how: How, change: &[f32], mask: &[f32]) {
        self.added.clear();
        self.added.extend_from_slice(change);
        if how.dropout.is_some() {
            rows::multiply_each(how.path, &mut self.added, mask);
        }
    }
}

/// Adds to the gradient of a linear map, if it is wanted; `input` and the gradient of the output are
/// known.
fn learn(how: How, gradient: Option<&mut Linear>, input: &[f32], change: &[f32], scratch: &mut Packed) {
    let Some(gradient) = gradient else { return };
    let (inputs, outputs) = (gradient.inputs(), gradient.outputs());
    let rows = input.len() / inputs;
    scratch.pack(View::new(change, rows, outputs, outputs));
    let input = View::new(input, rows, inputs, inputs).transposed();
    multiply(how.path, gradient.weight.as_mut_slice(), outputs, input, scratch, Onto::What);
    if !gradient.bias.is_empty() {
        rows::add_columns(how.path, &mut gradient.bias, change);
    }
}

/// Through what a layer sees, back to the stream: `change` is added to.
#[allow(clippy::too_many_arguments, reason = "what went in, what came out, and where the rest goes")]
fn see_back(
    how: How,
    inner: View<'_>,
    weight: &Packed,
    saved: &Saved,
    change: &mut [f32],
    (layer, gradient): (Option<&Norm>, Option<&mut Norm>),
    seen_change: &mut Vec<f32>,
    norms: &mut Norms,
) {
    let width = weight.columns();
    let Some(layer) = layer else {
        multiply(how.path, change, width, inner, weight, Onto::What);
        return;
    };
    seen_change.resize(change.len(), 0.0);
    multiply(how.path, seen_change, width, inner, weight, Onto::Nothing);
    how.precision.store(how.path, seen_change);
    norm(how, layer, saved, change, seen_change, gradient, norms);
}

fn norm(
    how: How,
    layer: &Norm,
    saved: &Saved,
    change: &mut [f32],
    output: &[f32],
    gradient: Option<&mut Norm>,
    unwanted: &mut Norms,
) {
    let gradient = match gradient {
        Some(gradient) => NormGradient { gain: &mut gradient.gain, bias: &mut gradient.bias },
        None => {
            unwanted.gain.resize(layer.gain.len(), 0.0);
            unwanted.bias.resize(layer.bias.len(), 0.0);
            NormGradient { gain: &mut unwanted.gain, bias: &mut unwanted.bias }
        }
    };
    normalise_back(how.path, change, gradient, output, &saved.input, &saved.spreads, layer);
}
