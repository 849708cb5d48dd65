//! How often each value of a byte comes, in few bytes.
//!
//! Frequencies are told in half octaves, as the difference from that of the value before: those of
//! neighbours are alike, and a frequency that is off by a few per cent costs next to nothing.

/// Frequencies sum up to `1 << SCALE_BITS`.
pub(super) const SCALE_BITS: u32 = 12;
pub(super) const SCALE: u32 = 1 << SCALE_BITS;
/// The highest level; levels are half octaves.
const LEVEL_MAX: u32 = 2 * SCALE_BITS + 2;

/// The frequencies of a code.
pub(super) struct Table {
    /// 0 for a value that does not come.
    levels: [u8; 256],
    frequencies: [u32; 256],
}

/// The value that a state stands for, by its lowest bits.
#[derive(Clone, Copy, Default)]
pub(super) struct Slot {
    pub value: u8,
    pub frequency: u16,
    /// Its place among the slots of the value.
    pub offset: u16,
}

impl Table {
    /// The table for `bytes`, of which two differ at least.
    pub fn of(bytes: &[u8]) -> Self {
        // Four tables: else equal neighbours wait for each other.
        let mut counts = [[0u32; 256]; 4];
        for four in bytes.chunks(4) {
            four.iter().zip(&mut counts).for_each(|(&byte, counts)| counts[usize::from(byte)] += 1);
        }
        let count = |value: usize| counts.iter().map(|counts| counts[value]).sum::<u32>();
        let most = (0..256).map(count).max().unwrap_or(0);
        Self::from_levels(std::array::from_fn(|value| level(count(value), most)))
    }

    fn from_levels(levels: [u8; 256]) -> Self {
        Self { levels, frequencies: frequencies(&levels) }
    }

    /// The values that come, with their frequencies and the sums of those before.
    pub fn present(&self) -> impl Iterator<Item = (usize, u32, u32)> {
        let mut start = 0;
        self.frequencies.iter().enumerate().filter_map(move |(value, &frequency)| {
            let found = (frequency > 0).then_some((value, frequency, start));
            start += frequency;
            found
        })
    }

    /// A slot for each of [`SCALE`] equally likely remainders of a state.
    pub fn slots(&self) -> Box<[Slot; SCALE as usize]> {
        let mut slots = Box::new([Slot::default(); SCALE as usize]);
        for (value, frequency, start) in self.present() {
            for offset in 0..frequency {
                let slot = Slot { value: value as u8, frequency: frequency as u16, offset: offset as u16 };
                slots[(start + offset) as usize] = slot;
            }
        }
        slots
    }

    pub fn put(&self, out: &mut Vec<u8>) {
        let mut bits = BitWriter::default();
        let (mut before, mut value) = (0, 0);
        while value < 256 {
            let level = i32::from(self.levels[value]);
            bits.gamma(zigzag(level - before) + 1);
            value += 1;
            before = level;
            if level == 0 {
                let more = self.levels[value..].iter().take_while(|level| **level == 0).count();
                bits.gamma(more as u32 + 1);
                value += more;
            }
        }
        bits.finish(out);
    }

    /// Takes a table off `input`; it has two values at least.
    pub fn take(input: &mut &[u8]) -> Option<Self> {
        let mut bits = BitReader { bytes: input, position: 0 };
        let mut levels = [0; 256];
        let (mut before, mut value) = (0, 0);
        while value < 256 {
            let level = unzigzag(bits.gamma()? - 1) + before;
            levels[value] = u8::try_from(level).ok().filter(|&level| u32::from(level) <= LEVEL_MAX)?;
            value += 1;
            before = level;
            if level == 0 {
                value += bits.gamma()? as usize - 1;
            }
        }
        let len = bits.position.div_ceil(8);
        *input = input.get(len..)?;
        let several = levels.iter().filter(|level| **level > 0).nth(1).is_some();
        (value == 256 && several).then(|| Self::from_levels(levels))
    }
}

/// The level of a value that comes `count` times, where the most frequent comes `most` times.
fn level(count: u32, most: u32) -> u8 {
    if count == 0 {
        return 0;
    }
    // The nearest by ratio: boundaries lie at the geometric means of neighbours, 1.22 and 1.73.
    let scaled = ((u64::from(count) << 40) / u64::from(most)) >> (40 - SCALE_BITS - 8);
    let scaled = (scaled as u32).max(256);
    let octave = scaled.ilog2() - 8;
    let half = match scaled >> octave {
        0..=313 => 0,
        314..=443 => 1,
        _ => 2,
    };
    (2 * octave + half + 1) as u8
}

/// The frequencies that levels stand for: in proportion to 2, 3, 4, 6, 8, 12 ..., each at least 1.
fn frequencies(levels: &[u8; 256]) -> [u32; 256] {
    let weight = |level: u8| match u32::from(level) {
        0 => 0,
        level => (2 + (level - 1) % 2) << ((level - 1) / 2),
    };
    let sum: u64 = levels.iter().map(|&level| u64::from(weight(level))).sum();
    let share = |level: u8| match level {
        0 => 0,
        _ => ((u64::from(weight(level)) << SCALE_BITS) / sum).max(1) as u32,
    };
    let mut frequencies = levels.map(share);
    // What rounding has left over or taken too much goes to and from the most frequent.
    loop {
        let sum: u32 = frequencies.iter().sum();
        let Some(most) = frequencies.iter_mut().rev().max() else { break };
        match sum {
            SCALE => break,
            0..SCALE => *most += SCALE - sum,
            _ => *most -= 1,
        }
    }
    frequencies
}

fn zigzag(value: i32) -> u32 {
    (value << 1 ^ value >> 31) as u32
}

fn unzigzag(value: u32) -> i32 {
    (value >> 1) as i32 ^ -((value & 1) as i32)
}

/// Numbers from 1 on in Elias' gamma code: as many zeros as bits follow the first, then the bits.
#[derive(Default)]
struct BitWriter {
    bits: Vec<bool>,
}

impl BitWriter {
    fn gamma(&mut self, value: u32) {
        let len = value.ilog2();
        self.bits.extend((0..len).map(|_| false));
        self.bits.extend((0..=len).rev().map(|bit| value >> bit & 1 == 1));
    }

    fn finish(self, out: &mut Vec<u8>) {
        let byte = |bits: &[bool]| bits.iter().enumerate().map(|(i, &bit)| u8::from(bit) << i).sum::<u8>();
        out.extend(self.bits.chunks(8).map(byte));
    }
}

struct BitReader<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl BitReader<'_> {
    fn bit(&mut self) -> Option<u32> {
        let byte = self.bytes.get(self.position / 8)?;
        let bit = byte >> (self.position % 8) & 1;
        self.position += 1;
        Some(bit.into())
    }

    /// A number below 512: neither levels nor runs are larger.
    fn gamma(&mut self) -> Option<u32> {
        let mut len = 0;
        while self.bit()? == 0 {
            len += 1;
            if len > 8 {
                return None;
            }
        }
        (0..len).try_fold(1, |value, _| Some(value << 1 | self.bit()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn tables_come_back(levels in proptest::collection::vec(0..=LEVEL_MAX as u8, 256), gap in 0usize..250) {
            let mut levels: [u8; 256] = levels.try_into().unwrap();
            levels[..gap].fill(0);
            let table = Table::from_levels(levels);
            prop_assume!(table.present().count() > 1);
            prop_assert_eq!(table.frequencies.iter().sum::<u32>(), SCALE);
            let mut out = Vec::new();
            table.put(&mut out);
            let back = Table::take(&mut out.as_slice()).unwrap();
            prop_assert!(back.levels == levels);
            prop_assert_eq!(back.slots().len(), SCALE as usize);
        }

        #[test]
        fn no_bytes_make_a_table_panic(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            if let Some(table) = Table::take(&mut bytes.as_slice()) {
                prop_assert_eq!(table.slots().len(), SCALE as usize);
            }
        }
    }

    #[test]
    fn levels_are_the_nearest_by_ratio() {
        let found = [1, 9, 10, 12, 14, 17, 1 << 12].map(|count| level(count, 1 << 12));
        assert_eq!(found, [1, 7, 8, 8, 9, 9, 25]);
    }
}
