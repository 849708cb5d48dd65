//! Asking the RAMs: votes, and bleaching where they are tied.

use std::ops::Range;

use rekindle_compute::Pool;

use super::mapping::Mapping;
use super::memory::Memory;
use super::planes::{BLOCK, Planes};

/// Counters that are compared at once.
const LANES: usize = 16;
/// Blocks that one thread answers at a time.
const PART: usize = 4;
/// Look-ups below which handing work to threads takes longer than doing it.
const PARALLEL_LOOKUPS: usize = 50_000;
/// What stands for no cell.
const NO_CELL: usize = usize::MAX;

/// What is asked.
///
/// Each tuple has a RAM for each class, and the RAM votes for its class if its counter for the
/// row's address exceeds a threshold: 0 at first. As long as the leading classes have equally many
/// votes, the threshold is raised to the least counter that exceeds it, which changes the votes as
/// soon as raising it one by one would. The first threshold at which one class leads decides:
/// linear bleaching (F. M. G. França et al., "Advances in weightless neural systems", 2014), of all
/// classes and not only of the tied ones. If none leads at any threshold, that of the leaders at
/// threshold 0 of which the most rows were learnt is the answer, and among equals the first.
#[derive(Clone, Copy)]
pub(super) struct Query<'a> {
    pub mapping: &'a Mapping,
    pub memory: &'a Memory,
    /// Rows that were learnt of each class.
    pub learnt: &'a [u64],
}

/// The answer for one row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Answer {
    pub class: u16,
    /// How far the class leads: the difference to the second in votes, as a share of its own votes;
    /// 0 if none leads.
    pub confidence: f64,
}

/// Buffers of a thread.
pub(super) struct Scratch {
    /// The number of the cell of each row of a block, by tuple.
    cells: Vec<[usize; BLOCK]>,
    /// The votes of a block at threshold 0, by row and group of classes.
    votes: Vec<[u16; LANES]>,
    /// The counters of a row, by group of classes and tuple.
    counts: Vec<[u16; LANES]>,
}

impl Scratch {
    fn new(tuples: usize, classes: usize) -> Self {
        let groups = classes.div_ceil(LANES);
        Self {
            cells: vec![[NO_CELL; BLOCK]; tuples],
            votes: vec![[0; LANES]; BLOCK * groups],
            counts: vec![[0; LANES]; tuples * groups],
        }
    }

    /// What [`new`](Self::new) takes: bytes.
    pub fn bytes(tuples: usize, classes: usize) -> u64 {
        let (tuples, groups) = (tuples as u64, classes.div_ceil(LANES) as u64);
        let lanes = (2 * LANES) as u64;
        8 * BLOCK as u64 * tuples + lanes * groups * (BLOCK as u64 + tuples)
    }
}

impl Query<'_> {
    /// The class of each row.
    pub fn classes(self, pool: &Pool, planes: &Planes) -> Vec<u16> {
        let blocks = planes.blocks();
        let part = |index: usize| index * PART..((index + 1) * PART).min(blocks);
        let mut answers = vec![Vec::new(); blocks.div_ceil(PART)];
        let work = |index: usize, classes: &mut Vec<u16>| {
            self.answer(planes, part(index), |answer, _| classes.push(answer.class));
        };
        if planes.rows() * self.mapping.tuples() >= PARALLEL_LOOKUPS {
            pool.for_each(&mut answers, work);
        } else {
            answers.iter_mut().enumerate().for_each(|(index, classes)| work(index, classes));
        }
        answers.concat()
    }

    /// Gives the answer for each row of these blocks, and the votes for all classes at the
    /// threshold that decided.
    pub fn answer(self, planes: &Planes, blocks: Range<usize>, mut take: impl FnMut(Answer, &[u16])) {
        let (tuples, classes) = (self.mapping.tuples(), self.learnt.len());
        let groups = classes.div_ceil(LANES);
        let mut scratch = Scratch::new(tuples, classes);
        for block in blocks {
            let rows = BLOCK.min(planes.rows() - block * BLOCK);
            self.look_up(planes.block(block), rows, &mut scratch.cells);
            self.vote(rows, &scratch.cells, &mut scratch.votes);
            for (row, votes) in scratch.votes.chunks_exact_mut(groups).take(rows).enumerate() {
                let votes = votes.as_flattened_mut();
                let answer = answer_of(&votes[..classes]).unwrap_or_else(|| {
                    self.gather(row, &scratch.cells, &mut scratch.counts);
                    self.bleach(&scratch.counts, votes)
                });
                take(answer, &votes[..classes]);
            }
        }
    }

    fn look_up(self, block: &[u64], rows: usize, cells: &mut [[usize; BLOCK]]) {
        for (tuple, cells) in cells.iter_mut().enumerate() {
            let addresses = self.mapping.addresses(tuple, block);
            for (cell, &address) in cells.iter_mut().zip(&addresses[..rows]) {
                *cell = self.memory.cell(self.mapping, tuple, address).unwrap_or(NO_CELL);
            }
        }
    }

    /// Counts the votes of all rows at threshold 0, tuple by tuple: the cells of different rows are
    /// fetched at the same time, and most rows need nothing more.
    fn vote(self, rows: usize, cells: &[[usize; BLOCK]], votes: &mut [[u16; LANES]]) {
        let groups = self.learnt.len().div_ceil(LANES);
        votes.fill([0; LANES]);
        for cells in cells {
            for (&cell, votes) in cells[..rows].iter().zip(votes.chunks_exact_mut(groups)) {
                if cell == NO_CELL {
                    continue;
                }
                for (group, votes) in votes.iter_mut().enumerate() {
                    add_votes(votes, &self.lanes(cell, group), 0);
                }
            }
        }
    }

    /// The counters of the cells of a row.
    fn gather(self, row: usize, cells: &[[usize; BLOCK]], counts: &mut [[u16; LANES]]) {
        for (group, counts) in counts.chunks_exact_mut(cells.len()).enumerate() {
            for (counts, cells) in counts.iter_mut().zip(cells) {
                *counts = if cells[row] == NO_CELL { [0; LANES] } else { self.lanes(cells[row], group) };
            }
        }
    }

    /// The counters of a cell for a group of classes. What is in the lanes beyond the last class is
    /// not theirs.
    fn lanes(self, cell: usize, group: usize) -> [u16; LANES] {
        let (all, first) = (self.memory.counts(), cell * self.learnt.len() + group * LANES);
        match all[first..].first_chunk() {
            // Many times faster than a copy whose length is not known beforehand.
            Some(lanes) => *lanes,
            None => {
                let mut lanes = [0; LANES];
                lanes[..all.len() - first].copy_from_slice(&all[first..]);
                lanes
            }
        }
    }

    /// Raises the threshold until one class leads.
    fn bleach(self, counts: &[[u16; LANES]], votes: &mut [u16]) -> Answer {
        let (classes, mut threshold) = (self.learnt.len(), 0);
        while let Some(next) = next_threshold(counts, classes, threshold) {
            threshold = next;
            count_votes(counts, threshold, votes);
            if let Some(answer) = answer_of(&votes[..classes]) {
                return answer;
            }
        }
        self.undecided(counts, votes)
    }

    fn undecided(self, counts: &[[u16; LANES]], votes: &mut [u16]) -> Answer {
        count_votes(counts, 0, votes);
        let (_, most, _) = lead(&votes[..self.learnt.len()]);
        let leaders = (0..self.learnt.len()).filter(|&class| votes[class] == most);
        let best =
            leaders.reduce(|best, class| if self.learnt[class] > self.learnt[best] { class } else { best });
        Answer { class: best.unwrap_or(0) as u16, confidence: 0.0 }
    }
}

/// The answer, if one class leads.
fn answer_of(votes: &[u16]) -> Option<Answer> {
    let (class, most, second) = lead(votes);
    let confidence = f64::from(most - second) / f64::from(most);
    (most > second).then_some(Answer { class: class as u16, confidence })
}

/// For each class, how many counters exceed the threshold.
fn count_votes(counts: &[[u16; LANES]], threshold: u16, votes: &mut [u16]) {
    let groups = votes.chunks_exact_mut(LANES);
    let tuples = counts.len() / groups.len();
    for (votes, counts) in groups.zip(counts.chunks_exact(tuples)) {
        let mut sums = [0; LANES];
        for counts in counts {
            add_votes(&mut sums, counts, threshold);
        }
        votes.copy_from_slice(&sums);
    }
}

fn add_votes(votes: &mut [u16; LANES], counts: &[u16; LANES], threshold: u16) {
    for lane in 0..LANES {
        votes[lane] += u16::from(counts[lane] > threshold);
    }
}

/// The least counter of a class that exceeds the threshold.
fn next_threshold(counts: &[[u16; LANES]], classes: usize, threshold: u16) -> Option<u16> {
    let tuples = counts.len() / classes.div_ceil(LANES);
    let mut nearest = u16::MAX;
    for (group, counts) in counts.chunks_exact(tuples).enumerate() {
        // Taken off by one more than the threshold, counters that do not exceed it wrap to the greatest.
        let mut least = [u16::MAX; LANES];
        for counts in counts {
            for lane in 0..LANES {
                least[lane] = least[lane].min(counts[lane].wrapping_sub(threshold).wrapping_sub(1));
            }
        }
        let classes = least.into_iter().take(classes - group * LANES);
        nearest = classes.fold(nearest, u16::min);
    }
    (nearest < u16::MAX - threshold).then(|| nearest + threshold + 1)
}

/// The first class with the most votes, how many these are, and the most of any other.
fn lead(votes: &[u16]) -> (usize, u16, u16) {
    let (mut class, mut most, mut second) = (0, 0, 0);
    for (index, &votes) in votes.iter().enumerate() {
        if votes > most {
            (class, most, second) = (index, votes, most);
        } else {
            second = second.max(votes);
        }
    }
    (class, most, second)
}

#[cfg(test)]
mod tests {
    use rekindle_compute::rng;

    use super::*;
    use crate::data::Examples;

    const CLASSES: usize = 20;

    /// Random rows of 24 bits, of which many share addresses, with a mapping to tuples of 4.
    fn examples(rows: usize) -> (Examples, Mapping) {
        let mut stream = rng::stream(1, 0, 0);
        let mut planes = Planes::zeros(rows, 24);
        for block in 0..planes.blocks() {
            let rare = |stream: &mut rng::Stream| stream.bits() & stream.bits();
            planes.block_mut(block).iter_mut().for_each(|word| *word = rare(&mut stream));
        }
        let class = (0..rows).map(|_| stream.below(CLASSES as u64) as u16).collect();
        (Examples { planes, class }, Mapping { tuple_bits: 4, bits: (0..24).rev().collect() })
    }

    /// The memory of all rows, with a cell for each address, and for each address that occurs.
    fn memories(examples: &Examples, mapping: &Mapping) -> [Memory; 2] {
        let addresses: Vec<u64> = (0..mapping.tuples()).flat_map(|_| 0..16).collect();
        let starts = (0..=mapping.tuples() as u64).map(|tuple| tuple * 16).collect();
        let counts = vec![0; addresses.len() * CLASSES];
        let memories =
            [Memory::Dense { counts: counts.clone() }, Memory::Sparse { starts, addresses, counts }];
        memories.map(|mut memory| {
            memory.learn(&Pool::new(2).unwrap(), mapping, examples, CLASSES, 0..examples.class.len());
            memory
        })
    }

    /// The threshold is raised one by one.
    fn plainly(
        memory: &Memory,
        mapping: &Mapping,
        examples: &Examples,
        row: usize,
    ) -> Option<(usize, Vec<u16>, u16)> {
        let block = examples.planes.block(row / BLOCK);
        let addresses =
            (0..mapping.tuples()).map(|tuple| (tuple, mapping.addresses(tuple, block)[row % BLOCK]));
        let cells: Vec<usize> =
            addresses.filter_map(|(tuple, address)| memory.cell(mapping, tuple, address)).collect();
        (0..1000).find_map(|threshold| {
            let votes = |class: usize| {
                cells.iter().filter(|&cell| memory.counts()[cell * CLASSES + class] > threshold).count()
                    as u16
            };
            let votes: Vec<u16> = (0..CLASSES).map(votes).collect();
            let most = *votes.iter().max().unwrap();
            let mut leaders = (0..CLASSES).filter(|&class| votes[class] == most);
            let leader = leaders.next()?;
            (leaders.next().is_none()).then_some((leader, votes, threshold))
        })
    }

    #[test]
    fn answers_are_those_of_a_threshold_that_is_raised_one_by_one() {
        let (examples, mapping) = examples(3000);
        let [dense, sparse] = memories(&examples, &mapping);
        assert_eq!(dense.counts(), sparse.counts());
        let learnt = vec![150; CLASSES];
        let query = Query { mapping: &mapping, memory: &dense, learnt: &learnt };
        let (mut row, mut raised) = (0, 0);
        query.answer(&examples.planes, 0..examples.planes.blocks(), |answer, votes| {
            match plainly(&dense, &mapping, &examples, row) {
                Some((class, expected, threshold)) => {
                    assert_eq!((usize::from(answer.class), votes), (class, &expected[..]), "row {row}");
                    raised += usize::from(threshold > 0);
                }
                None => assert_eq!(answer.confidence, 0.0),
            }
            row += 1;
        });
        assert!(row == 3000 && raised > 1000, "{raised}");
        let pool = Pool::new(2).unwrap();
        let of_sparse = Query { memory: &sparse, ..query };
        assert_eq!(of_sparse.classes(&pool, &examples.planes), query.classes(&pool, &examples.planes));
    }

    #[test]
    fn the_next_threshold_is_the_least_counter_above() {
        let mut counts = [[0; LANES]; 3];
        (counts[0][3], counts[1][0], counts[2][15]) = (7, 2, u16::MAX);
        assert_eq!(next_threshold(&counts, 16, 0), Some(2));
        assert_eq!(next_threshold(&counts, 16, 2), Some(7));
        assert_eq!(next_threshold(&counts, 16, 7), Some(u16::MAX));
        assert_eq!(next_threshold(&counts, 16, u16::MAX), None);
    }

    #[test]
    fn the_lead_is_over_the_second() {
        assert_eq!(lead(&[1, 4, 2, 4]), (1, 4, 4));
        assert_eq!(lead(&[1, 4, 2, 5]), (3, 5, 4));
        assert_eq!(lead(&[0, 0]), (0, 0, 0));
    }
}
