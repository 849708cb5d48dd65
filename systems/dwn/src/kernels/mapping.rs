//! Learnt connections: which candidate is read, and how each would have done in its place.

use rekindle_compute::{LANES, Lanes, kernel};

use super::by_inputs;

kernel! {
    /// The number of the candidate with the largest weight of each connection, the first of equals.
    /// Shapes: connections x candidates, and connections.
    pub(crate) fn strongest(weights: &[f32], candidates: usize, chosen: &mut [u32]) {
        for (weights, chosen) in weights.chunks_exact(candidates).zip(chosen) {
            let mut lanes = [f32::NEG_INFINITY; LANES];
            for weights in weights.as_chunks::<LANES>().0 {
                for (most, &weight) in lanes.iter_mut().zip(weights) {
                    *most = if weight > *most { weight } else { *most };
                }
            }
            let mut most = f32::NEG_INFINITY;
            for lane in lanes {
                most = if lane > most { lane } else { most };
            }
            *chosen = weights.iter().position(|&weight| weight == most).unwrap_or(0) as u32;
        }
    }
}

/// What the gradient of a table's connections is made of.
pub(crate) struct MappingPass<'a> {
    /// Inputs of the table.
    pub inputs: usize,
    /// The entry that it looked up, by example.
    pub addresses: &'a [u8],
    /// The gradient of its output, by example.
    pub gradients: &'a [f32],
    /// Shape: inputs x entries.
    pub slopes: &'a [f32],
    /// The blocks that it chooses among.
    pub blocks: &'a [u32],
    /// All bits as 1 and -1. Shape: blocks x examples.
    pub signs: &'a [Lanes],
}

kernel! {
    /// The gradient of the weights of a table's candidates: what each would have added as the input.
    /// `by_input` is room for a gradient of each input and example. Shape: inputs x candidates.
    pub(crate) fn mapping_gradient(pass: &MappingPass<'_>, by_input: &mut [f32], gradient: &mut [f32]) {
        by_inputs!(pass.inputs, gradient_of(pass, by_input, gradient));
    }
}

#[inline(always)]
fn gradient_of<const INPUTS: usize, const ENTRIES: usize>(
    pass: &MappingPass<'_>,
    by_input: &mut [f32],
    gradient: &mut [f32],
) {
    let batch = pass.addresses.len();
    let slopes = pass.slopes.as_chunks::<ENTRIES>().0;
    let by_input = by_input.as_chunks_mut::<INPUTS>().0;
    for ((by_input, &address), gradient) in by_input.iter_mut().zip(pass.addresses).zip(pass.gradients) {
        for (by_input, slopes) in by_input.iter_mut().zip(slopes) {
            *by_input = gradient * slopes[usize::from(address) % ENTRIES];
        }
    }
    let candidates = pass.blocks.len() * LANES;
    for (place, &block) in pass.blocks.iter().enumerate() {
        let signs = &pass.signs[block as usize * batch..][..batch];
        let sums = sums(by_input, signs);
        for (gradient, sums) in gradient.chunks_exact_mut(candidates).zip(&sums) {
            gradient[place * LANES..][..LANES].copy_from_slice(sums);
        }
    }
}

/// The sum over all examples of the gradient of each input times the signs.
#[inline(always)]
#[allow(clippy::needless_range_loop, reason = "iterators keep the sums in memory")]
fn sums<const INPUTS: usize>(by_input: &[[f32; INPUTS]], signs: &[Lanes]) -> [[f32; LANES]; INPUTS] {
    let mut sums = [[0.0; LANES]; INPUTS];
    for (gradients, signs) in by_input.iter().zip(signs) {
        for input in 0..INPUTS {
            for lane in 0..LANES {
                sums[input][lane] = gradients[input].mul_add(signs.0[lane], sums[input][lane]);
            }
        }
    }
    sums
}
