//! Model files of other programs: read into a [`Network`], and written.
//!
//! | format | read | written | holds |
//! |---|---|---|---|
//! | [LOPOS](lopos) | yes | yes | the network of LoopOS; its words are in a text file beside it |
//! | [RustGPT](rustgpt) | yes | yes | network, words and the moments of the optimiser |
//! | [Hugging Face](hugging_face) | yes | yes | a directory: network and tokenizer of a GPT-2 |
//! | [GGUF](gguf) | yes | yes | network and tokenizer of a GPT-2, in fewer bits on demand |
//!
//! Sizes that a file states are compared with the length of the file before anything is allocated
//! for them; a reader takes a small multiple of the length of the file. A writer says what the
//! format cannot hold: it refuses where the model would answer differently, and gives a warning where
//! only something about the model is lost.

mod bytes;
mod conventions;
mod detect;
mod error;
pub mod gguf;
pub mod hugging_face;
pub(crate) mod interchange;
pub mod lopos;
mod mapping;
mod pre_norm;
pub mod rustgpt;

use std::io::{self, Write};
use std::path::Path;

use rekindle_formats::files::NewFile;
use rekindle_tokenizer::Tokenizer;

pub(crate) use detect::format_of_head;
pub use detect::{ModelFormat, detect, read};
pub use error::ModelFileError;

use crate::model::network::Network;
use crate::train::optimizer::Optimizer;

/// No file is longer: bytes.
const LENGTH_LIMIT: u64 = 64 << 30;

/// No network has more layers, counted as the format counts them.
const LAYER_LIMIT: usize = 1 << 11;

/// What a file holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    /// The network; its shapes fit each other, and all numbers are finite.
    pub network: Network,
    /// Its vocabulary, where the file has one.
    pub vocabulary: Option<ImportedVocabulary>,
    /// What the optimiser remembers, where the file has it.
    pub optimizer: Option<Optimizer>,
    /// What the user should know: what the file does not hold, or cannot vouch for.
    pub warnings: Vec<String>,
}

/// The vocabulary of a file.
#[derive(Debug, Clone, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "there is one for each import")]
pub enum ImportedVocabulary {
    /// Words; white space separates them, and each ASCII punctuation mark is one of its own.
    Words {
        /// By the number of their token.
        words: Vec<String>,
        /// Text is brought to lower case first: the letters of ASCII only.
        lower_case: bool,
        /// The token of all words that have none; when absent they are dropped.
        unknown: Option<u32>,
    },
    /// A tokenizer.
    Tokenizer(Tokenizer),
}

/// The tokens of a tokenizer as words, for formats that have nothing else.
///
/// # Errors
/// When a token is not a text without white space.
pub fn words(tokenizer: &Tokenizer) -> Result<Vec<String>, ModelFileError> {
    let word = |token: u32| {
        let text = tokenizer.token_bytes(token).and_then(|bytes| str::from_utf8(bytes).ok());
        text.filter(|text| !text.chars().any(char::is_whitespace)).map(str::to_owned).ok_or_else(|| {
            let reason = "is not a word; only vocabularies of whole words can be written in this format";
            ModelFileError::inexpressible("a list of words", format!("token {token}"), reason)
        })
    };
    (0..tokenizer.len() as u32).map(word).collect()
}

/// Writes a file that appears as a whole or not at all.
fn save(path: &Path, write: impl FnOnce(&mut NewFile) -> io::Result<()>) -> Result<(), ModelFileError> {
    let save = || {
        let mut file = NewFile::create(path)?;
        write(&mut file)?;
        file.flush()?;
        file.finish()
    };
    save().map_err(|error| ModelFileError::write(path, error))
}
