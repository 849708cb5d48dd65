//! Which numbers are left out.

use rekindle_compute::rng;

use crate::streams;

/// Which numbers dropout leaves out (Srivastava and others, 2014). It follows from the seed, the
/// step, the layer and the number of the sequence in its batch, not from how a batch
/// is split.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dropout {
    /// The run's.
    pub seed: u64,
    /// The training step; with accumulation, the batch.
    pub step: u64,
    /// Share of the numbers that are left out, below 1.
    pub share: f64,
    /// Number of the first sequence at hand.
    pub first: u64,
}

/// The layer number of the embeddings; layers are counted from 0.
pub const EMBEDDINGS: usize = 0xfff;

impl Dropout {
    /// The same for a part that begins with another sequence.
    pub fn from(self, first: usize) -> Self {
        Self { first: first as u64, ..self }
    }

    /// A factor for each number of the rows of some sequences: 0, or what makes up for the zeros.
    pub fn mask(&self, mask: &mut Vec<f32>, layer: usize, width: usize, tokens: impl Iterator<Item = usize>) {
        // With 16 random bits for each number.
        let limit = (self.share * 65_536.0) as u64;
        let kept = (65_536.0 / (65_536 - limit) as f64) as f32;
        mask.clear();
        for (sequence, tokens) in (self.first..).zip(tokens) {
            // Sixteen bits of the number are part of the step; those of larger ones are part of the stream,
            // so that no two sequences of a step have the same.
            let key = self.step << 28 | (layer as u64) << 16 | sequence & 0xffff;
            let mut stream = rng::stream(self.seed, streams::DROPOUT | sequence >> 16 << 8, key);
            let end = mask.len() + tokens * width;
            while mask.len() < end {
                let bits = stream.bits();
                let factors = (0..4).map(|quarter| bits >> (16 * quarter) & 0xffff);
                let room = end - mask.len();
                mask.extend(factors.map(|bits| if bits < limit { 0.0 } else { kept }).take(room));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(first: u64, layer: usize) -> Vec<f32> {
        let mut mask = Vec::new();
        let dropout = Dropout { seed: 1, step: 5, share: 0.5, first };
        dropout.mask(&mut mask, layer, 32, std::iter::once(4));
        mask
    }

    #[test]
    fn sequences_of_large_batches_have_numbers_of_their_own() {
        assert_ne!(mask(1 << 16, 2), mask(0, 3));
        assert_ne!(mask(1 << 16, 3), mask(0, 3));
        assert_ne!(mask((1 << 32) - 1, 3), mask((1 << 16) - 1, 3));
    }
}
