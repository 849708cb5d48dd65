//! What rows add up to.

use std::cmp::Ordering;
use std::ops::Range;

use rekindle_compute::Pool;
use serde::{Deserialize, Serialize};

use super::data::Rows;
use super::encoder::Encoder;
use super::row_hashes::RowHashes;

/// Counters to be raised below which handing work to threads takes longer than doing it.
const PARALLEL_INCREMENTS: usize = 200_000;

/// What is known of a class: the sum of its rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Discriminator {
    /// The class.
    pub class: String,
    /// Which rows were learnt.
    pub rows: RowHashes,
    /// How often each entry of each RAM counted one of them.
    pub counters: Counters,
}

/// Counters by RAM and entry. They are as wide as the number of rows asks for, so that none overflows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Counters {
    /// Of at most 65,535 rows.
    Narrow {
        /// By RAM and entry.
        #[serde(with = "rekindle::array")]
        counts: Vec<u16>,
    },
    /// Of more.
    Wide {
        /// By RAM and entry.
        #[serde(with = "rekindle::array")]
        counts: Vec<u32>,
    },
}

/// What some rows add to a network.
#[derive(Debug)]
pub(super) struct Sums(pub Vec<ClassSum>);

/// What rows of a class add.
#[derive(Debug)]
pub(super) struct ClassSum {
    pub class: String,
    pub rows: RowHashes,
    pub counts: Vec<u32>,
}

impl Counters {
    fn of(counts: Vec<u32>, rows: usize) -> Self {
        match rows <= usize::from(u16::MAX) {
            true => Self::Narrow { counts: counts.into_iter().map(|count| count as u16).collect() },
            false => Self::Wide { counts },
        }
    }

    /// True where they have the width that so many rows ask for.
    pub(super) fn fits(&self, rows: usize) -> bool {
        matches!(self, Self::Narrow { .. }) == (rows <= usize::from(u16::MAX))
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Narrow { counts } => counts.len(),
            Self::Wide { counts } => counts.len(),
        }
    }

    /// What they take: bytes.
    pub(super) fn bytes(&self) -> usize {
        self.len() * if matches!(self, Self::Narrow { .. }) { 2 } else { 4 }
    }

    /// All of them.
    pub(super) fn iter(&self) -> Box<dyn Iterator<Item = u32> + '_> {
        match self {
            Self::Narrow { counts } => Box::new(counts.iter().map(|&count| count.into())),
            Self::Wide { counts } => Box::new(counts.iter().copied()),
        }
    }
}

impl Discriminator {
    /// That of the rows of a class.
    pub(super) fn of(sum: ClassSum) -> Self {
        let ClassSum { class, rows, counts } = sum;
        let counters = Counters::of(counts, rows.len());
        Self { class, rows, counters }
    }

    /// Adds rows of the class.
    pub(super) fn add(&mut self, sum: &ClassSum) {
        self.rows.add(&sum.rows);
        let counts = self.counters.iter().zip(&sum.counts).map(|(count, more)| count + more).collect();
        self.counters = Counters::of(counts, self.rows.len());
    }

    /// Takes rows of the class off, all of which were learnt.
    pub(super) fn subtract(&mut self, sum: &ClassSum) {
        self.rows.subtract(&sum.rows);
        let counts = self.counters.iter().zip(&sum.counts);
        let counts = counts.map(|(count, fewer)| count.saturating_sub(*fewer)).collect();
        self.counters = Counters::of(counts, self.rows.len());
    }
}

impl Sums {
    /// What a range of rows adds.
    pub fn of(pool: &Pool, encoder: &Encoder, rows: &Rows, range: Range<usize>) -> Self {
        let labels = &rows.labels[range.clone()];
        let mut present: Vec<usize> = labels.to_vec();
        present.sort_unstable();
        present.dedup();
        let labels: Vec<usize> =
            labels.iter().map(|label| present.partition_point(|it| it < label)).collect();
        let counted = count(pool, encoder, rows, range.clone(), &labels, present.len());
        let hashes = &rows.hashes[range];
        let class_sum = |(index, &class): (usize, &usize)| {
            let own = hashes.iter().zip(&labels).filter(|&(_, &label)| label == index);
            ClassSum {
                class: rows.classes[class].clone(),
                rows: RowHashes::of(own.map(|(hash, _)| *hash).collect()),
                counts: counted.iter().skip(index).step_by(present.len()).copied().collect(),
            }
        };
        Self(present.iter().enumerate().map(class_sum).collect())
    }
}

/// How often each entry of each RAM counts a row of each class: by RAM, entry and class, so that a RAM is a piece
/// of its own, which threads count without meeting.
fn count(
    pool: &Pool,
    encoder: &Encoder,
    rows: &Rows,
    range: Range<usize>,
    labels: &[usize],
    classes: usize,
) -> Vec<u32> {
    let mut counts = vec![0; encoder.rams() * encoder.entries() * classes];
    if range.is_empty() {
        return counts;
    }
    let planes = encoder.planes(rows.levels(range), rows.inputs);
    let mut rams: Vec<&mut [u32]> = counts.chunks_exact_mut(encoder.entries() * classes).collect();
    let count = |ram: usize, counts: &mut &mut [u32]| {
        for (block, labels) in labels.chunks(crate::planes::BLOCK).enumerate() {
            let packed = encoder.packed(ram, planes.block(block));
            for (&packed, &label) in packed.iter().zip(labels) {
                encoder.unpacked(packed).for_each(|entry| counts[entry * classes + label] += 1);
            }
        }
    };
    match labels.len() * rams.len() >= PARALLEL_INCREMENTS {
        true => pool.for_each(&mut rams, count),
        false => rams.iter_mut().enumerate().for_each(|(ram, counts)| count(ram, counts)),
    }
    counts
}

/// The order of classes: by value if all are numbers, by the bytes of their names otherwise.
pub(super) fn in_order(classes: &[&str]) -> impl Fn(&str, &str) -> Ordering + use<> {
    let numbers = classes.iter().all(|class| class.parse::<f64>().is_ok());
    move |a, b| {
        let number = |class: &str| class.parse().unwrap_or(f64::NAN);
        let by_value = if numbers { number(a).total_cmp(&number(b)) } else { Ordering::Equal };
        by_value.then_with(|| a.cmp(b))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_in_the_order_of_their_values_if_all_have_one() {
        let sorted = |mut classes: Vec<&'static str>| {
            let order = in_order(&classes);
            classes.sort_by(|a, b| order(a, b));
            classes
        };
        assert_eq!(sorted(vec!["10", "9", "-1"]), ["-1", "9", "10"]);
        assert_eq!(sorted(vec!["10", "9", "-1", "a"]), ["-1", "10", "9", "a"]);
    }

    #[test]
    fn counters_are_as_wide_as_their_rows_ask_for() {
        let wide = Counters::of(vec![65_536, 1], 65_536);
        assert_eq!((wide.bytes(), wide.iter().collect::<Vec<_>>()), (8, vec![65_536, 1]));
        let narrow = Counters::of(vec![65_535, 1], 65_535);
        assert_eq!((narrow.bytes(), narrow.fits(65_535), narrow.fits(65_536)), (4, true, false));
    }
}
