//! What is learnt: running text, texts one by one, or dialogues.

mod corpus;
mod dialogue;
mod document;

pub use corpus::{Corpus, LeftOut, Lessons, Reading};
pub(crate) use corpus::{RUSTGPT_END, end_of, scored_bytes, stretches};
pub use dialogue::{ASSISTANT, Dialogue, END, Marks, Role, SPECIAL_TOKENS, Said, USER};
pub use document::{Document, load};
pub(crate) use document::{file_len, origin};
