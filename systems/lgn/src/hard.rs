//! A trained network as gates, each of which is its likeliest function.

use rekindle_gates::gate::{GATES, is_active};

use crate::shape::{Shape, StageShape, TreesShape};
use crate::state::State;

/// The function of any inputs that is never true.
const FALSE: u8 = 0;
/// The function that is true where an input is.
const OR: u8 = 7;

/// A circuit: signals are numbered, first the inputs, then the gates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HardNetwork {
    /// Bits that are read.
    pub inputs: usize,
    /// The gates, each before those that read it.
    pub gates: Vec<HardGate>,
    /// The signals that are summed, dealt to the classes in turn.
    pub outputs: Vec<u32>,
}

/// A gate of a circuit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HardGate {
    pub op: u8,
    pub a: u32,
    pub b: u32,
}

impl HardNetwork {
    /// The circuit of a state that fits the shape.
    pub fn new(shape: &Shape, state: &State) -> Self {
        let mut circuit = Self { inputs: shape.inputs, gates: Vec::new(), outputs: Vec::new() };
        let mut before: Vec<u32> = (0..shape.inputs as u32).collect();
        for (stage, layer) in shape.stages.iter().zip(&state.layers) {
            let functions: Vec<u8> = layer.logits.chunks_exact(GATES).map(likeliest).collect();
            before = match stage {
                StageShape::Trees(trees) => circuit.add_trees(trees, &before, &layer.wires, &functions),
                StageShape::Layer(_) => circuit.add_layer(&before, &layer.wires, &functions),
            };
        }
        circuit.outputs = before;
        circuit
    }

    fn add(&mut self, op: u8, a: u32, b: u32) -> u32 {
        self.gates.push(HardGate { op, a, b });
        (self.inputs + self.gates.len() - 1) as u32
    }

    fn add_layer(&mut self, before: &[u32], wires: &[u32], functions: &[u8]) -> Vec<u32> {
        let gates = wires.as_chunks::<2>().0.iter().zip(functions);
        gates.map(|(&[a, b], &op)| self.add(op, before[a as usize], before[b as usize])).collect()
    }

    fn add_trees(&mut self, trees: &TreesShape, before: &[u32], wires: &[u32], functions: &[u8]) -> Vec<u32> {
        let convolution = trees.convolution;
        let (leaves, gates, pool) = (convolution.leaves(), convolution.gates(), convolution.pool);
        // What is around the maps.
        let around = self.add(FALSE, 0, 0);
        let kernels = wires.chunks_exact(leaves).zip(functions.chunks_exact(gates));
        let mut outputs = Vec::with_capacity(trees.to.len());
        for (wires, functions) in kernels {
            for place in 0..trees.to.width * trees.to.height {
                let (line, column) = (place / trees.to.width * pool, place % trees.to.width * pool);
                let mut output = None;
                for part in 0..pool * pool {
                    let corner = [line + part / pool, column + part % pool];
                    let signals: Vec<u32> = wires
                        .iter()
                        .map(|&wire| trees.source(wire, corner).map_or(around, |source| before[source]))
                        .collect();
                    let root = self.add_tree(&signals, functions);
                    output = Some(output.map_or(root, |output| self.add(OR, output, root)));
                }
                outputs.extend(output);
            }
        }
        outputs
    }

    fn add_tree(&mut self, leaves: &[u32], functions: &[u8]) -> u32 {
        let (mut level, mut functions) = (leaves.to_vec(), functions.iter());
        while level.len() > 1 {
            let pairs = level.as_chunks::<2>().0.iter().zip(&mut functions);
            level = pairs.map(|(&[a, b], &op)| self.add(op, a, b)).collect();
        }
        level[0]
    }

    /// Gates that do more than pass an input on, whether or not anything depends on them.
    pub fn active_gates(&self) -> usize {
        self.gates.iter().filter(|gate| is_active(gate.op)).count()
    }
}

impl TreesShape {
    /// The input that a leaf reads where the window's corner is at a line and a column; none around the maps.
    pub fn source(&self, wire: u32, [line, column]: [usize; 2]) -> Option<usize> {
        let (window, padding) = (self.convolution.window, self.convolution.padding);
        let wire = wire as usize;
        let line = (line + wire / window % window).checked_sub(padding)?;
        let column = (column + wire % window).checked_sub(padding)?;
        let is_inside = line < self.from.height && column < self.from.width;
        is_inside.then(|| (wire / (window * window) * self.from.height + line) * self.from.width + column)
    }
}

fn likeliest(logits: &[f32]) -> u8 {
    let mut best = 0;
    for (function, logit) in logits.iter().enumerate() {
        if *logit > logits[best] {
            best = function;
        }
    }
    best as u8
}
