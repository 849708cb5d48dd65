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

/// Says which of the model's tokens could not be told from another in a `tokenizer.json`.
pub(crate) fn check_names(tokenizer: &Tokenizer) -> Result<(), String> {
    if let Model::Words(_) = tokenizer.model {
        return Ok(());
    }
    let mut names = HashSet::new();
    for (token, name) in write::names(tokenizer) {
        let bytes = tokenizer.vocabulary.get(token).unwrap_or_default();
        if alphabet::decode(&name).is_some_and(|decoded| decoded != bytes) {
            return Err(format!("token {token} is an added one, but reads as other bytes"));
        }
        if !names.insert(name) {
            return Err(format!("another token has the bytes of token {token}"));
        }
    }
    Ok(())
}
