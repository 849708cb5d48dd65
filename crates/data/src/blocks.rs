//! Running text cut into three parts.

use std::ops::Range;

use crate::split::Shares;

/// Three blocks of a sequence, which follow each other without a gap: no window of the sequence lies in
/// two of them.
///
/// The sizes of *select* and *test* are rounded down, what is left is *train*, which comes first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocks {
    /// What is learnt.
    pub train: Range<usize>,
    /// What anything is chosen by.
    pub select: Range<usize>,
    /// What is reported on.
    pub test: Range<usize>,
}

impl Blocks {
    /// Train, select, test: in this order.
    pub fn with_test_last(len: usize, shares: Shares) -> Self {
        let [second, third] = starts(len, shares.select, shares.test);
        Self { train: 0..second, select: second..third, test: third..len }
    }

    /// Train, test, select: in this order.
    pub fn with_select_last(len: usize, shares: Shares) -> Self {
        let [second, third] = starts(len, shares.test, shares.select);
        Self { train: 0..second, test: second..third, select: third..len }
    }
}

/// Where the second and the third block start, which have these shares.
fn starts(len: usize, second: f64, third: f64) -> [usize; 2] {
    let of = |share: f64| (len as f64 * share) as usize;
    let start_of_third = len - of(third).min(len);
    [start_of_third - of(second).min(start_of_third), start_of_third]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_follow_each_other_in_either_order() {
        let shares = Shares { select: 0.1, test: 0.2 };
        let blocks = Blocks::with_select_last(100, shares);
        assert_eq!((blocks.train, blocks.test, blocks.select), (0..70, 70..90, 90..100));
        let blocks = Blocks::with_test_last(100, shares);
        assert_eq!((blocks.train, blocks.select, blocks.test), (0..70, 70..80, 80..100));
    }

    #[test]
    fn a_share_of_nothing_is_an_empty_block_at_its_place() {
        let blocks = Blocks::with_select_last(101, Shares { select: 0.25, test: 0.0 });
        assert_eq!((blocks.train, blocks.test, blocks.select), (0..76, 76..76, 76..101));
    }
}
