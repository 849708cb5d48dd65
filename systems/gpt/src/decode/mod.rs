//! Fast generation: a network made ready to read tokens one after the other.
//!
//! A [`Decoder`] keeps keys and values of the tokens that it has read, so that the next one costs a
//! product of a vector with each matrix. Weights are 32-bit floats or [8-bit numbers](q8).
//!
//! The scores are the same bits whatever the number of threads, the instruction set, and whether
//! tokens are fed one by one or together.

mod attention;
mod dot;
mod member;
mod projection;
pub mod q8;
mod rows;
mod team;

use std::sync::{Arc, PoisonError, RwLock};
use std::thread::JoinHandle;

use rekindle_compute::{KernelPath, PoolError};
use serde::{Deserialize, Serialize};

use self::member::{Embeddings, Member, Order};
use self::team::Team;
use crate::error::GptError;
use crate::network::Network;

/// So many tokens are read at once: enough to make good use of each look at the weights.
const CHUNK: usize = 64;

/// How weights are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// As they are.
    #[default]
    F32,
    /// 8 bits and a share of a scale; see [`q8`]. A quarter of the memory to read for each token.
    /// The rows that tokens are read with, norms and biases stay as they are.
    Int8,
}

/// A network made ready to read tokens one after the other, and what it knows of those it has read.
#[derive(Debug)]
pub struct Decoder {
    embeddings: Arc<Embeddings>,
    team: Arc<Team>,
    order: Arc<RwLock<Order>>,
    /// The part of the thread that asks.
    own: Member,
    others: Vec<JoinHandle<()>>,
    tokens: Vec<u32>,
    scores: Vec<f32>,
}

impl Decoder {
    /// Makes a network ready, with the kernels that the environment names or the fastest ones. The
    /// thread that asks is one of `threads`; the others sleep between questions.
    ///
    /// # Errors
    /// The parts of the network do not fit each other, the kernels cannot run, or there are no
    /// threads.
    pub fn new(network: &Network, precision: Precision, threads: usize) -> Result<Self, GptError> {
        Self::with_kernels(network, precision, threads, KernelPath::from_environment()?)
    }

    /// The same with these kernels.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn with_kernels(
        network: &Network,
        precision: Precision,
        threads: usize,
        path: KernelPath,
    ) -> Result<Self, GptError> {
        network.check_shapes()?;
        if threads == 0 {
            return Err(PoolError::NoThreads.into());
        }
        let team = Arc::new(Team::new(threads));
        let embeddings = Arc::new(Embeddings::of(network));
        let member = |index| Member::new(network, embeddings.clone(), precision, path, team.clone(), index);
        let mut decoder = Self {
            own: member(0),
            order: Arc::new(RwLock::new(Order::Stop)),
            embeddings: embeddings.clone(),
            team: team.clone(),
            others: Vec::new(),
            tokens: Vec::new(),
            scores: Vec::new(),
        };
        for index in 1..threads {
            let started = decoder.start(member(index), index);
            if let Err(error) = started {
                // Those that have started wait for the rest of the team, which will not come.
                decoder.team.barrier.break_up();
                let reason = format!("only {index} of {threads} could be started: {error}");
                return Err(GptError::Data { origin: "the threads of the decoder".to_owned(), reason });
            }
        }
        Ok(decoder)
    }

    fn start(&mut self, mut member: Member, index: usize) -> std::io::Result<()> {
        let (team, order) = (self.team.clone(), self.order.clone());
        let serve = move || {
            let order = || order.read().unwrap_or_else(PoisonError::into_inner).clone();
            team.guarded(|| member.serve(order));
        };
        let thread = std::thread::Builder::new().name(format!("decoder-{index}")).spawn(serve)?;
        self.others.push(thread);
        Ok(())
    }

    /// Reads tokens and gives the scores of each token that may follow the last one: `vocabulary`
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
            self.run(chunk, rest.is_empty());
            left = rest;
        }
        Ok(&self.scores)
    }

    fn check(&self, tokens: &[u32]) -> Result<(), GptError> {
        if tokens.is_empty() {
            let reason = "there are none: what follows is scored behind at least one".to_owned();
            return Err(GptError::Data { origin: "the tokens to read".to_owned(), reason });
        }
        let vocabulary = self.embeddings.vocabulary();
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

    /// Has all members read a chunk.
    fn run(&mut self, chunk: &[u32], scores: bool) {
        let start = self.len();
        let order = Order::Feed { tokens: chunk.to_vec(), start, scores };
        *self.order.write().unwrap_or_else(PoisonError::into_inner) = order;
        let (team, own, found) = (&self.team, &mut self.own, &mut self.scores);
        team.guarded(|| {
            team.barrier.wait();
            own.feed(chunk, start, scores, |parts| {
                found.clear();
                parts.iter().for_each(|part| found.extend_from_slice(part));
            });
        });
        self.tokens.extend_from_slice(chunk);
    }

    /// Forgets all tokens from position `len` on.
    pub fn truncate(&mut self, len: usize) {
        // The members forget what lies behind the start of the next order.
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
    pub fn scores(&self) -> &[f32] {
        &self.scores
    }

    /// The most tokens that it can know.
    pub fn context(&self) -> usize {
        self.embeddings.context()
    }

    /// Number of tokens of the network.
    pub fn vocabulary(&self) -> usize {
        self.embeddings.vocabulary()
    }
}

impl Drop for Decoder {
    fn drop(&mut self) {
        *self.order.write().unwrap_or_else(PoisonError::into_inner) = Order::Stop;
        self.team.barrier.wait_unless_broken();
        for other in self.others.drain(..) {
            let _ = other.join();
        }
    }
}
