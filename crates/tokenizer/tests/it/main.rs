//! The stories of this crate, in one binary.

mod adaptive;
mod hugging_face;
mod listed_words;
