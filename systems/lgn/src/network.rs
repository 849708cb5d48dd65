//! A network with the coefficients of its gates, and a block of examples on its way through it.

use rekindle_classify::rows::{self, BLOCK, Row, ZEROS};
use rekindle_classify::{Score, Truth, class_loss, class_sums, deal, largest};
use rekindle_compute::KernelPath;
use rekindle_gates::soft::Coefficients;

use crate::kernels::{self, Backward};
use crate::shape::{Shape, StageShape};
use crate::state::State;

/// What a pass over examples reads.
pub(crate) struct Network<'a> {
    pub path: KernelPath,
    pub shape: &'a Shape,
    pub state: &'a State,
    pub coefficients: &'a [Coefficients],
    pub temperature: f32,
}

/// The examples of a block: what the network reads of them, and what is right.
pub(crate) struct Block<'a> {
    /// The levels of each example, shifted if that is asked for; at most [`BLOCK`].
    pub levels: &'a [Vec<u8>],
    /// The class of each.
    pub class: &'a [u16],
}

/// The buffers of a thread.
pub(crate) struct Scratch {
    /// The levels of a block, input by input.
    levels: Vec<[u8; BLOCK]>,
    /// What the network reads, then the outputs of each stage; behind each a row of zeros.
    values: Vec<Vec<Row>>,
    /// The gradients of the outputs of even and odd stages, and a row more.
    gradients: [Vec<Row>; 2],
    /// By class.
    sums: Vec<Row>,
}

impl Scratch {
    /// Buffers for examples of so many inputs.
    pub fn new(shape: &Shape, inputs: usize) -> Self {
        let rows = |count: usize| vec![ZEROS; count + 1];
        let outputs = shape.stages.iter().map(|stage| rows(stage.outputs()));
        let widest = shape.widest();
        Self {
            levels: vec![[0; BLOCK]; inputs],
            values: std::iter::once(rows(shape.inputs)).chain(outputs).collect(),
            gradients: [rows(widest), rows(widest)],
            sums: vec![ZEROS; shape.classes],
        }
    }

    /// What [`new`](Self::new) takes: bytes.
    pub fn bytes(shape: &Shape, inputs: usize) -> u64 {
        let outputs: usize = shape.stages.iter().map(StageShape::outputs).sum();
        let rows = shape.inputs + outputs + 2 * shape.widest() + shape.classes + shape.stages.len() + 3;
        (rows * size_of::<Row>() + inputs * BLOCK) as u64
    }
}

impl Network<'_> {
    /// How it does on a block, and the gradients of the outputs of each class, which stay in the buffers.
    pub fn score(&self, scratch: &mut Scratch, block: &Block<'_>, weight: f32) -> Score {
        let count = block.levels.len();
        self.read(scratch, block.levels);
        self.forward(scratch);
        let Scratch { values, sums, .. } = scratch;
        let outputs = &values[self.shape.stages.len()][..self.shape.outputs()];
        class_sums(self.path, outputs, sums);
        let mut class = [0; BLOCK];
        class[..count].copy_from_slice(block.class);
        let right = (0..count).filter(|&example| largest(sums, example) == class[example]).count() as u64;
        let truth = Truth { class, count, temperature: self.temperature, weight };
        let mut loss = 0.0;
        class_loss(self.path, sums, &truth, &mut loss);
        Score { loss, right, count: count as u64 }
    }

    /// The same, and adds to the gradients of all coefficients.
    pub fn learn(
        &self,
        scratch: &mut Scratch,
        block: &Block<'_>,
        weight: f32,
        gradients: &mut [Coefficients],
    ) -> Score {
        let score = self.score(scratch, block, weight);
        self.backward(scratch, gradients);
        score
    }

    /// Turns levels into what the network reads.
    fn read(&self, scratch: &mut Scratch, levels: &[Vec<u8>]) {
        let Scratch { levels: by_input, values, .. } = scratch;
        for (example, levels) in levels.iter().enumerate() {
            for (by_input, &level) in by_input.iter_mut().zip(levels) {
                by_input[example] = level;
            }
        }
        let bits = self.state.preparation.thermometers.bits;
        for (row, &used) in values[0].iter_mut().zip(&self.state.preparation.used) {
            *row = rows::exceeding(&by_input[(used / bits) as usize], (used % bits) as u8);
        }
    }

    fn forward(&self, scratch: &mut Scratch) {
        let ranges = self.shape.gate_ranges();
        for (index, (stage, range)) in self.shape.stages.iter().zip(ranges).enumerate() {
            let (before, after) = scratch.values.split_at_mut(index + 1);
            let (inputs, outputs) = (&before[index], &mut after[0][..stage.outputs()]);
            let wires = &self.state.layers[index].wires;
            let coefficients = &self.coefficients[range];
            match stage {
                StageShape::Trees(trees) => {
                    kernels::forward_trees(self.path, trees, wires, coefficients, inputs, outputs);
                }
                StageShape::Layer(_) => {
                    let wires = wires.as_chunks().0;
                    kernels::forward_layer(self.path, wires, coefficients, inputs, outputs);
                }
            }
        }
    }

    /// From the gradients of the outputs of each class.
    fn backward(&self, scratch: &mut Scratch, gradients: &mut [Coefficients]) {
        let Scratch { values, gradients: [even, odd], sums, .. } = scratch;
        let last = self.shape.stages.len() - 1;
        let outputs = self.shape.outputs();
        let buffer = if last.is_multiple_of(2) { &mut *even } else { &mut *odd };
        deal(sums, &mut buffer[..outputs]);
        let ranges: Vec<_> = self.shape.gate_ranges().collect();
        for (index, stage) in self.shape.stages.iter().enumerate().rev() {
            let (own, before) =
                if index.is_multiple_of(2) { (&*even, &mut *odd) } else { (&*odd, &mut *even) };
            let own = &own[..stage.outputs()];
            let coefficients = &self.coefficients[ranges[index].clone()];
            let gradients = &mut gradients[ranges[index].clone()];
            let (inputs, wires) = (&values[index], &self.state.layers[index].wires);
            // What is read are no outputs of gates: nobody needs their gradients.
            let before = (index > 0).then(|| {
                let before = &mut before[..inputs.len()];
                before.fill(ZEROS);
                before
            });
            match stage {
                StageShape::Trees(shape) => {
                    let outputs = &values[index + 1];
                    let pass = Backward { shape, wires, coefficients, inputs, outputs, gradients: own };
                    kernels::backward_trees(self.path, &pass, before, gradients);
                }
                StageShape::Layer(_) => {
                    let wires = wires.as_chunks().0;
                    kernels::backward_layer(self.path, wires, coefficients, inputs, own, before, gradients);
                }
            }
        }
    }
}
