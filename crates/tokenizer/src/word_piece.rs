//! Word pieces: words that are cut into the longest tokens there are, from the left to the right.
//!
//! After Y. Wu et al., "Google's neural machine translation system" (2016), as in BERT.

use std::borrow::Cow;
use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::added::Part;
use crate::characters::{is_cleaned_away, is_ideograph};
use crate::vocabulary::Vocabulary;
use crate::words::{Role, Separation, by_bytes, each_word};

/// No word that is cut is longer: characters. It bounds the time that a word takes, which may grow with
/// the third power.
pub(crate) const WORD_LIMIT: u32 = 200;
/// No prefix is longer: bytes.
pub(crate) const PREFIX_LIMIT: usize = 16;

/// How text becomes tokens by cutting its words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct WordPiece {
    pub separation: Separation,
    /// Control characters are left out of the text first.
    pub cleans: bool,
    /// Each Chinese character is a word of its own.
    pub parts_ideographs: bool,
    /// What the tokens begin with that go on with a word.
    pub prefix: String,
    /// A word of more characters is unknown.
    pub longest_word: u32,
    /// Stands for a word that cannot be cut into tokens.
    pub unknown: u32,
    #[serde(skip)]
    by_bytes: HashMap<Box<[u8]>, u32>,
    /// Of the longest token: bytes.
    #[serde(skip)]
    longest_token: usize,
}

impl WordPiece {
    /// With the settings of most files.
    pub fn new(separation: Separation, unknown: u32) -> Self {
        Self {
            separation,
            cleans: false,
            parts_ideographs: false,
            prefix: "##".to_owned(),
            longest_word: 100,
            unknown,
            by_bytes: HashMap::new(),
            longest_token: 0,
        }
    }

    /// Makes ready for encoding; says what contradicts the vocabulary, of which the first
    /// `model_tokens` are the model's.
    pub fn index(&mut self, vocabulary: &Vocabulary, model_tokens: u32) -> Result<(), String> {
        if self.longest_word > WORD_LIMIT {
            return Err(format!("words of {} characters, at most {WORD_LIMIT} can be", self.longest_word));
        }
        if self.prefix.len() > PREFIX_LIMIT {
            return Err(format!("a prefix of {} bytes, at most {PREFIX_LIMIT} can be", self.prefix.len()));
        }
        self.by_bytes = by_bytes(vocabulary, model_tokens, self.unknown)?;
        self.longest_token = self.by_bytes.keys().map(|token| token.len()).max().unwrap_or(0);
        Ok(())
    }

    /// Appends the tokens of a text.
    pub fn encode(&self, parts: &[Part<'_>], tokens: &mut Vec<u32>) {
        for &part in parts {
            match part {
                Part::Token(token) => tokens.push(token),
                Part::Text(text) | Part::Rest(text) => each_word(
                    &self.cleaned(text),
                    |c| self.role(c),
                    |word| {
                        self.encode_word(word, tokens);
                    },
                ),
            }
        }
    }

    /// Appends tokens to a text, those that go on with a word without a space and their prefix.
    pub fn join(&self, text: &mut Vec<u8>, token: &[u8]) {
        match token.strip_prefix(self.prefix.as_bytes()) {
            Some(rest) if !self.prefix.is_empty() => text.extend_from_slice(rest),
            _ => {
                text.push(b' ');
                text.extend_from_slice(token);
            }
        }
    }

    fn role(&self, character: char) -> Role {
        match self.separation.role(character) {
            Role::Run(_) if self.parts_ideographs && is_ideograph(character) => Role::Mark,
            role => role,
        }
    }

    /// The text without control characters; bytes that are not UTF-8 stay.
    fn cleaned<'a>(&self, text: &'a [u8]) -> Cow<'a, [u8]> {
        let is_clean = |chunk: &str| !chunk.chars().any(is_cleaned_away);
        if !self.cleans || text.utf8_chunks().all(|chunk| is_clean(chunk.valid())) {
            return text.into();
        }
        let mut cleaned = Vec::with_capacity(text.len());
        for chunk in text.utf8_chunks() {
            let kept: String = chunk.valid().chars().filter(|&c| !is_cleaned_away(c)).collect();
            cleaned.extend_from_slice(kept.as_bytes());
            cleaned.extend_from_slice(chunk.invalid());
        }
        cleaned.into()
    }

    fn encode_word(&self, word: Option<&str>, tokens: &mut Vec<u32>) {
        let start = tokens.len();
        let is_known = word.is_some_and(|word| self.cut(word, tokens).is_some());
        if !is_known {
            tokens.truncate(start);
            tokens.push(self.unknown);
        }
    }

    /// Appends the tokens of a word; none when what is left begins with no token.
    fn cut(&self, word: &str, tokens: &mut Vec<u32>) -> Option<()> {
        if word.chars().count() > self.longest_word as usize {
            return None;
        }
        let mut name = Vec::new();
        let mut start = 0;
        while start < word.len() {
            name.clear();
            if start > 0 {
                name.extend_from_slice(self.prefix.as_bytes());
            }
            let before = name.len();
            let room = self.longest_token.saturating_sub(before);
            name.extend(word.bytes().skip(start).take(room));
            let token = loop {
                if name.len() <= before {
                    return None;
                }
                if let Some(&token) = self.by_bytes.get(&name[..]) {
                    break token;
                }
                // A token that ends within a character is none: tokens are UTF-8.
                name.pop();
            };
            tokens.push(token);
            start += name.len() - before;
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(tokens: &[&str]) -> WordPiece {
        let mut vocabulary = Vocabulary::default();
        for token in tokens {
            vocabulary.push(token.as_bytes());
        }
        let mut model = WordPiece::new(Separation::Marks, 0);
        model.index(&vocabulary, tokens.len() as u32).unwrap();
        model
    }

    fn encode(model: &WordPiece, text: &[u8]) -> Vec<u32> {
        let mut tokens = Vec::new();
        model.encode(&[Part::Text(text)], &mut tokens);
        tokens
    }

    #[test]
    fn the_longest_token_from_the_left() {
        let mut model = model(&["?", "un", "##aff", "##able", "##a", "u", ",", "é", "##é", "漢", "字"]);
        assert_eq!(encode(&model, b"unaffable, una unx u,un able"), [1, 2, 3, 6, 1, 4, 0, 5, 6, 1, 0]);
        assert_eq!(encode(&model, "éé é\u{301} 漢 漢字 \u{200b}u".as_bytes()), [7, 8, 0, 9, 0, 0]);
        model.parts_ideographs = true;
        model.cleans = true;
        assert_eq!(encode(&model, "漢字u\u{200b}naff\0a".as_bytes()), [9, 10, 1, 2, 4]);
        assert_eq!(encode(&model, b"u\xff u\0\xe9"), [5, 0, 5, 0]);
        model.longest_word = 5;
        assert_eq!(encode(&model, b"unaff unaffa"), [1, 2, 0]);
    }
}
