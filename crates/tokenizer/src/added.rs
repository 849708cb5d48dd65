//! Tokens that are looked for in the text before anything else, such as `<|endoftext|>`.

use std::collections::{BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use crate::vocabulary::Vocabulary;

/// The added tokens of a `tokenizer.json`. Those of the second list are looked for in what those of
/// the first leave: with no normalizer, that is all the difference there is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct AddedTokens {
    /// Those with `"normalized": false`.
    pub verbatim: Vec<u32>,
    /// Those with `"normalized": true`.
    pub normalized: Vec<u32>,
    /// Those with `"special": false`: they are text like any other, but always a token of their own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ordinary: Vec<u32>,
    #[serde(skip)]
    searches: [Search; 3],
    /// Those of the first two lists.
    #[serde(skip)]
    all: BTreeSet<u32>,
}

/// A part of a text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Part<'a> {
    /// An added token.
    Token(u32),
    /// What is between them; not empty.
    Text(&'a [u8]),
    /// More of the text before it, which was cut where its tokens are not changed by it; not empty.
    Rest(&'a [u8]),
}

impl AddedTokens {
    pub fn new(verbatim: Vec<u32>, normalized: Vec<u32>, ordinary: Vec<u32>) -> Self {
        Self { verbatim, normalized, ordinary, searches: Default::default(), all: BTreeSet::new() }
    }

    pub fn iter(&self) -> impl Iterator<Item = u32> {
        self.verbatim.iter().chain(&self.normalized).chain(&self.ordinary).copied()
    }

    /// Whether a token is found, but not in ordinary text.
    pub fn contains(&self, token: u32) -> bool {
        self.all.contains(&token)
    }

    /// Makes ready for [`Self::split`] and [`Self::contains`]; says which token cannot be an added one.
    pub fn index(&mut self, vocabulary: &Vocabulary) -> Result<(), String> {
        let mut seen = BTreeSet::new();
        for token in self.iter() {
            let bytes = vocabulary.get(token).ok_or_else(|| format!("no token has the number {token}"))?;
            if str::from_utf8(bytes).is_err() {
                return Err(format!("token {token} is an added one, but not UTF-8"));
            }
            if !seen.insert(bytes) {
                return Err(format!("token {token} is added twice"));
            }
        }
        self.all = self.verbatim.iter().chain(&self.normalized).copied().collect();
        self.searches =
            [&self.verbatim, &self.normalized, &self.ordinary].map(|tokens| Search::new(tokens, vocabulary));
        Ok(())
    }

    /// The text, cut where an added token stands: the leftmost first, the longest where several
    /// begin.
    pub fn split<'a>(&self, text: &'a [u8]) -> Vec<Part<'a>> {
        let [verbatim, normalized, ordinary] = &self.searches;
        ordinary.split_parts(normalized.split_parts(verbatim.split(text)))
    }

    /// The same, but only where a token of ordinary text stands.
    pub fn split_ordinary<'a>(&self, text: &'a [u8]) -> Vec<Part<'a>> {
        self.searches[2].split(text)
    }
}

/// Looks for any of several tokens at once.
#[derive(Debug, Clone, Default, PartialEq)]
struct Search {
    tokens: HashMap<Box<[u8]>, u32>,
    /// For each first byte, the lengths of the tokens that begin with it, longest first; empty when
    /// there are not tokens.
    lengths: Vec<Vec<usize>>,
}

impl Search {
    fn new(numbers: &[u32], vocabulary: &Vocabulary) -> Self {
        let tokens: HashMap<Box<[u8]>, u32> =
            numbers.iter().filter_map(|&number| Some((vocabulary.get(number)?.into(), number))).collect();
        if tokens.is_empty() {
            return Self::default();
        }
        let mut lengths = vec![Vec::new(); 256];
        for token in tokens.keys() {
            lengths[usize::from(token[0])].push(token.len());
        }
        for lengths in &mut lengths {
            lengths.sort_unstable_by(|a, b| b.cmp(a));
            lengths.dedup();
        }
        Self { tokens, lengths }
    }

    fn split<'a>(&self, text: &'a [u8]) -> Vec<Part<'a>> {
        let mut parts = Vec::new();
        let mut start = 0;
        let mut position = 0;
        while position < text.len() && !self.tokens.is_empty() {
            match self.at(&text[position..]) {
                Some((token, len)) => {
                    parts.extend(text_part(&text[start..position]));
                    parts.push(Part::Token(token));
                    position += len;
                    start = position;
                }
                None => position += 1,
            }
        }
        parts.extend(text_part(&text[start..]));
        parts
    }

    /// Cuts what is still text.
    fn split_parts<'a>(&self, parts: Vec<Part<'a>>) -> Vec<Part<'a>> {
        if self.tokens.is_empty() {
            return parts;
        }
        let cut = |part| match part {
            Part::Text(text) => self.split(text),
            other => vec![other],
        };
        parts.into_iter().flat_map(cut).collect()
    }

    /// The longest token that the text begins with, and its length.
    fn at(&self, text: &[u8]) -> Option<(u32, usize)> {
        let lengths = &self.lengths[usize::from(text[0])];
        lengths.iter().find_map(|&len| Some((*self.tokens.get(text.get(..len)?)?, len)))
    }
}

fn text_part(text: &[u8]) -> Option<Part<'_>> {
    (!text.is_empty()).then_some(Part::Text(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_leftmost_and_longest_is_found_first() {
        let mut vocabulary = Vocabulary::default();
        for token in ["<a>", "<a>b", "b<", "c"] {
            vocabulary.push(token.as_bytes());
        }
        let mut added = AddedTokens::new(vec![0, 1, 2], vec![3], Vec::new());
        added.index(&vocabulary).unwrap();
        let expected = [Part::Text(b"x"), Part::Token(1), Part::Token(0), Part::Text(b"a"), Part::Token(3)];
        assert_eq!(added.split(b"x<a>b<a>ac"), expected);
        assert_eq!(added.split(b""), []);
        assert_eq!(AddedTokens::default().split(b"<a>"), [Part::Text(b"<a>")]);
    }

    #[test]
    fn what_cannot_be_added_is_refused() {
        let mut vocabulary = Vocabulary::default();
        vocabulary.push(b"\xff");
        vocabulary.push(b"a");
        for (tokens, expected) in [(vec![0], "not UTF-8"), (vec![1, 1], "twice"), (vec![2], "number 2")] {
            let error = AddedTokens::new(tokens, Vec::new(), Vec::new()).index(&vocabulary).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }
}
