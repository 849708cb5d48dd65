//! Text into tokens, and tokens into text.
//!
//! A [`Tokenizer`] is trained on a text, or read from the `tokenizer.json` of the Hugging Face
//! library, and gives the same tokens as that library does:
//!
//! - byte pairs ([`Tokenizer::train_byte_pair`]): any bytes become tokens, and come back as they were;
//! - words ([`Tokenizer::train_words`]): frequent words and punctuation marks, and one unknown token;
//! - word pieces, which are only read.
//!
//! It is a plain serde value, so that it can be part of a training state: the vocabulary and the
//! merges are a few flat arrays of numbers, and what is read back is checked before it is used.
//! Nothing depends on the number of threads, the order of a map, or the Unicode tables of the
//! compiler.
//!
//! ```
//! use rekindle_tokenizer::Tokenizer;
//!
//! let text = "low lower lowest, slow slower slowest".repeat(10);
//! let tokenizer = Tokenizer::train_byte_pair(text.as_bytes(), 270)?;
//! let tokens = tokenizer.encode(b"slower than low");
//! assert!(tokens.len() < b"slower than low".len());
//! assert_eq!(tokenizer.decode(&tokens)?, b"slower than low");
//!
//! let exported = tokenizer.to_hugging_face().to_string();
//! let read = Tokenizer::from_hugging_face(exported.as_bytes())?;
//! assert_eq!(read.encode(b"slower than low"), tokens);
//! # Ok::<(), rekindle_tokenizer::TokenizerError>(())
//! ```

mod adaptive;
mod added;
mod byte_pair;
mod characters;
mod error;
mod hugging_face;
mod parallel;
mod pieces;
mod special;
mod tokenizer;
mod vocabulary;
mod word_piece;
mod words;

pub use adaptive::{Adaptive, Change, Policy, Pruning, Row};
pub use error::TokenizerError;
pub use tokenizer::Tokenizer;
pub use vocabulary::VOCABULARY_LIMIT;
