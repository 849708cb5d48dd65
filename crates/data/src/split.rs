//! Three parts of a set of examples, told apart by what the examples are.

use std::collections::BTreeMap;

use rekindle_compute::rng;

/// The random stream of the order in which examples are dealt out.
const ORDER: u64 = 1 << 40;

/// How much of the examples is not learnt.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shares {
    /// What is chosen by, from 0 to 1.
    pub select: f64,
    /// What is reported on, from 0 to 1.
    pub test: f64,
}

/// A part of the examples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// It is learnt.
    Train,
    /// Everything that is chosen is chosen by it.
    Select,
    /// It is reported on, and seen by nothing that was chosen.
    Test,
}

/// Positions of examples, in each part in the order in which they were given.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Split {
    /// Those that are learnt.
    pub train: Vec<usize>,
    /// Those that anything is chosen by.
    pub select: Vec<usize>,
    /// Those that are reported on.
    pub test: Vec<usize>,
}

/// The shares cannot be had.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SplitError {
    /// A share is not between 0 and 1, or nothing is left to be learnt.
    #[error(
        "the shares of select ({select}) and test ({test}) must not be negative, and together less than 1"
    )]
    Shares {
        /// Share of what is chosen by.
        select: f64,
        /// Share of what is reported on.
        test: f64,
    },
}

impl Shares {
    /// Checks that there is something left to be learnt.
    ///
    /// # Errors
    /// When a share is negative or not a number, or they leave nothing.
    pub fn validate(self) -> Result<(), SplitError> {
        let Self { select, test } = self;
        match select >= 0.0 && test >= 0.0 && select + test < 1.0 {
            true => Ok(()),
            false => Err(SplitError::Shares { select, test }),
        }
    }
}

impl Split {
    /// Divides examples by their content: those that are equal always lie in the same part, and
    /// where an example comes in the order makes no difference. With classes, the class of each
    /// example, every part has its share of every class. A share that is not 0 takes at least one of
    /// two different examples (of a class), and never the last one from what is learnt.
    ///
    /// # Errors
    /// When the shares leave nothing to be learnt.
    ///
    /// # Panics
    /// When there are classes, but not one for each example.
    pub fn by_content<C: AsRef<[u8]>>(
        examples: impl IntoIterator<Item = C>,
        classes: Option<&[usize]>,
        shares: Shares,
        seed: u64,
    ) -> Result<Self, SplitError> {
        shares.validate()?;
        let mut strata: BTreeMap<usize, BTreeMap<Vec<u8>, Vec<usize>>> = BTreeMap::new();
        // The same example in two classes is in the part that its first class gives it.
        let mut stratum_of: BTreeMap<Vec<u8>, usize> = BTreeMap::new();
        let mut count = 0;
        for (position, example) in examples.into_iter().enumerate() {
            let content = example.as_ref().to_vec();
            let class = classes.map_or(0, |classes| classes[position]);
            let stratum = *stratum_of.entry(content.clone()).or_insert(class);
            strata.entry(stratum).or_default().entry(content).or_default().push(position);
            count += 1;
        }
        let mut part = vec![Part::Train; count];
        for (stratum, groups) in strata {
            let mut groups: Vec<Vec<usize>> = groups.into_values().collect();
            rng::stream(seed, ORDER, stratum as u64).shuffle(&mut groups);
            for (group, chosen) in groups.iter().zip(dealt(groups.len(), shares)) {
                group.iter().for_each(|&position| part[position] = chosen);
            }
        }
        let of = |chosen: Part| (0..count).filter(|&position| part[position] == chosen).collect();
        Ok(Self { train: of(Part::Train), select: of(Part::Select), test: of(Part::Test) })
    }

    /// Draws a share of the examples to be chosen by, whatever they are: equal ones may lie in different
    /// parts, and there is no test. Runs are divided so that were begun before there were three parts;
    /// `stream` is the random stream of their system.
    pub fn drawn(examples: usize, share: f64, seed: u64, stream: u64) -> Self {
        let held = (examples as f64 * share).round() as usize;
        let mut train: Vec<usize> = (0..examples).collect();
        rng::stream(seed, stream, 0).shuffle(&mut train);
        let mut select = train.split_off(examples - held.min(examples));
        train.sort_unstable();
        select.sort_unstable();
        Self { train, select, test: Vec::new() }
    }

    /// The part that an example lies in; none when there is no such example.
    pub fn part_of(&self, position: usize) -> Option<Part> {
        let parts = [(Part::Train, &self.train), (Part::Select, &self.select), (Part::Test, &self.test)];
        parts.into_iter().find(|(_, part)| part.binary_search(&position).is_ok()).map(|(part, _)| part)
    }
}

/// The part of each of so many different examples, which are in random order.
fn dealt(count: usize, shares: Shares) -> impl Iterator<Item = Part> {
    let of = |share: f64, left: usize| {
        let wanted = (share * count as f64).round() as usize;
        wanted.max(usize::from(share > 0.0)).min(left)
    };
    // One stays to be learnt.
    let mut left = count.saturating_sub(1);
    let test = of(shares.test, left);
    left -= test;
    let select = of(shares.select, left);
    let parts = std::iter::repeat_n(Part::Test, test).chain(std::iter::repeat_n(Part::Select, select));
    parts.chain(std::iter::repeat(Part::Train)).take(count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SHARES: Shares = Shares { select: 0.2, test: 0.1 };

    fn numbers(range: std::ops::Range<u32>) -> Vec<[u8; 4]> {
        range.map(u32::to_le_bytes).collect()
    }

    #[test]
    fn each_part_has_its_share_of_each_class() {
        let classes: Vec<usize> = (0..1000).map(|i| usize::from(i % 10 == 0)).collect();
        let split = Split::by_content(numbers(0..1000), Some(&classes), SHARES, 3).unwrap();
        let counts = |part: &[usize]| {
            let ones = part.iter().filter(|&&i| classes[i] == 1).count();
            (part.len() - ones, ones)
        };
        assert_eq!(counts(&split.train), (630, 70));
        assert_eq!(counts(&split.select), (180, 20));
        assert_eq!(counts(&split.test), (90, 10));
    }

    #[test]
    fn the_split_is_that_of_the_contents_in_any_order() {
        let examples = numbers(0..200);
        let split = Split::by_content(&examples, None, SHARES, 1).unwrap();
        let mut turned = examples.clone();
        turned.rotate_left(77);
        let other = Split::by_content(&turned, None, SHARES, 1).unwrap();
        let mut held: Vec<_> = split.test.iter().map(|&i| examples[i]).collect();
        let mut held_turned: Vec<_> = other.test.iter().map(|&i| turned[i]).collect();
        held.sort_unstable();
        held_turned.sort_unstable();
        assert_eq!(held, held_turned);
        assert_ne!(split, Split::by_content(&examples, None, SHARES, 2).unwrap());
    }

    #[test]
    fn a_drawn_share_is_that_of_all_examples_alike() {
        let split = Split::drawn(10, 0.25, 3, 4);
        let mut all = [&split.train[..], &split.select].concat();
        all.sort_unstable();
        assert_eq!((split.select.len(), split.test.len(), all), (3, 0, (0..10).collect()));
        assert_ne!(split, Split::drawn(10, 0.25, 4, 4));
    }

    #[test]
    fn small_sets_keep_something_to_learn() {
        let parts = |count| {
            let split = Split::by_content(numbers(0..count), None, SHARES, 0).unwrap();
            (split.train.len(), split.select.len(), split.test.len())
        };
        assert_eq!((parts(0), parts(1), parts(2), parts(3)), ((0, 0, 0), (1, 0, 0), (1, 0, 1), (1, 1, 1)));
    }

    #[test]
    fn shares_that_leave_nothing_are_refused() {
        for (select, test) in [(0.5, 0.5), (-0.1, 0.2), (f64::NAN, 0.0), (1.0, 0.0)] {
            assert!(Split::by_content(numbers(0..9), None, Shares { select, test }, 0).is_err());
        }
    }

    proptest! {
        #[test]
        fn equal_examples_never_lie_in_two_parts(
            examples in proptest::collection::vec(0u8..20, 0..200),
            seed: u64,
            classed: bool,
        ) {
            let classes: Vec<usize> = (0..examples.len()).map(|i| i % 3).collect();
            let contents = examples.iter().map(|&example| [example]);
            let split =
                Split::by_content(contents, classed.then_some(&classes[..]), SHARES, seed).unwrap();
            let mut all = [&split.train[..], &split.select, &split.test].concat();
            all.sort_unstable();
            prop_assert_eq!(all, (0..examples.len()).collect::<Vec<_>>());
            for (i, a) in examples.iter().enumerate() {
                let same = (0..i).find(|&j| examples[j] == *a);
                prop_assert!(same.is_none_or(|j| split.part_of(i) == split.part_of(j)));
            }
        }
    }
}
