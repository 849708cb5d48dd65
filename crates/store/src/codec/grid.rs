//! Rows and columns of a chunk of floats, and how large the magnitudes in each are.

use std::ops::Range;

use super::predictor::WHOLE;

/// Shorter and longer rows are not told apart by column: elements.
const PERIOD_MIN: usize = 8;
const PERIOD_MAX: usize = 1 << 15;
/// Periods up to this length are looked for: elements.
const PERIOD_SOUGHT: usize = 2048;
/// Elements that are compared with those one period on.
const COMPARED: usize = 1024;
/// Neighbours that share an offset where no period is found.
const NEIGHBOURS: usize = 64;

/// A division of a chunk into rows of equally many elements.
pub(super) struct Grid {
    pub period: usize,
    elements: Sums,
    base: Sums,
    /// Numbers of the elements that are not zero.
    living: Sums,
    /// Row and column of each sampled element.
    pub places: Vec<(usize, usize)>,
}

impl Grid {
    /// Sums up magnitudes, of which those of the base are zero where the element is.
    pub fn new(elements: &[u16], base: &[u16], period: usize, sample: &[Range<usize>]) -> Self {
        let living = match elements.contains(&0) {
            true => {
                Sums::of(&elements.iter().map(|&value| u16::from(value != 0)).collect::<Vec<_>>(), period)
            }
            false => Sums::full(elements.len(), period),
        };
        Self {
            period,
            elements: Sums::of(elements, period),
            base: Sums::of(base, period),
            living,
            places: sample.iter().flat_map(|run| places(run, period)).collect(),
        }
    }

    /// Offsets of rows and of columns: how far the means of what the base leaves, taken with that
    /// weight, are from the mean of all.
    pub fn offsets(&self, weight: u8) -> (Vec<i64>, Vec<i64>) {
        let offsets = |elements: &[u64], base: &[u64], living: &[u64]| {
            let of_base = |number| base.get(number).map_or(0, |&sum| i64::from(weight) * sum as i64);
            let sums = elements.iter().enumerate();
            let left = sums.map(|(number, &sum)| sum as i64 - of_base(number) / i64::from(WHOLE));
            centred(left.zip(living).map(|(sum, &count)| (count > 0).then(|| sum / count as i64)).collect())
        };
        let Self { elements, base, living, .. } = self;
        let rows = offsets(&elements.rows, &base.rows, &living.rows);
        (rows, offsets(&elements.columns, &base.columns, &living.columns))
    }
}

/// Rows and columns of neighbouring elements.
fn places(run: &Range<usize>, period: usize) -> impl Iterator<Item = (usize, usize)> + use<> {
    let (mut row, mut column) = (run.start / period, run.start % period);
    run.clone().map(move |_| {
        let place = (row, column);
        column += 1;
        if column == period {
            (row, column) = (row + 1, 0);
        }
        place
    })
}

/// Offsets from their mean; zero where there is none.
fn centred(offsets: Vec<Option<i64>>) -> Vec<i64> {
    let count = offsets.iter().flatten().count().max(1) as i64;
    let mean = offsets.iter().flatten().sum::<i64>() / count;
    offsets.into_iter().map(|offset| offset.map_or(0, |offset| offset - mean)).collect()
}

/// Sums by row and by column.
#[derive(Default)]
struct Sums {
    rows: Vec<u64>,
    columns: Vec<u64>,
}

impl Sums {
    fn of(values: &[u16], period: usize) -> Self {
        if values.is_empty() {
            return Self::default();
        }
        let (mut rows, mut columns) = (Vec::with_capacity(values.len().div_ceil(period)), vec![0; period]);
        // So many rows that no sum of a column is more than 32 bits.
        for group in values.chunks(period << 16) {
            let mut sums = vec![0u32; period];
            for row in group.chunks(period) {
                sums.iter_mut().zip(row).for_each(|(sum, &value)| *sum += u32::from(value));
                rows.push(row.iter().map(|&value| u32::from(value)).sum::<u32>().into());
            }
            columns.iter_mut().zip(sums).for_each(|(sum, of_group)| *sum += u64::from(of_group));
        }
        Self { rows, columns }
    }

    /// Numbers of elements.
    fn full(count: usize, period: usize) -> Self {
        let rows = (0..count).step_by(period).map(|start| period.min(count - start) as u64).collect();
        let columns = (0..period).map(|column| (count - column).div_ceil(period) as u64).collect();
        Self { rows, columns }
    }
}

/// Likely lengths of rows, of which there are several among `count` elements: that of an array which
/// tells its own; else those after which elements are most alike, or some number of neighbours.
pub(super) fn periods(magnitudes: &[u16], columns: usize, count: usize) -> Vec<usize> {
    let mut periods = match columns {
        PERIOD_MIN..=PERIOD_MAX => vec![columns],
        _ => sought(magnitudes, PERIOD_SOUGHT.min(count / 32).min(magnitudes.len() / 4)),
    };
    periods.retain(|&period| period <= magnitudes.len() / 4);
    periods
}

/// Lengths of rows up to `longest` that are likely from how alike elements are one row on, and from
/// how alike their ratios to their neighbours are, which do not tell in which row they are.
fn sought(magnitudes: &[u16], longest: usize) -> Vec<usize> {
    let compared = COMPARED.min(magnitudes.len() / 4);
    let seen = &magnitudes[..magnitudes.len().min(longest + compared + 1)];
    let ratios: Vec<i16> = seen.windows(2).map(|pair| pair[1].wrapping_sub(pair[0]) as i16).collect();
    let alike = period(longest, |lag| unlike(&seen[..compared], &seen[lag..], u16::abs_diff));
    let similar = period(longest, |lag| unlike(&ratios[..compared], &ratios[lag..], i16::abs_diff));
    let mut periods: Vec<usize> = alike.into_iter().chain(similar).collect();
    // Chance may have picked a part of it.
    periods.extend(periods.first().map(|period| 2 * period));
    periods.sort_unstable();
    periods.dedup();
    if periods.is_empty() { vec![NEIGHBOURS] } else { periods }
}

#[inline(always)]
fn unlike<T: Copy>(a: &[T], b: &[T], difference: fn(T, T) -> u16) -> u32 {
    a.iter().zip(b).map(|(&a, &b)| u32::from(difference(a, b))).sum()
}

/// The least lag at which things are more alike than at most others.
fn period(longest: usize, unlike: impl Fn(usize) -> u32) -> Option<usize> {
    let sums: Vec<u32> = (PERIOD_MIN..=longest).map(unlike).collect();
    let least = sums.iter().copied().min()?;
    let mean = (sums.iter().map(|&sum| u64::from(sum)).sum::<u64>() / sums.len() as u64) as u32;
    if least > mean - mean / 10 {
        return None;
    }
    // Multiples of the period are as good, but for chance.
    sums.iter().position(|&sum| sum <= least + (mean - least) / 4).map(|first| PERIOD_MIN + first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::tests::noise;

    /// Rows and columns of different sizes, and noise.
    fn table(period: usize, count: usize) -> Vec<u16> {
        let sizes = |seed| noise(seed).map(|n| n % 5000);
        let columns: Vec<u64> = sizes(3).take(period).collect();
        let rows = sizes(4).flat_map(|size| vec![size; period]);
        let elements = columns.iter().cycle().zip(rows).zip(noise(5));
        elements.map(|((column, row), n)| (20_000 + column + row + n % 2000) as u16).take(count).collect()
    }

    #[test]
    fn the_length_of_rows_is_found() {
        for period in [8, 10, 16, 100, 768] {
            let found = periods(&table(period, 40_000), 0, 40_000);
            assert!(found.contains(&period), "{period}: {found:?}");
        }
        assert_eq!(periods(&table(16, 40_000), 32, 40_000), [32]);
        assert_eq!(periods(&table(1, 40_000), 0, 40_000), [NEIGHBOURS]);
        assert_eq!(periods(&[7; 20], 0, 20), [0; 0]);
    }

    #[test]
    fn offsets_are_those_of_rows_and_columns() {
        // Row 2 is zero but for one element.
        let elements: Vec<u16> = (0..1000)
            .map(|i| if i / 10 == 2 && i % 10 > 0 { 0 } else { 500 + i / 10 + 100 * (i % 10) })
            .collect();
        let grid = Grid::new(&elements, &[], 10, &[15..20, 20..25]);
        let (rows, columns) = grid.offsets(0);
        assert_eq!((rows.len(), columns.len()), (100, 10));
        assert_eq!(rows[99] - rows[9], 90);
        assert_eq!(columns[9] - columns[1], 800);
        assert_eq!(grid.places[..6], [(1, 5), (1, 6), (1, 7), (1, 8), (1, 9), (2, 0)]);
        // What the base holds is not left.
        let halves: Vec<u16> = elements.iter().map(|value| value / 2).collect();
        let (rows, _) = Grid::new(&elements, &halves, 10, &[]).offsets(WHOLE);
        assert!((44..=46).contains(&(rows[99] - rows[9])), "{}", rows[99] - rows[9]);
    }
}
