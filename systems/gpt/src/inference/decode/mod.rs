//! Fast generation: a network made ready to read tokens one after the other.
//!
//! A [`Decoder`] keeps keys and values of the tokens that it has read, so that the next one costs a
//! product of a vector with each matrix. Weights are 32-bit floats or [8-bit numbers](q8).
//!
//! The logits are the same bits whatever the number of threads, the instruction set, and whether
//! tokens are fed one by one or together.

mod attention;
mod dot;
mod forward;
mod projection;
pub(crate) mod q8;
mod rows;
mod team;
mod work;

use std::thread::JoinHandle;

use rekindle_compute::{KernelPath, PoolError};
use serde::{Deserialize, Serialize};

use self::forward::Forward;
use crate::error::GptError;
use crate::model::network::Network;

/// So many tokens are read at once: enough to make good use of each look at the weights.
const CHUNK: usize = 64;

/// How weights are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WeightPrecision {
    /// As they are.
    #[default]
    F32,
    /// 8 bits and a share of a scale; see the module `q8`. A quarter of the memory to read for each token.
    /// The rows that tokens are read with, norms and biases stay as they are.
    Int8,
}

/// A network made ready to read tokens one after the other, and what it knows of those it has read.
#[derive(Debug)]
pub struct Decoder {
    forward: Forward,
    helpers: Vec<JoinHandle<()>>,
    tokens: Vec<u32>,
    logits: Vec<f32>,
}

impl Decoder {
    /// Makes a network ready, with the kernels that the environment names or the fastest ones. The
    /// thread that asks is one of `threads`; the others sleep between questions.
    ///
    /// # Errors
    /// The parts of the network do not fit each other, the kernels cannot run, or there are no
    /// threads.
    pub fn new(network: &Network, precision: WeightPrecision, threads: usize) -> Result<Self, GptError> {
        Self::with_kernels(network, precision, threads, KernelPath::from_environment()?)
    }

    /// The same with these kernels.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn with_kernels(
        network: &Network,
        precision: WeightPrecision,
        threads: usize,
        path: KernelPath,
    ) -> Result<Self, GptError> {
        network.check_shapes()?;
        if threads == 0 {
            return Err(PoolError::NoThreads.into());
        }
        let forward = Forward::new(network, precision, threads, path);
        let mut decoder = Self { forward, helpers: Vec::new(), tokens: Vec::new(), logits: Vec::new() };
        for index in 1..threads {
            let thread = std::thread::Builder::new().name(format!("decoder-{index}"));
            match thread.spawn(decoder.forward.helper()) {
                Ok(thread) => decoder.helpers.push(thread),
                Err(source) => {
                    return Err(GptError::DecoderThreads { started: index, wanted: threads, source });
                }
            }
        }
        Ok(decoder)
    }

    /// Reads tokens and gives the logits of each token that may follow the last one: `vocabulary`
    /// numbers, whose softmax is the probability.
    ///
    /// # Errors
    /// There are no tokens, one is none of the network's, or they do not fit into the context; then
    /// nothing is read.
    pub fn feed(&mut self, tokens: &[u32]) -> Result<&[f32], GptError> {
        self.check(tokens)?;
        let mut left = tokens;
        while !left.is_empty() {
            let (chunk, rest) = left.split_at(CHUNK.min(left.len()));
            let logits = rest.is_empty().then_some(&mut self.logits);
            self.forward.read(chunk, &self.tokens, logits);
            self.tokens.extend_from_slice(chunk);
            left = rest;
        }
        Ok(&self.logits)
    }

    fn check(&self, tokens: &[u32]) -> Result<(), GptError> {
        if tokens.is_empty() {
            return Err(GptError::NoTokens);
        }
        let vocabulary = self.forward.vocabulary();
        if let Some(offset) = tokens.iter().position(|&token| token as usize >= vocabulary) {
            let (token, position) = (tokens[offset], self.len() + offset);
            return Err(GptError::NoSuchToken { token, position, vocabulary });
        }
        let (found, context) = (self.len().saturating_add(tokens.len()), self.context());
        if found > context {
            let hint = "clear what was read, or keep less of it";
            return Err(GptError::TooLong { what: "what is read", found, context, hint });
        }
        Ok(())
    }

    /// Forgets all tokens from position `len` on.
    pub fn truncate(&mut self, len: usize) {
        // Keys and values behind it are forgotten when the next tokens are read.
        self.tokens.truncate(len);
    }

    /// Forgets all tokens.
    pub fn clear(&mut self) {
        self.truncate(0);
    }

    /// Tokens that it knows.
    pub fn len(&self) -> usize {
        self.tokens.len()
    }

    /// Whether it knows no token.
    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    /// The tokens that it knows, in order.
    pub fn tokens(&self) -> &[u32] {
        &self.tokens
    }

    /// What the last [`Self::feed`] gave; empty before.
    pub fn logits(&self) -> &[f32] {
        &self.logits
    }

    /// The most tokens that it can know.
    pub fn context(&self) -> usize {
        self.forward.context()
    }

    /// Number of tokens of the network.
    pub fn vocabulary(&self) -> usize {
        self.forward.vocabulary()
    }
}

impl Drop for Decoder {
    fn drop(&mut self) {
        self.forward.stop();
        for helper in self.helpers.drain(..) {
            // A helper that has panicked has said so.
            let _ = helper.join();
        }
    }
}
