//! Byte pairs: tokens of one byte, and tokens joined of two others.
//!
//! After P. Gage, "A new algorithm for data compression" (1994), and R. Sennrich, B. Haddow and
//! A. Birch, "Neural machine translation of rare words with subword units" (2016), over bytes as in
//! GPT-2.

mod encode;
mod train;

use std::borrow::Cow;
use std::collections::HashMap;

use serde::{Deserialize, Serialize};

pub(crate) use encode::Encoding;
pub(crate) use train::{TEXT_LIMIT, train};

use crate::added::Part;
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
    pub merges: Vec<u32>,
    /// Stands for a byte that has no token; without it, such a byte is left out.
    pub unknown: Option<u32>,
    /// Several unknown bytes in a row are one unknown token.
    pub fuses_unknown: bool,
    /// A space is put before a text that has none.
    pub adds_prefix_space: bool,
    /// The text is cut into the pieces of GPT-2 first.
    pub cuts_pieces: bool,
    #[serde(skip)]
    by_pair: HashMap<(u32, u32), Merge>,
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
            by_pair: HashMap::new(),
        }
    }

    /// The merges: left token, right token, both together.
    pub fn merges(&self) -> impl Iterator<Item = [u32; 3]> {
        self.merges.chunks_exact(3).map(|merge| [merge[0], merge[1], merge[2]])
    }

    /// Makes ready for encoding; says what contradicts the vocabulary, of which the first
    /// `model_tokens` are the model's.
    pub fn index(&mut self, vocabulary: &Vocabulary, model_tokens: u32) -> Result<(), String> {
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
        let mut by_pair = HashMap::with_capacity(self.merges.len() / 3);
        for (rank, [left, right, token]) in (0..).zip(self.merges()) {
            let joined = bytes_of(token)?;
            let (start, end) = (bytes_of(left)?, bytes_of(right)?);
            if joined.strip_prefix(start) != Some(end) {
                return Err(format!("merge {rank}: token {token} is not {left} and {right} together"));
            }
            if by_pair.insert((left, right), Merge { rank, token }).is_some() {
                return Err(format!("merge {rank}: {left} and {right} are merged twice"));
            }
        }
        self.by_pair = by_pair;
        Ok(())
    }

    /// Appends the tokens of a text.
    pub fn encode(&self, parts: Vec<Part<'_>>, tokens: &mut Vec<u32>) {
        // Whole before any is cut, so that pieces can be remembered by reference.
        let parts: Vec<(Option<u32>, Cow<'_, [u8]>)> = parts
            .into_iter()
            .map(|part| match part {
                Part::Token(token) => (Some(token), Cow::default()),
                Part::Text(text) if self.adds_prefix_space && text[0] != b' ' => {
                    (None, [b" ", text].concat().into())
                }
                Part::Text(text) => (None, text.into()),
            })
            .collect();
        let mut encoding = Encoding::new(self, tokens);
        for (token, text) in &parts {
            match token {
                Some(token) => encoding.token(*token),
                None if self.cuts_pieces => pieces(text).for_each(|piece| encoding.piece(piece)),
                None => encoding.piece(text),
            }
        }
    }
}
