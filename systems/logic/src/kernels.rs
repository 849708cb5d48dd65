//! The arithmetic of the gates, over one tile of sixteen cells or several at once.
//!
//! Tiles that are computed together share what is the same for all cells: the coefficients of a gate, and the sums
//! of their gradients, which are then read and written once. Values and gradients of all tiles stand side by side,
//! slot by slot. The sums take the tiles one after the other, so that it does not matter how many are together.
//!
//! This module holds the crate's only `unsafe` code: the calls that [`kernel!`] makes after it has
//! asked the processor what it can do.

use std::ops::Range;

use rekindle_compute::{LANES, Lanes, kernel};
use rekindle_gates::soft::Coefficients;

use crate::cell::{Cell, GateUse};

/// The gradient of the loss with respect to a gate's coefficients, each in eight partial sums.
pub(crate) type CoefficientSums = [[f32; HALF]; 4];

/// Half the lanes: the sums of the coefficients' gradients add one half to the other.
const HALF: usize = LANES / 2;

/// The most tiles that are computed together.
pub(crate) const MOST_TOGETHER: usize = 2;

kernel! {
    /// Computes every gate of the cells of so many tiles, whose neighbourhoods stand in the first slots.
    pub(crate) fn forward(cell: &Cell, coefficients: &[Coefficients], slots: &mut [Lanes], tiles: usize) {
        match tiles {
            MOST_TOGETHER => forward_tiles::<MOST_TOGETHER>(cell, coefficients, slots),
            _ => forward_tiles::<1>(cell, coefficients, slots),
        }
    }
}

#[inline(always)]
fn forward_tiles<const TILES: usize>(cell: &Cell, coefficients: &[Coefficients], slots: &mut [Lanes]) {
    let (slots, _) = slots.as_chunks_mut::<TILES>();
    let inputs = cell.inputs();
    for (index, gate) in cell.gates.iter().enumerate() {
        let (known, output) = slots.split_at_mut(inputs + index);
        let (a, b) = (&known[gate.a as usize], &known[gate.b as usize]);
        let [c0, c1, c2, c3] = coefficients[gate.gate as usize];
        for tile in 0..TILES {
            let (a, b, output) = (&a[tile].0, &b[tile].0, &mut output[0][tile].0);
            for lane in 0..LANES {
                let slope = c3.mul_add(b[lane], c1);
                let rest = c2.mul_add(b[lane], c0);
                output[lane] = a[lane].mul_add(slope, rest);
            }
        }
    }
}

/// The gradients of the cells of some tiles: first those of the neighbourhood, then two areas for the
/// levels, even ones in the first.
pub(crate) struct Gradients {
    pub(crate) lanes: Vec<Lanes>,
    inputs: usize,
    widest: usize,
    /// Of each level, whether several of its gates have the same parameters.
    shared: Vec<bool>,
}

impl Gradients {
    pub(crate) fn new(cell: &Cell) -> Self {
        let (inputs, widest) = (cell.inputs(), cell.widest());
        let lanes = vec![Lanes::ZERO; (inputs + 2 * widest) * MOST_TOGETHER];
        Self { lanes, inputs, widest, shared: cell.shared_levels() }
    }

    /// The gradients of the neighbourhoods of so many tiles.
    pub(crate) fn inputs(&self, tiles: usize) -> &[Lanes] {
        &self.lanes[..self.inputs * tiles]
    }

    /// The gradients of the last level's outputs.
    pub(crate) fn outputs_mut(&mut self, cell: &Cell, tiles: usize) -> &mut [Lanes] {
        let first = self.first(cell.levels.len() - 1);
        &mut self.lanes[first * tiles..(first + cell.channels) * tiles]
    }

    fn first(&self, level: usize) -> usize {
        self.inputs + level % 2 * self.widest
    }

    /// Prepares to go back through a level: clears the gradients of the level before it.
    #[inline(always)]
    fn begin<'a>(&mut self, cell: &'a Cell, level: usize, tiles: usize) -> Level<'a> {
        let gates = &cell.gates[cell.levels[level].clone()];
        let (inputs, output, is_shared) = (self.inputs, self.first(level), self.shared[level]);
        let Some(before) = level.checked_sub(1) else {
            return Level { gates, output, inputs, slot: inputs, gradient: inputs, is_shared };
        };
        let (slots, gradient) = (&cell.levels[before], self.first(before));
        self.lanes[gradient * tiles..(gradient + slots.len()) * tiles].fill(Lanes::ZERO);
        Level { gates, output, inputs, slot: inputs + slots.start, gradient, is_shared }
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
    /// Several gates have the same parameters.
    is_shared: bool,
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
        tiles: usize,
    ) {
        match tiles {
            MOST_TOGETHER => backward_tiles::<MOST_TOGETHER>(cell, coefficients, slots, gradients, sums),
            _ => backward_tiles::<1>(cell, coefficients, slots, gradients, sums),
        }
    }
}

#[inline(always)]
fn backward_tiles<const TILES: usize>(
    cell: &Cell,
    coefficients: &[Coefficients],
    slots: &[Lanes],
    gradients: &mut Gradients,
    sums: &mut [CoefficientSums],
) {
    let (slots, _) = slots.as_chunks::<TILES>();
    gradients.lanes[..cell.inputs() * TILES].fill(Lanes::ZERO);
    for level in (0..cell.levels.len()).rev() {
        let level = gradients.begin(cell, level, TILES);
        let (lanes, _) = gradients.lanes.as_chunks_mut::<TILES>();
        backward_level(&level, coefficients, slots, lanes, sums);
    }
}

#[inline(always)]
fn backward_level<const TILES: usize>(
    level: &Level,
    coefficients: &[Coefficients],
    slots: &[[Lanes; TILES]],
    gradients: &mut [[Lanes; TILES]],
    sums: &mut [CoefficientSums],
) {
    if level.is_shared {
        // Sums of which several channels are a part take all of one tile before the next.
        for tile in 0..TILES {
            backward_gates(level, tile..tile + 1, coefficients, slots, gradients, sums);
        }
    } else {
        backward_gates(level, 0..TILES, coefficients, slots, gradients, sums);
    }
}

#[inline(always)]
fn backward_gates<const TILES: usize>(
    level: &Level,
    tiles: Range<usize>,
    coefficients: &[Coefficients],
    slots: &[[Lanes; TILES]],
    gradients: &mut [[Lanes; TILES]],
    sums: &mut [CoefficientSums],
) {
    for (index, gate) in level.gates.iter().enumerate() {
        let (a, b) = (&slots[gate.a as usize], &slots[gate.b as usize]);
        let [_, c1, c2, c3] = coefficients[gate.gate as usize];
        let (to_a, to_b) = (level.gradient_of(gate.a as usize), level.gradient_of(gate.b as usize));
        let mut totals = sums[gate.gate as usize];
        for tile in tiles.clone() {
            let gradient = gradients[level.output + index][tile].0;
            let (a, b) = (&a[tile].0, &b[tile].0);
            let to_a = &mut gradients[to_a][tile].0;
            for lane in 0..LANES {
                to_a[lane] = gradient[lane].mul_add(c3.mul_add(b[lane], c1), to_a[lane]);
            }
            let to_b = &mut gradients[to_b][tile].0;
            for lane in 0..LANES {
                to_b[lane] = gradient[lane].mul_add(c3.mul_add(a[lane], c2), to_b[lane]);
            }
            add_to_sums(&mut totals, &gradient, a, b);
        }
        sums[gate.gate as usize] = totals;
    }
}

/// Adds the gradient of the coefficients of one tile.
#[inline(always)]
fn add_to_sums(sums: &mut CoefficientSums, gradient: &[f32; LANES], a: &[f32; LANES], b: &[f32; LANES]) {
    let [ones, times_a, times_b, times_both] = sums;
    for lane in 0..HALF {
        let (low, high) = (gradient[lane], gradient[lane + HALF]);
        let (low_a, high_a) = (low * a[lane], high * a[lane + HALF]);
        ones[lane] += low + high;
        times_a[lane] += low_a + high_a;
        times_b[lane] += high.mul_add(b[lane + HALF], low * b[lane]);
        times_both[lane] += high_a.mul_add(b[lane + HALF], low_a * b[lane]);
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
