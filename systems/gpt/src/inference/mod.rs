//! Inference: decoding with a cache, sampling, generation and chat.

pub(crate) mod chat_template;
pub(crate) mod decode;
pub(crate) mod generate;
pub(crate) mod measure;
pub(crate) mod sampler;
pub(crate) mod text_model;

pub use chat_template::{ChatTemplate, forbidden_tokens};
pub use decode::{Decoder, WeightPrecision};
pub use generate::{Generation, GenerationSettings, Outcome, StopReason, WhenFull};
pub use sampler::Sampler;
