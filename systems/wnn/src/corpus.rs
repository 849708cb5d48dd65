//! The tokens that are learnt, those that are selected by, and those that are reported on.

use crate::examples::{ClassedExamples, Coding, Examples};

/// Tokens, cut into examples.
#[derive(Debug, Clone)]
pub struct Corpus {
    /// Tokens to learn from.
    pub training: Vec<u32>,
    /// Tokens that everything is selected by.
    pub select: Vec<u32>,
    /// Tokens that are reported on, and that nothing is chosen by; there may be none.
    pub test: Vec<u32>,
    /// How they become examples.
    pub coding: Coding,
}

/// Which of the training tokens are learnt from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TokenPart {
    /// All of them.
    All,
    /// One of the parts that they are cut into.
    Of(u32),
}

impl Corpus {
    /// All tokens must be below `vocabulary`.
    pub fn new(
        training: Vec<u32>,
        select: Vec<u32>,
        test: Vec<u32>,
        vocabulary: usize,
        context: usize,
        by_frequency: bool,
    ) -> Self {
        let coding = Coding::new(&training, vocabulary, context, by_frequency);
        Self { training, select, test, coding }
    }

    /// The examples that are selected by.
    pub fn select_examples(&self) -> Examples {
        self.coding.examples(&self.select)
    }

    /// The examples that are reported on.
    pub fn test_examples(&self) -> Examples {
        self.coding.examples(&self.test)
    }

    /// The training examples of one of `parts` pieces that follow each other; no context reaches
    /// from one into the next. The last has what does not divide.
    pub fn training_examples(&self, part: TokenPart, parts: u32) -> ClassedExamples {
        let tokens = match part {
            TokenPart::All => &self.training[..],
            TokenPart::Of(part) => {
                let size = self.training.len() / parts.max(1) as usize;
                let start = part as usize * size;
                let end = if part + 1 == parts { self.training.len() } else { start + size };
                &self.training[start..end]
            }
        };
        ClassedExamples::new(&self.coding.examples(tokens), self.coding.vocabulary())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_all_tokens_without_the_contexts_across() {
        let corpus =
            Corpus::new((0..11).map(|token| token % 5).collect(), vec![0; 5], vec![0; 4], 5, 2, false);
        let sizes = [TokenPart::All, TokenPart::Of(0), TokenPart::Of(1), TokenPart::Of(2)]
            .map(|part| corpus.training_examples(part, 3).len());
        assert_eq!(sizes, [9, 1, 1, 3]);
    }
}
