//! Transformer language models: training, an adaptive vocabulary, generation and chat.

pub mod config;
pub mod decode;
mod error;
mod generate;
mod kernels;
mod language_model;
pub mod network;
mod optimizer;
mod sampling;
mod streams;

pub use config::Model;
pub use error::GptError;
pub use generate::{Generation, GenerationSettings, Outcome, StopReason, WhenFull};
pub use language_model::LanguageModel;
pub use network::Network;
pub use optimizer::{Moments, Optimizer};
pub use sampling::{Sampler, Sampling};
