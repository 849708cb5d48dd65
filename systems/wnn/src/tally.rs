//! Votes of many clusters counted at once, in binary digits of rows.
//!
//! For 50,000 classes nearly all the work of a softmax is to add up scores that only take as many
//! values as a cluster has neurons. So clusters with equally many neurons are taken together: how
//! many of them have `k` votes is counted for all examples of a block by adding rows, and each count
//! is multiplied by the score of `k` votes once. Only a class that is among the two best so far of
//! some example is looked at example by example.

use rekindle_compute::{KernelPath, kernel};

use crate::planes::{BLOCK, Row, WORDS};

/// Digits of a number of votes.
pub(crate) const VOTE_DIGITS: usize = u16::BITS as usize;
/// Clusters of more neurons are few, and a count for each number of votes would be more work than they are.
pub(crate) const MOST_TALLIED: usize = 63;
/// Digits of a number of clusters.
const CLUSTER_DIGITS: usize = 20;
/// More clusters of equally many neurons than this cannot be counted before they are added up.
const MOST_CLUSTERS: usize = (1 << CLUSTER_DIGITS) - 1;
/// Words that are worked on together.
const CHUNK: usize = 16;

kernel! {
    /// Adds a vote for the examples of `votes`.
    pub(crate) fn add_votes(digits: &mut [Row], votes: &Row) {
        for chunk in (0..WORDS).step_by(CHUNK) {
            let mut carry: [u64; CHUNK] = std::array::from_fn(|word| votes[chunk + word]);
            for digit in digits.iter_mut() {
                for word in 0..CHUNK {
                    let digit = &mut digit[chunk + word];
                    let both = *digit & carry[word];
                    *digit ^= carry[word];
                    carry[word] = both;
                }
            }
        }
    }
}

kernel! {
    /// Counts a cluster: for each number of votes from 1 on, the examples that gave it so many.
    /// `wins` tells where that is at least what `accepted` asks; `won` by which numbers of votes.
    fn count_cluster(
        counters: &mut [[Row; CLUSTER_DIGITS]],
        wins: &mut [Row],
        won: &mut u64,
        digits: &[Row],
        accepted: &[Row],
    ) {
        for (index, counter) in counters.iter_mut().enumerate() {
            let votes = index + 1;
            let mut any = 0;
            for chunk in (0..WORDS).step_by(CHUNK) {
                let mut equal = [u64::MAX; CHUNK];
                for (digit, row) in digits.iter().enumerate() {
                    let negation = ((votes >> digit & 1) as u64).wrapping_sub(1);
                    for word in 0..CHUNK {
                        equal[word] &= row[chunk + word] ^ negation;
                    }
                }
                for word in 0..CHUNK {
                    wins[index][chunk + word] = equal[word] & accepted[index][chunk + word];
                    any |= wins[index][chunk + word];
                }
                for digit in counter.iter_mut() {
                    let mut rest = 0;
                    for word in 0..CHUNK {
                        let digit = &mut digit[chunk + word];
                        let both = *digit & equal[word];
                        *digit ^= equal[word];
                        equal[word] = both;
                        rest |= both;
                    }
                    if rest == 0 {
                        break;
                    }
                }
            }
            if any != 0 {
                *won |= 1 << index;
            }
        }
    }
}

/// Counts the clusters of equally many neurons.
pub(crate) struct Tally {
    /// By number of votes, from 1.
    counters: Vec<[Row; CLUSTER_DIGITS]>,
    /// Where so many votes are among the two best.
    pub(crate) accepted: Vec<Row>,
    /// Where the cluster that was counted last is among the two best.
    pub(crate) wins: Vec<Row>,
    clusters: usize,
}

impl Tally {
    /// For clusters of `neurons` neurons.
    pub(crate) fn new(neurons: usize) -> Self {
        Self {
            counters: vec![[[0; WORDS]; CLUSTER_DIGITS]; neurons],
            accepted: vec![[0; WORDS]; neurons],
            wins: vec![[0; WORDS]; neurons],
            clusters: 0,
        }
    }

    /// What one for clusters of so many neurons takes: bytes.
    pub(crate) fn bytes(neurons: u64) -> u64 {
        neurons * (CLUSTER_DIGITS + 2) as u64 * size_of::<Row>() as u64
    }

    /// Counts a cluster. The bits of the answer tell for which numbers of votes, less 1, there are
    /// wins.
    pub(crate) fn count(&mut self, path: KernelPath, digits: &[Row]) -> u64 {
        self.clusters += 1;
        debug_assert!(self.clusters <= MOST_CLUSTERS);
        let mut won = 0;
        count_cluster(path, &mut self.counters, &mut self.wins, &mut won, digits, &self.accepted);
        won
    }

    /// Calls `add(position, clusters, votes)` for each example of the block and each number of votes
    /// that any clusters got from it.
    pub(crate) fn for_each(&self, mut add: impl FnMut(usize, u64, usize)) {
        let digit_count = digits_of(self.clusters);
        for (index, counter) in self.counters.iter().enumerate() {
            let mut counts = [0_u32; BLOCK];
            for (digit, row) in counter[..digit_count].iter().enumerate() {
                for position in crate::planes::ones(row) {
                    counts[position] |= 1 << digit;
                }
            }
            for (position, &clusters) in counts.iter().enumerate() {
                if clusters > 0 {
                    add(position, clusters.into(), index + 1);
                }
            }
        }
    }
}

/// Binary digits of `number`.
pub(crate) fn digits_of(number: usize) -> usize {
    (usize::BITS - number.leading_zeros()) as usize
}
