//! The backward pass: from the gradient of the last rows to the gradients of all parameters.

use super::packed::PackedLayer;
use super::{ExecContext, NormGrads, PackedNetwork, Pass, Saved, Sequence, Work};
use crate::model::kernels::attention::{Head, Scratch, attend_backward};
use crate::model::kernels::matmul::{Packed, View, WriteMode, multiply};
use crate::model::kernels::norm::{NormGradient, normalise_backward};
use crate::model::kernels::rows;
use crate::model::network::{Attention, FeedForward, Layer, Linear, Network, Norm};
use crate::model::structure::{PAIRS, Structure};

impl Pass {
    /// Without `weight_grads` to add to, only the gradient of the rows is computed, down to the embeddings.
    pub(super) fn backward(
        &mut self,
        ctx: ExecContext,
        network: &Network,
        packed: &PackedNetwork,
        part: &[Sequence],
        mut weight_grads: Option<&mut Network>,
    ) {
        let Self { grad, saved, work, relations, .. } = self;
        ctx.precision.store(ctx.path, grad);
        let mut layer_grads = weight_grads.as_deref_mut().map(|grads| grads.layers.iter_mut().rev());
        let layers = network.layers.iter().zip(&packed.layers).zip(saved);
        for ((layer, packed), saved) in layers.rev() {
            let weight_grads = layer_grads.as_mut().and_then(Iterator::next);
            match layer {
                Layer::Attention(layer) => {
                    let weight_grads = weight_grads.and_then(Layer::as_attention_mut);
                    attention(ctx, layer, packed, part, saved, relations.pairs(), grad, weight_grads, work);
                }
                Layer::FeedForward(layer) => {
                    let weight_grads = weight_grads.and_then(Layer::as_feed_forward_mut);
                    feed_forward(ctx, layer, packed, saved, grad, weight_grads, work);
                }
                Layer::Norm(layer) => {
                    work.normed_grad.clone_from(grad);
                    grad.fill(0.0);
                    let weight_grads = weight_grads.and_then(Layer::as_norm_mut);
                    norm(ctx, layer, saved, grad, &work.normed_grad, weight_grads, &mut work.norm_grads);
                }
            }
            ctx.precision.store(ctx.path, grad);
        }
        if ctx.dropout.is_some() {
            rows::multiply_each(ctx.path, &mut self.grad, &self.mask);
        }
        if let Some(weight_grads) = weight_grads {
            self.embeddings(ctx, network, part, weight_grads);
        }
    }

    fn embeddings(&self, ctx: ExecContext, network: &Network, part: &[Sequence], weight_grads: &mut Network) {
        let width = network.width();
        let tokens = weight_grads.token_embedding.as_mut_slice();
        let positions = weight_grads.position_embedding.as_mut_slice();
        let inputs = part.iter().flat_map(|sequence| (sequence.start..).zip(&sequence.tokens));
        for ((position, &token), grad) in inputs.zip(self.grad.chunks_exact(width)) {
            let start = token as usize * width;
            rows::add(ctx.path, &mut tokens[start..start + width], grad);
            let start = position * width;
            rows::add(ctx.path, &mut positions[start..start + width], grad);
        }
        if let Some(structure) = &mut weight_grads.structure {
            self.structure(ctx, structure, width);
        }
    }

    /// Adds to the gradients of what each token was told of its place.
    fn structure(&self, ctx: ExecContext, grads: &mut Structure, width: usize) {
        for (place, grad) in self.relations.places().iter().zip(self.grad.chunks_exact(width)) {
            let rows = grads.rows_of(place);
            let (depth, path): (_, Vec<usize>) = (rows.depth, rows.path_rows().collect());
            if let Some(depth) = depth {
                rows::add(ctx.path, &mut grads.depth_embedding[depth * width..][..width], grad);
            }
            for index in path {
                rows::add(ctx.path, &mut grads.tree_embedding[index * width..][..width], grad);
            }
        }
    }

    /// After the backward pass: the gradient of the embedding of one token.
    pub(super) fn embedding_grad(
        &self,
        ctx: ExecContext,
        part: &[Sequence],
        token: u32,
        embedding_grad: &mut [f32],
    ) {
        embedding_grad.fill(0.0);
        let tokens = part.iter().flat_map(|sequence| &sequence.tokens);
        let rows = tokens.zip(self.grad.chunks_exact(embedding_grad.len()));
        for (_, grad) in rows.filter(|(found, _)| **found == token) {
            rows::add(ctx.path, embedding_grad, grad);
        }
    }
}

#[allow(clippy::too_many_arguments, reason = "what went in, what came out, and where the rest goes")]
fn attention(
    ctx: ExecContext,
    layer: &Attention,
    packed: &PackedLayer,
    part: &[Sequence],
    saved: &Saved,
    pairs: &[u8],
    grad: &mut [f32],
    mut weight_grads: Option<&mut Attention>,
    work: &mut Work,
) {
    let width = layer.qkv.inputs();
    let rows = grad.len() / width;
    let input = if layer.norm.is_some() { &saved.normed } else { &saved.input };
    work.set_branch_grad(ctx, grad, &saved.mask);
    let Work { packed: scratch, attention, branch, inner_grad, qkv_grad, normed_grad, norm_grads } = work;

    let output_grad = match &layer.output {
        Some(_) => {
            let weight_grads = weight_grads.as_deref_mut().and_then(|grads| grads.output.as_mut());
            add_weight_grads(ctx, weight_grads, &saved.attention_output, branch, scratch);
            inner_grad.resize(rows * width, 0.0);
            let branch = View::new(branch, rows, width, width);
            multiply(ctx.path, inner_grad, width, branch, &packed.second.backward, WriteMode::Overwrite);
            ctx.precision.store(ctx.path, inner_grad);
            inner_grad
        }
        None => branch,
    };

    qkv_grad.resize(rows * 3 * width, 0.0);
    let table_grads = weight_grads.as_deref_mut().map(|grads| &mut grads.relation_bias[..]);
    let table_grads = table_grads.filter(|grads| !grads.is_empty()).map(|grads| (pairs, grads));
    heads(ctx, layer, part, saved, output_grad, qkv_grad, table_grads, attention);
    ctx.precision.store(ctx.path, qkv_grad);

    add_weight_grads(ctx, weight_grads.as_deref_mut().map(|grads| &mut grads.qkv), input, qkv_grad, scratch);
    let qkv_grad = View::new(qkv_grad, rows, 3 * width, 3 * width);
    let norm = (layer.norm.as_ref(), weight_grads.and_then(|grads| grads.norm.as_mut()));
    layer_input(ctx, qkv_grad, &packed.first.backward, saved, grad, norm, normed_grad, norm_grads);
}

/// Through the heads of all sequences: from the gradient of their output to that of queries, keys and
/// values, and to that of what is added to the logits.
#[allow(clippy::too_many_arguments, reason = "what went in, what came out, and where the rest goes")]
fn heads(
    ctx: ExecContext,
    layer: &Attention,
    part: &[Sequence],
    saved: &Saved,
    output_grad: &[f32],
    qkv_grad: &mut [f32],
    mut table_grads: Option<(&[u8], &mut [f32])>,
    scratch: &mut Scratch,
) {
    let (width, heads) = (layer.qkv.inputs(), layer.heads as usize);
    let (mut first, mut first_pair, mut probabilities) = (0, 0, &saved.attention_probabilities[..]);
    for sequence in part {
        let tokens = sequence.tokens.len();
        let rows = first..first + tokens;
        let (narrow, wide) =
            (rows.start * width..rows.end * width, 3 * rows.start * width..3 * rows.end * width);
        for index in 0..heads {
            let head = Head { index, width: width / heads, all: width };
            let probabilities = probabilities.split_off(..tokens * tokens).unwrap_or_default();
            let (output_grad, qkv) = (&output_grad[narrow.clone()], &saved.qkv[wide.clone()]);
            let qkv_grad = &mut qkv_grad[wide.clone()];
            let table_grad = table_grads.as_mut().map(|(pairs, grads)| {
                let pairs = &pairs[first_pair..first_pair + tokens * tokens];
                (pairs, &mut grads[index * PAIRS..(index + 1) * PAIRS])
            });
            attend_backward(
                ctx.path,
                qkv_grad,
                output_grad,
                probabilities,
                qkv,
                tokens,
                head,
                table_grad,
                scratch,
            );
        }
        first += tokens;
        first_pair += tokens * tokens;
    }
}

fn feed_forward(
    ctx: ExecContext,
    layer: &FeedForward,
    packed: &PackedLayer,
    saved: &Saved,
    grad: &mut [f32],
    mut weight_grads: Option<&mut FeedForward>,
    work: &mut Work,
) {
    let (width, inner_width) = (layer.up.inputs(), layer.up.outputs());
    let rows = grad.len() / width;
    let input = if layer.norm.is_some() { &saved.normed } else { &saved.input };
    work.set_branch_grad(ctx, grad, &saved.mask);
    let Work { packed: scratch, branch, inner_grad, normed_grad, norm_grads, .. } = work;

    let down_grads = weight_grads.as_deref_mut().map(|grads| &mut grads.down);
    add_weight_grads(ctx, down_grads, &saved.hidden, branch, scratch);
    inner_grad.resize(rows * inner_width, 0.0);
    let branch = View::new(branch, rows, width, width);
    multiply(ctx.path, inner_grad, inner_width, branch, &packed.second.backward, WriteMode::Overwrite);
    rows::multiply_each(ctx.path, inner_grad, &saved.activation_derivative);
    ctx.precision.store(ctx.path, inner_grad);

    let up_grads = weight_grads.as_deref_mut().map(|grads| &mut grads.up);
    add_weight_grads(ctx, up_grads, input, inner_grad, scratch);
    let inner_grad = View::new(inner_grad, rows, inner_width, inner_width);
    let norm = (layer.norm.as_ref(), weight_grads.and_then(|grads| grads.norm.as_mut()));
    layer_input(ctx, inner_grad, &packed.first.backward, saved, grad, norm, normed_grad, norm_grads);
}

impl Work {
    /// The gradient of a layer's branch: that of the residual, as far as dropout left it.
    fn set_branch_grad(&mut self, ctx: ExecContext, grad: &[f32], mask: &[f32]) {
        self.branch.clear();
        self.branch.extend_from_slice(grad);
        if ctx.dropout.is_some() {
            rows::multiply_each(ctx.path, &mut self.branch, mask);
        }
    }
}

/// Adds to the gradients of a linear map, if they are wanted: `input` transposed times `output_grad`.
fn add_weight_grads(
    ctx: ExecContext,
    weight_grads: Option<&mut Linear>,
    input: &[f32],
    output_grad: &[f32],
    scratch: &mut Packed,
) {
    let Some(grads) = weight_grads else { return };
    let (inputs, outputs) = (grads.inputs(), grads.outputs());
    let rows = input.len() / inputs;
    scratch.pack(View::new(output_grad, rows, outputs, outputs));
    let input = View::new(input, rows, inputs, inputs).transposed();
    multiply(ctx.path, grads.weight.as_mut_slice(), outputs, input, scratch, WriteMode::Accumulate);
    if !grads.bias.is_empty() {
        rows::add_columns(ctx.path, &mut grads.bias, output_grad);
    }
}

/// Through the first map of a layer and its norm, back to the residual: `grad` is added to.
#[allow(clippy::too_many_arguments, reason = "what went in, what came out, and where the rest goes")]
fn layer_input(
    ctx: ExecContext,
    inner_grad: View<'_>,
    weight: &Packed,
    saved: &Saved,
    grad: &mut [f32],
    (layer, weight_grads): (Option<&Norm>, Option<&mut Norm>),
    normed_grad: &mut Vec<f32>,
    unwanted: &mut NormGrads,
) {
    let width = weight.columns();
    let Some(layer) = layer else {
        multiply(ctx.path, grad, width, inner_grad, weight, WriteMode::Accumulate);
        return;
    };
    normed_grad.resize(grad.len(), 0.0);
    multiply(ctx.path, normed_grad, width, inner_grad, weight, WriteMode::Overwrite);
    ctx.precision.store(ctx.path, normed_grad);
    norm(ctx, layer, saved, grad, normed_grad, weight_grads, unwanted);
}

/// Through a norm: the gradient of its input is added to `grad`.
fn norm(
    ctx: ExecContext,
    layer: &Norm,
    saved: &Saved,
    grad: &mut [f32],
    output_grad: &[f32],
    weight_grads: Option<&mut Norm>,
    unwanted: &mut NormGrads,
) {
    let weight_grads = match weight_grads {
        Some(grads) => NormGradient { gain: &mut grads.gain, bias: &mut grads.bias },
        None => {
            unwanted.gain.resize(layer.gain.len(), 0.0);
            unwanted.bias.resize(layer.bias.len(), 0.0);
            NormGradient { gain: &mut unwanted.gain, bias: &mut unwanted.bias }
        }
    };
    normalise_backward(ctx.path, grad, weight_grads, output_grad, &saved.input, &saved.stats, layer);
}
