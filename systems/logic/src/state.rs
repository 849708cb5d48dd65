//! Everything that training needs to go on.

use rekindle_compute::{Moments, rng};
use rekindle_gates::gate::{GATES, PASS_A};
use rekindle_train::Patience;
use serde::{Deserialize, Serialize};

use crate::config::Model;
use crate::error::LogicError;
use crate::hard_circuit::{Gate, HardCircuit, HardLayer};
use crate::identity;
use crate::refine::Refined;
use crate::streams;
use crate::wiring::{self, Wires};

/// The state of a training run: what a checkpoint holds and a resume needs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Steps done: epochs of all attempts and steps of refinement.
    pub epoch: u64,
    /// The kernels. They share their wires, each has logits of its own.
    pub perception: Network,
    /// The update network.
    pub update: Network,
    /// AdamW's moments, of the same structure as the logits.
    pub optimizer: Optimizer,
    /// What is known of the losses by which training ends early; absent before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patience: Option<Patience>,
    /// Attempts that ended with a circuit that is not right.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub attempt: u64,
    /// The step that the present attempt began with.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub attempt_start: u64,
    /// The circuit while it is repaired or loses gates; absent while gradients train.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refined: Option<Refined>,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// A stack of layers, each reading the one before it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Network {
    /// The layers, from input to output.
    pub layers: Vec<Layer>,
}

/// A layer of gates that each read two outputs of the layer before.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Layer {
    /// The first input of each gate. Shape: gates.
    pub wire_a: Vec<u32>,
    /// The second input of each gate. Shape: gates.
    pub wire_b: Vec<u32>,
    /// How much each gate tends to each of the sixteen functions, flat. Shape: gates x 16, in
    /// the perception network kernels x gates x 16.
    pub logits: Vec<f32>,
}

/// AdamW's moments for every layer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Optimizer {
    /// For each layer of the perception network.
    pub perception: Vec<Moments>,
    /// For each layer of the update network.
    pub update: Vec<Moments>,
}

impl State {
    /// The state before the first epoch: wires drawn from the seed, every gate passing its first
    /// input on.
    ///
    /// # Errors
    /// The model cannot be wired; see [`Model::validate`].
    pub fn new(model: &Model, seed: u64) -> Result<Self, LogicError> {
        model.validate()?;
        Ok(Self::attempt(model, seed, 0, 0))
    }

    /// The state before the first epoch of an attempt, which has wires of its own.
    pub(crate) fn attempt(model: &Model, seed: u64, attempt: u64, epoch: u64) -> Self {
        let perception = new_perception(model, seed, attempt);
        let update = new_update(model, seed, attempt);
        let optimizer = Optimizer { perception: zero_moments(&perception), update: zero_moments(&update) };
        Self { epoch, attempt, attempt_start: epoch, ..Self::without_attempts(perception, update, optimizer) }
    }

    fn without_attempts(perception: Network, update: Network, optimizer: Optimizer) -> Self {
        Self {
            epoch: 0,
            perception,
            update,
            optimizer,
            patience: None,
            attempt: 0,
            attempt_start: 0,
            refined: None,
        }
    }

    /// Epochs of the present attempt, which is also how often its optimiser has stepped.
    pub(crate) fn attempt_epochs(&self) -> u64 {
        self.epoch - self.attempt_start
    }

    /// The state of a circuit, of which `model` is the [model](HardCircuit::model): each gate is the one
    /// function, and the optimiser has not begun.
    pub(crate) fn of_circuit(model: &Model, circuit: &HardCircuit) -> Self {
        let kernels = &circuit.perception.kernels;
        let depth = model.kernel_gates.len();
        let perception =
            (0..depth).map(|index| sure_layer(model, kernels.iter().map(|kernel| &kernel.layers[index])));
        let perception = Network { layers: perception.collect() };
        let update = circuit.update.layers.iter().map(|layer| sure_layer(model, std::iter::once(layer)));
        let update = Network { layers: update.collect() };
        let optimizer = Optimizer { perception: zero_moments(&perception), update: zero_moments(&update) };
        Self::without_attempts(perception, update, optimizer)
    }

    /// Checks that the state is one of this model, and that every wire leads somewhere.
    ///
    /// # Errors
    /// Names the first entry that does not fit.
    pub fn validate(&self, model: &Model) -> Result<(), LogicError> {
        let Self { perception, update, optimizer, .. } = self;
        validate_network("perception", perception, 9, &model.kernel_gates, model.kernels)?;
        validate_network("update", update, model.update_inputs(), &model.update_gates, 1)?;
        validate_moments("optimizer.perception", &optimizer.perception, perception)?;
        validate_moments("optimizer.update", &optimizer.update, update)?;
        if self.attempt_start > self.epoch {
            let problem = format!("is {}, after step {}", self.attempt_start, self.epoch);
            return Err(LogicError::state("attempt_start", problem));
        }
        self.refined.as_ref().map_or(Ok(()), |refined| refined.validate(model.gates()))
    }
}

fn new_perception(model: &Model, seed: u64, attempt: u64) -> Network {
    let mut inputs = 9;
    let mut layers = Vec::with_capacity(model.kernel_gates.len());
    for (index, &gates) in model.kernel_gates.iter().enumerate() {
        let mut stream = rng::stream(seed, streams::PERCEPTION_WIRES, attempt << 32 | index as u64);
        let wires = match index {
            0 => wiring::first_kernel(&mut stream),
            _ => wiring::unique(inputs, gates, &mut stream),
        };
        layers.push(new_layer(model, wires, model.kernels * gates));
        inputs = gates;
    }
    Network { layers }
}

fn new_update(model: &Model, seed: u64, attempt: u64) -> Network {
    let mut inputs = model.update_inputs();
    let mut layers = Vec::with_capacity(model.update_gates.len());
    for (index, &gates) in model.update_gates.iter().enumerate() {
        let mut stream = rng::stream(seed, streams::UPDATE_WIRES, attempt << 32 | index as u64);
        let wires = wiring::unique(inputs, gates, &mut stream);
        layers.push(new_layer(model, wires, gates));
        inputs = gates;
    }
    if model.identity_start {
        identity::arrange(&mut layers, model.channels);
    }
    Network { layers }
}

fn new_layer(model: &Model, (wire_a, wire_b): Wires, rows: usize) -> Layer {
    let mut logits = vec![0.0; rows * GATES];
    for row in logits.chunks_exact_mut(GATES) {
        row[usize::from(PASS_A)] = model.pass_logit as f32;
    }
    Layer { wire_a, wire_b, logits }
}

/// A layer whose gates have the functions of `copies`, which are wired alike.
fn sure_layer<'a>(model: &Model, copies: impl Iterator<Item = &'a HardLayer> + Clone) -> Layer {
    let wires =
        |wire: fn(&Gate) -> u32| copies.clone().take(1).flat_map(|layer| &layer.gates).map(wire).collect();
    let (wire_a, wire_b) = (wires(|gate| gate.wire_a), wires(|gate| gate.wire_b));
    let mut logits = Vec::new();
    for gate in copies.flat_map(|layer| &layer.gates) {
        let mut row = [0.0; GATES];
        row[usize::from(gate.op)] = model.pass_logit as f32;
        logits.extend(row);
    }
    Layer { wire_a, wire_b, logits }
}

fn zero_moments(network: &Network) -> Vec<Moments> {
    network.layers.iter().map(|layer| Moments::zeros(layer.logits.len())).collect()
}

fn validate_network(
    name: &str,
    network: &Network,
    mut inputs: usize,
    gates: &[usize],
    copies: usize,
) -> Result<(), LogicError> {
    expect(&format!("{name}.layers"), network.layers.len(), gates.len())?;
    for (index, (layer, &gates)) in network.layers.iter().zip(gates).enumerate() {
        let entry = |field: &str| format!("{name}.layers.{index}.{field}");
        for (field, wires) in [("wire_a", &layer.wire_a), ("wire_b", &layer.wire_b)] {
            expect(&entry(field), wires.len(), gates)?;
            if let Some(wire) = wires.iter().find(|&&wire| wire as usize >= inputs) {
                let problem = format!("reads input {wire} of {inputs}");
                return Err(LogicError::state(entry(field), problem));
            }
        }
        expect(&entry("logits"), layer.logits.len(), copies * gates * GATES)?;
        inputs = gates;
    }
    Ok(())
}

fn validate_moments(name: &str, moments: &[Moments], network: &Network) -> Result<(), LogicError> {
    expect(name, moments.len(), network.layers.len())?;
    for (index, (moments, layer)) in moments.iter().zip(&network.layers).enumerate() {
        let expected = layer.logits.len();
        expect(&format!("{name}.{index}.first_moment"), moments.first_moment.len(), expected)?;
        expect(&format!("{name}.{index}.second_moment"), moments.second_moment.len(), expected)?;
    }
    Ok(())
}

fn expect(entry: &str, found: usize, expected: usize) -> Result<(), LogicError> {
    if found == expected {
        Ok(())
    } else {
        Err(LogicError::state(entry, format!("holds {found} elements, not {expected}")))
    }
}
