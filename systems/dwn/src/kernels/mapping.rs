//! Learnt connections: which candidate is read, and how each would have done in its place.

use rekindle_compute::{LANES, Lanes, kernel};

use super::by_inputs;

kernel! {
    /// The number of the candidate with the largest weight of each connection, the first of equals.
    /// Shapes: connections x candidates, and connections.
    pub(crate) fn strongest(weights: &[f32], candidates: usize, chosen: &mut [u32]) {
        for (weights, chosen) in weights.chunks_exact(candidates).zip(chosen) {
            let mut most = [f32::NEG_INFINITY; LANES];
            let mut blocks = [0; LANES];
            for (block, weights) in weights.as_chunks::<LANES>().0.iter().enumerate() {
                for lane in 0..LANES {
                    let is_larger = weights[lane] > most[lane];
                    most[lane] = if is_larger { weights[lane] } else { most[lane] };
                    blocks[lane] = if is_larger { block as u32 } else { blocks[lane] };
                }
            }
            let mut best = (f32::NEG_INFINITY, u32::MAX);
            for lane in 0..LANES {
                let candidate = blocks[lane] * LANES as u32 + lane as u32;
                if most[lane] > best.0 || (most[lane] == best.0 && candidate < best.1) {
                    best = (most[lane], candidate);
                }
            }
            *chosen = best.1;
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

#[cfg(test)]
mod tests {
    use rekindle_compute::{KernelPath, rng};

    use super::*;

    #[test]
    fn the_largest_weight_is_found_the_first_of_equals() {
        let mut stream = rng::stream(4, 0, 0);
        let mut weights: Vec<f32> = (0..50 * 48).map(|_| (8.0 * stream.uniform()).floor()).collect();
        weights[..48].fill(-7.0);
        weights[48..96].fill(f32::NAN);
        for path in KernelPath::available() {
            let mut chosen = vec![9; 50];
            strongest(path, &weights, 48, &mut chosen);
            for (weights, &chosen) in weights.chunks_exact(48).zip(&chosen) {
                let most = weights.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                let first = weights.iter().position(|&weight| weight == most).unwrap_or(0);
                assert_eq!(chosen, first as u32, "{path}");
            }
        }
    }

    #[test]
    fn a_candidate_learns_what_it_would_have_added_as_the_input() {
        let (batch, inputs) = (32, 3);
        let mut stream = rng::stream(4, 1, 0);
        let addresses: Vec<u8> = (0..batch).map(|_| stream.below(8) as u8).collect();
        let gradients: Vec<f32> = (0..batch).map(|_| stream.uniform() - 0.5).collect();
        let slopes: Vec<f32> = (0..inputs * 8).map(|_| stream.uniform() - 0.5).collect();
        let sign = |stream: &mut rng::Stream| if stream.below(2) == 1 { 1.0 } else { -1.0 };
        let signs: Vec<Lanes> =
            (0..3 * batch).map(|_| Lanes(std::array::from_fn(|_| sign(&mut stream)))).collect();
        let blocks = [2, 0];
        let pass = MappingPass {
            inputs,
            addresses: &addresses,
            gradients: &gradients,
            slopes: &slopes,
            blocks: &blocks,
            signs: &signs,
        };
        for path in KernelPath::available() {
            let mut gradient = vec![0.0; inputs * 32];
            mapping_gradient(path, &pass, &mut vec![0.0; inputs * batch], &mut gradient);
            for (index, &found) in gradient.iter().enumerate() {
                let (input, candidate) = (index / 32, index % 32);
                let block = blocks[candidate / LANES] as usize;
                let of_example = |example: usize| {
                    let slope = slopes[input * 8 + usize::from(addresses[example])];
                    gradients[example] * slope * signs[block * batch + example].0[candidate % LANES]
                };
                let expected: f32 = (0..batch).map(of_example).sum();
                assert!((found - expected).abs() < 1e-5, "{path} {index}: {found} {expected}");
            }
        }
    }
}
