//! A sample of a chunk, on which codecs are measured.

use std::borrow::Cow;
use std::collections::VecDeque;

use super::Content;

/// Chunks up to this length are their own sample: bytes.
const WHOLE_UP_TO: usize = 4 << 10;
/// Number of the sampled pieces, spread over the chunk.
const PIECES: usize = 4;
/// Chunks from this length on are sampled in long pieces: bytes.
const LARGE_FROM: usize = 64 << 10;

/// Pieces of a chunk, one after another.
pub(super) struct Sample<'a> {
    bytes: Cow<'a, [u8]>,
}

impl<'a> Sample<'a> {
    /// Samples `raw`, of that content, at whole elements. Chunks of equal length are sampled at the
    /// same places.
    pub fn of(raw: &'a [u8], content: Content) -> Self {
        let piece = match content {
            _ if raw.len() >= LARGE_FROM => 4 << 10,
            // How floats are spread shows soon, and there may be very many small arrays of them.
            Content::Floats { .. } => 256,
            _ => 1 << 10,
        };
        if raw.len() <= WHOLE_UP_TO {
            return Self { bytes: Cow::Borrowed(raw) };
        }
        let width = content.width();
        let stride = (raw.len() - piece) / (PIECES - 1) / width * width;
        let mut bytes = Vec::with_capacity(PIECES * piece);
        (0..PIECES).for_each(|i| bytes.extend_from_slice(&raw[i * stride..i * stride + piece]));
        Self { bytes: Cow::Owned(bytes) }
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// True when many words of four bytes are the same in `other`.
    pub fn has_equals(&self, other: &Self) -> bool {
        let words = self.bytes.chunks(4).zip(other.bytes.chunks(4));
        words.filter(|(a, b)| a == b).count() * 64 > self.bytes.len()
    }
}

/// How often each value comes.
pub(super) struct Histogram {
    counts: [u32; 256],
    total: u32,
}

impl Histogram {
    pub fn of(bytes: impl Iterator<Item = u8>) -> Self {
        let mut counts = [0u32; 256];
        bytes.for_each(|byte| counts[usize::from(byte)] += 1);
        Self { counts, total: counts.iter().sum() }
    }

    pub fn zeros(&self) -> u32 {
        self.counts[0]
    }

    /// True when no value comes more often than chance has it: no code makes such bytes smaller.
    /// Told by how many pairs are equal, which is quick.
    pub fn is_noise(&self) -> bool {
        let pairs: u64 =
            self.counts.iter().map(|&count| u64::from(count) * u64::from(count.max(1) - 1)).sum();
        let total = u64::from(self.total);
        total >= 256 && pairs * 256 < total * (total - 1) * 5 / 4
    }

    /// Bits a byte in a Huffman code of these values.
    pub fn huffman_bits(&self) -> f64 {
        let mut present = self.present();
        let total = f64::from(self.total.max(1));
        (code_length(&mut present) as f64 / total + self.unseen_bits()).clamp(0.0, 8.0)
    }

    /// The entropy of these values: bits a byte.
    pub fn entropy_bits(&self) -> f64 {
        let total = f64::from(self.total.max(1));
        let bits = |&count: &u32| -f64::from(count) / total * (f64::from(count) / total).log2();
        (self.present().iter().map(bits).sum::<f64>() + self.unseen_bits()).clamp(0.0, 8.0)
    }

    fn present(&self) -> Vec<u32> {
        self.counts.into_iter().filter(|&count| count > 0).collect()
    }

    /// What a small sample does not show of the entropy (Miller and Madow).
    fn unseen_bits(&self) -> f64 {
        let total = f64::from(self.total.max(1));
        (self.present().len() as f64 - 1.0).max(0.0) / (2.0 * total * std::f64::consts::LN_2)
    }
}

/// Length of a text in its Huffman code, from how often each of its values comes: the sum of all
/// inner nodes of the code's tree.
fn code_length(counts: &mut [u32]) -> u64 {
    counts.sort_unstable();
    let mut leaves = counts.iter().copied().map(u64::from).peekable();
    let mut inner: VecDeque<u64> = VecDeque::new();
    let mut length = 0;
    for _ in 1..counts.len() {
        let mut least = || match (leaves.peek(), inner.front()) {
            (Some(&leaf), Some(&node)) if node < leaf => inner.pop_front(),
            (Some(_), _) => leaves.next(),
            (None, _) => inner.pop_front(),
        };
        let node = least().unwrap_or(0) + least().unwrap_or(0);
        length += node;
        inner.push_back(node);
    }
    length
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn huffman_codes_have_their_known_lengths() {
        assert_eq!(code_length(&mut [1, 1, 1]), 5);
        assert_eq!(code_length(&mut [5, 9, 12, 13, 16, 45]), 224);
        assert_eq!(code_length(&mut [7]), 0);
        assert_eq!(code_length(&mut []), 0);
    }
}
