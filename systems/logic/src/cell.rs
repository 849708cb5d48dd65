//! The gates that every cell runs, as one flat list.
//!
//! The values of a cell stand in *slots*: first the 9 bits of the neighbourhood of each channel,
//! then the output of each gate in the order of the list. The list is cut into levels; a gate
//! reads outputs of the level before its own, and the first update layer also the cell's own bits.
//! A kernel's gate occurs once for each channel, with the same parameters.

use crate::config::Model;
use crate::state::{Layer, State};
use crate::wiring::CENTRE;

/// The most gates that one cell may have, each kernel counted for each channel.
pub(crate) const MOST_GATES: usize = 1 << 20;

/// The gates that every cell runs.
#[derive(Debug)]
pub(crate) struct Cell {
    /// Bits that a cell holds.
    pub(crate) channels: usize,
    /// The gates in the order they are evaluated in.
    pub(crate) gates: Vec<GateUse>,
    /// The range of gates of each level.
    pub(crate) levels: Vec<std::ops::Range<usize>>,
    /// Gates with parameters of their own, in the order of the state's layers.
    pub(crate) parameters: usize,
}

/// One evaluation of a gate.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GateUse {
    /// Slot of the first input.
    pub(crate) a: u32,
    /// Slot of the second input.
    pub(crate) b: u32,
    /// Which gate's parameters it has.
    pub(crate) gate: u32,
}

impl Cell {
    /// The gates of a state that fits the model.
    pub(crate) fn new(model: &Model, state: &State) -> Self {
        let mut cell =
            Self { channels: model.channels, gates: Vec::new(), levels: Vec::new(), parameters: 0 };
        for layer in &state.perception.layers {
            cell.add_perception(model, layer);
        }
        for layer in &state.update.layers {
            cell.add_update(model, layer);
        }
        cell
    }

    /// Slots of the neighbourhood.
    pub(crate) fn inputs(&self) -> usize {
        9 * self.channels
    }

    /// Slots in all.
    pub(crate) fn slots(&self) -> usize {
        self.inputs() + self.gates.len()
    }

    /// The slots that hold the cell's next state.
    pub(crate) fn outputs(&self) -> std::ops::Range<usize> {
        self.slots() - self.channels..self.slots()
    }

    /// Of each level, whether several of its gates have the same parameters.
    pub(crate) fn shared_levels(&self) -> Vec<bool> {
        let is_shared = |level: &std::ops::Range<usize>| {
            let gates = &self.gates[level.clone()];
            let numbers: std::collections::BTreeSet<u32> = gates.iter().map(|gate| gate.gate).collect();
            numbers.len() < gates.len()
        };
        self.levels.iter().map(is_shared).collect()
    }

    /// Gates of the largest level.
    pub(crate) fn widest(&self) -> usize {
        self.levels.iter().map(ExactSizeIterator::len).max().unwrap_or(0)
    }

    /// Adds a perception layer: channel outermost, then kernel, then gate.
    fn add_perception(&mut self, model: &Model, layer: &Layer) {
        let gates = layer.wire_a.len();
        let sources = match self.levels.last() {
            None => 9,
            Some(level) => level.len() / (model.channels * model.kernels),
        };
        let base = self.levels.last().map_or(0, |level| self.inputs() + level.start);
        let mut uses = Vec::with_capacity(model.channels * model.kernels * gates);
        for channel in 0..model.channels {
            for kernel in 0..model.kernels {
                // The first layer of all kernels reads the neighbourhood itself.
                let network = match self.levels.is_empty() {
                    true => channel,
                    false => channel * model.kernels + kernel,
                };
                let first = (base + network * sources) as u32;
                let parameters = self.parameters + kernel * gates;
                uses.extend((0..gates).map(|gate| GateUse {
                    a: first + layer.wire_a[gate],
                    b: first + layer.wire_b[gate],
                    gate: (parameters + gate) as u32,
                }));
            }
        }
        self.add_level(uses, model.kernels * gates);
    }

    /// Adds an update layer.
    fn add_update(&mut self, model: &Model, layer: &Layer) {
        let level = self.levels.last().cloned().unwrap_or(0..0);
        let first = self.inputs() + level.start;
        let reads_perception = self.levels.len() == model.kernel_gates.len();
        let slot = |wire: u32| match reads_perception {
            true => perception_slot(model, first, wire as usize) as u32,
            false => first as u32 + wire,
        };
        let wires = layer.wire_a.iter().zip(&layer.wire_b).enumerate();
        let parameters = self.parameters;
        let uses = wires
            .map(|(gate, (&a, &b))| GateUse { a: slot(a), b: slot(b), gate: (parameters + gate) as u32 })
            .collect();
        self.add_level(uses, layer.wire_a.len());
    }

    fn add_level(&mut self, uses: Vec<GateUse>, parameters: usize) {
        let start = self.gates.len();
        self.gates.extend(uses);
        self.levels.push(start..self.gates.len());
        self.parameters += parameters;
    }
}

/// The slot of an input of the update network: first the cell's own channels, then the kernels'
/// outputs, channel outermost, kernel innermost.
fn perception_slot(model: &Model, first: usize, input: usize) -> usize {
    let Some(input) = input.checked_sub(model.channels) else {
        return input * 9 + CENTRE as usize;
    };
    let outputs = model.kernel_gates.last().copied().unwrap_or(1);
    let kernel = input % model.kernels;
    let output = input / model.kernels % outputs;
    let channel = input / model.kernels / outputs;
    first + (channel * model.kernels + kernel) * outputs + output
}
