//! The files of RustGPT: JSON and bincode, with words and the moments of the optimiser.
//!
//! A file is a vocabulary and a list of layers; which fields a layer has, and in which order, says
//! one table (`record::LAYERS`). As JSON a layer is a map under its name, as bincode (version 2,
//! "standard": little-endian, integers of one to nine bytes) the number of its kind and its fields without
//! names. Later versions of RustGPT put either into a JSON container with a SHA-256; of these the
//! ones are read whose layers are all known here.
//!
//! RustGPT cuts text at white space and around ASCII punctuation, knows upper from lower case, and
//! drops words that it does not know; the word `</s>` is not cut, and ends a text. It stores what layers saw last: this is passed over, and
//! never written.

mod bincode;
mod container;
mod export;
mod import;
mod json;
mod read;
mod record;
mod write;

use rekindle_tokenizer::WordRules;

pub use read::read;
pub(super) use read::{is_binary, is_container, is_json};
pub use write::{Encoding, write};

/// Ends a text.
pub(crate) const END_OF_TEXT: &str = "</s>";

/// How RustGPT (commit f8f438d) finds its words: case counts, unknown words are left out, `</s>` is one word.
pub fn word_rules() -> WordRules {
    WordRules { unicode_space: true, whole: vec![END_OF_TEXT.to_owned()], ..WordRules::default() }
}
