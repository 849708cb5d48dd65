//! A trained model as a whole: what every path of loading ends with.

use rekindle_tokenizer::{Adaptive, Tokenizer};
use serde::{Deserialize, Serialize};

use crate::error::GptError;
use crate::network::Network;

/// A network, and the vocabulary that its rows are for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LanguageModel {
    /// How text becomes tokens.
    pub vocabulary: Vocabulary,
    /// What follows them.
    pub network: Network,
}

/// How text becomes tokens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Vocabulary {
    /// It stays as it is.
    Fixed(Tokenizer),
    /// It may grow and shrink.
    Adaptive(Adaptive),
}

impl Vocabulary {
    /// The tokenizer as it is now.
    pub fn tokenizer(&self) -> &Tokenizer {
        match self {
            Self::Fixed(tokenizer) => tokenizer,
            Self::Adaptive(adaptive) => adaptive.tokenizer(),
        }
    }
}

impl LanguageModel {
    /// Puts the parts together.
    ///
    /// # Errors
    /// When the network does not fit together, has numbers that are not finite, or the tokenizer has
    /// other tokens than it.
    pub fn new(vocabulary: Vocabulary, network: Network) -> Result<Self, GptError> {
        let model = Self { vocabulary, network };
        model.check()?;
        Ok(model)
    }

    /// The tokenizer as it is now.
    pub fn tokenizer(&self) -> &Tokenizer {
        self.vocabulary.tokenizer()
    }

    /// Checks that the network fits together, its numbers are finite, and it has a row for each token.
    ///
    /// # Errors
    /// Says what is wrong.
    pub fn check(&self) -> Result<(), GptError> {
        self.network.check()?;
        let (tokenizer, network) = (self.tokenizer().len(), self.network.vocabulary());
        if tokenizer != network {
            return Err(GptError::Vocabulary { tokenizer, network });
        }
        Ok(())
    }
}
