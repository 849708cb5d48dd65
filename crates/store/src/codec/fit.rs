//! Finding the [`Predictor`] of a chunk of floats.
//!
//! Sums over rows and columns are taken of all elements, in 16 bits of each; which prediction is
//! the best is measured on a sample.

use std::iter;
use std::ops::Range;

use super::grid::{self, Grid};
use super::predictor::{Predictor, WHOLE, share};
use super::residual::{Form, magnitude, read};
use super::sample::Histogram;

/// Of chunks from this length on, predictions are tried on a part: elements.
const LARGE_FROM: usize = 1 << 16;
/// Rows from this length on have finer offsets: in shorter ones these cost more than they gain.
const LONG_ROW: usize = 64;
/// Bits that an offset takes, about.
const OFFSET_BITS: f64 = 5.0;

/// How a chunk is best predicted, and what that leaves.
#[derive(Debug)]
pub(super) struct Fit {
    /// Bytes of an element.
    pub width: usize,
    pub predictor: Predictor,
    pub form: Form,
    /// The share of its size that the chunk would have.
    pub share: f64,
}

/// How a chunk is best predicted without a base, and with one if there is one.
#[derive(Debug)]
pub(super) struct Fits {
    pub alone: Fit,
    pub related: Option<Fit>,
}

/// The best predictions of `raw`, whose elements are floats of `W` bytes in so many columns (0: not
/// known), alone and with a base of the same length.
pub(super) fn fits<const W: usize>(raw: &[u8], base: Option<&[u8]>, columns: usize) -> Fits {
    let count = raw.len() / W;
    let part = if count < LARGE_FROM { count } else { (count / 8).max(8 * columns).min(count) };
    let (head, head_of_base) = (&raw[..part * W], base.map(|base| &base[..part * W]));
    let chunk = Chunk::<W>::new(head, head_of_base, columns, count);
    let alone = chunk.best_alone();
    let related = base.map(|_| chunk.best_related());
    if part == count {
        return Fits { alone: chunk.finish(alone), related: related.map(|best| chunk.finish(best)) };
    }
    // What is best for a part is so for all.
    let again = |best: Candidate<'_>, base| {
        let whole = Chunk::<W>::with_periods(raw, base, best.grid.map(|grid| vec![grid.period]));
        whole.finish(whole.candidate(best.weight, whole.grids.first()))
    };
    Fits { alone: again(alone, None), related: related.map(|best| again(best, base)) }
}

/// A prediction whose offsets are not yet rounded.
#[derive(Default)]
struct Candidate<'a> {
    weight: u8,
    grid: Option<&'a Grid>,
    /// In units of the coarse magnitudes.
    rows: Vec<i64>,
    columns: Vec<i64>,
    /// Bits an element that it leaves, about.
    bits: f64,
}

struct Chunk<const W: usize> {
    /// Elements in all, and of the chunk that this is a part of.
    count: usize,
    whole: usize,
    grids: Vec<Grid>,
    sample: Vec<Sampled>,
}

/// A sampled element, and that of the base.
struct Sampled {
    element: u64,
    base: u64,
}

impl<const W: usize> Chunk<W> {
    /// Bits that coarse magnitudes lack.
    const SHIFT: u32 = (8 * W as u32).saturating_sub(17);

    /// The beginning of a chunk of so many elements, whose rows are sought.
    fn new(raw: &[u8], base: Option<&[u8]>, columns: usize, whole: usize) -> Self {
        let coarse = coarse::<W>(raw);
        let periods = grid::periods(&coarse, columns, whole);
        Self { whole, ..Self::with_grids(raw, base, &coarse, &periods) }
    }

    /// A chunk whose rows are known, or that has none.
    fn with_periods(raw: &[u8], base: Option<&[u8]>, periods: Option<Vec<usize>>) -> Self {
        match periods {
            Some(periods) => Self::with_grids(raw, base, &coarse::<W>(raw), &periods),
            None => Self::with_grids(raw, base, &[], &[]),
        }
    }

    fn with_grids(raw: &[u8], base: Option<&[u8]>, coarse_raw: &[u16], periods: &[usize]) -> Self {
        let count = raw.len() / W;
        let mut coarse_base = Vec::new();
        if let (Some(base), [_, ..]) = (base, periods) {
            // Elements that are zero tell nothing of their rows and columns.
            let living = |(base, &element)| if element == 0 { 0 } else { base };
            coarse_base = coarse::<W>(base).into_iter().zip(coarse_raw).map(living).collect();
        }
        let runs = runs(count);
        let grid = |&period: &usize| Grid::new(coarse_raw, &coarse_base, period, &runs);
        let grids = periods.iter().map(grid).collect();
        let at = |bytes: &[u8], index: usize| read::<W>(&bytes[index * W..(index + 1) * W]);
        let sampled =
            |index| Sampled { element: at(raw, index), base: base.map_or(0, |base| at(base, index)) };
        Self { count, whole: count, grids, sample: runs.into_iter().flatten().map(sampled).collect() }
    }

    fn best_alone(&self) -> Candidate<'_> {
        self.best(&[0], self.grids())
    }

    fn best_related(&self) -> Candidate<'_> {
        let best = self.best(&[WHOLE, WHOLE / 2], self.grids());
        let between = self.best(&[WHOLE * 3 / 4, WHOLE / 4], iter::once(best.grid));
        if between.bits < best.bits { between } else { best }
    }

    /// No offsets, and those of all divisions.
    fn grids(&self) -> impl Iterator<Item = Option<&Grid>> {
        iter::once(None).chain(self.grids.iter().map(Some))
    }

    /// The best of some weights and grids, of which there is one at least.
    fn best<'a>(&self, weights: &[u8], grids: impl Iterator<Item = Option<&'a Grid>>) -> Candidate<'a> {
        let candidates =
            grids.flat_map(|grid| weights.iter().map(move |&weight| self.candidate(weight, grid)));
        candidates.min_by(|a, b| a.bits.total_cmp(&b.bits)).unwrap_or_default()
    }

    fn candidate<'a>(&self, weight: u8, grid: Option<&'a Grid>) -> Candidate<'a> {
        let (rows, columns) = grid.map(|grid| grid.offsets(weight)).unwrap_or_default();
        let mut found = Candidate { weight, grid, rows, columns, bits: 0.0 };
        let mut left = self.left(weight, found.expected(Self::SHIFT));
        let middle = median(left.iter().copied().step_by(8).collect());
        left.iter_mut().for_each(|distance| *distance = distance.wrapping_sub(middle));
        let columns = found.columns.len() as f64 / self.whole as f64;
        found.bits = mean_bits(&left) + OFFSET_BITS * (columns + found.rows.len() as f64 / self.count as f64);
        found
    }

    /// How far the sampled magnitudes are from what the base and offsets let expect.
    fn left(&self, weight: u8, offsets: Option<Vec<i64>>) -> Vec<i64> {
        let left = |sampled: &Sampled| {
            let of_base = share(magnitude::<W>(sampled.base), weight);
            (magnitude::<W>(sampled.element) as i64).wrapping_sub(of_base)
        };
        let sampled = self.sample.iter().map(left);
        match offsets {
            None => sampled.collect(),
            Some(offsets) => sampled.zip(offsets).map(|(left, offset)| left.wrapping_sub(offset)).collect(),
        }
    }

    /// Rounds the offsets, and chooses how what is left is stored.
    fn finish(&self, found: Candidate<'_>) -> Fit {
        let mut predictor = found.rounded(Self::SHIFT);
        let columns = predictor.columns();
        let offset = |&(row, column): &(usize, usize)| predictor.row(row).wrapping_add(columns[column]);
        let offsets = found.grid.map(|grid| grid.places.iter().map(offset).collect());
        let mut left = self.left(found.weight, offsets);
        predictor.constant = median(left.clone());
        left.iter_mut().for_each(|distance| *distance = distance.wrapping_sub(predictor.constant));
        let form = self.form(&left);
        let share = self.share(&predictor, form, &left);
        Fit { width: W, predictor, form, share }
    }

    fn form(&self, left: &[i64]) -> Form {
        let rarer = |sign: fn(&Sampled) -> u64| {
            let negative = self.sample.iter().filter(|sampled| sign(sampled) >> (8 * W - 1) == 1).count();
            negative.min(self.sample.len() - negative)
        };
        let plain = rarer(|sampled| sampled.element);
        let relative = rarer(|sampled| sampled.element ^ sampled.base);
        // About twelve steps to the mean distance; fewer in short chunks, whose tables weigh more.
        let steps = if self.count < 1 << 15 { 0 } else { 2 };
        Form {
            low_bits: (mean_bits(left) as u32).saturating_sub(steps).min(8 * W as u32 - 9),
            // A sign that is as good as thrown is not worth a symbol.
            sign_in_symbol: plain.min(relative) * 5 < self.sample.len() * 2,
            relative_sign: relative < plain,
        }
    }

    fn share(&self, predictor: &Predictor, form: Form, left: &[i64]) -> f64 {
        let signs = self.sample.iter().map(|sampled| form.sign::<W>(sampled.element, sampled.base));
        let symbols: Vec<u8> =
            left.iter().zip(signs).map(|(&distance, sign)| form.symbol(distance, sign)).collect();
        let escapes = symbols.iter().filter(|symbol| **symbol == 0).count() as f64 / symbols.len() as f64;
        let coded = Histogram::of(symbols.into_iter()).entropy_bits();
        let bits = coded + f64::from(form.field_bits()) * (1.0 - escapes) + (8 * W) as f64 * escapes;
        let offsets = OFFSET_BITS * (predictor.rows.len() + predictor.columns.len()) as f64;
        (bits + offsets / self.count as f64) / (8 * W) as f64
    }
}

impl Candidate<'_> {
    /// What is expected of the sampled elements beside the base.
    fn expected(&self, shift: u32) -> Option<Vec<i64>> {
        let expected = |&(row, column): &(usize, usize)| (self.rows[row] + self.columns[column]) << shift;
        self.grid.map(|grid| grid.places.iter().map(expected).collect())
    }

    /// The prediction with offsets in bytes; they need be no finer than what it leaves.
    fn rounded(&self, shift: u32) -> Predictor {
        let mut predictor = Predictor { weight: self.weight, ..Predictor::default() };
        let Some(grid) = self.grid else { return predictor };
        let largest = self.rows.iter().chain(&self.columns).map(|offset| offset.unsigned_abs()).max();
        let bits = u64::BITS - largest.unwrap_or(0).leading_zeros();
        let finer = if grid.period < LONG_ROW { 0 } else { 2 };
        let needed = (self.bits as u32).saturating_sub(shift + finer);
        let finest = bits.saturating_sub(7).max(needed).min(9);
        let round = |&offset: &i64| {
            let half = (1 << finest) >> 1;
            ((offset + half) >> finest).clamp(-128, 127) as i8 as u8
        };
        predictor.unit = (shift + finest) as u8;
        predictor.period = grid.period;
        predictor.rows = self.rows.iter().map(round).collect();
        predictor.columns = self.columns.iter().map(round).collect();
        predictor
    }
}

/// The upper bits of the magnitudes.
fn coarse<const W: usize>(raw: &[u8]) -> Vec<u16> {
    let coarse = |element: &[u8]| (magnitude::<W>(read::<W>(element)) >> Chunk::<W>::SHIFT) as u16;
    raw.chunks_exact(W).map(coarse).collect()
}

/// The mean length of the numbers in bits.
fn mean_bits(numbers: &[i64]) -> f64 {
    let bits: u32 = numbers.iter().map(|value| u64::BITS - value.unsigned_abs().leading_zeros()).sum();
    f64::from(bits) / numbers.len().max(1) as f64
}

/// The middle of some numbers, of which there is one at least.
fn median(mut numbers: Vec<i64>) -> i64 {
    let middle = numbers.len() / 2;
    *numbers.select_nth_unstable(middle).1
}

/// The elements on which predictions are measured: all, or pieces spread over the chunk.
fn runs(count: usize) -> Vec<Range<usize>> {
    let run = if count < 1 << 14 { 64 } else { 128 };
    let (runs, run) = if count <= 16 * run { (1, count) } else { (16, run) };
    let stride = (count - run) / (runs - 1).max(1);
    (0..runs).map(|number| number * stride..number * stride + run).collect()
}
