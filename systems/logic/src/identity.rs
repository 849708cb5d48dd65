//! Arranging wires so that, before training, a cell keeps its own state.
//!
//! Every gate begins by passing its first input on, so that an untrained network copies one input
//! to each output. With wires as they are drawn that is some bit of some neighbour: the bits of a
//! board wander, and on a board with edges they are gone after a few steps, with all that a
//! gradient could learn from. Here the first inputs are chosen so that each output is the cell's
//! own bit: the untrained automaton changes nothing, and gradients reach through all its steps.
//! Which pairs the gates read stays as it was drawn.

use std::collections::{HashMap, HashSet};

use crate::state::Layer;

/// Arranges the update network `layers` so that output `c` is input `c`, for all of `channels` as
/// far as the drawn pairs allow.
pub(crate) fn arrange(layers: &mut [Layer], channels: usize) {
    // The gate that carries each channel, from the last layer to the first.
    let mut carriers: Vec<Option<usize>> = (0..channels).map(Some).collect();
    let Some((first, deeper)) = layers.split_first_mut() else { return };
    for layer in deeper.iter_mut().rev() {
        carriers = choose_inputs(layer, &carriers);
    }
    let mut used = HashSet::new();
    for (channel, carrier) in carriers.into_iter().enumerate() {
        if let Some(carrier) = carrier {
            read_first(first, carrier, channel as u32, &mut used);
        }
    }
}

/// Chooses one input of each carrier, all different, and makes it the first; gives the gates of
/// the layer before that these inputs are.
fn choose_inputs(layer: &mut Layer, carriers: &[Option<usize>]) -> Vec<Option<usize>> {
    let mut takers = HashMap::new();
    for channel in 0..carriers.len() {
        take_input(layer, carriers, channel, &mut HashSet::new(), &mut takers);
    }
    let mut inputs = vec![None; carriers.len()];
    for (input, channel) in takers {
        let Some(gate) = carriers[channel] else { continue };
        if layer.wire_a[gate] != input {
            std::mem::swap(&mut layer.wire_a[gate], &mut layer.wire_b[gate]);
        }
        inputs[channel] = Some(input as usize);
    }
    inputs
}

/// Gives `channel` an input of its gate, if need be by moving another channel to its other input:
/// one round of bipartite matching.
fn take_input(
    layer: &Layer,
    carriers: &[Option<usize>],
    channel: usize,
    seen: &mut HashSet<u32>,
    takers: &mut HashMap<u32, usize>,
) -> bool {
    let Some(gate) = carriers[channel] else { return false };
    for input in [layer.wire_a[gate], layer.wire_b[gate]] {
        if !seen.insert(input) {
            continue;
        }
        let taker = takers.get(&input).copied();
        if taker.is_none_or(|taker| take_input(layer, carriers, taker, seen, takers)) {
            takers.insert(input, channel);
            return true;
        }
    }
    false
}

/// Lets gate `carrier` of the first layer read `input` first, by trading wires with a gate that
/// reads it. Gates in `used` already serve another channel.
fn read_first(layer: &mut Layer, carrier: usize, input: u32, used: &mut HashSet<usize>) {
    let reads = |gate: &usize| [layer.wire_a[*gate], layer.wire_b[*gate]].contains(&input);
    let Some(reader) = (0..layer.wire_a.len()).find(|gate| !used.contains(gate) && reads(gate)) else {
        return;
    };
    layer.wire_a.swap(carrier, reader);
    layer.wire_b.swap(carrier, reader);
    if layer.wire_a[carrier] != input {
        std::mem::swap(&mut layer.wire_a[carrier], &mut layer.wire_b[carrier]);
    }
    used.insert(carrier);
}

#[cfg(test)]
mod tests {
    use rekindle_compute::rng;

    use super::*;
    use crate::wiring;

    /// The input that an untrained network copies to an output.
    fn source(layers: &[Layer], output: usize) -> u32 {
        layers.iter().rev().fold(output as u32, |gate, layer| layer.wire_a[gate as usize])
    }

    fn drawn(seed: u64, inputs: usize, gates: &[usize]) -> Vec<Layer> {
        let mut stream = rng::stream(seed, 0, 0);
        let mut inputs = inputs;
        let mut layers = Vec::new();
        for &count in gates {
            let (wire_a, wire_b) = wiring::unique(inputs, count, &mut stream);
            layers.push(Layer { wire_a, wire_b, logits: Vec::new() });
            inputs = count;
        }
        layers
    }

    fn pairs(layer: &Layer) -> HashSet<[u32; 2]> {
        let sorted = |(a, b): (&u32, &u32)| [*a.min(b), *a.max(b)];
        layer.wire_a.iter().zip(&layer.wire_b).map(sorted).collect()
    }

    #[test]
    fn each_output_is_the_cells_own_bit_and_the_pairs_stay() {
        for seed in 0..20 {
            let before = drawn(seed, 264, &[256, 256, 128, 64, 32, 16, 8, 8]);
            let mut layers = before.clone();
            arrange(&mut layers, 8);
            assert_eq!(
                (0..8).map(|output| source(&layers, output)).collect::<Vec<_>>(),
                (0..8).collect::<Vec<_>>()
            );
            assert!(layers.iter().zip(&before).all(|(a, b)| pairs(a) == pairs(b)));
        }
    }

    #[test]
    fn pairs_that_do_not_allow_it_are_left_alone() {
        // Inputs 0 and 1 are read by one gate only.
        let mut layers = drawn(1, 8, &[4]);
        arrange(&mut layers, 4);
        let sources: HashSet<u32> = (0..4).map(|output| source(&layers, output)).collect();
        assert_eq!(sources.len(), 4);
    }
}
