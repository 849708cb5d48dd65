//! Transformer language models: training, an adaptive vocabulary, generation and chat.

pub mod config;
mod conversation;
pub mod data;
pub mod decode;
mod error;
pub mod formats;
mod generate;
mod interchange;
mod kernels;
mod language_model;
pub mod lesson;
pub mod network;
mod optimizer;
pub mod pass;
mod precision;
pub mod presets;
mod report;
mod sampling;
mod schedule;
mod state;
pub mod step;
mod streams;
mod system;
mod vocabulary;

pub use config::{Model, Training};
pub use conversation::{Conversation, Manner};
pub use error::GptError;
pub use generate::{Generation, GenerationSettings, Outcome, StopReason, WhenFull};
pub use language_model::{LanguageModel, Vocabulary};
pub use network::Network;
pub use optimizer::{Moments, Optimizer};
pub use precision::{LossScaler, Precision};
pub use sampling::{Sampler, Sampling};
pub use state::{Growth, State, TextIdentity};
pub use system::Gpt;
