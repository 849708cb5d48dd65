//! The examples of each step: an order for each epoch, and pictures that are shifted.

use rekindle_compute::rng;

use crate::dataset::Dataset;

/// How the examples that are learnt are dealt to steps. What does not fill a batch is left out of an epoch, and is
/// other examples in each.
#[derive(Debug)]
pub struct Batches {
    seed: u64,
    streams: BatchStreams,
    batch: usize,
    shift: usize,
    /// The order of an epoch.
    order: Option<(u64, Vec<usize>)>,
}

/// The random streams of batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchStreams {
    /// The order of the rows; keyed by the epoch.
    pub order: u64,
    /// How far pictures are shifted; keyed by the step.
    pub shift: u64,
}

/// The examples of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The levels of each, shifted if that is asked for.
    pub levels: Vec<Vec<u8>>,
    /// The class of each.
    pub class: Vec<u16>,
}

impl Batches {
    /// Batches of so many examples, or of as many as there are, and pictures that are shifted by up to so many
    /// pixels in each direction.
    pub fn new(data: &Dataset, batch: usize, shift: usize, seed: u64, streams: BatchStreams) -> Self {
        Self { seed, streams, batch: batch.min(data.training.len()), shift, order: None }
    }

    /// Examples of a batch.
    pub fn size(&self) -> usize {
        self.batch
    }

    /// Batches of an epoch.
    pub fn of_an_epoch(&self, data: &Dataset) -> u64 {
        (data.training.len() / self.batch) as u64
    }

    /// The examples of a step.
    pub fn of_step(&mut self, data: &Dataset, step: u64) -> Batch {
        let (reach, width) = (self.shift as i64, data.preparation.width as usize);
        let mut stream = rng::stream(self.seed, self.streams.shift, step);
        let mut draw = || stream.below(2 * reach as u64 + 1) as i64 - reach;
        let examples = &data.training;
        let rows = self.rows(data, step);
        let class = rows.iter().map(|&row| examples.class[row]).collect();
        let levels = rows.iter().map(|&row| match reach {
            0 => examples.row(row).to_vec(),
            _ => shifted(examples.row(row), width, draw(), draw()),
        });
        Batch { levels: levels.collect(), class }
    }

    /// The examples of a step, by number.
    fn rows(&mut self, data: &Dataset, step: u64) -> &[usize] {
        let (epoch, batch) = (step / self.of_an_epoch(data), step % self.of_an_epoch(data));
        if self.order.as_ref().is_none_or(|(of, _)| *of != epoch) {
            let mut order: Vec<usize> = (0..data.training.len()).collect();
            rng::stream(self.seed, self.streams.order, epoch).shuffle(&mut order);
            self.order = Some((epoch, order));
        }
        let first = batch as usize * self.batch;
        self.order.as_ref().map_or(&[], |(_, order)| &order[first..first + self.batch])
    }
}

/// A picture moved to the right and down; what comes in is 0.
fn shifted(levels: &[u8], width: usize, right: i64, down: i64) -> Vec<u8> {
    let height = (levels.len() / width) as i64;
    let mut moved = vec![0; levels.len()];
    for (line, moved) in moved.chunks_exact_mut(width).enumerate() {
        let from = line as i64 - down;
        if !(0..height).contains(&from) {
            continue;
        }
        let line = &levels[from as usize * width..][..width];
        let count = width.saturating_sub(right.unsigned_abs() as usize);
        let (to, from) = (right.max(0) as usize, (-right).max(0) as usize);
        if count > 0 {
            moved[to..to + count].copy_from_slice(&line[from..from + count]);
        }
    }
    moved
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_in_at_the_edge_is_nothing() {
        let picture = [1, 2, 3, 4, 5, 6];
        assert_eq!(shifted(&picture, 3, 0, 0), picture);
        assert_eq!(shifted(&picture, 3, 1, 0), [0, 1, 2, 0, 4, 5]);
        assert_eq!(shifted(&picture, 3, -2, 1), [0, 0, 0, 3, 0, 0]);
        assert_eq!(shifted(&picture, 3, 5, -1), [0; 6]);
    }
}
