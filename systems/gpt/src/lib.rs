//! Transformer language models: training, an adaptive vocabulary, generation and chat.

pub mod config;
mod error;
mod kernels;
mod language_model;
pub mod lesson;
pub mod network;
mod optimizer;
pub mod pass;
mod precision;
pub mod step;
mod streams;

pub use config::Model;
pub use error::GptError;
pub use language_model::LanguageModel;
pub use network::Network;
pub use optimizer::{Moments, Optimizer};
pub use precision::{LossScaler, Precision};
