//! Kernels of the candidate pool: eight candidates side by side.

use std::ops::Range;

use rekindle_compute::{KernelPath, LANES, Lanes, kernel};

use crate::activation::Activation;
use crate::columns::Columns;

/// Candidates that are trained side by side.
pub(crate) const GROUP: usize = 8;

/// One number for each candidate of a group.
pub(crate) type Group = [f32; GROUP];

/// Cases, or units, whose accumulators fit the registers together.
const TILE: usize = 8;

/// What an epoch of one group of candidates reads.
#[derive(Clone, Copy)]
pub(crate) struct CandidateTask<'a> {
    /// Values of all units that the candidates see.
    pub units: &'a Columns,
    /// The errors of the network, a column for each output.
    pub errors: &'a Columns,
    /// A group of weights for each unit.
    pub weights: &'a [Group],
    pub activation: Activation,
}

/// What some blocks of the cases come to, for one group.
#[derive(Debug, Clone, Default)]
pub(crate) struct CandidatePart {
    /// Values and derivatives by case, padding included.
    values: Vec<Group>,
    primes: Vec<Group>,
    /// Slopes of the objective by the weighted sum, by case.
    gradients: Vec<Group>,
    pub statistics: Statistics,
    /// Slopes of the objective by unit.
    pub slopes: Vec<Group>,
}

/// Sums over cases, of which the correlations are made.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Statistics {
    /// Of the values.
    pub values: Group,
    /// Of their squares.
    pub squares: Group,
    /// Of values times errors, by output.
    pub products: Vec<Group>,
}

/// How the objective changes with a value `v` at a case with the errors `e`:
/// `constant + value v + sum of error[o] e[o]`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sensitivity {
    pub constant: Group,
    pub value: Group,
    pub error: Vec<Group>,
}

impl Statistics {
    pub fn zeros(outputs: usize) -> Self {
        Self { products: vec![[0.0; GROUP]; outputs], ..Self::default() }
    }

    /// Adds the sums over other cases.
    pub fn add(&mut self, other: &Self) {
        let sums = self.products.iter_mut().chain([&mut self.values, &mut self.squares]);
        for (sum, term) in sums.zip(other.products.iter().chain([&other.values, &other.squares])) {
            sum.iter_mut().zip(term).for_each(|(sum, term)| *sum += term);
        }
    }
}

/// Values, derivatives and statistics of one part.
pub(crate) fn forward(path: KernelPath, task: &CandidateTask<'_>, blocks: Range<usize>, part: &mut CandidatePart) {
    let cases = blocks.len() * LANES;
    part.values.resize(cases, [0.0; GROUP]);
    part.primes.resize(cases, [0.0; GROUP]);
    part.gradients.resize(cases, [0.0; GROUP]);
    part.statistics = Statistics::zeros(task.errors.len());
    forward_blocks(path, task, &blocks, part);
}

/// Slopes of the objective of one part, after [`forward`].
pub(crate) fn backward(
    path: KernelPath,
    task: &CandidateTask<'_>,
    sensitivity: &Sensitivity,
    blocks: Range<usize>,
    part: &mut CandidatePart,
) {
    part.slopes.resize(task.weights.len(), [0.0; GROUP]);
    gradients(path, task, sensitivity, &blocks, part);
    slopes(path, task, &blocks, part);
}

kernel! {
    fn forward_blocks(task: &CandidateTask<'_>, blocks: &Range<usize>, part: &mut CandidatePart) {
        let stride = task.units.blocks_per_column();
        let outputs = task.errors.blocks();
        let mut statistics = std::mem::take(&mut part.statistics);
        for block in blocks.clone() {
            let first = (block - blocks.start) * LANES;
            // Padding is no case: its activation need not be zero.
            let cases = LANES.min(task.units.cases() - block * LANES);
            for half in [0, TILE] {
                let sums = weighted_sums(task, stride, block, half);
                for (offset, sums) in sums.iter().enumerate().take(cases.saturating_sub(half)) {
                    let case = half + offset;
                    let (mut value, mut prime) = ([0.0; GROUP], [0.0; GROUP]);
                    for lane in 0..GROUP {
                        (value[lane], prime[lane]) = task.activation.at(sums[lane]);
                        statistics.values[lane] += value[lane];
                        statistics.squares[lane] = value[lane].mul_add(value[lane], statistics.squares[lane]);
                    }
                    for (output, products) in statistics.products.iter_mut().enumerate() {
                        let error = outputs[output * stride + block].0[case];
                        for lane in 0..GROUP {
                            products[lane] = error.mul_add(value[lane], products[lane]);
                        }
                    }
                    part.values[first + case] = value;
                    part.primes[first + case] = prime;
                }
            }
        }
        part.statistics = statistics;
    }
}

/// The weighted sums of eight cases for a group: in each, all units one after the other.
#[inline(always)]
fn weighted_sums(task: &CandidateTask<'_>, stride: usize, block: usize, half: usize) -> [Group; TILE] {
    let mut sums = [[0.0; GROUP]; TILE];
    for (weights, column) in task.weights.iter().zip(task.units.blocks().chunks_exact(stride)) {
        let values = &column[block].0;
        for case in 0..TILE {
            for lane in 0..GROUP {
                sums[case][lane] = values[half + case].mul_add(weights[lane], sums[case][lane]);
            }
        }
    }
    sums
}

kernel! {
    fn gradients(
        task: &CandidateTask<'_>,
        sensitivity: &Sensitivity,
        blocks: &Range<usize>,
        part: &mut CandidatePart,
    ) {
        let stride = task.units.blocks_per_column();
        let first = blocks.start * LANES;
        let cases = (blocks.end * LANES).min(task.units.cases()) - first;
        part.gradients[cases..].fill([0.0; GROUP]);
        for case in 0..cases {
            let (value, prime) = (&part.values[case], &part.primes[case]);
            let mut sum = [0.0; GROUP];
            for lane in 0..GROUP {
                sum[lane] = sensitivity.value[lane].mul_add(value[lane], sensitivity.constant[lane]);
            }
            for (output, factors) in sensitivity.error.iter().enumerate() {
                let error = task.errors.blocks()[output * stride + (first + case) / LANES].0[case % LANES];
                for lane in 0..GROUP {
                    sum[lane] = error.mul_add(factors[lane], sum[lane]);
                }
            }
            for lane in 0..GROUP {
                part.gradients[case][lane] = sum[lane] * prime[lane];
            }
        }
    }
}

kernel! {
    fn slopes(task: &CandidateTask<'_>, blocks: &Range<usize>, part: &mut CandidatePart) {
        let stride = task.units.blocks_per_column();
        let tiles = task.units.blocks().chunks(TILE * stride).zip(part.slopes.chunks_mut(TILE));
        for (columns, slopes) in tiles {
            let tile = Tile { columns, stride, blocks, gradients: &part.gradients };
            // Each width has accumulators of its own that stay in registers.
            match slopes.len() {
                1 => tile.slopes::<1>(slopes),
                2 => tile.slopes::<2>(slopes),
                3 => tile.slopes::<3>(slopes),
                4 => tile.slopes::<4>(slopes),
                5 => tile.slopes::<5>(slopes),
                6 => tile.slopes::<6>(slopes),
                7 => tile.slopes::<7>(slopes),
                _ => tile.slopes::<TILE>(slopes),
            }
        }
    }
}

/// Up to [`TILE`] units, and what their slopes are made of.
struct Tile<'a> {
    columns: &'a [Lanes],
    stride: usize,
    blocks: &'a Range<usize>,
    gradients: &'a [Group],
}

impl Tile<'_> {
    #[inline(always)]
    fn slopes<const UNITS: usize>(&self, slopes: &mut [Group]) {
        let mut sums = [[0.0; GROUP]; UNITS];
        for (index, gradients) in self.gradients.chunks_exact(LANES).enumerate() {
            let values: [&Lanes; UNITS] =
                std::array::from_fn(|unit| &self.columns[unit * self.stride + self.blocks.start + index]);
            for (case, gradients) in gradients.iter().enumerate() {
                for unit in 0..UNITS {
                    for lane in 0..GROUP {
                        sums[unit][lane] = values[unit].0[case].mul_add(gradients[lane], sums[unit][lane]);
                    }
                }
            }
        }
        slopes.copy_from_slice(&sums);
    }
}
