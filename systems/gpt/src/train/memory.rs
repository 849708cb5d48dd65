//! How much memory training and measuring take: upper bounds that are known before either begins.

use rekindle_train::MemoryNeed;

use crate::data::file_len;
use crate::model::config::{Block, ModelConfig};
use crate::model::pass::LOGIT_ROWS;
use crate::model::structure::{PAIRS, Structure};
use crate::train::config::{Phase, TokenKind, TrainingConfig};
use crate::train::step::{evaluated_together, part_range};
use crate::train::teacher;

/// Bytes of a number.
const NUMBER: u128 = 4;

/// What a run of this config, whose values are in their ranges, takes with so many tokens.
pub(crate) fn need(model: &ModelConfig, training: &TrainingConfig, vocabulary: usize) -> MemoryNeed {
    let limit = training.adapt.as_ref().map_or(0, |adapt| adapt.policy.limit);
    let shape = Shape { model, vocabulary: vocabulary.max(limit) as u128 };
    let parameters = shape.parameters();
    let tokens: u128 = training.phases().map(|(_, phase)| tokens(phase, training.tokenizer.kind)).sum();
    let passes: Vec<Passes> = training.phases().map(|(_, phase)| shape.passes(phase, training)).collect();
    let most = |of: fn(&Passes) -> u128| passes.iter().map(of).max().unwrap_or(0);
    // Beyond what there is, it does not matter how much.
    let bytes = |count: u128| u64::try_from(count).unwrap_or(u64::MAX);
    // What parameters are held to is as large as the network twice.
    let is_held =
        training.phases().any(|(_, phase)| phase.retain.as_ref().is_some_and(|retain| retain.ewc > 0.0));
    let held = if is_held { 2 * parameters } else { 0 };
    // A teacher's checkpoint has moments in the place of packed matrices.
    let teacher = training.distillation.as_ref().map_or(0, |settings| teacher::stored_bytes(settings).into());
    MemoryNeed {
        // Each parameter has two moments.
        state: bytes(NUMBER * (3 * parameters + held)),
        // Gradients, and the matrices as products want them in both directions.
        training: bytes(
            NUMBER * ((u128::from(training.parts) + 2) * parameters + tokens)
                + most(|passes| passes.training)
                + teacher,
        ),
        // What is measured is copied as tokens and targets; a model that is asked at the end is packed
        // once more, and remembers keys and values.
        evaluation: bytes(
            most(|passes| passes.evaluation) + NUMBER * (2 * tokens + parameters + shape.keys_and_values()),
        ),
    }
}

/// Tokens of the text of a phase. Those of single bytes are as many; others hold two bytes or more
/// in the mean. What is made is small.
fn tokens(phase: &Phase, kind: TokenKind) -> u128 {
    let len = phase.data.file.as_ref().and_then(|file| file_len(file)).unwrap_or(0).into();
    if kind == TokenKind::Bytes { len } else { len / 2 }
}

/// The buffers of all parts: bytes.
struct Passes {
    training: u128,
    /// Measuring uses those of training, too, but may need longer ones.
    evaluation: u128,
}

struct Shape<'a> {
    model: &'a ModelConfig,
    vocabulary: u128,
}

impl Shape<'_> {
    fn parameters(&self) -> u128 {
        let ModelConfig { layers, context, tied, attention_biases, .. } = *self.model;
        let (width, inner) = (u128::from(self.model.width), u128::from(self.model.inner_width()));
        let is_rustgpt = self.model.block == Block::Rustgpt;
        let norm = 2 * width;
        let feed_forward = 2 * width * inner + inner + width;
        let attention = match self.model.block {
            Block::Gpt2 => 4 * width * width + if attention_biases { 4 * width } else { 0 },
            Block::Rustgpt => 3 * width * width,
        };
        let structure = self.model.structure;
        let bias = if structure.bias { u128::from(self.model.heads) * PAIRS as u128 } else { 0 };
        let depths = if structure.depth { Structure::DEPTHS } else { 0 };
        let paths = if structure.tree { Structure::LEVELS * Structure::CHILDREN } else { 0 };
        let told = (depths + paths) as u128 * width;
        let layers = u128::from(layers) * (attention + bias + feed_forward + 2 * norm);
        let last_norm = if is_rustgpt { 0 } else { norm };
        let rows = self.vocabulary * width;
        let output = if tied { 0 } else { rows };
        let bias = if is_rustgpt { self.vocabulary } else { 0 };
        rows + told + u128::from(context) * width + layers + last_norm + output + bias
    }

    fn passes(&self, phase: &Phase, training: &TrainingConfig) -> Passes {
        let (batch, parts) = (phase.batch as usize, training.parts as usize);
        let measure = self.pass(evaluated_together(self.model.context as usize), false);
        let learn = (0..parts).map(|part| self.pass(part_range(batch, parts, part).len(), true));
        // Some buffers are longer than what is in them: they grew.
        let longer = |bytes: u128| bytes + bytes / 8;
        Passes { training: longer(learn.sum()), evaluation: longer(parts as u128 * measure) }
    }

    fn keys_and_values(&self) -> u128 {
        let ModelConfig { layers, context, width, .. } = *self.model;
        2 * u128::from(layers) * u128::from(context) * u128::from(width)
    }

    /// The buffers of a pass over so many sequences of full length: bytes.
    fn pass(&self, sequences: usize, trains: bool) -> u128 {
        if sequences == 0 {
            return 0;
        }
        let ModelConfig { layers, heads, width, context, dropout, .. } = self.model;
        let (width, tokens) = (u128::from(*width), u128::from(*context));
        let inner = u128::from(self.model.inner_width());
        let sequences = sequences as u128;
        let rows = sequences * tokens;
        let masks = u128::from(trains && *dropout > 0.0);
        let widest = inner.max(3 * width);
        let kept = if trains {
            let attention = (6 + masks) * rows * width + sequences * u128::from(*heads) * tokens * tokens;
            let feed_forward = (2 + masks) * rows * width + 2 * rows * inner;
            u128::from(*layers) * (attention + feed_forward) + rows * width
        } else {
            6 * rows * width + 2 * rows * inner + tokens * tokens
        };
        let residual = (3 + masks) * rows * width;
        let logits = LOGIT_ROWS as u128 * self.vocabulary;
        let work = if trains { 5 * rows * width + 2 * rows * widest + tokens * tokens } else { 0 };
        // How the tokens of each sequence stand to each other.
        let relates = self.model.structure.bias || self.model.structure.mask;
        let pairs = if relates { sequences * tokens * tokens + NUMBER * tokens * tokens } else { 0 };
        NUMBER * (kept + residual + logits + work + tokens * width) + pairs
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::network::Network;

    fn model(json: &str) -> ModelConfig {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn parameters_are_counted_as_they_are() {
        for json in [
            r#"{"layers": 2, "heads": 2, "width": 8, "context": 5}"#,
            r#"{"layers": 3, "heads": 1, "width": 6, "context": 5, "tied": true, "attention_biases": true}"#,
            r#"{"layers": 2, "heads": 2, "width": 8, "context": 5, "structure": {"depth": true, "tree": true, "bias": true}}"#,
            r#"{"block": "rustgpt", "layers": 2, "heads": 1, "width": 8, "feed_forward": 12, "context": 7}"#,
        ] {
            let model = model(json);
            let shape = Shape { model: &model, vocabulary: 11 };
            assert_eq!(shape.parameters(), Network::blank(&model, 11).parameters() as u128, "{json}");
        }
    }
}
