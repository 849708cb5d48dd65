//! Asking for classes.

use rekindle_compute::Pool;

use super::config::Model;
use super::encoder::Encoder;
use super::state::State;
use crate::planes::{BLOCK, Planes};

/// Scores of classes that lie side by side.
const LANES: usize = 16;
/// Blocks that one thread answers at a time.
const PART: usize = 4;
/// Scores are counted in so many parts of a nat.
const PARTS: f64 = 256.0;

/// A classifier that is ready to be asked.
pub(super) struct Classifier {
    encoder: Encoder,
    classes: usize,
    /// Groups of [`LANES`] classes.
    groups: usize,
    /// By RAM, entry, group and class: what the counter says, in parts of a nat.
    scores: Vec<[i16; LANES]>,
}

impl Classifier {
    /// That of a state.
    pub fn new(model: &Model, encoder: Encoder, state: &State) -> Self {
        let classes = state.discriminators.len();
        let (groups, entries) = (classes.div_ceil(LANES), encoder.rams() * encoder.entries());
        let mut scores = vec![[i16::MIN; LANES]; entries * groups];
        for (class, of_class) in state.discriminators.iter().enumerate() {
            let score = scoring(model, of_class.rows.len());
            let few: Vec<i16> = (0..1 << 12).map(&score).collect();
            let cells = scores.iter_mut().skip(class / LANES).step_by(groups);
            for (cell, count) in cells.zip(of_class.counters.iter()) {
                cell[class % LANES] = few.get(count as usize).copied().unwrap_or_else(|| score(count));
            }
        }
        Self { encoder, classes, groups, scores }
    }

    /// The class of each row.
    pub fn classes(&self, pool: &Pool, levels: &[u8], inputs: usize) -> Vec<usize> {
        let mut answers = vec![0; levels.len() / inputs];
        let mut parts: Vec<(&[u8], &mut [usize])> =
            levels.chunks(PART * BLOCK * inputs).zip(answers.chunks_mut(PART * BLOCK)).collect();
        pool.for_each(&mut parts, |_, (levels, answers)| {
            let planes = self.encoder.planes(levels, inputs);
            self.answer(&planes, |row, scores| answers[row] = best(scores));
        });
        answers
    }

    /// The scores of all classes for each row: logarithms, in parts of a nat.
    pub fn scores(&self, levels: &[u8], inputs: usize, mut take: impl FnMut(&[i32])) {
        let planes = self.encoder.planes(levels, inputs);
        self.answer(&planes, |_, scores| take(scores));
    }

    /// How probable a class is beside the best, whose score is greater by so much. What RAMs say is not
    /// independent: taken for that, they would be far too sure, so that their logarithms count for as much as
    /// those of the square root of their number would.
    pub fn share(&self, score: i32) -> f64 {
        libm::exp(f64::from(score) / (PARTS * (self.encoder.rams() as f64).sqrt()))
    }

    fn answer(&self, planes: &Planes, mut take: impl FnMut(usize, &[i32])) {
        let mut sums = vec![[0_i32; LANES]; BLOCK * self.groups];
        for block in 0..planes.blocks() {
            let rows = BLOCK.min(planes.rows() - block * BLOCK);
            sums.fill([0; LANES]);
            for ram in 0..self.encoder.rams() {
                let packed = self.encoder.packed(ram, planes.block(block));
                let first = ram * self.encoder.entries();
                for (&packed, sums) in packed[..rows].iter().zip(sums.chunks_exact_mut(self.groups)) {
                    for (group, sums) in sums.iter_mut().enumerate() {
                        let scores = self.least(first, packed, group);
                        sums.iter_mut().zip(scores).for_each(|(sum, score)| *sum += i32::from(score));
                    }
                }
            }
            for (row, sums) in sums.chunks_exact(self.groups).take(rows).enumerate() {
                take(block * BLOCK + row, &sums.as_flattened()[..self.classes]);
            }
        }
    }

    /// Of the entries that count a row, the least score of each class.
    #[inline]
    fn least(&self, first: usize, packed: u64, group: usize) -> [i16; LANES] {
        let mut entries = self.encoder.unpacked(packed).map(|entry| (first + entry) * self.groups + group);
        let mut least = entries.next().map_or([0; LANES], |cell| self.scores[cell]);
        for cell in entries {
            least.iter_mut().zip(&self.scores[cell]).for_each(|(least, &score)| *least = (*least).min(score));
        }
        least
    }
}

/// What a counter of a class of so many rows says: the logarithm of the share of the rows that it counted; or a
/// vote, which is a nat.
fn scoring(model: &Model, rows: usize) -> impl Fn(u32) -> i16 {
    let Model { smoothing, bleaching, .. } = *model;
    let all = rows as f64 + smoothing * model.entries() as f64;
    move |count| {
        let nats = match bleaching {
            Some(threshold) => f64::from(u8::from(count > threshold)),
            None => libm::log((f64::from(count) + smoothing) / all),
        };
        (PARTS * nats).round().max(f64::from(i16::MIN)) as i16
    }
}

/// The class with the greatest score, the first among equals.
pub(super) fn best(scores: &[i32]) -> usize {
    let mut best = 0;
    for (class, &score) in scores.iter().enumerate() {
        if score > scores[best] {
            best = class;
        }
    }
    best
}
