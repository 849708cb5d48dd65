//! The model: its config, its network, and the forward and backward pass.

pub(crate) mod codebook;
pub(crate) mod config;
pub(crate) mod kernels;
pub(crate) mod language_model;
pub(crate) mod network;
pub(crate) mod pass;
pub(crate) mod precision;
pub(crate) mod sampling;
pub(crate) mod structure;

pub use codebook::{Codebook, PictureEncoder, Pixel};
pub use config::{Block, ModelConfig};
pub use language_model::{LanguageModel, Vocabulary};
pub use network::{
    Activation, ArrayKind, Attention, FeedForward, Layer, Linear, Network, NetworkError, Norm, NormForm,
    Output,
};
pub use pass::Sequence;
pub use precision::TrainingPrecision;
pub use sampling::Sampling;
pub use structure::{Structure, StructureConfig};
