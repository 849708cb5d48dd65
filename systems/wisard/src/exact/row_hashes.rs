//! Which rows were learnt.

use rekindle::Hash;
use serde::{Deserialize, Serialize};

/// What the hashes are keyed with, beside the seed.
const DOMAIN: [u8; 8] = *b"row-sums";

/// The first 128 bits of a row's hash.
pub(super) type RowHash = [u64; 2];

/// The hashes of the rows that were learnt: a multiset, in ascending order. 16 bytes a row.
///
/// A row's hash is the first 128 bits of the BLAKE3 hash of eight fixed bytes, the seed, and its inputs as
/// little-endian 64-bit floats in their order. So that a row that was never learnt is taken for one that was,
/// two rows would have to agree in 128 bits.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RowHashes {
    /// Two words a row, the more significant first.
    #[serde(with = "rekindle::growing")]
    words: Vec<u64>,
}

/// Hashes rows.
pub(super) struct RowHasher {
    bytes: Vec<u8>,
}

impl RowHasher {
    pub fn new(seed: u64) -> Self {
        let mut bytes = DOMAIN.to_vec();
        bytes.extend(seed.to_le_bytes());
        Self { bytes }
    }

    pub fn hash(&mut self, row: &[f64]) -> RowHash {
        let head = 2 * DOMAIN.len();
        self.bytes.truncate(head);
        // Both zeros are the same number.
        row.iter().for_each(|value| self.bytes.extend((value + 0.0).to_le_bytes()));
        let Hash(hash) = Hash::of(&self.bytes);
        let word = |at: usize| u64::from_be_bytes(std::array::from_fn(|byte| hash[at + byte]));
        [word(0), word(8)]
    }
}

impl RowHashes {
    /// Those of some rows.
    pub(super) fn of(mut hashes: Vec<RowHash>) -> Self {
        hashes.sort_unstable();
        Self { words: hashes.into_flattened() }
    }

    /// Rows.
    pub fn len(&self) -> usize {
        self.words.len() / 2
    }

    /// True where no row was learnt.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    fn hashes(&self) -> &[RowHash] {
        self.words.as_chunks().0
    }

    /// Adds those of more rows.
    pub(super) fn add(&mut self, more: &Self) {
        let mut sum = Vec::with_capacity(self.len() + more.len());
        let (mut left, mut right) = (self.hashes().iter().peekable(), more.hashes().iter().peekable());
        while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
            sum.extend(if a <= b { left.next() } else { right.next() });
        }
        sum.extend(left);
        sum.extend(right);
        self.words = sum.into_flattened();
    }

    /// Takes those of some rows off, each once.
    pub(super) fn subtract(&mut self, fewer: &Self) {
        let mut gone = fewer.hashes().iter().peekable();
        let rest = self.hashes().iter().filter(|hash| gone.next_if_eq(hash).is_none());
        self.words = rest.copied().collect::<Vec<_>>().into_flattened();
    }

    /// How often a row was learnt.
    pub(super) fn times(&self, hash: RowHash) -> usize {
        let known = self.hashes();
        known.partition_point(|&it| it <= hash) - known.partition_point(|&it| it < hash)
    }

    /// Whether each of these rows was learnt. An equal one that comes again must have been learnt again.
    pub(super) fn covers(&self, rows: &[RowHash]) -> Vec<bool> {
        let mut order: Vec<usize> = (0..rows.len()).collect();
        order.sort_by_key(|&row| rows[row]);
        let mut covered = vec![false; rows.len()];
        for equal in order.chunk_by(|&a, &b| rows[a] == rows[b]) {
            equal.iter().take(self.times(rows[equal[0]])).for_each(|&row| covered[row] = true);
        }
        covered
    }

    /// Checks that they are pairs in order.
    pub(super) fn is_valid(&self) -> bool {
        self.words.len().is_multiple_of(2) && self.hashes().is_sorted()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hashes(rows: &[u64]) -> RowHashes {
        RowHashes::of(rows.iter().map(|&row| [row / 4, row]).collect())
    }

    #[test]
    fn hashes_are_a_sum_and_a_difference() {
        let mut sum = hashes(&[5, 1, 5]);
        sum.add(&hashes(&[3, 5, 0]));
        assert_eq!(sum, hashes(&[0, 1, 3, 5, 5, 5]));
        sum.subtract(&hashes(&[5, 0, 5]));
        assert_eq!((sum.len(), sum), (3, hashes(&[1, 3, 5])));
    }

    #[test]
    fn a_row_is_covered_as_often_as_it_was_learnt() {
        let known = hashes(&[7, 7, 2]);
        let rows: Vec<RowHash> = [7, 9, 7, 2, 7].iter().map(|&row| [row / 4, row]).collect();
        assert_eq!(known.covers(&rows), [true, false, true, true, false]);
    }

    #[test]
    fn equal_rows_have_equal_hashes_whatever_the_sign_of_their_zeros() {
        let mut hasher = RowHasher::new(3);
        let hash = hasher.hash(&[0.0, 1.0]);
        assert_eq!(hash, hasher.hash(&[-0.0, 1.0]));
        assert_ne!(hash, hasher.hash(&[1.0, 0.0]));
        assert_ne!(hash, RowHasher::new(4).hash(&[0.0, 1.0]));
    }
}
