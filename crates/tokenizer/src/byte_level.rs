//! The names of byte-level tokens: the characters by which GPT-2, and a `tokenizer.json`, write bytes.
//!
//! A byte that is a visible character of Latin-1 stands for itself; the others follow from `U+0100`
//! on, in their order.

use std::collections::{BTreeSet, HashSet};

use crate::added::AddedTokens;
use crate::vocabulary::Vocabulary;

/// The text that stands for bytes.
pub(crate) fn encode(bytes: &[u8]) -> String {
    bytes.iter().map(|&byte| character(byte)).collect()
}

/// The bytes that a text stands for; none when it has other characters.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    text.chars().map(byte).collect()
}

/// Whether the text of an added token would be taken for other bytes, or, when those bytes are a token of the
/// model already, has that under another name.
pub(crate) fn is_ambiguous(text: &str, is_known: bool) -> bool {
    match decode(text) {
        Some(bytes) => bytes != text.as_bytes(),
        None => is_known,
    }
}

/// The first `model_tokens` of a vocabulary by name: an added token is its own text.
pub(crate) fn names(
    vocabulary: &Vocabulary,
    model_tokens: u32,
    added: &AddedTokens,
) -> impl Iterator<Item = (u32, String)> {
    let added: BTreeSet<u32> = added.iter().collect();
    let tokens = vocabulary.tokens().take_while(move |&(token, _)| token < model_tokens);
    tokens.map(move |(token, bytes)| match added.contains(&token) {
        // Added tokens are UTF-8.
        true => (token, String::from_utf8_lossy(bytes).into_owned()),
        false => (token, encode(bytes)),
    })
}

/// Says which of the model's tokens could not be told from another by its name; `byte_tokens` are those of
/// single bytes.
pub(crate) fn check_names(
    vocabulary: &Vocabulary,
    model_tokens: u32,
    added: &AddedTokens,
    byte_tokens: &[u32],
) -> Result<(), String> {
    let mut known = HashSet::new();
    for (token, name) in names(vocabulary, model_tokens, added) {
        let bytes = vocabulary.get(token).unwrap_or_default();
        let is_other = match decode(&name) {
            Some(decoded) => decoded != bytes,
            None => bytes.len() == 1 && byte_tokens.contains(&token),
        };
        if is_other {
            return Err(format!("token {token} is an added one, but its text stands for other bytes"));
        }
        if !known.insert(name) {
            return Err(format!("another token has the bytes of token {token}"));
        }
    }
    Ok(())
}

fn is_visible(byte: u8) -> bool {
    matches!(byte, b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff)
}

fn hidden() -> impl Iterator<Item = u8> {
    (0..=u8::MAX).filter(|&byte| !is_visible(byte))
}

fn character(byte: u8) -> char {
    if is_visible(byte) {
        return char::from(byte);
    }
    let position = hidden().take_while(|&other| other < byte).count() as u32;
    char::from_u32(0x100 + position).unwrap_or(char::REPLACEMENT_CHARACTER)
}

fn byte(character: char) -> Option<u8> {
    match u8::try_from(u32::from(character)) {
        Ok(byte) => is_visible(byte).then_some(byte),
        Err(_) => hidden().nth((u32::from(character) - 0x100) as usize),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_its_character() {
        let all: Vec<u8> = (0..=u8::MAX).collect();
        assert_eq!(decode(&encode(&all)), Some(all));
        assert_eq!(encode(b" a\n\xff\xad"), "ĠaĊÿŃ");
        for other in [" ", "\u{a0}", "\u{144}", "▁", "😀"] {
            assert_eq!(decode(other), None, "{other:?}");
        }
    }
}
