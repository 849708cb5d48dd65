//! The activations of feed-forward layers.

use rekindle_compute::{kernel, math};

use crate::model::network::Activation;

const ROOT: f32 = 0.797_884_6; // sqrt(2 / pi)
const CUBE: f32 = 0.044_715;

/// The activation of `numbers`, to each row of which `bias` is added first, in their place, and its
/// derivative for the backward pass.
pub fn activate(
    path: rekindle_compute::KernelPath,
    activation: Activation,
    numbers: &mut [f32],
    derivative: &mut [f32],
    bias: &[f32],
) {
    match activation {
        Activation::Gelu => gelu(path, numbers, derivative, bias),
        Activation::Relu => relu(path, numbers, derivative, bias),
    }
}

kernel! {
    fn gelu(numbers: &mut [f32], derivative: &mut [f32], bias: &[f32]) {
        let width = bias.len();
        let rows = numbers.chunks_exact_mut(width).zip(derivative.chunks_exact_mut(width));
        for (numbers, derivative) in rows {
            for column in 0..width {
                let x = numbers[column] + bias[column];
                let square = x * x;
                let inner = ROOT * x * square.mul_add(CUBE, 1.0);
                let tanh = math::tanh(inner);
                let half = 0.5 * (1.0 + tanh);
                let slope = ROOT * square.mul_add(3.0 * CUBE, 1.0);
                numbers[column] = x * half;
                derivative[column] = (0.5 * x * (1.0 - tanh * tanh)).mul_add(slope, half);
            }
        }
    }
}

kernel! {
    fn relu(numbers: &mut [f32], derivative: &mut [f32], bias: &[f32]) {
        let width = bias.len();
        let rows = numbers.chunks_exact_mut(width).zip(derivative.chunks_exact_mut(width));
        for (numbers, derivative) in rows {
            for column in 0..width {
                let x = numbers[column] + bias[column];
                let is_on = x > 0.0;
                numbers[column] = if is_on { x } else { 0.0 };
                derivative[column] = if is_on { 1.0 } else { 0.0 };
            }
        }
    }
}
