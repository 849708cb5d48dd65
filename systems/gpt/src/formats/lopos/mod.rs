//! LOPOS: the weight files of LoopOS.
//!
//! All numbers are little-endian. Three layouts begin with the same 33 bytes:
//!
//! | byte | content |
//! |---|---|
//! | 0 | `LOPOS` |
//! | 5 | u32: version |
//! | 9 | six i32: width, heads, layers, inner width, vocabulary, context |
//!
//! and hold the same matrices of f32, row by row, in the same order: rows of tokens, rows of
//! positions, then for each layer W_qkv, W_o, W1, b1, W2, b2 and gain and bias of both
//! normalisations, then gain and bias of the last normalisation, and the output, width x vocabulary.
//!
//! - Version 1 as LoopOS writes it: each matrix after u32 rows and u32 columns; nothing behind the
//!   last one.
//! - Version 1 as LoopOS plans it: no rows and columns; behind the last matrix stands the CRC-32
//!   or the SHA-256 of all before. Which of these a file is, its length says.
//! - Version 2, which is this program's own: after byte 33 one byte for the checksum (1: CRC-32, 2: SHA-256),
//!   then for each matrix u16 length of its name, the name, u32 rows, u32 columns, and u64 offset
//!   of its numbers. Each matrix begins at the first multiple of 64 bytes behind what is before it;
//!   zeros fill the space. Behind the last one stands the checksum of all before.

mod layout;
mod read;
mod vocabulary;
mod write;

use rekindle_tokenizer::WordRules;

pub use layout::{Checksum, is_lopos};
pub use read::{read, read_with_vocabulary};
pub use vocabulary::{read_vocabulary, write_vocabulary};
pub use write::{Version, write};

/// For messages.
const FORMAT: &str = "a LOPOS file";
/// LoopOS normalises with this one only.
const EPSILON: f32 = 1e-5;
/// The token of all words that have none.
const UNKNOWN: u32 = 1;

/// How LoopOS finds its words: in lower case, with a token for unknown ones.
pub fn word_rules() -> WordRules {
    WordRules { lower_case: true, unknown: Some(UNKNOWN), joins_punctuation: true, ..WordRules::default() }
}
