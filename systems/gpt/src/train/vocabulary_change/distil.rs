//! Rows of new tokens, fitted to what the network made of the tokens in their place.
//!
//! After K. Dobler, D. Elliott and G. de Melo, "Token distillation" (2025): the row that reads a new
//! token is moved until the last hidden state behind it is the one that there was behind the tokens that
//! it is made of, in contexts in which these occur.

use rekindle_compute::{AdamW, KernelPath, Moments, Pool};

use crate::model::network::Network;
use crate::model::pass::{ExecContext, PackedNetwork, Pass, Sequence};
use crate::model::precision::TrainingPrecision;

/// Contexts that a row is fitted to, at most.
const CONTEXTS: usize = 8;
/// Tokens before the new one, at most.
const BEFORE: usize = 16;
/// Steps of the fit.
const STEPS: u64 = 40;
const ADAMW: AdamW = AdamW { learning_rate: 0.01, betas: [0.9, 0.99], epsilon: 1e-8, weight_decay: 0.0 };

/// A new token and what it is made of, all in the numbers of the new vocabulary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewToken {
    /// The token.
    pub token: u32,
    /// The tokens that stood in its place.
    pub parts: Vec<u32>,
}

/// Fits the rows that read new tokens. `text` is some text in the numbers of the new vocabulary, but cut
/// into the tokens of the old one; a token whose parts do not occur there keeps its row.
pub(crate) fn distil(path: KernelPath, pool: &Pool, network: &mut Network, new: &[NewToken], text: &[u32]) {
    struct Job<'a> {
        new: &'a NewToken,
        row: Option<Vec<f32>>,
    }
    let mut packed = PackedNetwork::default();
    packed.pack(network, TrainingPrecision::F32, true, pool);
    let mut jobs: Vec<_> = new.iter().map(|new| Job { new, row: None }).collect();
    let (shared, packed) = (&*network, &packed);
    pool.for_each(&mut jobs, |_, job| {
        let contexts = contexts(text, job.new, shared.context());
        job.row = (!contexts.is_empty()).then(|| fit(path, shared, packed, job.new, &contexts));
    });
    let width = network.width();
    for Job { new, row } in jobs {
        if let Some(row) = row {
            network.token_embedding.as_mut_slice()[new.token as usize * width..][..width]
                .copy_from_slice(&row);
        }
    }
}

/// What stands before some of the occurrences of the parts, from the beginning of the text on.
fn contexts(text: &[u32], new: &NewToken, context: usize) -> Vec<Vec<u32>> {
    let count = new.parts.len();
    let before = BEFORE.min(context.saturating_sub(count));
    let occurrences = text.windows(count).enumerate().filter(|(_, window)| *window == new.parts);
    occurrences.take(CONTEXTS).map(|(start, _)| text[start.saturating_sub(before)..start].to_vec()).collect()
}

fn fit(
    path: KernelPath,
    network: &Network,
    packed: &PackedNetwork,
    new: &NewToken,
    contexts: &[Vec<u32>],
) -> Vec<f32> {
    let ctx = ExecContext { path, precision: TrainingPrecision::F32, dropout: None };
    let width = network.width();
    let mut pass = Pass::default();
    let behind = |parts: &[u32]| -> Vec<Sequence> {
        contexts.iter().map(|before| Sequence::without_targets([before, parts].concat())).collect()
    };
    let wanted = pass.last_rows(ctx, network, packed, &behind(&new.parts));
    let sequences = behind(&[new.token]);
    let start = new.token as usize * width;
    let mut row = network.token_embedding.as_slice()[start..start + width].to_vec();
    let mut row_grad = vec![0.0; width];
    let mut moments = Moments::zeros(width);
    for step in 1..=STEPS {
        pass.override_embedding(new.token, &row);
        let found = pass.last_rows(ctx, network, packed, &sequences);
        let grad: Vec<f32> = found.iter().zip(&wanted).map(|(found, wanted)| found - wanted).collect();
        pass.embedding_grad_of_last_rows(ctx, network, packed, &sequences, &grad, new.token, &mut row_grad);
        ADAMW.update(path, step, &mut row, &row_grad, &mut moments);
    }
    row
}
