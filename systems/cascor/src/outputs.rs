//! An epoch of the output layer, part by part.

use rekindle_compute::{KernelPath, Pool};

use crate::columns::Columns;
use crate::output_kernels::{OutputPart, OutputTask, output_part};
use crate::parts::{self, Parts};

/// Computes epochs of the output layer; holds nothing that must be saved.
pub(crate) struct OutputRunner {
    path: KernelPath,
    parts: Vec<OutputPart>,
}

/// What an epoch comes to.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct OutputSums {
    /// The sum of each output's errors `(o - t) f'(o)`.
    pub errors: Vec<f32>,
    /// The sum of the squares of all errors.
    pub squares: f32,
    /// The sum of `(o - t)^2`.
    pub loss: f32,
    /// Outputs that are too far from their targets.
    pub error_bits: u32,
    /// By unit and output.
    pub slopes: Vec<f32>,
}

impl OutputRunner {
    pub fn new(path: KernelPath) -> Self {
        Self { path, parts: Vec::new() }
    }

    /// Computes an epoch.
    pub fn run(&mut self, pool: &Pool, task: &OutputTask<'_>) -> OutputSums {
        let split = Parts::of(task.units);
        self.parts.resize_with(split.len(), OutputPart::default);
        let (path, work) = (self.path, task.units.cases() * task.weights.len());
        parts::for_each(pool, work, &mut self.parts, |index, part| {
            output_part(path, task, split.blocks(index), part);
        });
        let mut sums = OutputSums {
            errors: vec![0.0; task.targets.len()],
            slopes: vec![0.0; task.weights.len()],
            ..OutputSums::default()
        };
        for part in &self.parts {
            sums.errors.iter_mut().zip(&part.sums).for_each(|(sum, term)| *sum += term);
            sums.slopes.iter_mut().zip(&part.slopes).for_each(|(sum, term)| *sum += term);
            sums.squares += part.squares;
            sums.loss += part.loss;
            sums.error_bits += part.error_bits;
        }
        sums
    }

    /// The errors of the last epoch, one after the other: output by output.
    pub fn errors(&self, targets: &Columns) -> Vec<f32> {
        let (outputs, cases) = (targets.len(), targets.cases());
        let mut errors = Vec::with_capacity(outputs * cases);
        for output in 0..outputs {
            let blocks = self.parts.iter().flat_map(|part| {
                let blocks = part.errors.len() / outputs;
                &part.errors[output * blocks..][..blocks]
            });
            errors.extend(blocks.flat_map(|block| block.0).take(cases));
        }
        errors
    }
}
