//! What can go wrong.

use rekindle_compute::{KernelPathError, PoolError};
use rekindle_tokenizer::TokenizerError;

/// A weightless language model cannot be built, searched or read; the message is for people.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WnnError {
    /// A value of the config is out of its range.
    #[error("`{path}` is {value}: {reason}")]
    Config {
        /// The path in the config.
        path: &'static str,
        /// The value.
        value: String,
        /// What it must be.
        reason: String,
    },
    /// The text cannot be used.
    #[error("{origin}: {reason}")]
    Data {
        /// Where it is from.
        origin: String,
        /// Why.
        reason: String,
    },
    /// The text or its vocabulary cannot be made into tokens.
    #[error("{origin}: {source}")]
    Tokens {
        /// Where it is from.
        origin: String,
        /// Why.
        source: TokenizerError,
    },
    /// What the search is to begin with cannot be used.
    #[error("cannot begin with `{origin}`: {reason}")]
    Seed {
        /// Where it is from.
        origin: String,
        /// Why.
        reason: String,
    },
    /// The state was imported without its text.
    #[error(
        "the state was imported without the text that it was searched on; begin a new search with its genomes: \
         `train CONFIG --seed-from RUN`"
    )]
    NoText,
    /// The state is of other data.
    #[error("{origin}: {reason}; the run was made with other data (name its file with --data)")]
    OtherData {
        /// Where the data is from.
        origin: String,
        /// What differs.
        reason: String,
    },
    /// The state contradicts itself or the config.
    #[error("the state does not fit: {0}")]
    Misfit(String),
    /// The kernels cannot run.
    #[error(transparent)]
    Kernels(#[from] KernelPathError),
    /// The threads cannot run.
    #[error(transparent)]
    Threads(#[from] PoolError),
}
