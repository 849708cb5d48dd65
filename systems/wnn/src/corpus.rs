//! The tokens that are learnt, and those that it is measured on.

use sha2::{Digest, Sha256};

use crate::examples::{ClassedExamples, Coding, Examples};

/// Tokens, cut into examples.
#[derive(Debug, Clone)]
pub struct Corpus {
    /// Tokens to learn from.
    pub training: Vec<u32>,
    /// Tokens to measure on.
    pub evaluation: Vec<u32>,
    /// How they become examples.
    pub coding: Coding,
}

/// Which of the training tokens are learnt from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// All of them.
    All,
    /// One of the parts that they are cut into.
    Of(u32),
}

impl Corpus {
    /// All tokens must be below `vocabulary`.
    pub fn new(
        training: Vec<u32>,
        evaluation: Vec<u32>,
        vocabulary: usize,
        context: usize,
        by_frequency: bool,
    ) -> Self {
        let coding = Coding::new(&training, vocabulary, context, by_frequency);
        Self { training, evaluation, coding }
    }

    /// The examples of the evaluation.
    pub fn evaluation_examples(&self) -> Examples {
        self.coding.examples(&self.evaluation)
    }

    /// The training examples of one of `parts` pieces that follow each other; no context reaches
    /// from one into the next. The last has what does not divide.
    pub fn training_examples(&self, part: Part, parts: u32) -> ClassedExamples {
        let tokens = match part {
            Part::All => &self.training[..],
            Part::Of(part) => {
                let size = self.training.len() / parts.max(1) as usize;
                let start = part as usize * size;
                let end = if part + 1 == parts { self.training.len() } else { start + size };
                &self.training[start..end]
            }
        };
        ClassedExamples::new(&self.coding.examples(tokens), self.coding.vocabulary())
    }

    /// A hash over all tokens and the vocabulary's size.
    pub fn identity(&self) -> String {
        let mut hash = Sha256::new();
        let lengths = [self.coding.vocabulary(), self.training.len(), self.evaluation.len()];
        lengths.iter().for_each(|&length| hash.update((length as u64).to_le_bytes()));
        for token in self.training.iter().chain(&self.evaluation) {
            hash.update(token.to_le_bytes());
        }
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_all_tokens_without_the_contexts_across() {
        let corpus = Corpus::new((0..11).map(|token| token % 5).collect(), vec![0; 5], 5, 2, false);
        let sizes = [Part::All, Part::Of(0), Part::Of(1), Part::Of(2)]
            .map(|part| corpus.training_examples(part, 3).len());
        assert_eq!(sizes, [9, 1, 1, 3]);
        let mut other = corpus.clone();
        other.evaluation[4] = 1;
        assert_ne!(corpus.identity(), other.identity());
    }
}
