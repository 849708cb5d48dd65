//! How well a model predicts a text, with its weights as they are or in fewer bits.

use half::f16;
use rekindle_compute::KernelPath;
use rekindle_train::TextMeasure;

use crate::error::GptError;
use crate::inference::{Decoder, WeightPrecision};
use crate::model::LanguageModel;
use crate::model::network::{ArrayKind, Network};

/// With the weights as they are, in pieces of the context.
///
/// # Errors
/// When there is nothing to predict.
pub(crate) fn of(model: &LanguageModel, text: &[u8]) -> Result<TextMeasure, GptError> {
    let path = KernelPath::from_environment()?;
    measure(model, text, |window| model.logits(path, window))
}

/// With weights of 32 bits, of 16 and of 8.
///
/// # Errors
/// When there is nothing to predict, or the threads cannot run.
pub(crate) fn by_precision(
    model: &LanguageModel,
    text: &[u8],
    threads: usize,
) -> Result<Vec<(&'static str, TextMeasure)>, GptError> {
    let whole = of(model, text)?;
    let mut halves = model.clone();
    round_to_halves(&mut halves.network);
    let halves = of(&halves, text)?;
    let mut decoder = Decoder::new(&model.network, WeightPrecision::Int8, threads)?;
    let bytes = measure(model, text, |window| {
        decoder.clear();
        let mut logits = Vec::with_capacity(window.len() * model.network.vocabulary());
        for token in window {
            logits.extend_from_slice(decoder.feed(&[*token])?);
        }
        Ok(logits)
    })?;
    Ok(vec![("f32", whole), ("f16", halves), ("int8", bytes)])
}

/// Rounds what files in 16 bits keep in 16 bits: matrices, less the rows of positions.
fn round_to_halves(network: &mut Network) {
    for (name, kind, array) in network.arrays_mut() {
        let is_matrix = matches!(kind, ArrayKind::TokenRows | ArrayKind::Matrix);
        if is_matrix && name != "position_embedding" {
            array.iter_mut().for_each(|number| *number = f16::from_f32(*number).to_f32());
        }
    }
}

/// Measures a text in windows of the context, one behind the other; `logits` gives those of a window.
fn measure(
    model: &LanguageModel,
    text: &[u8],
    mut logits: impl FnMut(&[u32]) -> Result<Vec<f32>, GptError>,
) -> Result<TextMeasure, GptError> {
    let tokens = model.tokenizer().encode_ordinary(text);
    if tokens.len() < 2 {
        return Err(GptError::NothingToPredict);
    }
    let (vocabulary, context) = (model.network.vocabulary(), model.network.context());
    let (mut sum, mut begin) = (0.0, 0);
    while begin + 1 < tokens.len() {
        let end = (begin + context).min(tokens.len() - 1);
        let logits = logits(&tokens[begin..end])?;
        let targets = &tokens[begin + 1..=end];
        sum +=
            logits.chunks(vocabulary).zip(targets).map(|(logits, &target)| nats(logits, target)).sum::<f64>();
        begin = end;
    }
    let predicted = (tokens.len() - 1) as u64;
    Ok(TextMeasure { tokens: predicted, bytes: text.len() as u64, loss: sum / predicted as f64 })
}

/// The negative logarithm of a token's probability.
fn nats(logits: &[f32], target: u32) -> f64 {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = logits.iter().map(|&logit| f64::from(logit - largest).exp()).sum();
    sum.ln() - f64::from(logits[target as usize] - largest)
}
