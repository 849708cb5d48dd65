//! Bytes coded by how often each comes: interleaved range asymmetric numeral systems (Duda, 2013;
//! Giesen, 2014), which come closer to the entropy than a Huffman code.
//!
//! Byte `i` belongs to state `i % STATES`. A state is coded into by going backwards through the
//! bytes and moves 16 bits to the output whenever it would leave its 32.

use std::cell::Cell;

use super::frequencies::{SCALE, SCALE_BITS, Table};

/// Independent states, so that a processor works on several bytes at once.
const STATES: usize = 4;
/// States are at least as large after each byte, and begin so.
const LEAST: u32 = 1 << 16;

/// What coding one value of a byte does to a state, with the division by its frequency as a
/// multiplication.
#[derive(Clone, Copy, Default)]
struct Step {
    reciprocal: u64,
    /// States from here on move 16 bits out first.
    limit: u32,
    bias: u32,
    /// What is missing of the frequency to the scale.
    rest: u32,
}

impl Step {
    fn new(frequency: u32, start: u32) -> Self {
        let limit = frequency << (32 - SCALE_BITS);
        let rest = SCALE - frequency;
        match frequency {
            // The reciprocal would not fit: with this one the quotient is one too small.
            1 => Self { reciprocal: u64::MAX, limit, bias: start + SCALE - 1, rest },
            _ => Self { reciprocal: u64::MAX / u64::from(frequency) + 1, limit, bias: start, rest },
        }
    }

    #[inline(always)]
    fn apply(&self, state: u32) -> u32 {
        let quotient = ((u128::from(state) * u128::from(self.reciprocal)) >> 64) as u32;
        state + self.bias + quotient * self.rest
    }
}

thread_local! {
    /// Words being moved out; kept, as fresh memory costs more than the work.
    static WORDS: Cell<Vec<u16>> = const { Cell::new(Vec::new()) };
}

/// Appends `bytes`, of which two differ at least.
pub(super) fn put(bytes: &[u8], out: &mut Vec<u8>) {
    let table = Table::of(bytes);
    table.put(out);
    let mut steps = [Step::default(); 256];
    for (value, frequency, start) in table.present() {
        steps[value] = Step::new(frequency, start);
    }
    // Each byte moves one word out at most; before the first there is one that is only tried.
    let mut words = WORDS.take();
    words.resize(bytes.len() + 1, 0);
    let mut free = words.len();
    let mut states = [LEAST; STATES];
    let mut code = |byte: u8, state: &mut u32| {
        let step = &steps[usize::from(byte)];
        // Whether a word moves out is as good as random: no branch.
        let is_full = *state >= step.limit;
        words[free - 1] = *state as u16;
        free -= usize::from(is_full);
        *state = step.apply(if is_full { *state >> 16 } else { *state });
    };
    let (groups, rest) = bytes.as_chunks::<STATES>();
    rest.iter().zip(&mut states).rev().for_each(|(&byte, state)| code(byte, state));
    for group in groups.iter().rev() {
        group.iter().zip(&mut states).rev().for_each(|(&byte, state)| code(byte, state));
    }
    states.iter().for_each(|state| out.extend_from_slice(&state.to_le_bytes()));
    out.extend(words[free..].iter().flat_map(|word| word.to_le_bytes()));
    WORDS.set(words);
}

/// Fills `bytes` with what `stored` codes, which must be just as much.
pub(super) fn take(mut stored: &[u8], bytes: &mut [u8]) -> Option<()> {
    let slots = Table::take(&mut stored)?.slots();
    let mut states = [0; STATES];
    for state in &mut states {
        let (first, rest) = stored.split_first_chunk()?;
        (*state, stored) = (u32::from_le_bytes(*first), rest);
    }
    let (words, odd) = stored.as_chunks::<2>();
    let mut position = 0;
    let mut next = |state: &mut u32| {
        let slot = slots[(*state % SCALE) as usize];
        let left = u32::from(slot.frequency) * (*state >> SCALE_BITS) + u32::from(slot.offset);
        // Whether a word is needed is as good as random: no branch.
        let word = words.get(position).copied().unwrap_or_default();
        let is_short = left < LEAST;
        position += usize::from(is_short);
        *state = if is_short { left << 16 | u32::from(u16::from_le_bytes(word)) } else { left };
        slot.value
    };
    let (groups, rest) = bytes.as_chunks_mut::<STATES>();
    for group in groups {
        group.iter_mut().zip(&mut states).for_each(|(byte, state)| *byte = next(state));
    }
    rest.iter_mut().zip(&mut states).for_each(|(byte, state)| *byte = next(state));
    let is_whole = states == [LEAST; STATES] && position == words.len() && odd.is_empty();
    is_whole.then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::tests::noise;

    fn round_trip(bytes: &[u8]) -> usize {
        let mut stored = Vec::new();
        put(bytes, &mut stored);
        let mut back = vec![0xa5; bytes.len()];
        assert_eq!(take(&stored, &mut back), Some(()));
        assert!(back == bytes);
        stored.len()
    }

    fn entropy(bytes: &[u8]) -> f64 {
        let mut counts = [0u32; 256];
        bytes.iter().for_each(|&byte| counts[usize::from(byte)] += 1);
        let bits = |&count: &u32| -f64::from(count) * (f64::from(count) / bytes.len() as f64).log2();
        counts.iter().filter(|count| **count > 0).map(bits).sum::<f64>() / 8.0
    }

    #[test]
    fn bytes_come_close_to_their_entropy() {
        for ones in [1, 3, 8] {
            // The number of zeros before a one: each value is rarer than the last.
            let bytes: Vec<u8> = noise(9)
                .map(|n| ((n >> 8) * ones).leading_zeros() as u8 + (n % 5) as u8)
                .take(100_000)
                .collect();
            let (found, bound) = (round_trip(&bytes) as f64, entropy(&bytes));
            assert!(found < 1.01 * bound + 40.0, "{found} of {bound}");
        }
    }

    #[test]
    fn every_length_and_spread_comes_back() {
        for len in (2..40).chain([1000, 4099]) {
            for range in [2, 3, 17, 255, 256] {
                let mut bytes: Vec<u8> =
                    noise(range + len).map(|n| (n % range) as u8).take(len as usize).collect();
                (bytes[0], bytes[1]) = (7, 9);
                round_trip(&bytes);
            }
        }
    }

    #[test]
    fn one_value_among_very_many_others_comes_back() {
        let mut bytes = vec![200; 1 << 20];
        bytes[70_000] = 3;
        assert!(round_trip(&bytes) < 1000);
    }

    /// Put together by hand from `docs/format.md`: two values, equally frequent.
    #[test]
    fn the_layout_is_that_of_the_format() {
        let states = [131_072u32, 133_120, 133_120, 131_072].map(u32::to_le_bytes);
        let stored = [&[0x2e, 0xc0, 0x1f], states.as_flattened()].concat();
        let mut bytes = [0xa5; 4];
        assert_eq!(take(&stored, &mut bytes), Some(()));
        assert_eq!(bytes, [0, 1, 1, 0]);
        round_trip(&bytes);
    }

    #[test]
    fn cut_or_longer_bytes_are_refused() {
        let bytes: Vec<u8> = noise(5).map(|n| (n % 9) as u8).take(5000).collect();
        let mut stored = Vec::new();
        put(&bytes, &mut stored);
        let mut back = vec![0; bytes.len()];
        for len in 0..stored.len() {
            assert_eq!(take(&stored[..len], &mut back), None, "{len}");
        }
        assert_eq!(take(&[&stored[..], &[0]].concat(), &mut back), None);
        assert_eq!(take(&[&stored[..], &[0, 0]].concat(), &mut back), None);
        assert_eq!(take(&stored, &mut back[1..]), None);
    }
}
