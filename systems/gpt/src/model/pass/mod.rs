//! Forward and backward pass of one part of a batch, on one core.
//!
//! Rows of all sequences of the part lie one behind the other. There is no tape: each layer keeps the
//! activations that its backward pass needs in buffers, which are used again in the next step.

mod backward;
mod dropout;
mod forward;
mod packed;
mod relations;
mod teacher;
#[cfg(test)]
mod tests;

use rekindle_compute::KernelPath;

pub use dropout::Dropout;
pub use packed::PackedNetwork;
use relations::Relations;
pub(crate) use relations::table;
pub(crate) use teacher::{SharedTokens, Teacher, Teaching};

use crate::model::kernels::attention::Scratch;
use crate::model::kernels::loss::{NO_TARGET, cross_entropy};
use crate::model::kernels::matmul::{Packed, View, WriteMode, multiply};
use crate::model::kernels::norm::RowStats;
use crate::model::kernels::rows;
use crate::model::network::Network;
use crate::model::precision::TrainingPrecision;

/// Tokens, and for each the one that follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sequence {
    /// The input; at most as many as the context.
    pub tokens: Vec<u32>,
    /// The token that follows each of them, or `u32::MAX` where it is not to be predicted.
    pub targets: Vec<u32>,
    /// Position of the first token in the context, as far as all of them fit behind it.
    pub start: usize,
}

impl Sequence {
    /// A stretch of text: each token is the target of the one before.
    pub fn of_text(tokens: &[u32]) -> Self {
        let count = tokens.len().saturating_sub(1);
        Self { tokens: tokens[..count].to_vec(), targets: tokens[tokens.len() - count..].to_vec(), start: 0 }
    }

    /// Tokens of which none is to be predicted.
    pub fn without_targets(tokens: Vec<u32>) -> Self {
        Self { targets: vec![NO_TARGET; tokens.len()], tokens, start: 0 }
    }

    /// Tokens that are to be predicted.
    pub fn targets(&self) -> usize {
        self.targets.iter().filter(|&&target| target != NO_TARGET).count()
    }
}

/// What a pass is computed with.
#[derive(Debug, Clone, Copy)]
pub struct ExecContext {
    /// The kernels.
    pub path: KernelPath,
    /// How numbers are stored between operations.
    pub precision: TrainingPrecision,
    /// What dropout leaves out; nothing outside of training.
    pub dropout: Option<Dropout>,
}

/// Sums of losses over all targets, in nats.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Losses {
    /// The cross-entropy of the text.
    pub text: f64,
    /// The divergence from a teacher.
    pub divergence: f64,
}

/// Rows of logits that are computed at a time; with them the loss and its gradient.
pub(crate) const LOGIT_ROWS: usize = 64;

/// The buffers of one part.
#[derive(Debug, Default)]
pub struct Pass {
    /// The residual stream: rows x width.
    residual: Vec<f32>,
    /// Its gradient in the backward pass: rows x width.
    grad: Vec<f32>,
    saved: Vec<Saved>,
    /// What dropout leaves of the embeddings.
    mask: Vec<f32>,
    /// [`LOGIT_ROWS`] x vocabulary.
    logits: Vec<f32>,
    losses: Vec<f32>,
    targets: Vec<u32>,
    work: Work,
    relations: Relations,
    /// A token, and its embedding in place of the network's.
    embedding_override: Option<(u32, Vec<f32>)>,
}

/// Scratch memory of a layer.
#[derive(Debug, Default)]
struct Work {
    packed: Packed,
    attention: Scratch,
    /// What a layer adds to the residual; in the backward pass its gradient: rows x width.
    branch: Vec<f32>,
    /// Gradient of the attention output, or of the hidden rows of a feed-forward layer.
    inner_grad: Vec<f32>,
    /// Gradient of queries, keys and values: rows x 3 width.
    qkv_grad: Vec<f32>,
    /// Gradient of the output of a norm: rows x width.
    normed_grad: Vec<f32>,
    norm_grads: NormGrads,
}

/// Gradients of the parameters of norms where they are not wanted.
#[derive(Debug, Default)]
struct NormGrads {
    gain: Vec<f32>,
    bias: Vec<f32>,
}

/// The activations of a layer that its backward pass needs.
#[derive(Debug, Default)]
struct Saved {
    /// The residual before the layer: rows x width.
    input: Vec<f32>,
    /// The same normalised; unused where the layer has no norm.
    normed: Vec<f32>,
    /// Mean and standard deviation of each row of `input`.
    stats: Vec<RowStats>,
    /// Attention: queries, keys and values: rows x 3 width.
    qkv: Vec<f32>,
    /// Attention: the softmax of each sequence and head: tokens x tokens.
    attention_probabilities: Vec<f32>,
    /// Attention: what the heads give, side by side: rows x width.
    attention_output: Vec<f32>,
    /// Feed-forward: the rows behind the activation: rows x inner width.
    hidden: Vec<f32>,
    /// Feed-forward: the derivative of the activation: rows x inner width.
    activation_derivative: Vec<f32>,
    /// What dropout leaves of what is added to the residual.
    mask: Vec<f32>,
}

/// What a forward pass leaves behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keep {
    /// What the backward pass needs of every layer.
    Activations,
    /// Nothing: all layers use the same buffers.
    Nothing,
}

impl Pass {
    /// The sum of the losses of all targets, in nats.
    pub fn loss(
        &mut self,
        ctx: ExecContext,
        network: &Network,
        packed: &PackedNetwork,
        part: &[Sequence],
    ) -> f64 {
        self.forward(ctx, network, packed, part, Keep::Nothing);
        self.cross_entropy(ctx, network, packed, part, 1.0, None, None).text
    }

    /// The same; and the gradient of `scale` times that sum is added to `weight_grads`, where a teacher has read the part
    /// that of its mixture with the divergence from it. `first` is the number of the first sequence in the batch.
    #[allow(clippy::too_many_arguments, reason = "the step as a whole")]
    pub fn train(
        &mut self,
        ctx: ExecContext,
        network: &Network,
        packed: &PackedNetwork,
        part: &[Sequence],
        first: usize,
        scale: f32,
        weight_grads: &mut Network,
        taught: Option<(&Teacher, &mut Teaching)>,
    ) -> Losses {
        let ctx = ExecContext { dropout: ctx.dropout.map(|dropout| dropout.from(first)), ..ctx };
        self.forward(ctx, network, packed, part, Keep::Activations);
        let loss = self.cross_entropy(ctx, network, packed, part, scale, Some(weight_grads), taught);
        self.backward(ctx, network, packed, part, Some(weight_grads));
        loss
    }

    /// The logits of what follows each token of a sequence: tokens x vocabulary.
    pub fn logits(
        &mut self,
        ctx: ExecContext,
        network: &Network,
        packed: &PackedNetwork,
        tokens: &[u32],
    ) -> Vec<f32> {
        self.forward(ctx, network, packed, &[Sequence::without_targets(tokens.to_vec())], Keep::Nothing);
        let (rows, width, vocabulary) = (tokens.len(), network.width(), network.vocabulary());
        let mut logits = vec![0.0; rows * vocabulary];
        let residual = View::new(&self.residual, rows, width, width);
        output_logits(ctx, network, packed, residual, &mut logits);
        logits
    }

    /// The last hidden state of each sequence, from which its logits are computed: sequences x width.
    pub(crate) fn last_rows(
        &mut self,
        ctx: ExecContext,
        network: &Network,
        packed: &PackedNetwork,
        part: &[Sequence],
    ) -> Vec<f32> {
        self.forward(ctx, network, packed, part, Keep::Activations);
        let width = network.width();
        ends(part).flat_map(|end| &self.residual[(end - 1) * width..end * width]).copied().collect()
    }

    /// From now on a token has this embedding, not the network's.
    pub(crate) fn override_embedding(&mut self, token: u32, row: &[f32]) {
        self.embedding_override = Some((token, row.to_vec()));
    }

    /// The backward pass of [`Self::last_rows`], whose gradient is `grad`, to the embedding of one token.
    #[allow(clippy::too_many_arguments, reason = "the backward pass as a whole")]
    pub(crate) fn embedding_grad_of_last_rows(
        &mut self,
        ctx: ExecContext,
        network: &Network,
        packed: &PackedNetwork,
        part: &[Sequence],
        grad: &[f32],
        token: u32,
        embedding_grad: &mut [f32],
    ) {
        let width = network.width();
        self.grad.clear();
        self.grad.resize(self.residual.len(), 0.0);
        for (end, grad) in ends(part).zip(grad.chunks_exact(width)) {
            self.grad[(end - 1) * width..end * width].copy_from_slice(grad);
        }
        self.backward(ctx, network, packed, part, None);
        self.embedding_grad(ctx, part, token, embedding_grad);
    }

    /// The sums of the losses; where weight gradients are wanted, also those of the output and the gradient
    /// of the residual.
    #[allow(clippy::too_many_arguments, reason = "what goes in, and what comes out")]
    fn cross_entropy(
        &mut self,
        ctx: ExecContext,
        network: &Network,
        packed: &PackedNetwork,
        part: &[Sequence],
        scale: f32,
        mut weight_grads: Option<&mut Network>,
        mut taught: Option<(&Teacher, &mut Teaching)>,
    ) -> Losses {
        let (width, vocabulary) = (network.width(), network.vocabulary());
        self.targets.clear();
        self.targets.extend(part.iter().flat_map(|sequence| &sequence.targets));
        self.grad.resize(self.residual.len(), 0.0);
        let mut sum = Losses::default();
        let block = LOGIT_ROWS * width;
        let rows = self.residual.chunks(block).zip(self.grad.chunks_mut(block));
        let blocks = rows.zip(self.targets.chunks(LOGIT_ROWS)).zip((0..).step_by(LOGIT_ROWS));
        for (((residual, grad), targets), first) in blocks {
            let residual = View::new(residual, targets.len(), width, width);
            self.logits.resize(targets.len() * vocabulary, 0.0);
            self.losses.resize(targets.len(), 0.0);
            let logits = &mut self.logits[..];
            output_logits(ctx, network, packed, residual, logits);
            if let Some((_, teaching)) = &mut taught {
                teaching.note(logits);
            }
            cross_entropy(ctx.path, logits, &mut self.losses, targets, scale);
            sum.text += self.losses.iter().copied().map(f64::from).sum::<f64>();
            if let Some((teacher, teaching)) = &mut taught {
                sum.divergence += teacher.teach(ctx, teaching, first, logits, scale);
            }
            let Some(weight_grads) = weight_grads.as_deref_mut() else { continue };
            ctx.precision.store(ctx.path, logits);
            let logit_grad = View::new(logits, targets.len(), vocabulary, vocabulary);
            multiply(ctx.path, grad, width, logit_grad, &packed.output.backward, WriteMode::Overwrite);
            self.work.packed.pack(residual);
            let (weight, bias) = match &mut weight_grads.output {
                Some(output) => (&mut output.weight, &mut output.bias[..]),
                None => (&mut weight_grads.token_embedding, &mut [][..]),
            };
            let (weight, logit_grad) = (weight.as_mut_slice(), logit_grad.transposed());
            multiply(ctx.path, weight, width, logit_grad, &self.work.packed, WriteMode::Accumulate);
            if !bias.is_empty() {
                rows::add_columns(ctx.path, bias, &self.logits);
            }
        }
        sum
    }
}

/// The logits of rows behind the last layer: rows x vocabulary.
fn output_logits(
    ctx: ExecContext,
    network: &Network,
    packed: &PackedNetwork,
    rows: View<'_>,
    logits: &mut [f32],
) {
    multiply(ctx.path, logits, network.vocabulary(), rows, &packed.output.forward, WriteMode::Overwrite);
    if !network.output_bias().is_empty() {
        rows::add_to_each(ctx.path, logits, network.output_bias());
    }
}

/// Rows up to the end of each sequence.
fn ends(part: &[Sequence]) -> impl Iterator<Item = usize> {
    part.iter().scan(0, |rows, sequence| {
        *rows += sequence.tokens.len();
        Some(*rows)
    })
}
