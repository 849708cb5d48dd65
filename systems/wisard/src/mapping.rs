//! Which bits make up which tuple.

use rekindle_compute::rng;
use rekindle_train::StateMismatch;
use serde::{Deserialize, Serialize};

use super::config::Model;
use super::error::WisardError;
use super::planes::{BLOCK, transpose};
use super::streams;

/// Votes are counted in 16 bits, one for each tuple.
pub(super) const TUPLES_LIMIT: usize = u16::MAX as usize;

/// The bits in random orders, each cut into tuples.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mapping {
    /// Bits of a tuple.
    pub tuple_bits: u32,
    /// The bits of the encoded row, tuple by tuple; the first of a tuple is the lowest of its
    /// address.
    #[serde(with = "rekindle::growing")]
    pub bits: Vec<u32>,
}

impl Mapping {
    /// Random orders of these bits. Where an order does not fill its last tuple, its own first bits
    /// fill it up.
    pub(super) fn new(informative: &[u32], model: &Model, seed: u64) -> Result<Self, WisardError> {
        let (tuple_bits, length) = (model.tuple_bits, model.tuple_bits as usize);
        if informative.len() < length {
            return Err(WisardError::TupleTooLarge { tuple_bits, bits: informative.len() });
        }
        let filled = informative.len().next_multiple_of(length);
        let tuples = (filled / length).saturating_mul(model.orders as usize);
        if tuples > TUPLES_LIMIT {
            return Err(WisardError::TooManyTuples { tuples, limit: TUPLES_LIMIT });
        }
        let mut bits = Vec::with_capacity(tuples * length);
        for index in 0..model.orders.into() {
            let mut order = informative.to_vec();
            rng::stream(seed, streams::MAPPING, index).shuffle(&mut order);
            bits.extend(order.iter().cycle().take(filled));
        }
        Ok(Self { tuple_bits, bits })
    }

    /// Number of tuples, which is the number of RAMs of a class.
    pub fn tuples(&self) -> usize {
        self.bits.len() / self.tuple_bits.max(1) as usize
    }

    /// The bits of a tuple.
    pub fn tuple(&self, tuple: usize) -> &[u32] {
        let length = self.tuple_bits as usize;
        &self.bits[tuple * length..(tuple + 1) * length]
    }

    /// The addresses of a tuple, for each row of a block.
    pub(super) fn addresses(&self, tuple: usize, block: &[u64]) -> [u64; BLOCK] {
        let mut words = [0; BLOCK];
        for (word, &bit) in words.iter_mut().zip(self.tuple(tuple)) {
            *word = block[bit as usize];
        }
        transpose(&mut words);
        words
    }

    /// Checks that it is one of rows of so many bits.
    pub(super) fn check(&self, tuple_bits: u32, encoded_bits: usize) -> Result<(), StateMismatch> {
        let (length, count) = (tuple_bits as usize, self.bits.len());
        StateMismatch::require(self.tuple_bits == tuple_bits, || {
            format!("its tuples have {} bits, those of the config {length}", self.tuple_bits)
        })?;
        let are_tuples = count > 0 && count.is_multiple_of(length) && self.tuples() <= TUPLES_LIMIT;
        StateMismatch::require(are_tuples, || format!("{count} bits are mapped to tuples of {length}"))?;
        match self.bits.iter().find(|&&bit| bit as usize >= encoded_bits) {
            Some(bit) => Err(StateMismatch::Contradiction(format!(
                "bit {bit} is mapped, but rows have {encoded_bits} bits"
            ))),
            None => Ok(()),
        }
    }
}
