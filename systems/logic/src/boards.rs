//! Boards of bits.

use rekindle_compute::rng::Stream;

/// Several boards of the same size, 64 cells to a word.
///
/// Each channel is one plane of bits over the cells of all boards: bit `(board * height + y) *
/// width + x`. Bits beyond the last cell are 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Boards {
    count: usize,
    width: usize,
    height: usize,
    planes: Vec<Vec<u64>>,
}

impl Boards {
    /// Boards whose cells are all 0.
    pub fn zeros(count: usize, width: usize, height: usize, channels: usize) -> Self {
        let words = (count * width * height).div_ceil(64);
        Self { count, width, height, planes: vec![vec![0; words]; channels] }
    }

    /// Fills the first `channels` channels with random bits.
    pub fn randomize(&mut self, channels: usize, stream: &mut Stream) {
        let cells = self.cells();
        for plane in self.planes.iter_mut().take(channels) {
            plane.fill_with(|| stream.bits());
            clear_beyond(plane, cells);
        }
    }

    /// Sets all channels of the cell in the middle of each board, the later of two.
    pub(crate) fn set_centres(&mut self) {
        let (x, y) = (self.width / 2, self.height / 2);
        for board in 0..self.count {
            (0..self.planes.len()).for_each(|channel| self.set(board, channel, x, y, true));
        }
    }

    /// How many boards there are.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Cells in a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Bits that a cell holds.
    pub fn channels(&self) -> usize {
        self.planes.len()
    }

    /// Cells of all boards together.
    pub fn cells(&self) -> usize {
        self.count * self.width * self.height
    }

    /// One bit.
    ///
    /// # Panics
    /// If there is no such cell.
    pub fn get(&self, board: usize, channel: usize, x: usize, y: usize) -> bool {
        self.bit(channel, self.index(board, x, y))
    }

    /// Sets one bit.
    ///
    /// # Panics
    /// If there is no such cell.
    pub fn set(&mut self, board: usize, channel: usize, x: usize, y: usize, value: bool) {
        let index = self.index(board, x, y);
        self.set_bit(channel, index, value);
    }

    /// How many cells differ from another's in one of its channels, and in how many boards. The other may
    /// have fewer channels.
    ///
    /// # Panics
    /// If the boards differ in number or size.
    pub fn differences(&self, other: &Self) -> Differences {
        let shape = |boards: &Self| (boards.count, boards.width, boards.height);
        assert_eq!(shape(self), shape(other), "boards of the same number and size");
        let size = self.width * self.height;
        let different = self.different(other);
        let mut differences = Differences::default();
        for board in 0..self.count {
            let cells = board * size..(board + 1) * size;
            let wrong = cells.filter(|&cell| different[cell / 64] >> (cell % 64) & 1 == 1).count();
            differences.cells += wrong;
            differences.boards += usize::from(wrong > 0);
        }
        differences
    }

    /// How many cells differ from another's, of the same number and size, in one of its channels.
    pub(crate) fn wrong_cells(&self, other: &Self) -> usize {
        self.different(other).into_iter().map(|word| word.count_ones() as usize).sum()
    }

    /// The cells that differ in one of the other's channels.
    fn different(&self, other: &Self) -> Vec<u64> {
        let mut different = vec![0; other.planes.first().map_or(0, Vec::len)];
        for (plane, other) in self.planes.iter().zip(&other.planes) {
            for (different, (a, b)) in different.iter_mut().zip(plane.iter().zip(other)) {
                *different |= a ^ b;
            }
        }
        different
    }

    /// Takes the cells that are not in `mask` back to what they were before.
    pub(crate) fn keep_unless(&mut self, mask: &[u64], before: &Self) {
        for (plane, before) in self.planes.iter_mut().zip(&before.planes) {
            for ((word, before), mask) in plane.iter_mut().zip(before).zip(mask) {
                *word = *word & mask | before & !mask;
            }
        }
    }

    pub(crate) fn planes(&self) -> &[Vec<u64>] {
        &self.planes
    }

    pub(crate) fn planes_mut(&mut self) -> &mut [Vec<u64>] {
        &mut self.planes
    }

    /// The bit of the cell that is the `index`-th of all boards.
    pub(crate) fn bit(&self, channel: usize, index: usize) -> bool {
        (self.planes[channel][index / 64] >> (index % 64)) & 1 == 1
    }

    pub(crate) fn set_bit(&mut self, channel: usize, index: usize, value: bool) {
        let word = &mut self.planes[channel][index / 64];
        *word = *word & !(1 << (index % 64)) | u64::from(value) << (index % 64);
    }

    fn index(&self, board: usize, x: usize, y: usize) -> usize {
        assert!(board < self.count && x < self.width && y < self.height, "a cell of the board");
        (board * self.height + y) * self.width + x
    }
}

/// How far boards are from what they should be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Differences {
    /// Cells that differ.
    pub cells: usize,
    /// Boards in which at least one cell differs.
    pub boards: usize,
}

/// Clears the bits beyond the last cell.
pub(crate) fn clear_beyond(plane: &mut [u64], cells: usize) {
    if let Some(last) = plane.last_mut()
        && !cells.is_multiple_of(64)
    {
        *last &= (1 << (cells % 64)) - 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rekindle_compute::rng;

    #[test]
    fn a_bit_is_where_it_was_put() {
        let mut boards = Boards::zeros(3, 5, 7, 2);
        boards.set(2, 1, 4, 6, true);
        assert!(boards.get(2, 1, 4, 6));
        assert_eq!(boards.planes()[1].iter().map(|word| word.count_ones()).sum::<u32>(), 1);
        boards.set(2, 1, 4, 6, false);
        assert_eq!(boards, Boards::zeros(3, 5, 7, 2));
    }

    #[test]
    fn random_bits_stay_within_the_cells() {
        let mut boards = Boards::zeros(3, 5, 7, 2);
        boards.randomize(1, &mut rng::stream(1, 0, 0));
        assert_eq!(boards.planes()[0][1] >> (105 - 64), 0);
        assert_eq!(boards.planes()[1], [0, 0]);
    }

    #[test]
    fn differences_count_cells_and_boards() {
        let mut boards = Boards::zeros(3, 4, 4, 1);
        boards.set(0, 0, 1, 1, true);
        boards.set(2, 0, 0, 0, true);
        boards.set(2, 0, 3, 3, true);
        let differences = boards.differences(&Boards::zeros(3, 4, 4, 1));
        assert_eq!(differences, Differences { cells: 3, boards: 2 });
        assert_eq!(boards.wrong_cells(&Boards::zeros(3, 4, 4, 1)), 3);
    }
}
