//! The bits that a network reads, of all examples of a batch.

use rekindle_compute::{LANES, Lanes, kernel};

/// Where a column is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct BitSource {
    /// The input whose level is asked for.
    pub input: u32,
    /// The level that is exceeded where the bit is set.
    pub bit: u8,
}

kernel! {
    /// Reads a block of columns: 1 and -1 by example in `signs`, 1 and 0 by column and example in `columns`.
    /// Examples beyond those that have levels have no bit set.
    pub(crate) fn read_block(
        sources: &[BitSource; LANES],
        levels: &[Vec<u8>],
        signs: &mut [Lanes],
        columns: &mut [u8],
    ) {
        let batch = signs.len();
        columns.fill(0);
        signs.fill(Lanes([-1.0; LANES]));
        for (example, (levels, signs)) in levels.iter().zip(signs).enumerate() {
            for (lane, source) in sources.iter().enumerate() {
                let is_set = levels[source.input as usize] > source.bit;
                signs.0[lane] = if is_set { 1.0 } else { -1.0 };
                columns[lane * batch + example] = u8::from(is_set);
            }
        }
    }
}
