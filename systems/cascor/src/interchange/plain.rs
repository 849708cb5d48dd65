//! A network as the original can hold it: one that takes inputs as they stand in a table, answers in the
//! same way, and has no symmetric sigmoids.
//!
//! What a unit sees here is `factor x + shift` of what it sees there. Factors go into its weights, shifts
//! into its bias. A network that is plain already stays as it is, to the bit.

use crate::activation::Activation;
use crate::data::{Input, Preparation, Target};
use crate::network::Network;

/// What a unit is here, in terms of what it is there.
#[derive(Clone, Copy)]
struct Seen {
    factor: f64,
    shift: f64,
}

const SAME: Seen = Seen { factor: 1.0, shift: 0.0 };

/// The plain network that answers as this one does with its preparation, within rounding.
pub(super) fn plain(network: &Network, preparation: &Preparation) -> Network {
    let mut plain = network.clone();
    let mut seen = vec![SAME];
    seen.extend(
        preparation
            .inputs
            .iter()
            .map(|input| Seen { factor: input.factor, shift: -input.offset * input.factor }),
    );
    for unit in &mut plain.hidden {
        see(&mut unit.weights, 1, &seen);
        seen.push(match unit.activation {
            Activation::Sigmoid => Seen { factor: 1.0, shift: -0.5 },
            _ => SAME,
        });
        if unit.activation == Activation::Sigmoid {
            unit.activation = Activation::Logistic;
        }
    }
    let outputs = network.outputs as usize;
    for output in 0..outputs {
        see(&mut plain.output_weights[output..], outputs, &seen);
    }
    if let Target::Numbers(targets) = &preparation.target {
        for (output, target) in targets.iter().enumerate() {
            answer(&mut plain.output_weights[output..], outputs, target);
        }
    }
    plain
}

/// Weights, of which every `stride`-th is meant and the first is the bias, for other units to see.
fn see(weights: &mut [f32], stride: usize, seen: &[Seen]) {
    let mut bias = 0.0;
    for (weight, seen) in weights.iter_mut().step_by(stride).zip(seen) {
        bias += f64::from(*weight) * seen.shift;
        if seen.factor != 1.0 {
            *weight = (f64::from(*weight) * seen.factor) as f32;
        }
    }
    if bias != 0.0 {
        weights[0] = (f64::from(weights[0]) + bias) as f32;
    }
}

/// Weights into an output that answers with the number itself rather than the scaled one.
fn answer(weights: &mut [f32], stride: usize, target: &Input) {
    if (target.offset, target.factor) == (0.0, 1.0) {
        return;
    }
    weights
        .iter_mut()
        .step_by(stride)
        .for_each(|weight| *weight = (f64::from(*weight) / target.factor) as f32);
    weights[0] = (f64::from(weights[0]) + target.offset) as f32;
}
