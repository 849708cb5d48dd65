//! Boards of bits whose rows begin with a word, with the cells beyond each edge beside them.

/// What lies beyond the edge of a board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Boundary {
    /// The opposite edge: the board is a torus.
    Periodic,
    /// Cells that are 0.
    Zero,
}

/// Words before each row, the last of which has the cell left of the row as its last bit.
const MARGIN: usize = 8;

/// A board, with several bits to a cell, in the form that an [`Automaton`](crate::Automaton) runs on.
///
/// Each channel is a plane of rows. A row is stored with its neighbours beyond the left and the right edge, and a
/// plane with the rows beyond the upper and the lower edge, so that whoever reads a neighbourhood asks nothing
/// about edges.
#[derive(Clone, Debug)]
pub struct Lattice {
    width: usize,
    height: usize,
    boundary: Boundary,
    planes: Vec<Plane>,
}

impl Lattice {
    /// A board whose cells are all 0.
    pub fn zeros(width: usize, height: usize, channels: usize, boundary: Boundary) -> Self {
        let stride = width.div_ceil(64).next_multiple_of(8) + MARGIN;
        let plane = || Plane::zeros(stride, height + 2);
        Self { width, height, boundary, planes: (0..channels).map(|_| plane()).collect() }
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

    /// Words of a row.
    pub(crate) fn row_words(&self) -> usize {
        self.width.div_ceil(64)
    }

    pub(crate) fn planes(&self) -> &[Plane] {
        &self.planes
    }

    pub(crate) fn planes_mut(&mut self) -> &mut [Plane] {
        &mut self.planes
    }

    /// Sets the cells of a channel to the bits of a plane from a bit on: cell `(x, y)` is bit
    /// `first + y * width + x`.
    ///
    /// # Panics
    /// If there is no such channel, or the plane is too short.
    pub fn read_bits(&mut self, channel: usize, plane: &[u64], first: usize) {
        let (width, height) = (self.width, self.height);
        for y in 0..height {
            copy_bits(plane, first + y * width, self.planes[channel].row_mut(y + 1), 0, width);
        }
        self.close(channel);
    }

    /// Sets the bits of a plane from a bit on to the cells of a channel, as [`Lattice::read_bits`] reads them.
    ///
    /// # Panics
    /// If there is no such channel, or the plane is too short.
    pub fn write_bits(&self, channel: usize, plane: &mut [u64], first: usize) {
        for y in 0..self.height {
            let row = self.planes[channel].row(y + 1);
            copy_bits(row, 0, plane, first + y * self.width, self.width);
        }
    }

    /// Sets what lies beyond the edges after the cells have changed.
    pub(crate) fn close(&mut self, channel: usize) {
        let wraps = self.boundary == Boundary::Periodic;
        let plane = &mut self.planes[channel];
        for row in 1..=self.height {
            plane.close_row(row, self.width, wraps);
        }
        if wraps {
            plane.copy_row(self.height, 0);
            plane.copy_row(1, self.height + 1);
        }
    }
}

/// The rows of a channel, and one more above and below.
#[derive(Clone, Debug)]
pub(crate) struct Plane {
    words: Vec<u64>,
    /// The word that stands at a cache line's beginning.
    origin: usize,
    /// Words from a row to the next.
    pub stride: usize,
}

impl Plane {
    fn zeros(stride: usize, rows: usize) -> Self {
        let words = vec![0; stride * rows + 2 * MARGIN];
        let origin = words.as_ptr().align_offset(64).min(MARGIN);
        Self { words, origin, stride }
    }

    /// The words from the margin before a row on.
    pub fn before_row(&self, row: usize) -> &[u64] {
        &self.words[self.origin + row * self.stride..]
    }

    fn row(&self, row: usize) -> &[u64] {
        &self.before_row(row)[MARGIN..self.stride]
    }

    pub fn row_mut(&mut self, row: usize) -> &mut [u64] {
        let first = self.origin + row * self.stride;
        &mut self.words[first + MARGIN..first + self.stride]
    }

    fn copy_row(&mut self, from: usize, to: usize) {
        // With its margin, and with the word of the next row's margin that holds the cell to its right.
        let from = self.origin + from * self.stride;
        let to = self.origin + to * self.stride;
        self.words.copy_within(from + MARGIN - 1..from + self.stride + 1, to + MARGIN - 1);
    }

    fn close_row(&mut self, row: usize, width: usize, wraps: bool) {
        let first = self.origin + row * self.stride + MARGIN;
        let (last, bit) = (first + width / 64, width % 64);
        // All of the word in which the cell to the right of the row is, but for the row's own cells.
        self.words[last] &= (1 << bit) - 1;
        if wraps {
            self.words[last] |= (self.words[first] & 1) << bit;
        }
        let rightmost = self.words[first + (width - 1) / 64] >> ((width - 1) % 64) & 1;
        self.words[first - 1] = if wraps { rightmost << 63 } else { 0 };
    }
}

/// Copies bits between planes.
fn copy_bits(from: &[u64], from_bit: usize, to: &mut [u64], to_bit: usize, count: usize) {
    if from_bit.is_multiple_of(64) && to_bit.is_multiple_of(64) && count.is_multiple_of(64) {
        let (from, words) = (&from[from_bit / 64..], count / 64);
        to[to_bit / 64..][..words].copy_from_slice(&from[..words]);
        return;
    }
    let mut done = 0;
    while done < count {
        let (target, shift) = ((to_bit + done) / 64, (to_bit + done) % 64);
        let some = (64 - shift).min(count - done);
        let mask = (!0 >> (64 - some)) << shift;
        let bits = bits_from(from, from_bit + done) << shift;
        to[target] = to[target] & !mask | bits & mask;
        done += some;
    }
}

/// 64 bits from a bit on; those beyond the end are 0.
fn bits_from(words: &[u64], bit: usize) -> u64 {
    let (word, shift) = (bit / 64, bit % 64);
    let low = words.get(word).copied().unwrap_or(0) >> shift;
    match (shift, words.get(word + 1)) {
        (1.., Some(next)) => low | next << (64 - shift),
        _ => low,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rekindle_compute::rng;

    #[test]
    fn bits_come_back_as_they_were_whatever_the_width() {
        let mut stream = rng::stream(1, 0, 0);
        let plane: Vec<u64> = (0..200).map(|_| stream.bits()).collect();
        for (width, height, first) in
            [(1, 1, 5), (64, 3, 0), (64, 3, 64), (63, 7, 1), (130, 9, 77), (5, 5, 60)]
        {
            let mut lattice = Lattice::zeros(width, height, 1, Boundary::Periodic);
            lattice.read_bits(0, &plane, first);
            let mut back = vec![!0; 200];
            lattice.write_bits(0, &mut back, first);
            for bit in 0..200 * 64 {
                let found = back[bit / 64] >> (bit % 64) & 1;
                let within = (first..first + width * height).contains(&bit);
                assert_eq!(
                    found,
                    if within { plane[bit / 64] >> (bit % 64) & 1 } else { 1 },
                    "{width}, bit {bit}"
                );
            }
        }
    }
}
