//! Byte pairs as other files than a `tokenizer.json` list them.

use super::file::{AddedToken, Bounded, File, Merge, Model, Stage, Vocab};
use super::read::{FILE_LIMIT, tokenizer};
use crate::error::TokenizerError;
use crate::tokenizer::Tokenizer;

/// Byte pairs as `vocab.json` with `merges.txt` and other files list them, in the alphabet of GPT-2, in which
/// each byte is a printable character. Text is cut into the pieces of GPT-2.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListedBytePairs {
    /// Tokens with their numbers, in any order.
    pub tokens: Vec<(String, u32)>,
    /// Two tokens with a space between them, the most urgent first.
    pub merges: Vec<String>,
    /// Special tokens with their numbers, in any order. They may be among `tokens`; others follow on them.
    pub added: Vec<(String, u32)>,
    /// The token for bytes that have none.
    pub unknown: Option<String>,
    /// A space is put before a text that has none.
    pub adds_prefix_space: bool,
}

impl ListedBytePairs {
    /// The tokens of a `vocab.json` and the merges of a `merges.txt`; there are no special tokens in them.
    ///
    /// # Errors
    /// When a file is too long, or the first is no JSON map from tokens to numbers.
    pub fn from_vocab_and_merges(vocab: &[u8], merges: &str) -> Result<Self, TokenizerError> {
        if let Some(len) = [vocab.len(), merges.len()].into_iter().find(|&len| len > FILE_LIMIT) {
            return Err(TokenizerError::FileTooLarge { len, limit: FILE_LIMIT });
        }
        let Vocab(tokens) = serde_json::from_slice(vocab)?;
        // The heading is `#version: 0.2`.
        let lines = merges.lines().filter(|line| !line.is_empty() && !line.starts_with("#version"));
        Ok(Self { tokens, merges: lines.map(str::to_owned).collect(), ..Self::default() })
    }
}

impl Tokenizer {
    /// The tokenizer that these lists are.
    ///
    /// # Errors
    /// When they contradict themselves, or have more tokens than can be.
    pub fn from_listed_byte_pairs(listed: ListedBytePairs) -> Result<Self, TokenizerError> {
        let ListedBytePairs { tokens, merges, mut added, unknown, adds_prefix_space } = listed;
        // Those behind the others are numbered in their order.
        added.sort_by_key(|&(_, token)| token);
        let added =
            added.into_iter().map(|(content, id)| AddedToken { id, content, ..AddedToken::default() });
        let stage = Stage {
            kind: "ByteLevel".to_owned(),
            add_prefix_space: Some(adds_prefix_space),
            ..Stage::default()
        };
        let model = Model {
            kind: Some("BPE".to_owned()),
            unk_token: unknown,
            vocab: Vocab(tokens),
            merges: Some(Bounded(merges.into_iter().map(Merge::Line).collect())),
            ..Model::default()
        };
        tokenizer(&File {
            added_tokens: Some(Bounded(added.collect())),
            pre_tokenizer: Some(stage),
            model,
            ..File::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vocab_and_merges_make_a_tokenizer() {
        let vocab = r#"{"a": 1, "b": 0, "ab": 2, "Ġ": 3, "Ġab": 4, "<|endoftext|>": 5}"#;
        let merges = "#version: 0.2\na b\nĠ ab\n\n";
        let mut listed = ListedBytePairs::from_vocab_and_merges(vocab.as_bytes(), merges).unwrap();
        listed.added = vec![("<x>".to_owned(), 7), ("<|endoftext|>".to_owned(), 5), ("<pad>".to_owned(), 6)];
        let tokenizer = Tokenizer::from_listed_byte_pairs(listed.clone()).unwrap();
        assert_eq!(tokenizer.encode(b"ab ab<|endoftext|>b<x>"), [2, 4, 5, 0, 7]);
        assert_eq!(tokenizer.encode_ordinary(b"ab"), [2]);
        listed.adds_prefix_space = true;
        let spaced = Tokenizer::from_listed_byte_pairs(listed.clone()).unwrap();
        assert_eq!(spaced.encode(b"ab"), [4]);
        listed.added[0].1 = 9;
        let error = Tokenizer::from_listed_byte_pairs(listed).unwrap_err().to_string();
        assert!(error.contains("it is 9, but the library takes 7"), "{error}");
        assert!(ListedBytePairs::from_vocab_and_merges(b"{", "").is_err());
    }
}
