//! Transformer language models: training, an adaptive vocabulary, generation and chat.

pub mod config;
mod error;
pub mod formats;
mod kernels;
mod language_model;
pub mod network;
mod optimizer;
mod streams;

pub use config::Model;
pub use error::GptError;
pub use language_model::LanguageModel;
pub use network::Network;
pub use optimizer::{Moments, Optimizer};
