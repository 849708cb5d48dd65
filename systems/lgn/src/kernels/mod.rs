//! The arithmetic of training, over the examples of a block.
//!
//! A soft gate is `c0 + c1 a + c2 b + c3 a b`; what is learnt of it are the gradients of these four numbers.
//!
//! This module holds the crate's only `unsafe` code: the calls that [`kernel!`](rekindle_compute::kernel)
//! makes after it has asked the processor what it can do.

mod layer;
mod trees;

use rekindle_compute::{LANES, Lanes};
use rekindle_gates::soft::Coefficients;

pub(crate) use layer::{backward_layer, forward_layer};
pub(crate) use trees::{Backward, backward_trees, forward_trees};

type Values = [f32; LANES];

/// The output of a gate.
#[inline(always)]
fn gate(coefficients: &Coefficients, a: &Values, b: &Values) -> Values {
    let [c0, c1, c2, c3] = *coefficients;
    let mut output = [0.0; LANES];
    for lane in 0..LANES {
        let slope = c3.mul_add(b[lane], c1);
        let rest = c2.mul_add(b[lane], c0);
        output[lane] = a[lane].mul_add(slope, rest);
    }
    output
}

/// The gradient of a gate's coefficients, lane by lane.
type Sums = [Values; 4];

/// Adds the gradient of a gate's coefficients.
#[inline(always)]
fn add_to_sums(sums: &mut Sums, gradient: &Values, a: &Values, b: &Values) {
    let [ones, times_a, times_b, times_both] = sums;
    for lane in 0..LANES {
        let of_a = gradient[lane] * a[lane];
        ones[lane] += gradient[lane];
        times_a[lane] += of_a;
        times_b[lane] = gradient[lane].mul_add(b[lane], times_b[lane]);
        times_both[lane] = of_a.mul_add(b[lane], times_both[lane]);
    }
}

/// Adds what the lanes have of a gate's coefficients.
#[inline(always)]
fn add_lanes(gradient: &mut Coefficients, sums: &Sums) {
    for (gradient, sums) in gradient.iter_mut().zip(sums) {
        *gradient += Lanes(*sums).sum();
    }
}

/// Adds the gradient of a gate's input to what the input has already: of the first input with the
/// coefficients `c1` and `c3` and the second one's values, of the second with `c2` and `c3` and the first's.
#[inline(always)]
fn add_to_input(to: &mut Values, gradient: &Values, alone: f32, both: f32, other: &Values) {
    for lane in 0..LANES {
        to[lane] = gradient[lane].mul_add(both.mul_add(other[lane], alone), to[lane]);
    }
}
