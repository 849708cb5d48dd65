//! Soft gates: mixtures of the sixteen functions, which gradients can train.
//!
//! A gate has sixteen logits. Their softmax is the share of each function, and since every function is
//! multilinear in the gate's inputs, so is the mixture: four coefficients say all of it. They are computed
//! once for each step of the optimiser, whatever the number of evaluations.
//!
//! This module holds the crate's only `unsafe` code: the calls that [`kernel!`] makes after it has asked the
//! processor what it can do.

use rekindle_compute::{LANES, kernel, math};

use crate::gate::{COEFFICIENTS, GATES};

/// The coefficients of `1`, `a`, `b` and `a b` of a soft gate.
pub type Coefficients = [f32; 4];

/// The shares of the sixteen functions in each of sixteen gates: function by gate.
pub type Shares = [[f32; LANES]; GATES];

kernel! {
    /// Turns the logits of gates (gates x 16) into shares, sixteen gates to a block, and these
    /// into coefficients.
    pub fn soften(
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
    /// Turns draws from [0, 1) into Gumbel noise of some scale, and adds logits to it.
    pub fn add_gumbel(draws: &mut [f32], logits: &[f32], scale: f32) {
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
    pub fn logit_gradient(
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
    pub fn clip(gradient: &mut [f32], limit: f32) {
        for gradient in gradient {
            let lower = if *gradient > limit { limit } else { *gradient };
            *gradient = if lower < -limit { -limit } else { lower };
        }
    }
}
