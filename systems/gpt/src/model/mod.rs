//! The model: its config, its network, and the forward and backward pass.

pub(crate) mod config;
pub(crate) mod kernels;
pub(crate) mod language_model;
pub(crate) mod network;
pub mod pass;
pub(crate) mod precision;
pub(crate) mod sampling;

pub use config::{Block, ModelConfig};
pub use language_model::{LanguageModel, Vocabulary};
pub use network::{
    Activation, ArrayKind, Attention, FeedForward, Layer, Linear, Network, NetworkError, Norm, NormForm,
    Output,
};
pub use precision::TrainingPrecision;
pub use sampling::Sampling;
