//! Transformer language models: training, a vocabulary that grows in use, generation and chat.
//!
//! A [`Network`] is data: embeddings and a list of layers, all plain arrays. The blocks of GPT-2 and
//! LoopOS and the post-norm stack of RustGPT are such lists. Together with its [`Vocabulary`] it is a
//! [`LanguageModel`], which is what every path of loading ends with: a checkpoint, or a file of another
//! program ([`formats`]).
//!
//! - [`Gpt`] trains in the loop of `rekindle-train`; [`State`] is what a checkpoint holds, and
//!   [`presets`] has three configs that work.
//! - [`step::Stepper`] updates a network by batches: each part of a batch goes through the network and
//!   back on one core ([`pass`]), and gradients are added in a fixed order.
//! - A change of the vocabulary moves everything that has rows for tokens at once, or nothing.
//! - [`decode::Decoder`] reads tokens one by one with a cache, in f32 or 8 bits; [`Generation`] makes
//!   text of them, [`Conversation`] a chat.
//!
//! Neither threads nor kernels nor interruptions change a result.
//!
//! ```
//! use rekindle_compute::{AdamW, KernelPath, Pool};
//! use rekindle_gpt::pass::Sequence;
//! use rekindle_gpt::step::{StepSettings, StepValues, Stepper};
//! use rekindle_gpt::{Model, Network, Optimizer, TrainingPrecision};
//!
//! // 0 to 6 over and over.
//! let model: Model = serde_json::from_str(r#"{"layers": 1, "heads": 2, "width": 16, "context": 8}"#)?;
//! let mut network = Network::random(&model, 7, 0);
//! let mut optimizer = Optimizer::new(&network);
//! let (path, precision) = (KernelPath::best(), TrainingPrecision::F32);
//! let settings = StepSettings { path, precision, parts: 2, clip: 1.0 };
//! let mut stepper = Stepper::new(&network, settings, Pool::new(1)?);
//! let adamw = AdamW { learning_rate: 0.01, betas: [0.9, 0.99], epsilon: 1e-8, weight_decay: 0.0 };
//! let text: Vec<u32> = (0..9).map(|index| index % 7).collect();
//! let mut loss = f64::INFINITY;
//! for _ in 0..100 {
//!     let batch = vec![Sequence::of_text(&text)];
//!     let values = StepValues { adamw, dropout: None };
//!     loss = stepper.step(&mut network, &mut optimizer, None, &[batch], values).loss;
//! }
//! assert!(loss < 0.1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod config;
mod conversation;
pub mod data;
mod data_version;
pub mod decode;
mod error;
pub mod formats;
mod generate;
mod interchange;
mod kernels;
mod language_model;
mod memory;
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
pub mod synthetic;
mod system;
mod vocabulary;

pub use config::{Model, Training};
pub use conversation::{ChatTemplate, Conversation, forbidden_tokens};
pub use data_version::DataVersion;
pub use error::GptError;
pub use generate::{Generation, GenerationSettings, Outcome, StopReason, WhenFull};
pub use language_model::{LanguageModel, Vocabulary};
pub use network::Network;
pub use optimizer::{Moments, Optimizer};
pub use precision::{LossScaler, TrainingPrecision};
pub use sampling::{Sampler, Sampling};
pub use state::{PhasePlan, Plan, State, TextIdentity, VocabularyChange};
pub use system::Gpt;
