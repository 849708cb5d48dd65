//! Which gates a cell's next state depends on.

use rekindle_gates::gate;

use crate::hard_circuit::{HardCircuit, HardLayer};

/// The numbers, in the order of [`HardCircuit::gates`], of the gates that an output depends on, those that
/// pass an input on included.
pub(super) fn live_gates(circuit: &HardCircuit) -> Vec<usize> {
    let mut live = vec![false; circuit.gates().count()];
    let kernels = &circuit.perception.kernels;
    let per_kernel = kernels.first().map_or(0, |kernel| gates(&kernel.layers));
    let first = per_kernel * kernels.len();
    let outputs = vec![true; circuit.channels];
    let inputs = mark(&circuit.update.layers, outputs, circuit.update.input_size, &mut live[first..]);
    // After the cell's own channels come the kernels' outputs: channel outermost, kernel innermost.
    for (index, kernel) in kernels.iter().enumerate() {
        let perceived = inputs[circuit.channels..].iter().skip(index).step_by(kernels.len());
        let outputs = kernel.layers.last().map_or(0, |layer| layer.gates.len());
        let mut read = vec![false; outputs];
        for (place, &perceived) in perceived.enumerate() {
            read[place % outputs] |= perceived;
        }
        mark(&kernel.layers, read, kernel.input_size, &mut live[index * per_kernel..][..per_kernel]);
    }
    (0..live.len()).filter(|&gate| live[gate]).collect()
}

fn gates(layers: &[HardLayer]) -> usize {
    layers.iter().map(|layer| layer.gates.len()).sum()
}

/// Marks the gates that the outputs which are read depend on, and says which inputs are.
fn mark(layers: &[HardLayer], mut read: Vec<bool>, inputs: usize, live: &mut [bool]) -> Vec<bool> {
    let mut end = live.len();
    for (index, layer) in layers.iter().enumerate().rev() {
        let before = index.checked_sub(1).map_or(inputs, |before| layers[before].gates.len());
        let mut below = vec![false; before];
        let live = &mut live[end - layer.gates.len()..end];
        end -= layer.gates.len();
        for ((gate, live), _) in layer.gates.iter().zip(live).zip(&read).filter(|(_, read)| **read) {
            *live = true;
            let [_, c1, c2, c3] = gate::masks(gate.op);
            below[gate.wire_a as usize] |= c1 | c3 != 0;
            below[gate.wire_b as usize] |= c2 | c3 != 0;
        }
        read = below;
    }
    read
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Model;
    use crate::state::State;
    use rekindle_compute::rng;

    /// A gate is live just if there is a neighbourhood circuit that its function matters to: here by trying.
    #[test]
    fn a_change_of_a_gate_that_is_not_live_changes_nothing() {
        let model = Model {
            channels: 2,
            kernels: 3,
            kernel_gates: vec![8, 4, 2],
            update_gates: vec![9, 6, 4, 2],
            pass_logit: 10.0,
            identity_start: false,
        };
        let mut circuit = HardCircuit::harden(&model, &State::new(&model, 3).unwrap());
        let mut stream = rng::stream(3, 0, 0);
        let functions: Vec<u8> = circuit.gates().map(|_| stream.below(16) as u8).collect();
        circuit.set_functions(&functions);
        let live = live_gates(&circuit);
        assert!(live.len() > 10 && live.len() < functions.len(), "{}", live.len());
        let needed = circuit.trace().gates();
        for gate in 0..functions.len() {
            let mut changed = functions.clone();
            // A constant cuts off what the gate read.
            changed[gate] = 0;
            circuit.set_functions(&changed);
            let still = circuit.trace().gates();
            assert!(live.contains(&gate) || still == needed, "{gate}");
        }
    }
}
