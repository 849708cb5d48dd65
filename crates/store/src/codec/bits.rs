//! Numbers of equally many bits, one after another from bit 0 up.

/// The most bits of a number: with what is left of a byte before, it fits eight bytes.
pub(super) const WIDTH_MAX: u32 = 56;

/// Bytes that `count` numbers of `width` bits take.
pub(super) fn len(count: usize, width: u32) -> usize {
    (count as u64 * u64::from(width)).div_ceil(8) as usize
}

/// Appends numbers.
pub(super) struct BitWriter<'a> {
    out: &'a mut Vec<u8>,
    width: u32,
    /// Where the next whole byte goes.
    position: usize,
    pending: u64,
    filled: u32,
}

impl<'a> BitWriter<'a> {
    /// For numbers of `width` bits, at most [`WIDTH_MAX`], and `count` of them at most.
    pub fn new(out: &'a mut Vec<u8>, count: usize, width: u32) -> Self {
        let position = out.len();
        // Each number is written as a whole word; the next one overwrites what was not used of it.
        out.resize(position + len(count, width) + 8, 0);
        Self { out, width, position, pending: 0, filled: 0 }
    }

    /// Appends a number below `1 << width`.
    #[inline(always)]
    pub fn put(&mut self, value: u64) {
        self.pending |= value << self.filled;
        self.filled += self.width;
        self.out[self.position..self.position + 8].copy_from_slice(&self.pending.to_le_bytes());
        let whole = self.filled / 8;
        self.position += whole as usize;
        self.pending >>= 8 * whole;
        self.filled %= 8;
    }

    /// Cuts off what was not needed.
    pub fn finish(self) {
        self.out.truncate(self.position + self.filled.div_ceil(8) as usize);
    }
}

/// Takes numbers off bytes; zeros after the end.
pub(super) struct BitReader<'a> {
    bytes: &'a [u8],
    width: u32,
    mask: u64,
    position: usize,
}

impl<'a> BitReader<'a> {
    /// `width` is at most [`WIDTH_MAX`].
    pub fn new(bytes: &'a [u8], width: u32) -> Self {
        Self { bytes, width, mask: (1 << width) - 1, position: 0 }
    }

    #[inline(always)]
    pub fn next(&mut self) -> u64 {
        let (byte, bit) = (self.position / 8, self.position % 8);
        self.position += self.width as usize;
        let word = match self.bytes.get(byte..byte + 8) {
            Some(word) => u64::from_le_bytes(word.try_into().unwrap_or_default()),
            None => self.last_word(byte),
        };
        word >> bit & self.mask
    }

    #[cold]
    fn last_word(&self, start: usize) -> u64 {
        let rest = self.bytes.get(start..).unwrap_or_default();
        rest.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::tests::noise;

    #[test]
    fn numbers_of_every_width_come_back() {
        for width in 0..=WIDTH_MAX {
            for count in [0, 1, 2, 7, 8, 9, 100] {
                let values: Vec<u64> = noise(7).map(|n| n & ((1 << width) - 1)).take(count).collect();
                let mut bytes = vec![0xee];
                let mut writer = BitWriter::new(&mut bytes, count + 3, width);
                values.iter().for_each(|&value| writer.put(value));
                writer.finish();
                assert_eq!(bytes.len(), 1 + len(count, width), "{count} of {width} bits");
                let mut reader = BitReader::new(&bytes[1..], width);
                let back: Vec<u64> = (0..count).map(|_| reader.next()).collect();
                assert_eq!(back, values, "{count} of {width} bits");
            }
        }
    }
}
