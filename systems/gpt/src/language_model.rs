//! A trained model as a whole: what every path of loading ends with.

use rekindle_tokenizer::Tokenizer;

use crate::error::GptError;
use crate::network::Network;

/// A network, the tokenizer that it was trained with, and how text is sampled from it.
#[derive(Debug, Clone, PartialEq)]
pub struct LanguageModel {
    /// The network.
    pub network: Network,
    /// The tokenizer.
    pub tokenizer: Tokenizer,
}

impl LanguageModel {
    /// Puts the parts together.
    ///
    /// # Errors
    /// When the network does not fit together, has numbers that are not finite, or the tokenizer has
    /// other tokens than it.
    pub fn new(network: Network, tokenizer: Tokenizer) -> Result<Self, GptError> {
        network.check()?;
        if tokenizer.len() != network.vocabulary() {
            let (tokenizer, network) = (tokenizer.len(), network.vocabulary());
            return Err(GptError::Vocabulary { tokenizer, network });
        }
        Ok(Self { network, tokenizer })
    }
}
