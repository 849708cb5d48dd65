//! Circuits to test with.

use rekindle_compute::rng;

use crate::circuit::{Circuit, Gate};
use crate::xag::{Literal, Xag};

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

/// The Game of Life, by counting neighbours one after the other.
pub(crate) fn life() -> Circuit {
    let mut graph = Xag::new(9);
    let mut counts = [Literal::FALSE; 4];
    for position in (0..9).filter(|&position| position != 4) {
        let mut carry = graph.input(position);
        for count in &mut counts {
            let (sum, next) = (graph.xor(*count, carry), graph.and(*count, carry));
            (*count, carry) = (sum, next);
        }
    }
    let [ones, twos, fours, eights] = counts;
    let small = graph.and(!fours, !eights);
    let two_or_three = graph.and(twos, small);
    let cell = graph.input(4);
    let stays = graph.or(ones, cell);
    let alive = graph.and(two_or_three, stays);
    graph.outputs.push(alive);
    graph.to_circuit()
}
