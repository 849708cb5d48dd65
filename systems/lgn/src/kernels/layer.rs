//! Layers of gates that each read two outputs of the stage before.

use rekindle_classify::rows::{Row, TILES};
use rekindle_compute::{LANES, kernel};
use rekindle_gates::soft::Coefficients;

use super::{Sums, add_lanes, add_to_input, add_to_sums, gate};

kernel! {
    /// Computes every gate of a layer.
    pub(crate) fn forward_layer(
        wires: &[[u32; 2]],
        coefficients: &[Coefficients],
        inputs: &[Row],
        outputs: &mut [Row],
    ) {
        for ((&[a, b], coefficients), output) in wires.iter().zip(coefficients).zip(outputs) {
            let (a, b) = (&inputs[a as usize], &inputs[b as usize]);
            for tile in 0..TILES {
                output[tile].0 = gate(coefficients, &a[tile].0, &b[tile].0);
            }
        }
    }
}

kernel! {
    /// From the gradients of the outputs, adds to those of the coefficients, and to those of the inputs
    /// where there are any.
    pub(crate) fn backward_layer(
        wires: &[[u32; 2]],
        coefficients: &[Coefficients],
        inputs: &[Row],
        gradients: &[Row],
        input_gradients: Option<&mut [Row]>,
        coefficient_gradients: &mut [Coefficients],
    ) {
        let gates = wires.iter().zip(coefficients).zip(gradients).zip(coefficient_gradients);
        match input_gradients {
            None => {
                for (((&[a, b], _), gradient), coefficient_gradient) in gates {
                    let (a, b) = (&inputs[a as usize], &inputs[b as usize]);
                    backward_gate(gradient, a, b, coefficient_gradient);
                }
            }
            Some(input_gradients) => {
                for (((&[a, b], &[_, c1, c2, c3]), gradient), coefficient_gradient) in gates {
                    let (first, second) = (&inputs[a as usize], &inputs[b as usize]);
                    backward_gate(gradient, first, second, coefficient_gradient);
                    let to = &mut input_gradients[a as usize];
                    for tile in 0..TILES {
                        add_to_input(&mut to[tile].0, &gradient[tile].0, c1, c3, &second[tile].0);
                    }
                    let to = &mut input_gradients[b as usize];
                    for tile in 0..TILES {
                        add_to_input(&mut to[tile].0, &gradient[tile].0, c2, c3, &first[tile].0);
                    }
                }
            }
        }
    }
}

#[inline(always)]
fn backward_gate(gradient: &Row, a: &Row, b: &Row, coefficient_gradient: &mut Coefficients) {
    let mut sums: Sums = [[0.0; LANES]; 4];
    for tile in 0..TILES {
        add_to_sums(&mut sums, &gradient[tile].0, &a[tile].0, &b[tile].0);
    }
    add_lanes(coefficient_gradient, &sums);
}
