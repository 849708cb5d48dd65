//! Kernels of the output layer: 16 cases at once.

use std::ops::Range;

use rekindle_compute::{KernelPath, LANES, Lanes, kernel};

use crate::activation::{Activation, OutputActivation};
use crate::columns::Columns;

/// Blocks whose sums are taken together: their accumulators fit the registers.
const TILE: usize = 4;

/// What an epoch of the output layer reads.
#[derive(Clone, Copy)]
pub(crate) struct OutputTask<'a> {
    /// Values of all units that the output layer sees.
    pub units: &'a Columns,
    /// A column for each output.
    pub targets: &'a Columns,
    /// A row for each unit, a column for each output.
    pub weights: &'a [f32],
    pub activation: OutputActivation,
    /// Added to the derivative of the outputs, so that none is stuck.
    pub prime_offset: f32,
    /// An output that is further from its target is an error bit.
    pub threshold: f32,
    /// Whether slopes are wanted.
    pub slopes: bool,
}

/// What some blocks of the cases come to.
#[derive(Debug, Clone, Default)]
pub(crate) struct OutputPart {
    /// `(o - t) f'(o)` by output and block.
    pub errors: Vec<Lanes>,
    /// The sum of each output's errors.
    pub sums: Vec<f32>,
    /// The sum of the squares of all errors.
    pub squares: f32,
    /// The sum of `(o - t)^2`.
    pub loss: f32,
    pub error_bits: u32,
    /// By unit and output.
    pub slopes: Vec<f32>,
}

/// Computes one part.
pub(crate) fn output_part(
    path: KernelPath,
    task: &OutputTask<'_>,
    blocks: Range<usize>,
    part: &mut OutputPart,
) {
    let outputs = task.targets.len();
    part.errors.clear();
    part.errors.resize(outputs * blocks.len(), Lanes::ZERO);
    part.sums.clear();
    part.sums.resize(outputs, 0.0);
    part.slopes.clear();
    part.slopes.resize(task.weights.len(), 0.0);
    (part.squares, part.loss, part.error_bits) = (0.0, 0.0, 0);
    forward(path, task, &blocks, part);
    if task.slopes {
        backward(path, task, &blocks, part);
    }
}

kernel! {
    fn forward(task: &OutputTask<'_>, blocks: &Range<usize>, part: &mut OutputPart) {
        let outputs = task.targets.len();
        let stride = task.units.blocks_per_column();
        for output in 0..outputs {
            let mut totals = [Lanes::ZERO; 3];
            let targets = &task.targets.blocks()[output * stride..][..stride];
            let errors = &mut part.errors[output * blocks.len()..][..blocks.len()];
            let mut block = blocks.start;
            while block < blocks.end {
                let tile = TILE.min(blocks.end - block);
                let sums = weighted_sums(task.units.blocks(), stride, block, tile, task.weights, output, outputs);
                for (offset, sums) in sums[..tile].iter().enumerate() {
                    let target = &targets[block + offset];
                    let error = &mut errors[block + offset - blocks.start];
                    part.error_bits += errors_of(task, sums, target, error, &mut totals);
                }
                block += tile;
            }
            part.sums[output] = totals[0].sum();
            part.squares += totals[1].sum();
            part.loss += totals[2].sum();
        }
    }
}

/// The weighted sums of up to [`TILE`] blocks of cases from `block` on, for one output.
#[inline(always)]
fn weighted_sums(
    units: &[Lanes],
    stride: usize,
    block: usize,
    tile: usize,
    weights: &[f32],
    output: usize,
    outputs: usize,
) -> [Lanes; TILE] {
    let mut sums = [Lanes::ZERO; TILE];
    let weights = weights[output..].iter().step_by(outputs);
    if tile == TILE {
        for (&weight, column) in weights.zip(units.chunks_exact(stride)) {
            let column: &[Lanes; TILE] = column[block..block + TILE].try_into().expect("the tile is whole");
            for index in 0..TILE {
                for lane in 0..LANES {
                    sums[index].0[lane] = weight.mul_add(column[index].0[lane], sums[index].0[lane]);
                }
            }
        }
    } else {
        for (&weight, column) in weights.zip(units.chunks_exact(stride)) {
            for index in 0..tile {
                for lane in 0..LANES {
                    sums[index].0[lane] = weight.mul_add(column[block + index].0[lane], sums[index].0[lane]);
                }
            }
        }
    }
    sums
}

/// Errors of one block of one output; gives the number of error bits. `totals` are errors, their
/// squares, and squared differences. Padding has value and target zero, and so no error.
#[inline(always)]
fn errors_of(
    task: &OutputTask<'_>,
    sums: &Lanes,
    target: &Lanes,
    error: &mut Lanes,
    totals: &mut [Lanes; 3],
) -> u32 {
    let mut bits = 0;
    for lane in 0..LANES {
        let (value, prime) = task.activation.at(sums.0[lane]);
        let difference = value - target.0[lane];
        error.0[lane] = difference * (prime + task.prime_offset);
        totals[0].0[lane] += error.0[lane];
        totals[1].0[lane] = error.0[lane].mul_add(error.0[lane], totals[1].0[lane]);
        totals[2].0[lane] = difference.mul_add(difference, totals[2].0[lane]);
        bits += u32::from(difference.abs() >= task.threshold);
    }
    bits
}

kernel! {
    fn backward(task: &OutputTask<'_>, blocks: &Range<usize>, part: &mut OutputPart) {
        let outputs = task.targets.len();
        let stride = task.units.blocks_per_column();
        for output in 0..outputs {
            let errors = &part.errors[output * blocks.len()..][..blocks.len()];
            let mut columns = task.units.blocks().chunks_exact(4 * stride);
            let mut unit = 0;
            for columns in &mut columns {
                let mut sums = [Lanes::ZERO; 4];
                for (index, error) in errors.iter().enumerate() {
                    for column in 0..4 {
                        let values = &columns[column * stride + blocks.start + index];
                        multiply_add(&mut sums[column], error, values);
                    }
                }
                for sum in sums {
                    part.slopes[unit * outputs + output] = sum.sum();
                    unit += 1;
                }
            }
            for column in columns.remainder().chunks_exact(stride) {
                let mut sum = Lanes::ZERO;
                for (error, values) in errors.iter().zip(&column[blocks.start..]) {
                    multiply_add(&mut sum, error, values);
                }
                part.slopes[unit * outputs + output] = sum.sum();
                unit += 1;
            }
        }
    }
}

#[inline(always)]
fn multiply_add(sum: &mut Lanes, a: &Lanes, b: &Lanes) {
    for lane in 0..LANES {
        sum.0[lane] = a.0[lane].mul_add(b.0[lane], sum.0[lane]);
    }
}

/// What is computed from a weighted sum.
#[derive(Clone, Copy)]
enum Function {
    Hidden(Activation),
    Output(OutputActivation),
}

impl Function {
    #[inline(always)]
    fn at(self, sum: f32) -> f32 {
        match self {
            Self::Hidden(activation) => activation.at(sum).0,
            Self::Output(activation) => activation.at(sum).0,
        }
    }
}

/// The outputs of a network, a column for each, from the values of all its units.
pub(crate) fn outputs(
    path: KernelPath,
    units: &Columns,
    weights: &[f32],
    activation: OutputActivation,
    count: usize,
) -> Columns {
    let mut values = Columns::new(units.cases());
    for output in 0..count {
        let (_, column) = values.grow();
        column_of(path, units.blocks(), weights, output, count, Function::Output(activation), column);
        values.clear_padding();
    }
    values
}

/// Appends the column of a hidden unit that sees all columns there are.
pub(crate) fn push_unit(path: KernelPath, units: &mut Columns, weights: &[f32], activation: Activation) {
    let (seen, column) = units.grow();
    column_of(path, seen, weights, 0, 1, Function::Hidden(activation), column);
    units.clear_padding();
}

kernel! {
    fn column_of(
        units: &[Lanes],
        weights: &[f32],
        output: usize,
        outputs: usize,
        function: Function,
        column: &mut [Lanes],
    ) {
        let stride = column.len();
        let mut block = 0;
        while block < stride {
            let tile = TILE.min(stride - block);
            let sums = weighted_sums(units, stride, block, tile, weights, output, outputs);
            for (values, sums) in column[block..block + tile].iter_mut().zip(&sums) {
                for lane in 0..LANES {
                    values.0[lane] = function.at(sums.0[lane]);
                }
            }
            block += tile;
        }
    }
}
