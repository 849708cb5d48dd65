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
pub(crate) fn forward(
    path: KernelPath,
    task: &CandidateTask<'_>,
    blocks: Range<usize>,
    part: &mut CandidatePart,
) {
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
        // One loop for each activation that is much used, so that none is chosen inside.
        match task.activation {
            Activation::Sigmoid => forward_with(task, blocks, part, |sums| Activation::Sigmoid.of(sums)),
            Activation::Gaussian => forward_with(task, blocks, part, |sums| Activation::Gaussian.of(sums)),
            Activation::Tanh => forward_with(task, blocks, part, |sums| Activation::Tanh.of(sums)),
            Activation::Logistic => forward_with(task, blocks, part, |sums| Activation::Logistic.of(sums)),
            Activation::Relu => forward_with(task, blocks, part, |sums| Activation::Relu.of(sums)),
            other => forward_with(task, blocks, part, |sums| other.of(sums)),
        }
    }
}

#[inline(always)]
fn forward_with(
    task: &CandidateTask<'_>,
    blocks: &Range<usize>,
    part: &mut CandidatePart,
    activation: impl Fn(&[f32; TILE * GROUP]) -> ([f32; TILE * GROUP], [f32; TILE * GROUP]),
) {
    let stride = task.units.blocks_per_column();
    let errors = task.errors.blocks();
    let tiles = part.values.chunks_exact_mut(TILE).zip(part.primes.chunks_exact_mut(TILE));
    let (mut values_sum, mut squares) = ([0.0; GROUP], [0.0; GROUP]);
    for (tile, (values, primes)) in tiles.enumerate() {
        let first = blocks.start * LANES + tile * TILE;
        let (block, half) = (first / LANES, first % LANES);
        let sums = weighted_sums(task, stride, block, half);
        let (flat_values, flat_primes) = activation(&flat(&sums));
        values.as_flattened_mut().copy_from_slice(&flat_values);
        primes.as_flattened_mut().copy_from_slice(&flat_primes);
        // Padding is no case: its activation need not be zero.
        let cases = TILE.min(task.units.cases().saturating_sub(first));
        values[cases..].fill([0.0; GROUP]);
        for value in &values[..cases] {
            for lane in 0..GROUP {
                values_sum[lane] += value[lane];
                squares[lane] = value[lane].mul_add(value[lane], squares[lane]);
            }
        }
        for (output, products) in part.statistics.products.iter_mut().enumerate() {
            let errors = &errors[output * stride + block].0[half..half + TILE];
            let mut sum = *products;
            for (value, error) in values.iter().zip(errors) {
                for lane in 0..GROUP {
                    sum[lane] = error.mul_add(value[lane], sum[lane]);
                }
            }
            *products = sum;
        }
    }
    (part.statistics.values, part.statistics.squares) = (values_sum, squares);
}

#[inline(always)]
fn flat(groups: &[Group; TILE]) -> [f32; TILE * GROUP] {
    let mut flat = [0.0; TILE * GROUP];
    flat.copy_from_slice(groups.as_flattened());
    flat
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
        let cases = (blocks.end * LANES).min(task.units.cases()) - blocks.start * LANES;
        let (constants, factors) = (sensitivity.constant, sensitivity.value);
        let rows = part.values.chunks_exact(LANES).zip(part.primes.chunks_exact(LANES));
        for ((block, gradients), (values, primes)) in
            blocks.clone().zip(part.gradients.chunks_exact_mut(LANES)).zip(rows)
        {
            for (case, ((gradient, value), prime)) in gradients.iter_mut().zip(values).zip(primes).enumerate() {
                let mut sum = constants;
                for lane in 0..GROUP {
                    sum[lane] = factors[lane].mul_add(value[lane], sum[lane]);
                }
                for (output, factors) in sensitivity.error.iter().enumerate() {
                    let error = task.errors.blocks()[output * stride + block].0[case];
                    for lane in 0..GROUP {
                        sum[lane] = error.mul_add(factors[lane], sum[lane]);
                    }
                }
                for lane in 0..GROUP {
                    gradient[lane] = sum[lane] * prime[lane];
                }
            }
        }
        // Padding is no case.
        part.gradients[cases..].fill([0.0; GROUP]);
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
