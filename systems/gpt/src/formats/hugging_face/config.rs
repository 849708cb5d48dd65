//! `config.json`: what the network is.

use std::path::Path;

use serde::Deserialize;

use super::super::error::ModelFileError;
use super::super::pre_norm::PreNorm;
use crate::model::config::{Block, ModelConfig};
use crate::model::network::Activation;
use crate::model::sampling::Sampling;
use crate::model::structure::StructureConfig;

/// The names of the activations that are known here; the first of each is written.
pub(super) const ACTIVATIONS: [(&str, Activation); 3] =
    [("gelu_new", Activation::Gelu), ("gelu_pytorch_tanh", Activation::Gelu), ("relu", Activation::Relu)];

/// The members that are read; what is absent is as in the library.
#[derive(Deserialize)]
pub(super) struct ConfigFile {
    model_type: Option<String>,
    #[serde(default = "vocab_size")]
    vocab_size: u32,
    #[serde(default = "n_positions")]
    n_positions: u32,
    #[serde(default = "n_embd")]
    n_embd: u32,
    #[serde(default = "n_layer")]
    n_layer: u32,
    #[serde(default = "n_head")]
    n_head: u32,
    n_inner: Option<u32>,
    #[serde(default = "activation_function")]
    activation_function: String,
    #[serde(default = "layer_norm_epsilon")]
    layer_norm_epsilon: f32,
    #[serde(default = "yes")]
    scale_attn_weights: bool,
    #[serde(default)]
    scale_attn_by_inverse_layer_idx: bool,
    #[serde(default)]
    add_cross_attention: bool,
    #[serde(default = "yes")]
    tie_word_embeddings: bool,
    bos_token_id: Option<TokenId>,
    eos_token_id: Option<TokenId>,
    pad_token_id: Option<TokenId>,
}

/// A token, or several that mean the same.
#[derive(Deserialize)]
#[serde(untagged)]
enum TokenId {
    One(i64),
    Several(Vec<i64>),
}

impl TokenId {
    /// The first of them, if it is a token.
    fn first(&self) -> Option<u32> {
        let id = match self {
            Self::One(id) => Some(id),
            Self::Several(ids) => ids.first(),
        };
        u32::try_from(*id?).ok()
    }
}

/// Tokens that the config names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct TokenIds {
    pub bos: Option<u32>,
    pub eos: Option<u32>,
    pub pad: Option<u32>,
}

fn vocab_size() -> u32 {
    50_257
}
fn n_positions() -> u32 {
    1024
}
fn n_embd() -> u32 {
    768
}
fn n_layer() -> u32 {
    12
}
fn n_head() -> u32 {
    12
}
fn activation_function() -> String {
    "gelu_new".to_owned()
}
fn layer_norm_epsilon() -> f32 {
    1e-5
}
fn yes() -> bool {
    true
}

impl ConfigFile {
    pub fn parse(path: &Path, text: &[u8]) -> Result<Self, ModelFileError> {
        serde_json::from_slice(text).map_err(|error| {
            ModelFileError::malformed(
                path,
                "the JSON text",
                format!("not as it should be ({error})"),
                "it must be the config of a GPT-2",
            )
        })
    }

    /// The stack that it describes, as if attention had biases, and the same as a config of this program.
    pub fn stack(&self, path: &Path) -> Result<(PreNorm, ModelConfig), ModelFileError> {
        self.check_type(path)?;
        self.check_settings(path)?;
        let activation = self.activation(path)?;
        let model = self.model();
        let expected = "it must describe a network that fits together";
        model.validate().map_err(|error| ModelFileError::malformed(path, "the config", error, expected))?;
        let most = rekindle_tokenizer::VOCABULARY_LIMIT;
        if !(1..=most).contains(&(self.vocab_size as usize)) {
            let expected = format!("1 to {most} is possible");
            return Err(ModelFileError::malformed(path, "vocab_size", self.vocab_size, expected));
        }
        let stack = PreNorm {
            vocabulary: self.vocab_size as usize,
            context: self.n_positions as usize,
            width: self.n_embd as usize,
            blocks: self.n_layer as usize,
            heads: self.n_head,
            inner: model.inner_width() as usize,
            activation,
            epsilon: self.layer_norm_epsilon,
            attention_biases: true,
            tied: self.tie_word_embeddings,
        };
        Ok((stack, model))
    }

    /// The tokens that it names.
    pub fn token_ids(&self) -> TokenIds {
        let first = |id: &Option<TokenId>| id.as_ref().and_then(TokenId::first);
        TokenIds {
            bos: first(&self.bos_token_id),
            eos: first(&self.eos_token_id),
            pad: first(&self.pad_token_id),
        }
    }

    fn check_type(&self, path: &Path) -> Result<(), ModelFileError> {
        match self.model_type.as_deref() {
            Some("gpt2") => Ok(()),
            Some(other) => {
                let found = format!("the `model_type` `{other}`");
                Err(ModelFileError::unsupported(path, found, "only `gpt2` is read"))
            }
            None => {
                let hint = "only models of the type `gpt2` are read";
                Err(ModelFileError::missing(path, "model_type", hint))
            }
        }
    }

    fn check_settings(&self, path: &Path) -> Result<(), ModelFileError> {
        let settings = [
            ("scale_attn_weights", self.scale_attn_weights, true),
            ("scale_attn_by_inverse_layer_idx", self.scale_attn_by_inverse_layer_idx, false),
            ("add_cross_attention", self.add_cross_attention, false),
        ];
        match settings.into_iter().find(|(_, found, supported)| found != supported) {
            None => Ok(()),
            Some((name, found, supported)) => {
                let (found, supported) = (format!("`{name}`: {found}"), format!("it can be {supported}"));
                Err(ModelFileError::unsupported(path, found, supported))
            }
        }
    }

    fn activation(&self, path: &Path) -> Result<Activation, ModelFileError> {
        let known = ACTIVATIONS.iter().find(|(name, _)| *name == self.activation_function);
        known.map(|&(_, activation)| activation).ok_or_else(|| {
            let found = format!("the `activation_function` `{}`", self.activation_function);
            let names = ACTIVATIONS.map(|(name, _)| name).join(", ");
            ModelFileError::unsupported(path, found, format!("it can be {names}"))
        })
    }

    fn model(&self) -> ModelConfig {
        ModelConfig {
            block: Block::Gpt2,
            layers: self.n_layer,
            heads: self.n_head,
            width: self.n_embd,
            feed_forward: Some(self.n_inner.unwrap_or(self.n_embd.saturating_mul(4))),
            context: self.n_positions,
            tied: self.tie_word_embeddings,
            attention_biases: true,
            dropout: 0.0,
            structure: StructureConfig::default(),
            sampling: Sampling::default(),
        }
    }
}
