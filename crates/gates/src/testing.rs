//! Circuits to test with.

use rekindle_compute::rng;

use crate::circuit::{Circuit, Gate};

/// A circuit of gates that are drawn at random, of all sixteen functions.
pub(crate) fn random_circuit(seed: u64, inputs: usize, gates: usize, outputs: usize) -> Circuit {
    let mut stream = rng::stream(seed, 1, 0);
    let mut below = |most: usize| stream.below(most as u64) as u32;
    let gates: Vec<Gate> = (0..gates)
        .map(|index| {
            let known = inputs + index;
            // Recent signals are likelier, so that circuits are deep.
            let first = known.saturating_sub(12);
            let near = first as u32 + below(known - first);
            Gate { op: below(16) as u8, a: near, b: below(known) }
        })
        .collect();
    let signals = inputs + gates.len();
    let first = signals.saturating_sub(4 * outputs);
    let outputs = (0..outputs).map(|_| first as u32 + below(signals - first)).collect();
    Circuit::new(inputs, gates, outputs).unwrap()
}

/// A circuit of layers whose gates read any two outputs of the layer before.
pub(crate) fn random_layers(seed: u64, inputs: usize, layers: usize, gates: usize) -> Circuit {
    let mut stream = rng::stream(seed, 4, 0);
    let (mut all, mut before) = (Vec::new(), (0, inputs));
    for _ in 0..layers {
        let mut wire = || before.0 as u32 + stream.below(before.1 as u64) as u32;
        let wires: Vec<_> = (0..gates).map(|_| (wire(), wire())).collect();
        before = (inputs + all.len(), gates);
        all.extend(wires.into_iter().map(|(a, b)| Gate { op: stream.below(16) as u8, a, b }));
    }
    let outputs = (before.0 as u32..(before.0 + gates) as u32).collect();
    Circuit::new(inputs, all, outputs).unwrap()
}
