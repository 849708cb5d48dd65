//! Beginning, end and padding of a text as tokens.

use rekindle_tokenizer::Tokenizer;

/// Names that programs give to the token before a text, after it, and in place of one.
const BOS_NAMES: [&str; 3] = ["<bos>", "<s>", "<|startoftext|>"];
const EOS_NAMES: [&str; 4] = ["<|endoftext|>", "<eos>", "</s>", "<|end|>"];
const PAD_NAMES: [&str; 2] = ["<pad>", "<|pad|>"];

/// Tokens that have a meaning for the programs that use a model.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SpecialTokens {
    /// Stands before a text.
    pub bos: Option<u32>,
    /// Stands after a text.
    pub eos: Option<u32>,
    /// Stands where no text is.
    pub pad: Option<u32>,
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
        Self { bos: find(&BOS_NAMES), eos: find(&EOS_NAMES), pad: find(&PAD_NAMES) }
    }

    /// The first of them that is none of `vocabulary` tokens.
    pub(super) fn out_of_range(self, vocabulary: usize) -> Option<u32> {
        let all = [self.bos, self.eos, self.pad];
        all.into_iter().flatten().find(|&token| token as usize >= vocabulary)
    }
}
