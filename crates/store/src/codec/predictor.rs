//! What the magnitude of a float is expected to be, from its row, its column and the element of a
//! base at its place.
//!
//! Magnitudes are the bits of a float without its sign, as integers: in these, a factor is about a
//! summand. An array whose scale differs from row to row and from column to column, as that of a
//! gradient's moments does, is so predicted by a sum, and what is left of it is small.

use super::section;

/// A weight of the base that takes it as it is.
pub(super) const WHOLE: u8 = 16;
/// Elements are predicted so many at a time where there are no columns.
const RUN: usize = 256;

/// The prediction of a chunk's magnitudes.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Predictor {
    /// Sixteenths of the base's magnitude that are taken.
    pub weight: u8,
    /// Added to all.
    pub constant: i64,
    /// Binary digits that offsets are moved up.
    pub unit: u8,
    /// Number of columns; none when there are no offsets.
    pub period: usize,
    /// Offsets of rows and of columns: signed bytes.
    pub rows: Vec<u8>,
    pub columns: Vec<u8>,
}

impl Predictor {
    /// Bytes of the fields before the offsets.
    const HEAD: usize = 1 + 8 + 1 + 4;

    pub fn put(&self, out: &mut Vec<u8>) {
        out.push(self.weight);
        out.extend_from_slice(&self.constant.to_le_bytes());
        out.push(self.unit);
        out.extend_from_slice(&(self.period as u32).to_le_bytes());
        if self.period > 0 {
            section::put_close(&self.rows, out);
            section::put_close(&self.columns, out);
        }
    }

    /// Takes the prediction of `count` elements off `input`.
    pub fn take(input: &mut &[u8], count: usize) -> Option<Self> {
        let (head, rest) = input.split_first_chunk::<{ Self::HEAD }>()?;
        *input = rest;
        let constant = i64::from_le_bytes(*head[1..].first_chunk()?);
        let period = u32::from_le_bytes(*head[10..].first_chunk()?) as usize;
        let mut found = Self { weight: head[0], constant, unit: head[9], period, ..Self::default() };
        if found.weight > WHOLE || found.unit > 56 || period > count {
            return None;
        }
        if period > 0 {
            found.rows = vec![0; count.div_ceil(period)];
            section::take(input, &mut found.rows)?;
            found.columns = vec![0; period];
            section::take(input, &mut found.columns)?;
        }
        Some(found)
    }

    /// Offsets of the columns, as they are added; as many as elements are predicted at a time.
    pub fn columns(&self) -> Vec<i64> {
        match self.period {
            0 => vec![0; RUN],
            _ => self.columns.iter().map(|&offset| self.scaled(offset)).collect(),
        }
    }

    /// What is added to the columns' offsets in a row.
    #[inline]
    pub fn row(&self, number: usize) -> i64 {
        let offset = self.rows.get(number).map_or(0, |&offset| self.scaled(offset));
        self.constant.wrapping_add(offset)
    }

    fn scaled(&self, offset: u8) -> i64 {
        i64::from(offset as i8) << self.unit
    }

    /// What is taken of the magnitude of a base's element.
    #[inline(always)]
    pub fn of_base(&self, magnitude: u64) -> i64 {
        share(magnitude, self.weight)
    }
}

/// So many sixteenths of a magnitude.
#[inline(always)]
pub(super) fn share(magnitude: u64, sixteenths: u8) -> i64 {
    let sixteenths = u64::from(sixteenths);
    ((magnitude >> 4) * sixteenths + (((magnitude & 15) * sixteenths) >> 4)) as i64
}
