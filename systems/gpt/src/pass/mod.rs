//! One part of a batch through the network and back, on one core.
//!
//! Rows of all sequences of the part lie one behind the other. There is no tape: each layer keeps in
//! buffers, which are used again in the next step, what its way back needs.

mod back;
mod dropout;
mod forward;
mod packed;

use rekindle_compute::KernelPath;

pub use dropout::Dropout;
pub use packed::PackedNetwork;

use crate::kernels::attention::Scratch;
use crate::kernels::loss::{NO_TARGET, cross_entropy};
use crate::kernels::matmul::{Onto, Packed, View, multiply};
use crate::kernels::norm::Spread;
use crate::kernels::rows;
use crate::network::Network;
use crate::precision::Precision;

/// Tokens, and for each the one that follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sequence {
    /// What is seen; at most as many as the context.
    pub tokens: Vec<u32>,
    /// What follows each of them, or `u32::MAX` for what is not to be learnt.
    pub targets: Vec<u32>,
}

impl Sequence {
    /// A stretch of text: each token is the target of the one before.
    pub fn of_text(tokens: &[u32]) -> Self {
        let count = tokens.len().saturating_sub(1);
        Self { tokens: tokens[..count].to_vec(), targets: tokens[tokens.len() - count..].to_vec() }
    }

    /// Tokens of which none is to be predicted.
    pub fn without_targets(tokens: Vec<u32>) -> Self {
        Self { targets: vec![NO_TARGET; tokens.len()], tokens }
    }

    /// Tokens that are to be predicted.
    pub fn targets(&self) -> usize {
        self.targets.iter().filter(|&&target| target != NO_TARGET).count()
    }
}

/// How rows are computed.
#[derive(Debug, Clone, Copy)]
pub struct How {
    /// The kernels.
    pub path: KernelPath,
    /// How numbers are stored between operations.
    pub precision: Precision,
    /// What is left out; nothing outside of training.
    pub dropout: Option<Dropout>,
}

/// Rows of scores that are computed at a time; with them the loss and its gradient.
pub(crate) const SCORED_ROWS: usize = 64;

/// The buffers of one part.
#[derive(Debug, Default)]
pub struct Pass {
    /// The rows as the layers change them: rows x width.
    stream: Vec<f32>,
    /// Their gradient on the way back.
    change: Vec<f32>,
    saved: Vec<Saved>,
    /// What dropout leaves of the embeddings.
    mask: Vec<f32>,
    scores: Vec<f32>,
    losses: Vec<f32>,
    targets: Vec<u32>,
    work: Work,
    /// A token, and the row that reads it in place of the network's.
    instead: Option<(u32, Vec<f32>)>,
}

/// What is needed for a moment.
#[derive(Debug, Default)]
struct Work {
    packed: Packed,
    attention: Scratch,
    /// Gradient of what a layer adds.
    added: Vec<f32>,
    /// Gradient of what is inside of a layer.
    inner: Vec<f32>,
    /// Gradient of the joined queries, keys and values.
    joined: Vec<f32>,
    /// Gradient of what a layer sees.
    seen: Vec<f32>,
    norms: Norms,
}

/// Gradients of normalisations that nobody wants.
#[derive(Debug, Default)]
struct Norms {
    gain: Vec<f32>,
    bias: Vec<f32>,
}

/// What the way back of a layer needs.
#[derive(Debug, Default)]
struct Saved {
    /// The rows before the layer.
    input: Vec<f32>,
    /// The same normalised; unused where the layer normalises nothing.
    normed: Vec<f32>,
    spreads: Vec<Spread>,
    /// Queries, keys and values; for a feed-forward layer the activated rows.
    inner: Vec<f32>,
    /// How much each row takes of each; for a feed-forward layer the derivative of the activation.
    weights: Vec<f32>,
    /// What the heads found.
    mixed: Vec<f32>,
    /// What dropout leaves of what is added.
    mask: Vec<f32>,
}

/// What the way to the last row leaves behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keep {
    /// What the way back needs of every layer.
    ForTheWayBack,
    /// Nothing: all layers use the same buffers.
    Nothing,
}

impl Pass {
    /// The sum of the losses of all targets, in nats.
    pub fn loss(&mut self, how: How, network: &Network, packed: &PackedNetwork, part: &[Sequence]) -> f64 {
        self.forward(how, network, packed, part, Keep::Nothing);
        self.score(how, network, packed, part, 1.0, None)
    }

    /// The same; and the gradient of `scale` times that sum is added to `gradient`. `first` is the
    /// number of the first sequence in the batch.
    #[allow(clippy::too_many_arguments, reason = "the step as a whole")]
    pub fn train(
        &mut self,
        how: How,
        network: &Network,
        packed: &PackedNetwork,
        part: &[Sequence],
        first: usize,
        scale: f32,
        gradient: &mut Network,
    ) -> f64 {
        let how = How { dropout: how.dropout.map(|dropout| dropout.from(first)), ..how };
        self.forward(how, network, packed, part, Keep::ForTheWayBack);
        let loss = self.score(how, network, packed, part, scale, Some(gradient));
        self.back(how, network, packed, part, Some(gradient));
        loss
    }

    /// The scores of what follows each token of a sequence: tokens x vocabulary.
    pub fn scores(
        &mut self,
        how: How,
        network: &Network,
        packed: &PackedNetwork,
        tokens: &[u32],
    ) -> Vec<f32> {
        self.forward(how, network, packed, &[Sequence::without_targets(tokens.to_vec())], Keep::Nothing);
        let (rows, width, vocabulary) = (tokens.len(), network.width(), network.vocabulary());
        let mut scores = vec![0.0; rows * vocabulary];
        let stream = View::new(&self.stream, rows, width, width);
        score_rows(how, network, packed, stream, &mut scores);
        scores
    }

    /// The last row of each sequence, as it is before it is scored: sequences x width.
    pub(crate) fn last_rows(
        &mut self,
        how: How,
        network: &Network,
        packed: &PackedNetwork,
        part: &[Sequence],
    ) -> Vec<f32> {
        self.forward(how, network, packed, part, Keep::ForTheWayBack);
        let width = network.width();
        ends(part).flat_map(|end| &self.stream[(end - 1) * width..end * width]).copied().collect()
    }

    /// From now on a token is read with this row, not with the network's.
    pub(crate) fn read_with(&mut self, token: u32, row: &[f32]) {
        self.instead = Some((token, row.to_vec()));
    }

    /// The way back of [`Self::last_rows`], whose gradient is `change`, to the row that reads a token.
    #[allow(clippy::too_many_arguments, reason = "the way back as a whole")]
    pub(crate) fn row_gradient_of_last_rows(
        &mut self,
        how: How,
        network: &Network,
        packed: &PackedNetwork,
        part: &[Sequence],
        change: &[f32],
        token: u32,
        gradient: &mut [f32],
    ) {
        let width = network.width();
        self.change.clear();
        self.change.resize(self.stream.len(), 0.0);
        for (end, change) in ends(part).zip(change.chunks_exact(width)) {
            self.change[(end - 1) * width..end * width].copy_from_slice(change);
        }
        self.back(how, network, packed, part, None);
        self.row_gradient(how, part, token, gradient);
    }

    /// Losses, and with a gradient the change of the rows, too.
    fn score(
        &mut self,
        how: How,
        network: &Network,
        packed: &PackedNetwork,
        part: &[Sequence],
        scale: f32,
        mut gradient: Option<&mut Network>,
    ) -> f64 {
        let (width, vocabulary) = (network.width(), network.vocabulary());
        self.targets.clear();
        self.targets.extend(part.iter().flat_map(|sequence| &sequence.targets));
        self.change.resize(self.stream.len(), 0.0);
        let mut sum = 0.0;
        let block = SCORED_ROWS * width;
        let rows = self.stream.chunks(block).zip(self.change.chunks_mut(block));
        for ((stream, change), targets) in rows.zip(self.targets.chunks(SCORED_ROWS)) {
            let stream = View::new(stream, targets.len(), width, width);
            self.scores.resize(targets.len() * vocabulary, 0.0);
            self.losses.resize(targets.len(), 0.0);
            let scores = &mut self.scores;
            score_rows(how, network, packed, stream, scores);
            cross_entropy(how.path, scores, &mut self.losses, targets, scale);
            sum += self.losses.iter().copied().map(f64::from).sum::<f64>();
            let Some(gradient) = gradient.as_deref_mut() else { continue };
            how.precision.store(how.path, scores);
            let scores = View::new(scores, targets.len(), vocabulary, vocabulary);
            multiply(how.path, change, width, scores, &packed.scores.back, Onto::Nothing);
            self.work.packed.pack(stream);
            let (weight, bias) = match &mut gradient.output {
                Some(output) => (&mut output.weight, &mut output.bias[..]),
                None => (&mut gradient.token_embedding, &mut [][..]),
            };
            let weight = weight.as_mut_slice();
            multiply(how.path, weight, width, scores.transposed(), &self.work.packed, Onto::What);
            if !bias.is_empty() {
                rows::add_columns(how.path, bias, &self.scores);
            }
        }
        sum
    }
}

/// The scores of rows, as they are behind the last layer: rows x vocabulary.
fn score_rows(how: How, network: &Network, packed: &PackedNetwork, rows: View<'_>, scores: &mut [f32]) {
    multiply(how.path, scores, network.vocabulary(), rows, &packed.scores.forward, Onto::Nothing);
    if !network.output_bias().is_empty() {
        rows::add_to_each(how.path, scores, network.output_bias());
    }
}

/// Rows up to the end of each sequence.
fn ends(part: &[Sequence]) -> impl Iterator<Item = usize> {
    part.iter().scan(0, |rows, sequence| {
        *rows += sequence.tokens.len();
        Some(*rows)
    })
}
