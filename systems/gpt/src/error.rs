//! What can go wrong.

use rekindle_compute::{KernelPathError, PoolError};
use rekindle_tokenizer::TokenizerError;
use rekindle_train::{SettingError, StateMismatch};

use crate::model::network::NetworkError;

/// A language model cannot be built, trained, read or asked; the message is for people.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GptError {
    /// A value of the config is out of its range.
    #[error(transparent)]
    Setting(#[from] SettingError),
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
    /// The parts of the network do not fit each other.
    #[error("the network does not fit together: {0}")]
    Network(#[from] NetworkError),
    /// Vocabulary and network disagree.
    #[error(
        "the tokenizer has {tokenizer} tokens, but the network has rows for {network}; they are not of the same model"
    )]
    Vocabulary {
        /// Tokens of the tokenizer.
        tokenizer: usize,
        /// Rows of the network.
        network: usize,
    },
    /// The network does not have a token.
    #[error("token {token} at position {position} is not one of the {vocabulary} of the network")]
    NoSuchToken {
        /// The token.
        token: u32,
        /// Where it stands.
        position: usize,
        /// Tokens of the network.
        vocabulary: usize,
    },
    /// A sequence does not fit into the context.
    #[error("{what} has {found} tokens, but the model sees at most {context}; {hint}")]
    TooLong {
        /// What is too long.
        what: &'static str,
        /// Its tokens.
        found: usize,
        /// Tokens of the context.
        context: usize,
        /// What to do.
        hint: &'static str,
    },
    /// The state does not fit the config or the data.
    #[error(transparent)]
    Mismatch(#[from] StateMismatch),
    /// The config names no text to learn.
    #[error("`{path}` is absent: name a text")]
    NoText {
        /// The path in the config.
        path: String,
    },
    /// A text is too short to measure how well it is predicted.
    #[error("the text has fewer than two tokens, so that there is none to predict")]
    NothingToPredict,
    /// A decoder was given no tokens.
    #[error("there are no tokens to read: at least one is needed")]
    NoTokens,
    /// No token can be chosen by these logits.
    #[error("the logits of the next token cannot be used: {0}")]
    Logits(String),
    /// The threads of a decoder cannot be started.
    #[error("only {started} of {wanted} threads of the decoder could be started: {source}")]
    DecoderThreads {
        /// Threads that run, with the one that asks.
        started: usize,
        /// Threads that were asked for.
        wanted: usize,
        /// What the system said.
        source: std::io::Error,
    },
    /// There is no language model.
    #[error("it is not a language model: {0}")]
    NoLanguageModel(String),
    /// A checkpoint cannot be read.
    #[error(transparent)]
    Read(#[from] rekindle::ReadError),
    /// A checkpoint holds something else.
    #[error(transparent)]
    Restore(#[from] rekindle::RestoreError),
    /// A picture is not as large as those that were learnt.
    #[error("the picture has {} x {} pixels, the model sees pictures of {side} x {side}", found[0], found[1])]
    PictureSize {
        /// Its width and height.
        found: [usize; 2],
        /// Pixels of a side of those that were learnt.
        side: usize,
    },
    /// The checkpoint of a teacher cannot be read.
    #[error(transparent)]
    Teacher(#[from] rekindle_train::OtherRunError),
    /// A change of the vocabulary was not done; everything is as before.
    #[error("the vocabulary stays as it is: {0}")]
    VocabularyChange(String),
    /// What the reasoner showed of a problem does not show it.
    #[error(transparent)]
    Unsound(#[from] Box<rekindle_reason::Unsound>),
    /// The kernels cannot run.
    #[error(transparent)]
    Kernels(#[from] KernelPathError),
    /// The threads cannot run.
    #[error(transparent)]
    Threads(#[from] PoolError),
}

impl GptError {
    /// A value of the config is out of its range.
    pub(crate) fn config(path: impl Into<String>, value: impl ToString, reason: impl Into<String>) -> Self {
        SettingError::new(path.into(), value, reason.into()).into()
    }
}
