//! The `tokenizer.json` of the Hugging Face library.
//!
//! What is read gives the same tokens as the library does, or is refused.

mod alphabet;
mod file;
mod read;
mod write;

use std::collections::HashSet;

pub(crate) use read::read;
pub(crate) use write::write;

use crate::tokenizer::{Model, Tokenizer};

/// The white space of [`WordRules`](crate::WordRules) as a pattern of the library.
const ASCII_SPACES: &str = r"[\x09-\x0d\x20]+";
/// A byte of ASCII punctuation as a pattern of the library.
const ASCII_MARK: &str = r"[\x21-\x2f\x3a-\x40\x5b-\x60\x7b-\x7e]";

/// Whether a `tokenizer.json` of byte pairs would take the text of an added token for other bytes, or,
/// when those bytes are a token of the model already, has that under another name.
pub(crate) fn is_ambiguous(text: &str, is_known: bool) -> bool {
    match alphabet::decode(text) {
        Some(bytes) => bytes != text.as_bytes(),
        None => is_known,
    }
}

/// Says which of the model's tokens could not be told from another in a `tokenizer.json`.
pub(crate) fn check_names(tokenizer: &Tokenizer) -> Result<(), String> {
    let Model::BytePair(model) = &tokenizer.model else { return Ok(()) };
    let mut names = HashSet::new();
    for (token, name) in write::names(tokenizer) {
        let bytes = tokenizer.vocabulary.get(token).unwrap_or_default();
        let is_other = match alphabet::decode(&name) {
            Some(decoded) => decoded != bytes,
            None => bytes.len() == 1 && model.byte_tokens.contains(&token),
        };
        if is_other {
            return Err(format!("token {token} is an added one, but its text stands for other bytes"));
        }
        if !names.insert(name) {
            return Err(format!("another token has the bytes of token {token}"));
        }
    }
    Ok(())
}
