//! The arithmetic of the gates, over sixteen cells at once.
//!
//! This module holds the crate's only `unsafe` code: the calls that [`kernel!`] makes after it has
//! asked the processor what it can do.

use rekindle_compute::{LANES, Lanes, kernel, math};

use crate::cell::{Cell, GateUse};
use crate::circuit_run::{BLOCK, Block, CompiledGate};
use crate::gate::{COEFFICIENTS, GATES};

/// The coefficients of `1`, `a`, `b` and `a b` of a soft gate.
pub(crate) type Coefficients = [f32; 4];

/// The gradient of the loss with respect to a gate's coefficients, each in eight partial sums.
pub(crate) type CoefficientSums = [[f32; HALF]; 4];

/// Half the lanes: the sums of the coefficients' gradients add one half to the other.
const HALF: usize = LANES / 2;

/// The shares of the sixteen functions in each of sixteen gates: function by gate.
pub(crate) type Shares = [[f32; LANES]; GATES];

kernel! {
    /// Computes every gate of sixteen cells whose neighbourhoods stand in the first slots.
    pub(crate) fn forward(cell: &Cell, coefficients: &[Coefficients], slots: &mut [Lanes]) {
        let inputs = cell.inputs();
        for (index, gate) in cell.gates.iter().enumerate() {
            let (known, output) = slots.split_at_mut(inputs + index);
            let a = &known[gate.a as usize].0;
            let b = &known[gate.b as usize].0;
            let [c0, c1, c2, c3] = coefficients[gate.gate as usize];
            let output = &mut output[0].0;
            for lane in 0..LANES {
                let slope = c3.mul_add(b[lane], c1);
                let rest = c2.mul_add(b[lane], c0);
                output[lane] = a[lane].mul_add(slope, rest);
            }
        }
    }
}

/// The gradients of sixteen cells: first those of the neighbourhood, then two areas for the
/// levels, even ones in the first.
pub(crate) struct Gradients {
    pub(crate) lanes: Vec<Lanes>,
    inputs: usize,
    widest: usize,
}

impl Gradients {
    pub(crate) fn new(cell: &Cell) -> Self {
        let (inputs, widest) = (cell.inputs(), cell.widest());
        Self { lanes: vec![Lanes::ZERO; inputs + 2 * widest], inputs, widest }
    }

    /// The gradients of the neighbourhood.
    pub(crate) fn inputs(&self) -> &[Lanes] {
        &self.lanes[..self.inputs]
    }

    /// The gradients of the last level's outputs.
    pub(crate) fn outputs_mut(&mut self, cell: &Cell) -> &mut [Lanes] {
        let first = self.first(cell.levels.len() - 1);
        &mut self.lanes[first..first + cell.channels]
    }

    fn first(&self, level: usize) -> usize {
        self.inputs + level % 2 * self.widest
    }

    /// Prepares to go back through a level: clears the gradients of the level before it.
    #[inline(always)]
    fn begin<'a>(&mut self, cell: &'a Cell, level: usize) -> Level<'a> {
        let gates = &cell.gates[cell.levels[level].clone()];
        let (inputs, output) = (self.inputs, self.first(level));
        let Some(before) = level.checked_sub(1) else {
            return Level { gates, output, inputs, slot: inputs, gradient: inputs };
        };
        let (slots, gradient) = (&cell.levels[before], self.first(before));
        self.lanes[gradient..gradient + slots.len()].fill(Lanes::ZERO);
        Level { gates, output, inputs, slot: inputs + slots.start, gradient }
    }
}

/// Where a level finds what it needs.
struct Level<'a> {
    gates: &'a [GateUse],
    /// Where the gradients of its own outputs begin.
    output: usize,
    /// How many slots, and gradients, the neighbourhood has.
    inputs: usize,
    /// Where the slots of the level before begin.
    slot: usize,
    /// Where the gradients of the level before begin.
    gradient: usize,
}

impl Level<'_> {
    /// Where the gradient of an input stands.
    #[inline(always)]
    fn gradient_of(&self, slot: usize) -> usize {
        if slot < self.inputs { slot } else { slot - self.slot + self.gradient }
    }
}

kernel! {
    /// From the gradients of the outputs, adds to those of the coefficients and computes those of
    /// the neighbourhood. The slots are those that [`forward`] filled.
    pub(crate) fn backward(
        cell: &Cell,
        coefficients: &[Coefficients],
        slots: &[Lanes],
        gradients: &mut Gradients,
        sums: &mut [CoefficientSums],
    ) {
        gradients.lanes[..cell.inputs()].fill(Lanes::ZERO);
        for level in (0..cell.levels.len()).rev() {
            let level = gradients.begin(cell, level);
            backward_level(&level, coefficients, slots, &mut gradients.lanes, sums);
        }
    }
}

#[inline(always)]
fn backward_level(
    level: &Level,
    coefficients: &[Coefficients],
    slots: &[Lanes],
    gradients: &mut [Lanes],
    sums: &mut [CoefficientSums],
) {
    for (index, gate) in level.gates.iter().enumerate() {
        let gradient = gradients[level.output + index].0;
        let a = &slots[gate.a as usize].0;
        let b = &slots[gate.b as usize].0;
        let [_, c1, c2, c3] = coefficients[gate.gate as usize];

        let to_a = &mut gradients[level.gradient_of(gate.a as usize)].0;
        for lane in 0..LANES {
            to_a[lane] = gradient[lane].mul_add(c3.mul_add(b[lane], c1), to_a[lane]);
        }
        let to_b = &mut gradients[level.gradient_of(gate.b as usize)].0;
        for lane in 0..LANES {
            to_b[lane] = gradient[lane].mul_add(c3.mul_add(a[lane], c2), to_b[lane]);
        }
        let [ones, times_a, times_b, times_both] = &mut sums[gate.gate as usize];
        for lane in 0..HALF {
            let (low, high) = (gradient[lane], gradient[lane + HALF]);
            let (low_a, high_a) = (low * a[lane], high * a[lane + HALF]);
            ones[lane] += low + high;
            times_a[lane] += low_a + high_a;
            times_b[lane] += high.mul_add(b[lane + HALF], low * b[lane]);
            times_both[lane] += high_a.mul_add(b[lane + HALF], low_a * b[lane]);
        }
    }
}

kernel! {
    /// Turns the logits of gates (gates x 16) into shares, sixteen gates to a block, and these
    /// into coefficients.
    pub(crate) fn soften(
        logits: &[f32],
        shares: &mut [Shares],
        coefficients: &mut [Coefficients],
    ) {
        let blocks = logits.chunks(LANES * GATES).zip(shares).zip(coefficients.chunks_mut(LANES));
        for ((logits, shares), coefficients) in blocks {
            transpose_in(logits, shares);
            softmax(shares);
            let mixed = mix(shares);
            for (lane, coefficients) in coefficients.iter_mut().enumerate() {
                *coefficients = [mixed[0][lane], mixed[1][lane], mixed[2][lane], mixed[3][lane]];
            }
        }
    }
}

#[inline(always)]
fn transpose_in(logits: &[f32], shares: &mut Shares) {
    for (lane, logits) in logits.as_chunks::<GATES>().0.iter().enumerate() {
        for function in 0..GATES {
            shares[function][lane] = logits[function];
        }
    }
}

#[inline(always)]
fn softmax(shares: &mut Shares) {
    let mut largest = shares[0];
    for logits in &shares[1..] {
        for lane in 0..LANES {
            largest[lane] = if logits[lane] > largest[lane] { logits[lane] } else { largest[lane] };
        }
    }
    let mut sum = [0.0; LANES];
    for share in shares.iter_mut() {
        for lane in 0..LANES {
            share[lane] = math::exp(share[lane] - largest[lane]);
            sum[lane] += share[lane];
        }
    }
    let mut scale = [0.0; LANES];
    for lane in 0..LANES {
        scale[lane] = 1.0 / sum[lane];
    }
    for share in shares.iter_mut() {
        for lane in 0..LANES {
            share[lane] *= scale[lane];
        }
    }
}

/// The coefficients of the mixtures.
#[inline(always)]
fn mix(shares: &Shares) -> [[f32; LANES]; 4] {
    let mut mixed = [[0.0; LANES]; 4];
    for (share, coefficients) in shares.iter().zip(&COEFFICIENTS) {
        for (mixed, coefficient) in mixed.iter_mut().zip(coefficients) {
            for lane in 0..LANES {
                mixed[lane] = coefficient.mul_add(share[lane], mixed[lane]);
            }
        }
    }
    mixed
}

kernel! {
    /// Adds the partial sums of each coefficient's gradient.
    pub(crate) fn add_sums(gradient: &mut [Coefficients], sums: &[CoefficientSums]) {
        for (gradient, sums) in gradient.iter_mut().zip(sums) {
            for term in 0..4 {
                let [a, b, c, d, e, f, g, h] = sums[term];
                gradient[term] += ((a + e) + (c + g)) + ((b + f) + (d + h));
            }
        }
    }
}

kernel! {
    /// Turns draws from [0, 1) into Gumbel noise of some scale, and adds logits to it.
    pub(crate) fn add_gumbel(draws: &mut [f32], logits: &[f32], scale: f32) {
        // 0 has no logarithm; this is less than the distance between two draws.
        const LEAST: f32 = 1.0 / (1 << 25) as f32;
        for (draw, logit) in draws.iter_mut().zip(logits) {
            let positive = if *draw < LEAST { LEAST } else { *draw };
            let gumbel = -math::ln(-math::ln(positive));
            *draw = scale.mul_add(gumbel, *logit);
        }
    }
}

kernel! {
    /// Turns the gradient of coefficients into the gradient of the logits (gates x 16): a
    /// function's share times how much more it would gain than the mean of all.
    pub(crate) fn logit_gradient(
        shares: &[Shares],
        coefficient_gradient: &[Coefficients],
        gradient: &mut [f32],
    ) {
        let blocks = shares
            .iter()
            .zip(coefficient_gradient.chunks(LANES))
            .zip(gradient.chunks_mut(LANES * GATES));
        for ((shares, outer), gradient) in blocks {
            let mut slopes = [[0.0; LANES]; 4];
            for (lane, outer) in outer.iter().enumerate() {
                for term in 0..4 {
                    slopes[term][lane] = outer[term];
                }
            }
            let mut gains = [[0.0; LANES]; GATES];
            let mut mean = [0.0; LANES];
            for function in 0..GATES {
                add_gain(&mut gains[function], &mut mean, &slopes, &shares[function], function);
            }
            for (lane, gradient) in gradient.as_chunks_mut::<GATES>().0.iter_mut().enumerate() {
                for function in 0..GATES {
                    let gain = gains[function][lane] - mean[lane];
                    gradient[function] = shares[function][lane] * gain;
                }
            }
        }
    }
}

/// What one function gains, and its part of the mean.
#[inline(always)]
fn add_gain(
    gain: &mut [f32; LANES],
    mean: &mut [f32; LANES],
    slopes: &[[f32; LANES]; 4],
    share: &[f32; LANES],
    function: usize,
) {
    let coefficients = &COEFFICIENTS[function];
    for term in 0..4 {
        for lane in 0..LANES {
            gain[lane] = slopes[term][lane].mul_add(coefficients[term], gain[lane]);
        }
    }
    for lane in 0..LANES {
        mean[lane] = share[lane].mul_add(gain[lane], mean[lane]);
    }
}

kernel! {
    /// Clips each element to plus or minus a limit.
    pub(crate) fn clip(gradient: &mut [f32], limit: f32) {
        for gradient in gradient {
            let lower = if *gradient > limit { limit } else { *gradient };
            *gradient = if lower < -limit { -limit } else { lower };
        }
    }
}

kernel! {
    /// Computes every gate of a circuit for a block of words.
    pub(crate) fn evaluate(gates: &[CompiledGate], inputs: usize, slots: &mut [Block]) {
        for (index, gate) in gates.iter().enumerate() {
            let (known, output) = slots.split_at_mut(inputs + index);
            let (a, b) = (&known[gate.a as usize], &known[gate.b as usize]);
            let [c0, c1, c2, c3] = gate.masks;
            for word in 0..BLOCK {
                let slope = c1 ^ (c3 & b[word]);
                output[0][word] = c0 ^ (c2 & b[word]) ^ (a[word] & slope);
            }
        }
    }
}
