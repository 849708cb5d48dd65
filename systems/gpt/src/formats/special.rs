//! Tokens that have a meaning for programs.

use rekindle_tokenizer::Tokenizer;

/// Names that programs give to the token before a text, after it, and in place of one.
const BEGINNINGS: [&str; 3] = ["<bos>", "<s>", "<|startoftext|>"];
const ENDS: [&str; 4] = ["<|endoftext|>", "<eos>", "</s>", "<|end|>"];
const PADDINGS: [&str; 2] = ["<pad>", "<|pad|>"];

/// Tokens that have a meaning for the programs that use a model.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SpecialTokens {
    /// Stands before a text.
    pub beginning: Option<u32>,
    /// Stands after a text.
    pub end: Option<u32>,
    /// Stands where no text is.
    pub padding: Option<u32>,
}

impl SpecialTokens {
    /// Those of a tokenizer that have one of the usual names.
    pub fn of(tokenizer: &Tokenizer) -> Self {
        let find = |names: &[&str]| {
            let named = |name: &&str| {
                (0..tokenizer.len() as u32)
                    .find(|&token| tokenizer.token_bytes(token) == Some(name.as_bytes()))
            };
            names.iter().find_map(named)
        };
        Self { beginning: find(&BEGINNINGS), end: find(&ENDS), padding: find(&PADDINGS) }
    }

    /// The first of them that is none of `vocabulary` tokens.
    pub(super) fn beyond(self, vocabulary: usize) -> Option<u32> {
        let all = [self.beginning, self.end, self.padding];
        all.into_iter().flatten().find(|&token| token as usize >= vocabulary)
    }
}
