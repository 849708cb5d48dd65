//! From logits to the coefficients of soft gates, and from their gradient back to new logits.

use rekindle_classify::Schedule;
use rekindle_compute::{AdamW, KernelPath, Pool};
use rekindle_gates::gate::GATES;
use rekindle_gates::soft::{self, Coefficients, Shares};

use crate::config::Training;
use crate::shape::Shape;
use crate::state::{Layer, State};

/// Gates that a thread works on at a time: as many as fit the first-level cache with their gradients.
const PART: usize = 256;

/// The buffers and settings of all gates' parameters.
pub(crate) struct Parameters {
    adamw: AdamW,
    schedule: Schedule,
    steps: u64,
    coefficients: Vec<Coefficients>,
    /// By stage.
    shares: Vec<Vec<Shares>>,
}

/// Some gates of a stage.
struct Part<'a> {
    logits: &'a mut [f32],
    first_moment: &'a mut [f32],
    second_moment: &'a mut [f32],
    shares: &'a mut [Shares],
    /// The place of the first among all gates.
    first: usize,
}

impl Parameters {
    pub fn new(training: &Training, shape: &Shape, steps: u64) -> Self {
        let Training { learning_rate, betas, epsilon, weight_decay, schedule, .. } = *training;
        let shares = shape.stages.iter().map(|stage| vec![Shares::default(); stage.gates().div_ceil(GATES)]);
        Self {
            adamw: AdamW { learning_rate, betas, epsilon, weight_decay },
            schedule,
            steps,
            coefficients: vec![[0.0; 4]; shape.gates()],
            shares: shares.collect(),
        }
    }

    /// The coefficients of every gate, as [`Parameters::soften`] left them.
    pub fn coefficients(&self) -> &[Coefficients] {
        &self.coefficients
    }

    /// Computes the coefficients of every gate.
    pub fn soften(&mut self, pool: &Pool, path: KernelPath, state: &State) {
        let mut rest = self.coefficients.as_mut_slice();
        let mut parts = Vec::new();
        for (layer, shares) in state.layers.iter().zip(&mut self.shares) {
            let gates = layer.logits.len() / GATES;
            let coefficients = rest.split_off_mut(..gates).unwrap_or_default();
            let logits = layer.logits.chunks(PART * GATES);
            let shares = shares.chunks_mut(PART / GATES);
            parts.extend(logits.zip(shares).zip(coefficients.chunks_mut(PART)));
        }
        pool.for_each(&mut parts, |_, ((logits, shares), coefficients)| {
            soft::soften(path, logits, shares, coefficients);
        });
    }

    /// Adds up the gradients of the coefficients in the order that they are given in, and makes one step of
    /// the optimiser.
    pub fn update(
        &mut self,
        pool: &Pool,
        path: KernelPath,
        state: &mut State,
        gradients: &[&[Coefficients]],
    ) {
        let step = state.step + 1;
        let learning_rate = self.schedule.rate(self.adamw.learning_rate, state.step, self.steps);
        let adamw = AdamW { learning_rate, ..self.adamw };
        let mut parts = Vec::new();
        let mut first = 0;
        for (layer, shares) in state.layers.iter_mut().zip(&mut self.shares) {
            let gates = layer.logits.len() / GATES;
            parts.extend(parts_of(layer, shares, first));
            first += gates;
        }
        pool.for_each(&mut parts, |_, part| {
            let gates = part.logits.len() / GATES;
            let mut sum = [[0.0; 4]; PART];
            let mut gradient = [0.0; PART * GATES];
            let (sum, gradient) = (&mut sum[..gates], &mut gradient[..gates * GATES]);
            for gradients in gradients {
                add(sum, &gradients[part.first..part.first + gates]);
            }
            soft::logit_gradient(path, part.shares, sum, gradient);
            let Part { logits, first_moment, second_moment, .. } = part;
            adamw.update_scaled(path, step, 1.0, logits, gradient, first_moment, second_moment);
        });
    }
}

fn parts_of<'a>(
    layer: &'a mut Layer,
    shares: &'a mut [Shares],
    first: usize,
) -> impl Iterator<Item = Part<'a>> {
    let Layer { logits, first_moment, second_moment, .. } = layer;
    let moments = first_moment.chunks_mut(PART * GATES).zip(second_moment.chunks_mut(PART * GATES));
    let parts = logits.chunks_mut(PART * GATES).zip(moments).zip(shares.chunks_mut(PART / GATES));
    parts.enumerate().map(move |(index, ((logits, (first_moment, second_moment)), shares))| Part {
        logits,
        first_moment,
        second_moment,
        shares,
        first: first + index * PART,
    })
}

fn add(sum: &mut [Coefficients], gradient: &[Coefficients]) {
    for (sum, gradient) in sum.as_flattened_mut().iter_mut().zip(gradient.as_flattened()) {
        *sum += gradient;
    }
}
