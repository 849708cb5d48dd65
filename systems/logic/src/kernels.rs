//! The arithmetic of the gates, over sixteen cells at once.
//!
//! This module holds the crate's only `unsafe` code: the calls that [`kernel!`] makes after it has
//! asked the processor what it can do.

use rekindle_compute::{LANES, Lanes, kernel};
use rekindle_gates::soft::Coefficients;

use crate::cell::{Cell, GateUse};

/// The gradient of the loss with respect to a gate's coefficients, each in eight partial sums.
pub(crate) type CoefficientSums = [[f32; HALF]; 4];

/// Half the lanes: the sums of the coefficients' gradients add one half to the other.
const HALF: usize = LANES / 2;

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
