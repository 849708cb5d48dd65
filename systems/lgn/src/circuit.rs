//! A trained network as a circuit, in which each gate is its likeliest function.

use rekindle_classify::{CircuitBuilder, Says};
use rekindle_gates::gate::{FALSE, GATES, OR};
use rekindle_gates::{Circuit, CircuitError};

use crate::shape::{Shape, StageShape, TreesShape};
use crate::state::State;

/// The circuit of a state that fits the shape. Its inputs are the bits that the network reads.
///
/// # Errors
/// When it has more gates than circuits have.
pub(crate) fn circuit(shape: &Shape, state: &State, says: Says) -> Result<Circuit, CircuitError> {
    let mut builder = Builder(CircuitBuilder::new(shape.inputs));
    let outputs = builder.add_network(shape, state);
    builder.0.finish(&outputs, shape.classes, says)
}

/// A circuit to which the gates of a network are added.
struct Builder(CircuitBuilder);

impl Builder {
    fn add(&mut self, op: u8, a: u32, b: u32) -> u32 {
        self.0.add(op, a, b)
    }

    fn add_network(&mut self, shape: &Shape, state: &State) -> Vec<u32> {
        let mut before: Vec<u32> = (0..shape.inputs as u32).collect();
        for (stage, layer) in shape.stages.iter().zip(&state.layers) {
            let functions: Vec<u8> = layer.logits.chunks_exact(GATES).map(likeliest).collect();
            before = match stage {
                StageShape::Trees(trees) => self.add_trees(trees, &before, &layer.wires, &functions),
                StageShape::Layer(_) => self.add_layer(&before, &layer.wires, &functions),
            };
        }
        before
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
        let mut outputs = Vec::with_capacity(trees.to.len());
        for (wires, functions) in wires.chunks_exact(leaves).zip(functions.chunks_exact(gates)) {
            for place in 0..trees.to.width * trees.to.height {
                let (line, column) = (place / trees.to.width * pool, place % trees.to.width * pool);
                let mut output = None;
                for part in 0..pool * pool {
                    let corner = [line + part / pool, column + part % pool];
                    let source = |&wire| trees.source(wire, corner).map_or(around, |source| before[source]);
                    let leaves: Vec<u32> = wires.iter().map(source).collect();
                    let root = self.add_tree(leaves, functions);
                    output = Some(output.map_or(root, |output| self.add(OR, output, root)));
                }
                outputs.extend(output);
            }
        }
        outputs
    }

    fn add_tree(&mut self, mut level: Vec<u32>, functions: &[u8]) -> u32 {
        let mut functions = functions.iter();
        while level.len() > 1 {
            let pairs = level.as_chunks::<2>().0.iter().zip(&mut functions);
            level = pairs.map(|(&[a, b], &op)| self.add(op, a, b)).collect();
        }
        level[0]
    }
}

impl TreesShape {
    /// The input that a leaf reads where the window's corner is at a line and a column; none around the maps.
    fn source(&self, wire: u32, [line, column]: [usize; 2]) -> Option<usize> {
        let (window, padding) = (self.convolution.window, self.convolution.padding);
        let wire = wire as usize;
        let line = (line + wire / window % window).checked_sub(padding)?;
        let column = (column + wire % window).checked_sub(padding)?;
        let is_inside = line < self.from.height && column < self.from.width;
        is_inside.then(|| (wire / (window * window) * self.from.height + line) * self.from.width + column)
    }
}

/// The function with the largest logit, the first of equals.
fn likeliest(logits: &[f32]) -> u8 {
    let mut best = 0;
    for (function, logit) in logits.iter().enumerate() {
        if *logit > logits[best] {
            best = function;
        }
    }
    best as u8
}
