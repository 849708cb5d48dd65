//! A trained model as a whole: what every path of loading ends with.

use rekindle::{Checkpoint, EntryPath, from_tree};
use rekindle_compute::{KernelPath, Pool};
use rekindle_tokenizer::{Adaptive, Tokenizer};
use serde::{Deserialize, Serialize};

use crate::error::GptError;
use crate::model::network::Network;
use crate::model::pass::{ExecContext, PackedNetwork, Pass};
use crate::model::precision::TrainingPrecision;
use crate::model::sampling::Sampling;

/// A network, and the vocabulary that its rows are for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LanguageModel {
    /// How text becomes tokens.
    pub vocabulary: Vocabulary,
    /// What follows them.
    pub network: Network,
    /// How text is sampled where nothing else is said.
    pub sampling: Sampling,
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
    pub fn new(vocabulary: Vocabulary, network: Network, sampling: Sampling) -> Result<Self, GptError> {
        let model = Self { vocabulary, network, sampling };
        model.check()?;
        Ok(model)
    }

    /// The model of a checkpoint of a `gpt` run. Nothing else of it is read: no moments.
    ///
    /// # Errors
    /// When it cannot be read, is no such checkpoint, or does not fit together.
    pub fn from_checkpoint(checkpoint: &Checkpoint<'_>) -> Result<Self, GptError> {
        let system = &checkpoint.record().about.system;
        if system != "gpt" {
            return Err(GptError::NoLanguageModel(format!("it is a checkpoint of a `{system}` run")));
        }
        let path = EntryPath::root().child("state").child("model");
        let model: Self = from_tree(&checkpoint.load(&path)?)?;
        model.check()?;
        Ok(model)
    }

    /// The tokenizer as it is now.
    pub fn tokenizer(&self) -> &Tokenizer {
        self.vocabulary.tokenizer()
    }

    /// The logits of what follows each token of a text: tokens x vocabulary.
    ///
    /// # Errors
    /// When a token is none of the network's, or there are more of them than it sees.
    pub fn logits(&self, path: KernelPath, tokens: &[u32]) -> Result<Vec<f32>, GptError> {
        let (vocabulary, context) = (self.network.vocabulary(), self.network.context());
        if let Some(position) = tokens.iter().position(|&token| token as usize >= vocabulary) {
            return Err(GptError::NoSuchToken { token: tokens[position], position, vocabulary });
        }
        if tokens.len() > context {
            let (found, hint) = (tokens.len(), "take a shorter one");
            return Err(GptError::TooLong { what: "the text", found, context, hint });
        }
        let mut packed = PackedNetwork::default();
        packed.pack(&self.network, TrainingPrecision::F32, false, &Pool::new(1)?);
        let ctx = ExecContext { path, precision: TrainingPrecision::F32, dropout: None };
        Ok(Pass::default().logits(ctx, &self.network, &packed, tokens))
    }

    /// Checks that the network fits together, its numbers are finite, it has a row for each token, and
    /// sampling is possible.
    ///
    /// # Errors
    /// Says what is wrong.
    pub fn check(&self) -> Result<(), GptError> {
        self.network.check()?;
        self.sampling.validate()?;
        let (tokenizer, network) = (self.tokenizer().len(), self.network.vocabulary());
        if tokenizer != network {
            return Err(GptError::Vocabulary { tokenizer, network });
        }
        Ok(())
    }
}
