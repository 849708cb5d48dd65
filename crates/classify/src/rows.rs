//! A value of many examples at once.

#![expect(clippy::needless_range_loop, reason = "a lane is an index of several arrays")]

use rekindle_compute::{LANES, Lanes};

/// Groups of sixteen examples that lie side by side. Two keep the rows of a layer of eight thousand gates
/// within the second-level cache.
pub const TILES: usize = 2;

/// Examples that a network is evaluated for at once.
pub const BLOCK: usize = TILES * LANES;

/// One value of each example of a block: an input, or the output of a gate.
pub type Row = [Lanes; TILES];

/// A row of zeros.
pub const ZEROS: Row = [Lanes::ZERO; TILES];

/// The value of an example.
#[inline(always)]
pub fn of(row: &Row, example: usize) -> f32 {
    row[example / LANES].0[example % LANES]
}

/// A row of zeros and ones: whether a level exceeds a bit.
#[inline(always)]
pub fn exceeding(levels: &[u8; BLOCK], bit: u8) -> Row {
    let mut row = ZEROS;
    for (lanes, levels) in row.iter_mut().zip(levels.as_chunks::<LANES>().0) {
        for lane in 0..LANES {
            lanes.0[lane] = f32::from(u8::from(levels[lane] > bit));
        }
    }
    row
}
