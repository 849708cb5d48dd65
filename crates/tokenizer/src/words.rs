//! Words: tokens that a text is cut into, and one for all others.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::added::{AddedTokens, Part};
use crate::characters::{is_punctuation, is_word};
use crate::vocabulary::Vocabulary;

/// The token of all words that have none, in vocabularies that are trained here.
const UNKNOWN: &str = "<unk>";

/// How text becomes tokens by cutting it into words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Words {
    pub separation: Separation,
    /// Stands for every word that has no token.
    pub unknown: u32,
    #[serde(skip)]
    by_bytes: HashMap<Box<[u8]>, u32>,
}

/// Where words end. White space always ends one, and is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Separation {
    /// Nothing else does.
    Spaces,
    /// Words in the narrow sense and runs of anything else are apart: `\w+|[^\w\s]+`.
    Runs,
    /// Each punctuation mark is a word of its own.
    Marks,
}

impl Words {
    pub fn new(separation: Separation, unknown: u32) -> Self {
        Self { separation, unknown, by_bytes: HashMap::new() }
    }

    /// Makes ready for encoding; says what contradicts the vocabulary, of which the first
    /// `model_tokens` are the model's.
    pub fn index(
        &mut self,
        vocabulary: &Vocabulary,
        model_tokens: u32,
        added: &AddedTokens,
    ) -> Result<(), String> {
        self.by_bytes = by_bytes(vocabulary, model_tokens, self.unknown)?;
        // No text has one in it any more when its words are looked up.
        self.by_bytes.retain(|_, &mut token| !added.contains(token));
        Ok(())
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
        each_word(
            text,
            |c| self.separation.role(c),
            |word| {
                let token = word.and_then(|word| self.by_bytes.get(word.as_bytes()));
                tokens.push(*token.unwrap_or(&self.unknown));
            },
        );
    }
}

/// The words among the first `model_tokens` of a vocabulary; says which is none, or twice the same.
pub(crate) fn by_bytes(
    vocabulary: &Vocabulary,
    model_tokens: u32,
    unknown: u32,
) -> Result<HashMap<Box<[u8]>, u32>, String> {
    if unknown >= model_tokens || vocabulary.get(unknown).is_none() {
        return Err(format!("the unknown token {unknown} is not among the words"));
    }
    let mut by_bytes: HashMap<Box<[u8]>, u32> = HashMap::with_capacity(model_tokens as usize);
    for (token, bytes) in vocabulary.tokens().take_while(|&(token, _)| token < model_tokens) {
        if str::from_utf8(bytes).is_err() {
            return Err(format!("token {token} is a word, but not UTF-8"));
        }
        if let Some(other) = by_bytes.insert(bytes.into(), token) {
            return Err(format!("tokens {other} and {token} are the same word"));
        }
    }
    Ok(by_bytes)
}

/// The vocabulary of a text, of at most `len` tokens: the unknown one, then the words from the most
/// frequent on, those of the same frequency in the order of their bytes. None when there is not a word.
pub(crate) fn train(text: &[u8], len: usize) -> Option<(Vocabulary, Words)> {
    let separation = Separation::Marks;
    let mut counts: HashMap<&str, u64> = HashMap::new();
    each_word(
        text,
        |c| separation.role(c),
        |word| {
            if let Some(word) = word {
                *counts.entry(word).or_default() += 1;
            }
        },
    );
    let mut words: Vec<(&str, u64)> = counts.into_iter().collect();
    if words.is_empty() {
        return None;
    }
    words.sort_unstable_by(|(a, a_count), (b, b_count)| b_count.cmp(a_count).then(a.cmp(b)));
    let mut vocabulary = Vocabulary::default();
    let unknown = vocabulary.push(UNKNOWN.as_bytes());
    for (word, _) in words.into_iter().take(len - 1) {
        vocabulary.push(word.as_bytes());
    }
    Some((vocabulary, Words::new(separation, unknown)))
}

/// What a character does to the word before it.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Role {
    /// Ends it and is dropped.
    Space,
    /// Ends it and is a word of its own.
    Mark,
    /// Goes on with it if the character before had the same number.
    Run(u8),
}

impl Separation {
    pub fn role(self, character: char) -> Role {
        match self {
            _ if character.is_whitespace() => Role::Space,
            Self::Marks if is_punctuation(character) => Role::Mark,
            Self::Runs if !is_word(character) => Role::Run(1),
            _ => Role::Run(0),
        }
    }
}

/// Calls `visit` with each word; without one for each sequence of bytes that is not UTF-8.
pub(crate) fn each_word<'a>(
    text: &'a [u8],
    role: impl Fn(char) -> Role,
    mut visit: impl FnMut(Option<&'a str>),
) {
    for chunk in text.utf8_chunks() {
        let text = chunk.valid();
        let mut word: Option<(usize, Role)> = None;
        for (position, character) in text.char_indices() {
            let role = role(character);
            match word {
                Some((_, run)) if run == role && role != Role::Mark => continue,
                Some((start, _)) => visit(Some(&text[start..position])),
                None => {}
            }
            word = (role != Role::Space).then_some((position, role));
        }
        if let Some((start, _)) = word {
            visit(Some(&text[start..]));
        }
        if !chunk.invalid().is_empty() {
            visit(None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &[u8], separation: Separation) -> Vec<&str> {
        let mut words = Vec::new();
        each_word(text, |c| separation.role(c), |word| words.push(word.unwrap_or("-invalid-")));
        words
    }

    #[test]
    fn words_end_where_they_are_told_to() {
        let text = "  don't stop...\u{a0}now €€ x_1".as_bytes();
        assert_eq!(cut(text, Separation::Spaces), ["don't", "stop...", "now", "€€", "x_1"]);
        assert_eq!(cut(text, Separation::Runs), ["don", "'", "t", "stop", "...", "now", "€€", "x_1"]);
        let marks = ["don", "'", "t", "stop", ".", ".", ".", "now", "€€", "x", "_", "1"];
        assert_eq!(cut(text, Separation::Marks), marks);
        assert_eq!(cut(b"", Separation::Marks), [""; 0]);
        assert_eq!(cut(b"a\xffb \xe2\x82", Separation::Marks), ["a", "-invalid-", "b", "-invalid-"]);
    }
}
