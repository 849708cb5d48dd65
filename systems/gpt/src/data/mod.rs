//! What is learnt: running text, texts one by one, or dialogues.

mod corpus;
mod dialogue;
mod document;

pub use corpus::{Corpus, Lessons};
pub(crate) use dialogue::Marks;
pub use dialogue::{ASSISTANT, Dialogue, END, Role, SPECIAL_TOKENS, Said, USER};
pub(crate) use document::origin;
pub use document::{Document, load};
