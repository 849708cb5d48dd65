//! The bits of many rows, packed.

/// Rows of a block: one for each bit of a word.
pub(super) const BLOCK: usize = 64;
/// Bits of rows are never held in more memory: bytes.
pub(super) const PLANES_LIMIT: u64 = 4 << 30;

/// The bits of rows. A word holds one bit of the 64 rows of a block, and the words of a block lie
/// side by side: encoding a column writes whole words, and the bits of a tuple are gathered for 64
/// rows at once.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Planes {
    rows: usize,
    bits: usize,
    /// By block and bit.
    words: Vec<u64>,
}

impl Planes {
    /// All bits of all rows are 0.
    pub fn zeros(rows: usize, bits: usize) -> Self {
        Self { rows, bits, words: vec![0; rows.div_ceil(BLOCK) * bits] }
    }

    /// What [`Self::zeros`] would take: bytes.
    pub fn size(rows: usize, bits: usize) -> u64 {
        (rows.div_ceil(BLOCK) as u64).saturating_mul(bits as u64).saturating_mul(8)
    }

    pub fn rows(&self) -> usize {
        self.rows
    }

    pub fn blocks(&self) -> usize {
        self.rows.div_ceil(BLOCK)
    }

    /// The words of a block, one for each bit. Rows beyond the last are 0.
    pub fn block(&self, block: usize) -> &[u64] {
        &self.words[block * self.bits..(block + 1) * self.bits]
    }

    pub fn block_mut(&mut self, block: usize) -> &mut [u64] {
        &mut self.words[block * self.bits..(block + 1) * self.bits]
    }

    /// In how many rows each bit is set.
    pub fn ones(&self) -> Vec<u64> {
        let mut ones = vec![0; self.bits];
        for block in 0..self.blocks() {
            for (ones, word) in ones.iter_mut().zip(self.block(block)) {
                *ones += u64::from(word.count_ones());
            }
        }
        ones
    }

    /// Number of [`bytes`](Self::bytes).
    pub fn len(&self) -> usize {
        8 * self.words.len()
    }

    /// All words, little-endian.
    pub fn bytes(&self) -> impl Iterator<Item = u8> + '_ {
        self.words.iter().flat_map(|word| word.to_le_bytes())
    }
}

/// Turns 64 words of 64 bits around: bit `j` of word `i` becomes bit `i` of word `j` (H. S. Warren,
/// "Hacker's Delight", 2012, section 7-3).
pub(super) fn transpose(words: &mut [u64; BLOCK]) {
    let (mut width, mut mask) = (32, 0x0000_0000_ffff_ffff_u64);
    while width > 0 {
        for pair in words.chunks_exact_mut(2 * width) {
            let (low, high) = pair.split_at_mut(width);
            for (low, high) in low.iter_mut().zip(high) {
                let swapped = (*low >> width ^ *high) & mask;
                *high ^= swapped;
                *low ^= swapped << width;
            }
        }
        width /= 2;
        mask ^= mask << width;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_change_places() {
        let mut stream = rekindle_compute::rng::stream(0, 0, 0);
        let words: [u64; BLOCK] = std::array::from_fn(|_| stream.bits());
        let mut turned = words;
        transpose(&mut turned);
        for (i, word) in words.iter().enumerate() {
            for (j, other) in turned.iter().enumerate() {
                assert_eq!(word >> j & 1, other >> i & 1);
            }
        }
    }
}
