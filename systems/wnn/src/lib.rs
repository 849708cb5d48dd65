//! Weightless (RAM) networks: a language model whose architecture is searched, and a classifier.

mod corpus;
mod error;
mod evaluator;
mod examples;
mod genome;
mod memory;
mod planes;
mod rule;
mod scorer;
mod tally;
pub mod wisard;

pub use corpus::{Corpus, Part};
pub use error::WnnError;
pub use evaluator::{Evaluator, LocalEvaluator};
pub use examples::{ClassedExamples, Coding, Examples};
pub use genome::{Cluster, Gene, Genome};
pub use rule::{Backoff, Scoring};
pub use scorer::Fitness;
