//! Transformer language models: training, a vocabulary that grows in use, generation and chat.
//!
//! A [`Network`](model::Network) is data: embeddings and a list of layers, all plain arrays. The blocks of
//! GPT-2 and LoopOS and the post-norm stack of RustGPT are such lists. Together with its
//! [`Vocabulary`](model::Vocabulary) it is a [`LanguageModel`], which is what every path of loading ends
//! with: a checkpoint, or a file of another program.
//!
//! | module | holds |
//! |---|---|
//! | [`data`] | documents, read or generated, and the batches that they become |
//! | [`model`] | config and network; the forward and backward pass of a part of a batch on one core |
//! | [`train`] | [`Gpt`], the system of the training loop; its state, optimiser and update of all parameters |
//! | [`inference`] | a decoder with a cache, in f32 or 8 bits; sampling, generation and chat |
//! | [`formats`] | model files of other programs |
//!
//! Neither threads nor kernels nor interruptions change a result: each part of a batch is one core's, and
//! gradients are added in a fixed order. A change of the vocabulary moves everything that has rows for
//! tokens at once, or nothing.
//!
//! ```
//! use rekindle_compute::{AdamW, KernelPath, Pool};
//! use rekindle_gpt::model::{ModelConfig, Network, Sequence, TrainingPrecision};
//! use rekindle_gpt::train::{Optimizer, StepSettings, StepValues, Stepper};
//!
//! // 0 to 6 over and over.
//! let model: ModelConfig = serde_json::from_str(r#"{"layers": 1, "heads": 2, "width": 16, "context": 8}"#)?;
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
//!     let values = StepValues { adamw, dropout: None, held: None };
//!     loss = stepper.step(&mut network, &mut optimizer, None, &[batch], values).loss;
//! }
//! assert!(loss < 0.1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod data;
mod error;
pub mod formats;
pub mod inference;
pub mod model;
mod streams;
pub mod train;

pub use error::GptError;
pub use model::LanguageModel;
pub use train::Gpt;

/// The system for a registry.
pub fn system() -> Box<dyn rekindle_train::AnySystem> {
    rekindle_train::any_system::<Gpt>()
}
