//! Text into tokens, and tokens into text.
//!
//! A [`Tokenizer`] is trained on a text, or read from the `tokenizer.json` of the Hugging Face
//! library, and gives the same tokens as that library does:
//!
//! - byte pairs ([`Tokenizer::train_byte_pair`]): any bytes become tokens, and come back as they were;
//! - words ([`Tokenizer::train_words`]): frequent words and punctuation marks, and one unknown token;
//! - words and bytes ([`Tokenizer::train_words_and_bytes`]): frequent words with the space before them, and
//!   bytes for all others;
//! - word pieces, which are only read;
//! - words that another program listed ([`Tokenizer::from_words`]) or that a text has
//!   ([`Tokenizer::train_listed_words`]), by rules of their own ([`WordRules`]).
//!
//! Special tokens such as `<|user|>` are looked for first ([`Tokenizer::with_special_tokens`]), unless the
//! text is somebody else's ([`Tokenizer::encode_ordinary`]). Several threads can share a text
//! ([`Tokenizer::encode_parallel`]).
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
//! let exported = tokenizer.to_hugging_face()?.to_string();
//! let read = Tokenizer::from_hugging_face(exported.as_bytes())?;
//! assert_eq!(read.encode(b"slower than low"), tokens);
//! # Ok::<(), rekindle_tokenizer::TokenizerError>(())
//! ```
//!
//! An [`Adaptive`] vocabulary changes in use: what is seen often becomes a token, and what is not used any
//! more goes. A [`Change`] says for each token of the new vocabulary which row of a model it keeps, or
//! of which old tokens its row can be made.
//!
//! ```
//! use rekindle_tokenizer::{Adaptive, Policy, Row, Tokenizer};
//!
//! let tokenizer = Tokenizer::train_byte_pair(b"plain bytes", 256)?.with_special_tokens(&["<|user|>"])?;
//! let policy = Policy { least_count: 4, most_at_once: 1, ..Policy::default() };
//! let mut adaptive = Adaptive::new(tokenizer, policy)?;
//! let before = adaptive.observe("<|user|>so so so so so so".as_bytes());
//!
//! let change = adaptive.propose().expect("`s` and `o` stand side by side six times");
//! assert_eq!(change.rows()[256], Row::Kept(256));
//! assert_eq!(change.rows()[257], Row::New(vec![115, 111]));
//! adaptive.apply(&change)?;
//!
//! let after = adaptive.observe("<|user|>so so so so so so".as_bytes());
//! assert_eq!((before.len(), after.len()), (18, 12));
//! # Ok::<(), rekindle_tokenizer::TokenizerError>(())
//! ```

mod adaptive;
mod added;
mod byte_level;
mod byte_pair;
mod characters;
mod conventions;
mod error;
mod frame;
mod hugging_face;
mod listed_words;
mod parallel;
mod pieces;
mod special;
mod tokenizer;
mod vocabulary;
mod word_piece;
mod words;

pub use adaptive::{Adaptive, Change, Policy, Pruning, Row};
pub use conventions::Conventions;
pub use error::TokenizerError;
pub use frame::Frame;
pub use hugging_face::ListedBytePairs;
pub use listed_words::WordRules;
pub use tokenizer::Tokenizer;
pub use vocabulary::VOCABULARY_LIMIT;
