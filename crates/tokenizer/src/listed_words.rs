//! Words that another program listed, found in a text by the rules of that program.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use crate::added::{AddedTokens, Part};
use crate::vocabulary::Vocabulary;

/// How a program finds its words in a text: it cuts the text at white space, and each word at its ASCII
/// punctuation, of which each byte is a word of its own. Bytes that are not UTF-8 are part of a word like
/// any others.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct WordRules {
    /// White space is that of Unicode, such as `U+00A0`. Otherwise it is a space and the bytes 9 to 13.
    pub unicode_space: bool,
    /// The letters `A` to `Z` of a text become small ones before a word is looked up; others stay.
    pub lower_case: bool,
    /// Stands for every word that is not listed. Without it such words are left out.
    pub unknown: Option<u32>,
    /// Listed words that are not cut at their punctuation where they stand between white space.
    pub whole: Vec<String>,
    /// Tokens become text without a space before one that begins with ASCII punctuation.
    pub joins_punctuation: bool,
}

/// How text becomes tokens by looking up its words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ListedWords {
    pub rules: WordRules,
    #[serde(skip)]
    by_bytes: HashMap<Box<[u8]>, u32>,
    /// Those that are not cut.
    #[serde(skip)]
    whole: HashMap<Box<[u8]>, u32>,
}

impl ListedWords {
    pub fn new(rules: WordRules) -> Self {
        Self { rules, by_bytes: HashMap::new(), whole: HashMap::new() }
    }

    /// Makes ready for encoding; says what contradicts the vocabulary, of which the first
    /// `model_tokens` are the model's.
    pub fn index(
        &mut self,
        vocabulary: &Vocabulary,
        model_tokens: u32,
        added: &AddedTokens,
    ) -> Result<(), String> {
        self.by_bytes = listed(vocabulary, model_tokens)?;
        if let Some(unknown) = self.rules.unknown
            && (unknown >= model_tokens || vocabulary.get(unknown).is_none())
        {
            return Err(format!("the unknown token {unknown} is not among the words"));
        }
        if !added.normalized.is_empty() {
            return Err("listed words have added tokens that are looked for in changed text".to_owned());
        }
        self.whole = self.whole_words()?;
        // Added tokens are looked for first, and not at all in the text of others.
        self.by_bytes.retain(|_, &mut token| !added.contains(token));
        self.whole.retain(|_, &mut token| !added.contains(token));
        Ok(())
    }

    fn whole_words(&self) -> Result<HashMap<Box<[u8]>, u32>, String> {
        let mut whole = HashMap::new();
        for word in &self.rules.whole {
            let Some(&token) = self.by_bytes.get(word.as_bytes()) else {
                return Err(format!("{word:?} is to stay whole, but is not among the words"));
            };
            if whole.insert(word.as_bytes().into(), token).is_some() {
                return Err(format!("{word:?} is to stay whole twice"));
            }
        }
        Ok(whole)
    }

    /// Appends the tokens of a text.
    pub fn encode(&self, parts: &[Part<'_>], tokens: &mut Vec<u32>) {
        for &part in parts {
            match part {
                Part::Token(token) => tokens.push(token),
                Part::Text(text) | Part::Rest(text) => self.encode_text(text, tokens),
            }
        }
    }

    fn encode_text(&self, text: &[u8], tokens: &mut Vec<u32>) {
        let text: Cow<'_, [u8]> =
            if self.rules.lower_case { text.to_ascii_lowercase().into() } else { text.into() };
        for word in self.rules.words(&text) {
            match self.whole.get(word) {
                Some(&token) => tokens.push(token),
                None => tokens.extend(cut_at_punctuation(word).filter_map(|piece| self.token(piece))),
            }
        }
    }

    fn token(&self, piece: &[u8]) -> Option<u32> {
        self.by_bytes.get(piece).copied().or(self.rules.unknown)
    }

    /// Appends a token to a text.
    pub fn join(&self, text: &mut Vec<u8>, token: &[u8]) {
        let is_joined = self.rules.joins_punctuation && token[0].is_ascii_punctuation();
        if !text.is_empty() && !is_joined {
            text.push(b' ');
        }
        text.extend_from_slice(token);
    }
}

impl WordRules {
    /// What stands between white space.
    fn words<'a>(&self, text: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
        let unicode = self.unicode_space;
        let mut rest = text;
        std::iter::from_fn(move || {
            while let len @ 1.. = space_len(rest, unicode) {
                rest = &rest[len..];
            }
            let end = (0..rest.len()).find(|&end| space_len(&rest[end..], unicode) > 0);
            let (word, behind) = rest.split_at(end.unwrap_or(rest.len()));
            rest = behind;
            (!word.is_empty()).then_some(word)
        })
    }
}

/// All words of a text.
pub(crate) fn words_of(text: &[u8], rules: &WordRules) -> BTreeSet<Vec<u8>> {
    let text: Cow<'_, [u8]> = if rules.lower_case { text.to_ascii_lowercase().into() } else { text.into() };
    rules.words(&text).flat_map(cut_at_punctuation).map(<[u8]>::to_vec).collect()
}

/// Bytes of the white space character at the beginning; 0 when there is none.
fn space_len(text: &[u8], unicode: bool) -> usize {
    match text.first() {
        Some(b' ' | b'\t'..=b'\r') => 1,
        // All others have two or three bytes, and one of these first.
        Some(0xc2 | 0xe1..=0xe3) if unicode => (2..=3)
            .find(|&len| {
                let character = text.get(..len).and_then(|bytes| str::from_utf8(bytes).ok());
                character.is_some_and(|character| character.chars().all(char::is_whitespace))
            })
            .unwrap_or(0),
        _ => 0,
    }
}

/// A word, cut before and behind each byte of ASCII punctuation.
fn cut_at_punctuation(word: &[u8]) -> impl Iterator<Item = &[u8]> {
    word.chunk_by(|left, right| !left.is_ascii_punctuation() && !right.is_ascii_punctuation())
}

/// The words among the first `model_tokens` of a vocabulary; says which is twice the same.
fn listed(vocabulary: &Vocabulary, model_tokens: u32) -> Result<HashMap<Box<[u8]>, u32>, String> {
    let mut by_bytes: HashMap<Box<[u8]>, u32> = HashMap::with_capacity(model_tokens as usize);
    for (token, bytes) in vocabulary.tokens().take_while(|&(token, _)| token < model_tokens) {
        if let Some(other) = by_bytes.insert(bytes.into(), token) {
            return Err(format!("tokens {other} and {token} are the same word"));
        }
    }
    Ok(by_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_is_found_byte_by_byte() {
        for character in '\u{80}'..=char::MAX {
            let text = character.to_string();
            let len = if character.is_whitespace() { text.len() } else { 0 };
            assert_eq!(space_len(text.as_bytes(), true), len, "{character:?}");
            assert_eq!(space_len(text.as_bytes(), false), 0, "{character:?}");
        }
    }
}
