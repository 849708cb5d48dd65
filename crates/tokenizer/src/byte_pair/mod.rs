//! Byte pairs: tokens of one byte, and tokens joined of two others.
//!
//! After P. Gage, "A new algorithm for data compression" (1994), and R. Sennrich, B. Haddow and
//! A. Birch, "Neural machine translation of rare words with subword units" (2016), over bytes as in
//! GPT-2.

mod encode;
mod train;

use std::borrow::Cow;
use std::collections::HashMap;

use foldhash::fast::RandomState;
use serde::{Deserialize, Serialize};

pub(crate) use encode::{Distinct, Encoding};
pub(crate) use train::{Corpus, TEXT_LIMIT, TOKEN_LIMIT, may_be_whole, train, train_whole};

use crate::added::{AddedTokens, Part};
use crate::pieces::pieces;
use crate::vocabulary::Vocabulary;

/// Stands in [`BytePair::byte_tokens`] for a byte that has no token.
pub(crate) const NO_TOKEN: u32 = u32::MAX;

/// How text becomes tokens by joining bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct BytePair {
    /// The token of each of the 256 bytes, or [`NO_TOKEN`].
    pub byte_tokens: Vec<u32>,
    /// Three numbers for each merge, the most urgent first: the left token, the right one, and the
    /// token of both together.
    #[serde(with = "rekindle::growing")]
    pub merges: Vec<u32>,
    /// Stands for a byte that has no token; without it, such a byte is left out.
    pub unknown: Option<u32>,
    /// Several unknown bytes in a row are one unknown token.
    pub fuses_unknown: bool,
    /// A space is put before a text that has none.
    pub adds_prefix_space: bool,
    /// The text is cut into the pieces of GPT-2 first.
    pub cuts_pieces: bool,
    /// A piece that is a token as a whole is that token, whatever the merges make of it: the
    /// `ignore_merges` of a `tokenizer.json`. Not in the serde form when it is not so, as it came later.
    #[serde(default, skip_serializing_if = "is_false")]
    pub keeps_whole: bool,
    /// By both tokens as one number, the left one in the upper half.
    #[serde(skip)]
    by_pair: HashMap<u64, Merge, RandomState>,
    /// The tokens that a piece may be as a whole; empty unless `keeps_whole`.
    #[serde(skip)]
    whole: HashMap<Box<[u8]>, u32, RandomState>,
}

/// What two tokens that stand side by side become.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Merge {
    /// Lower ones come first.
    rank: u32,
    token: u32,
}

impl BytePair {
    /// With the settings of a vocabulary that was trained here.
    pub fn new(byte_tokens: Vec<u32>, merges: Vec<u32>) -> Self {
        Self {
            byte_tokens,
            merges,
            unknown: None,
            fuses_unknown: false,
            adds_prefix_space: false,
            cuts_pieces: true,
            keeps_whole: false,
            by_pair: HashMap::default(),
            whole: HashMap::default(),
        }
    }

    /// The merges: left token, right token, both together.
    pub fn merges(&self) -> impl Iterator<Item = [u32; 3]> {
        self.merges.chunks_exact(3).map(|merge| [merge[0], merge[1], merge[2]])
    }

    /// Tokens are whole pieces or single bytes, and nothing is merged.
    pub fn is_of_words(&self) -> bool {
        self.keeps_whole && self.merges.is_empty()
    }

    /// Makes ready for encoding; says what contradicts the vocabulary, of which the first
    /// `model_tokens` are the model's.
    pub fn index(
        &mut self,
        vocabulary: &Vocabulary,
        model_tokens: u32,
        added: &AddedTokens,
    ) -> Result<(), String> {
        let bytes_of = |token: u32| {
            let bytes = vocabulary.get(token).filter(|_| token < model_tokens);
            bytes.ok_or_else(|| format!("token {token} is not among the {model_tokens} of the model"))
        };
        if self.byte_tokens.len() != 256 {
            return Err(format!("{} tokens of single bytes, 256 are needed", self.byte_tokens.len()));
        }
        for (byte, &token) in (0..=u8::MAX).zip(&self.byte_tokens) {
            if token != NO_TOKEN && bytes_of(token)? != [byte] {
                return Err(format!("token {token} is not byte {byte}"));
            }
        }
        if let Some(unknown) = self.unknown {
            bytes_of(unknown)?;
        }
        if !self.merges.len().is_multiple_of(3) {
            return Err(format!("merges have three numbers each, but there are {}", self.merges.len()));
        }
        let mut by_pair = HashMap::with_capacity_and_hasher(self.merges.len() / 3, RandomState::default());
        for (rank, [left, right, token]) in (0..).zip(self.merges()) {
            let joined = bytes_of(token)?;
            let (start, end) = (bytes_of(left)?, bytes_of(right)?);
            if joined.strip_prefix(start) != Some(end) {
                return Err(format!("merge {rank}: token {token} is not {left} and {right} together"));
            }
            if by_pair.insert(pair_key(left, right), Merge { rank, token }).is_some() {
                return Err(format!("merge {rank}: {left} and {right} are merged twice"));
            }
        }
        self.by_pair = by_pair;
        if self.keeps_whole {
            // No text has an added token in it any more when its pieces are looked up.
            let tokens = vocabulary.tokens().take_while(|&(token, _)| token < model_tokens);
            let tokens = tokens.filter(|&(token, _)| !added.contains(token));
            self.whole = tokens.map(|(token, bytes)| (bytes.into(), token)).collect();
        }
        Ok(())
    }

    /// The tokens of each of several pieces that are all different.
    pub fn encode_pieces<'a>(&self, pieces: impl Iterator<Item = &'a [u8]>) -> Vec<Vec<u32>> {
        let mut tokens = Vec::new();
        let mut encoding = Encoding::new(self, &mut tokens);
        pieces.for_each(|piece| encoding.piece(piece));
        let distinct = encoding.into_distinct();
        distinct.iter().map(|piece| tokens[piece.start..piece.start + piece.len].to_vec()).collect()
    }

    /// The tokens of one piece.
    pub fn encode_piece(&self, piece: &[u8]) -> Vec<u32> {
        let mut tokens = Vec::new();
        Encoding::new(self, &mut tokens).piece(piece);
        tokens
    }

    /// The token of a whole piece, when such are kept.
    fn whole(&self, piece: &[u8]) -> Option<u32> {
        match self.keeps_whole {
            true => self.whole.get(piece).copied(),
            false => None,
        }
    }

    fn merge(&self, left: u32, right: u32) -> Option<Merge> {
        self.by_pair.get(&pair_key(left, right)).copied()
    }

    /// Appends the tokens of a text.
    pub fn encode(&self, parts: &[Part<'_>], tokens: &mut Vec<u32>) {
        self.encode_each(parts, tokens, |_| {}, |_, _| {});
    }

    /// Appends the tokens of a text, tells `done` of each part when it is through, and at last
    /// `visit` of all different pieces and the tokens.
    pub fn encode_each(
        &self,
        parts: &[Part<'_>],
        tokens: &mut Vec<u32>,
        mut done: impl FnMut(usize),
        visit: impl FnOnce(&[Distinct<'_>], &[u32]),
    ) {
        // Whole before any is cut, so that pieces can be remembered by reference.
        let parts: Vec<(Option<u32>, Cow<'_, [u8]>)> = parts
            .iter()
            .map(|&part| match part {
                Part::Token(token) => (Some(token), Cow::default()),
                Part::Text(text) if self.adds_prefix_space && text[0] != b' ' => {
                    (None, [b" ", text].concat().into())
                }
                Part::Text(text) | Part::Rest(text) => (None, text.into()),
            })
            .collect();
        let mut encoding = Encoding::new(self, tokens);
        for (position, (token, text)) in parts.iter().enumerate() {
            match token {
                Some(token) => encoding.token(*token),
                None if self.cuts_pieces => pieces(text).for_each(|piece| encoding.piece(piece)),
                None => encoding.piece(text),
            }
            done(position);
        }
        let distinct = encoding.into_distinct();
        visit(&distinct, tokens);
    }
}

fn pair_key(left: u32, right: u32) -> u64 {
    u64::from(left) << 32 | u64::from(right)
}

fn is_false(value: &bool) -> bool {
    !value
}

#[cfg(test)]
mod tests {
    use std::cmp::Reverse;
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::Tokenizer;

    fn tokens_of(tokenizer: &Tokenizer) -> Vec<String> {
        let tokens = (256..tokenizer.len() as u32).filter_map(|token| tokenizer.token_bytes(token));
        tokens.map(|bytes| bytes.escape_ascii().to_string()).collect()
    }

    /// Pieces: `aab` thrice, `ab` twice, `cb` twice; with ` ` before all but the first.
    #[test]
    fn a_small_text_by_hand() {
        let text = b"aab aab aab ab ab cb cb";
        let tokenizer = Tokenizer::train_byte_pair(text, 1000).unwrap();
        // `a` and `b` stand together 5 times, then `a` and `ab` 3 times. Twice stand ` ` and `c`, which
        // is the pair (32, 99); `c` and `b`, (99, 98), until ` c` is a token; ` ` and `ab`, (32, 256);
        // ` ` and `aab`, (32, 257); and then ` c` and `b`, (258, 98).
        assert_eq!(tokens_of(&tokenizer), ["ab", "aab", " c", " ab", " aab", " cb"]);
        assert_eq!(tokenizer.encode(b"aab cab caab"), [257, 258, 256, 258, 257]);
    }

    #[test]
    fn bytes_that_overlap_themselves() {
        let tokenizer = Tokenizer::train_byte_pair(b"aaaaaaa", 1000).unwrap();
        assert_eq!(tokens_of(&tokenizer), ["aa", "aaaa"]);
        assert_eq!(tokenizer.encode(b"aaaaaaa"), [257, 256, 97]);
    }

    #[test]
    fn no_two_tokens_have_the_same_bytes() {
        let text = b"abcX abcX abcX bcY bcY bcY bcY abZ abZ abZ abZ abZ aXabc Yabc ".repeat(3);
        let tokenizer = Tokenizer::train_byte_pair(&text, 400).unwrap();
        let mut tokens = tokens_of(&tokenizer);
        let len = tokens.len();
        tokens.sort_unstable();
        tokens.dedup();
        assert_eq!(tokens.len(), len);
    }

    #[test]
    fn a_prefix_space_and_bytes_without_tokens() {
        let mut vocabulary = Vocabulary::default();
        for token in ["a", "b", "ab", " ", "?", " a"] {
            vocabulary.push(token.as_bytes());
        }
        let mut byte_tokens = vec![NO_TOKEN; 256];
        for (byte, token) in [(b'a', 0), (b'b', 1), (b' ', 3)] {
            byte_tokens[usize::from(byte)] = token;
        }
        let mut model = BytePair::new(byte_tokens, vec![3, 0, 5, 0, 1, 2]);
        model.index(&vocabulary, 6, &AddedTokens::default()).unwrap();
        let encode = |model: &BytePair, text: &[u8]| {
            let mut tokens = Vec::new();
            model.encode(&[Part::Token(9), Part::Text(text)], &mut tokens);
            tokens
        };
        // What is left out does not keep its neighbours apart.
        assert_eq!(encode(&model, b"axxb ab"), [9, 2, 5, 1]);
        model.unknown = Some(4);
        assert_eq!(encode(&model, b"axxb"), [9, 0, 4, 4, 1]);
        model.fuses_unknown = true;
        model.adds_prefix_space = true;
        assert_eq!(encode(&model, b"axxb"), [9, 5, 4, 1]);
        assert_eq!(encode(&model, b" ab"), [9, 5, 1]);
        assert_eq!(encode(&model, b"a a"), [9, 5, 5]);
        model.cuts_pieces = false;
        assert_eq!(encode(&model, b"ab a"), [9, 5, 1, 5]);
    }

    /// Counts all pairs anew before each merge.
    fn train_slowly(text: &[u8], len: usize) -> Vec<Vec<u8>> {
        let mut vocabulary: Vec<Vec<u8>> = (0..=u8::MAX).map(|byte| vec![byte]).collect();
        let mut texts: Vec<Vec<u32>> =
            pieces(text).map(|piece| piece.iter().copied().map(u32::from).collect()).collect();
        while vocabulary.len() < len {
            let mut counts = BTreeMap::new();
            for pair in texts.iter().flat_map(|text| text.windows(2)) {
                *counts.entry((pair[0], pair[1])).or_insert(0) += 1;
            }
            let joined = |(left, right): (u32, u32)| {
                [&vocabulary[left as usize][..], &vocabulary[right as usize]].concat()
            };
            let candidates =
                counts.into_iter().filter(|&(pair, count)| count >= 2 && !vocabulary.contains(&joined(pair)));
            let Some((pair, _)) = candidates.max_by_key(|&(pair, count)| (count, Reverse(pair))) else {
                break;
            };
            let bytes = joined(pair);
            let token = vocabulary.len() as u32;
            vocabulary.push(bytes);
            texts.iter_mut().for_each(|text| merge_slowly(text, pair, token));
        }
        vocabulary
    }

    fn merge_slowly(text: &mut Vec<u32>, pair: (u32, u32), token: u32) {
        let mut position = 0;
        while position + 1 < text.len() {
            if (text[position], text[position + 1]) == pair {
                text[position] = token;
                text.remove(position + 1);
            }
            position += 1;
        }
    }

    /// Applies one merge after the other to the whole text.
    fn encode_slowly(model: &BytePair, text: &[u8]) -> Vec<u32> {
        let encode = |piece: &[u8]| {
            let mut tokens: Vec<u32> = piece.iter().copied().map(u32::from).collect();
            for [left, right, token] in model.merges() {
                merge_slowly(&mut tokens, (left, right), token);
            }
            tokens
        };
        pieces(text).flat_map(encode).collect()
    }

    proptest! {
        #[test]
        fn quick_and_slow_agree(text in "[abc ']{1,80}", other in "[abc ']{0,40}", more in 0_usize..40) {
            let tokenizer = Tokenizer::train_byte_pair(text.as_bytes(), 256 + more).unwrap();
            let slow = train_slowly(text.as_bytes(), 256 + more);
            let quick: Vec<&[u8]> = tokenizer.vocabulary.tokens().map(|(_, bytes)| bytes).collect();
            prop_assert_eq!(quick, slow);
            let crate::tokenizer::Model::BytePair(model) = &tokenizer.model else { unreachable!() };
            for text in [&text, &other] {
                prop_assert_eq!(tokenizer.encode(text.as_bytes()), encode_slowly(model, text.as_bytes()));
            }
        }

        #[test]
        fn any_bytes_come_back(
            text in prop::collection::vec(any::<u8>(), 1..300),
            other in prop::collection::vec(any::<u8>(), 0..300),
        ) {
            let tokenizer = Tokenizer::train_byte_pair(&text, 300).unwrap();
            for text in [text, other] {
                prop_assert_eq!(tokenizer.decode(&tokenizer.encode(&text)).unwrap(), text);
            }
        }

        #[test]
        fn any_text_comes_back(text in "\\PC{1,60}") {
            let text = text.repeat(2);
            let tokenizer = Tokenizer::train_byte_pair(text.as_bytes(), 300).unwrap();
            prop_assert_eq!(tokenizer.decode(&tokenizer.encode(text.as_bytes())).unwrap(), text.as_bytes());
            prop_assert_eq!(pieces(text.as_bytes()).collect::<Vec<_>>().concat(), text.as_bytes());
        }
    }
}
