//! Data: documents that are read or generated, their vocabulary, and the batches that they become.

mod corpus;
mod dialogue;
mod document;
mod reservoir;
pub(crate) mod synthetic;
pub(crate) mod version;
mod vocabulary;
pub(crate) mod worked;

pub(crate) use corpus::Truncation;
pub use corpus::{Corpus, CorpusOptions, Dataset};
pub(crate) use corpus::{end_token, target_bytes, token_ends};
pub use dialogue::{ASSISTANT, Dialogue, END, RoleTokens, SPECIAL_TOKENS, USER};
pub use document::{Document, load};
pub(crate) use document::{file_len, origin};
pub use reservoir::{Example, ExampleContent, Examples, Reservoir};
pub use synthetic::reasoning::Suite;
pub use synthetic::{reasoning, shapes};
pub use version::DataVersion;
pub(crate) use vocabulary::{bytes_only, learns_shapes, special_tokens, vocabulary};
