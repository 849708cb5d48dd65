//! The `tokenizer.json` of the Hugging Face library.
//!
//! What is read gives the same tokens as the library does, or is refused.

mod file;
mod listed;
mod post_processor;
mod read;
mod write;

pub use listed::ListedBytePairs;

use crate::error::TokenizerError;
use crate::tokenizer::Tokenizer;

/// The white space of [`WordRules`](crate::WordRules) as a pattern of the library.
const ASCII_SPACES: &str = r"[\x09-\x0d\x20]+";
/// A byte of ASCII punctuation as a pattern of the library.
const ASCII_MARK: &str = r"[\x21-\x2f\x3a-\x40\x5b-\x60\x7b-\x7e]";

impl Tokenizer {
    /// Reads the `tokenizer.json` of the Hugging Face library.
    ///
    /// Supported are the models BPE, with the pre-tokenizer ByteLevel; WordLevel, with the
    /// pre-tokenizers Whitespace, WhitespaceSplit and BertPreTokenizer; WordPiece, with the same ones and
    /// with a BertNormalizer that keeps case and accents; words of [`Self::from_words`] as
    /// [`Self::to_hugging_face`] writes them; and added tokens that are matched as they stand.
    ///
    /// The tokens of [`Self::encode`] are those that the library gives with `add_special_tokens=False`. What
    /// `post_processor` puts around them otherwise becomes the [`frame`](Self::frame): templates, BERT's and
    /// RoBERTa's are supported. `decoder` is left out.
    ///
    /// # Errors
    /// When the file is not JSON of this kind or contradicts itself, or has a setting that would
    /// change the tokens and that is not supported; the error names the member, what it says and
    /// what is supported.
    pub fn from_hugging_face(json: &[u8]) -> Result<Self, TokenizerError> {
        read::read(json)
    }

    /// As a `tokenizer.json` with which the Hugging Face library gives the same tokens for any text
    /// that is UTF-8, with and without the [`frame`](Self::frame).
    ///
    /// # Errors
    /// When there is no such file: for words of [`Self::from_words`] that are not UTF-8, without an unknown
    /// token, or of which some stay whole.
    pub fn to_hugging_face(&self) -> Result<serde_json::Value, TokenizerError> {
        write::write(self)
    }
}
