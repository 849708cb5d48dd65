//! What is learnt: running text, texts one by one, or dialogues.

mod corpus;
mod dialogue;
mod document;

pub use corpus::{Corpus, CorpusOptions, Dataset, Truncation};
pub(crate) use corpus::{RUSTGPT_END, end_token, split_ranges, target_bytes};
pub use dialogue::{ASSISTANT, Dialogue, END, Message, Role, RoleTokens, SPECIAL_TOKENS, USER};
pub use document::{Document, load};
pub(crate) use document::{file_len, origin};
