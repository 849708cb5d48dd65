//! What can go wrong.

use rekindle_compute::{KernelPathError, PoolError};
use rekindle_data::{Origin, TextError};
use rekindle_tokenizer::TokenizerError;
use rekindle_train::{SettingError, StateMismatch};

/// A weightless language model cannot be built, searched or read; the message is for people.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WnnError {
    /// A value of the config is out of its range.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// The text cannot be read.
    #[error(transparent)]
    Text(#[from] TextError),
    /// A file cannot be read.
    #[error("{origin}: {source}")]
    Unreadable {
        /// The file.
        origin: Origin,
        /// What the system said.
        source: std::io::Error,
    },
    /// The text or its vocabulary cannot be made into tokens.
    #[error("{origin}: {source}")]
    Tokens {
        /// Where it is from.
        origin: Origin,
        /// Why.
        source: TokenizerError,
    },
    /// The text is too short.
    #[error("{origin}: {found} tokens to {purpose}, and a context of {context} needs at least {least}")]
    TooFewTokens {
        /// Where the text is from.
        origin: Origin,
        /// What the tokens are for, such as `select by`.
        purpose: &'static str,
        /// How many there are.
        found: usize,
        /// Tokens of a context.
        context: usize,
        /// How many are needed.
        least: usize,
    },
    /// The text is too long.
    #[error(
        "{origin}: {found} tokens, at most {limit} can be learnt; take fewer with training.data.train_tokens"
    )]
    TooManyTokens {
        /// Where the text is from.
        origin: Origin,
        /// How many there are.
        found: usize,
        /// How many there may be.
        limit: usize,
    },
    /// A file of settings is not one of a search.
    #[error("{origin}: {reason}")]
    SearchFile {
        /// The file.
        origin: Origin,
        /// Why.
        reason: String,
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
         set training.seed_from"
    )]
    NoText,
    /// The state does not fit the text or the config.
    #[error(transparent)]
    Mismatch(#[from] StateMismatch),
    /// The kernels cannot run.
    #[error(transparent)]
    Kernels(#[from] KernelPathError),
    /// The threads cannot run.
    #[error(transparent)]
    Pool(#[from] PoolError),
}
