//! Inference: decoding with a cache, sampling, generation and chat.

pub(crate) mod conversation;
pub(crate) mod decode;
pub(crate) mod generate;
pub(crate) mod sampler;

pub use conversation::{ChatTemplate, Conversation, forbidden_tokens};
pub use decode::{Decoder, WeightPrecision};
pub use generate::{Generation, GenerationSettings, Outcome, StopReason, WhenFull};
pub use sampler::Sampler;
