//! The sums of the classes, and how far they are from what is right.
//!
//! This module holds the crate's only `unsafe` code: the calls that [`kernel!`](rekindle_compute::kernel)
//! makes after it has asked the processor what it can do.

#![expect(clippy::needless_range_loop, reason = "a lane is an index of several arrays")]

use rekindle_compute::{LANES, Lanes, kernel, math};

use crate::rows::{self, BLOCK, Row, TILES, ZEROS};

/// What is right of a block, and how much it counts.
#[derive(Debug, Clone)]
pub struct Truth {
    /// The class of each example.
    pub class: [u16; BLOCK],
    /// Examples, from the first.
    pub count: usize,
    /// What sums are divided by to be logits.
    pub temperature: f32,
    /// What each example's gradient is multiplied by.
    pub weight: f32,
}

kernel! {
    /// Adds up the outputs of each class: those of the last stage are dealt to the classes in turn.
    pub fn class_sums(outputs: &[Row], sums: &mut [Row]) {
        sums.fill(ZEROS);
        for outputs in outputs.chunks(sums.len()) {
            for (sum, output) in sums.iter_mut().zip(outputs) {
                for tile in 0..TILES {
                    for lane in 0..LANES {
                        sum[tile].0[lane] += output[tile].0[lane];
                    }
                }
            }
        }
    }
}

kernel! {
    /// Turns sums of the classes into gradients of the outputs of each class: of the cross-entropy, whose sum
    /// over the examples is added to `loss`.
    pub fn class_loss(sums: &mut [Row], truth: &Truth, loss: &mut f64) {
        let scale = 1.0 / truth.temperature;
        let gradient_scale = scale * truth.weight;
        for tile in 0..TILES {
            let mut largest = [f32::NEG_INFINITY; LANES];
            for sum in sums.iter_mut() {
                for lane in 0..LANES {
                    let logit = sum[tile].0[lane] * scale;
                    sum[tile].0[lane] = logit;
                    largest[lane] = if logit > largest[lane] { logit } else { largest[lane] };
                }
            }
            let mut right = [0.0; LANES];
            for (lane, right) in right.iter_mut().enumerate() {
                *right = sums[usize::from(truth.class[tile * LANES + lane])][tile].0[lane];
            }
            let mut total = [0.0; LANES];
            for sum in sums.iter_mut() {
                for lane in 0..LANES {
                    let share = math::exp(sum[tile].0[lane] - largest[lane]);
                    sum[tile].0[lane] = share;
                    total[lane] += share;
                }
            }
            let mut losses = Lanes::ZERO;
            let mut weights = [0.0; LANES];
            for lane in 0..LANES {
                let counts = tile * LANES + lane < truth.count;
                weights[lane] = if counts { gradient_scale / total[lane] } else { 0.0 };
                let of_lane = largest[lane] + math::ln(total[lane]) - right[lane];
                losses.0[lane] = if counts { of_lane } else { 0.0 };
            }
            *loss += f64::from(losses.sum());
            for sum in sums.iter_mut() {
                for lane in 0..LANES {
                    sum[tile].0[lane] *= weights[lane];
                }
            }
            for lane in 0..LANES {
                let index = tile * LANES + lane;
                if index < truth.count {
                    sums[usize::from(truth.class[index])][tile].0[lane] -= gradient_scale;
                }
            }
        }
    }
}

/// Gives each output the gradient of its class.
pub fn deal(classes: &[Row], gradients: &mut [Row]) {
    for gradients in gradients.chunks_mut(classes.len()) {
        gradients.copy_from_slice(&classes[..gradients.len()]);
    }
}

/// The class with the largest sum, the first of equals.
pub fn largest(sums: &[Row], example: usize) -> u16 {
    let mut best = 0;
    for class in 1..sums.len() {
        if rows::of(&sums[class], example) > rows::of(&sums[best], example) {
            best = class;
        }
    }
    best as u16
}
