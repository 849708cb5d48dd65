//! From logits to the coefficients of soft gates, and from their gradient back to new logits.

use std::ops::Range;

use rekindle_compute::{AdamW, KernelPath, Pool};

use crate::config::Training;
use crate::gate::GATES;
use crate::kernels::{self, Coefficients, Shares};
use crate::rollout::Rollout;
use crate::state::State;

/// The buffers and settings of all gates' parameters.
pub(crate) struct Parameters {
    adamw: AdamW,
    clip: f32,
    layers: Vec<LayerBuffers>,
    coefficients: Vec<Coefficients>,
}

/// The buffers of one layer's parameters.
struct LayerBuffers {
    /// The layer's gates among all gates with parameters.
    gates: Range<usize>,
    shares: Vec<Shares>,
    coefficient_gradient: Vec<Coefficients>,
    gradient: Vec<f32>,
}

impl Parameters {
    pub(crate) fn new(training: &Training, state: &State) -> Self {
        let mut first = 0;
        let layers = state.perception.layers.iter().chain(&state.update.layers);
        let layers: Vec<_> = layers
            .map(|layer| {
                let gates = first..first + layer.logits.len() / GATES;
                first = gates.end;
                LayerBuffers::new(gates)
            })
            .collect();
        Self {
            adamw: AdamW {
                learning_rate: training.learning_rate,
                betas: training.betas,
                epsilon: training.epsilon,
                weight_decay: training.weight_decay,
            },
            clip: training.clip as f32,
            layers,
            coefficients: vec![[0.0; 4]; first],
        }
    }

    /// The coefficients of every gate, as [`Parameters::soften`] left them.
    pub(crate) fn coefficients(&self) -> &[Coefficients] {
        &self.coefficients
    }

    /// Computes the coefficients of every gate, from the logits times the sharpness.
    pub(crate) fn soften(&mut self, pool: &Pool, path: KernelPath, state: &State, sharpness: f32, hard: bool) {
        let mut rest = self.coefficients.as_mut_slice();
        let layers = state.perception.layers.iter().chain(&state.update.layers);
        let mut work: Vec<_> = layers
            .zip(&mut self.layers)
            .map(|(layer, buffers)| {
                let coefficients = rest.split_off_mut(..buffers.gates.len()).unwrap_or_default();
                (&layer.logits, buffers, coefficients)
            })
            .collect();
        pool.for_each(&mut work, |_, (logits, buffers, coefficients)| {
            let shares = &mut buffers.shares;
            kernels::soften(path, logits, sharpness, shares, coefficients);
            if hard {
                kernels::harden(path, shares, coefficients);
            }
        });
    }

    /// Takes the gradient that a rollout has left and makes one step of the optimiser. The
    /// coefficients must be those that the rollout ran with.
    pub(crate) fn update(
        &mut self,
        pool: &Pool,
        path: KernelPath,
        state: &mut State,
        rollout: &Rollout,
        sharpness: f32,
    ) {
        let step = state.epoch + 1;
        let Self { adamw, clip, layers, .. } = self;
        let states = state.perception.layers.iter_mut().chain(&mut state.update.layers);
        let moments = state.optimizer.perception.iter_mut().chain(&mut state.optimizer.update);
        let mut work: Vec<_> = states.zip(moments).zip(layers).collect();
        pool.for_each(&mut work, |_, ((layer, moments), buffers)| {
            let LayerBuffers { gates, shares, coefficient_gradient, gradient, .. } = &mut **buffers;
            rollout.gradient(path, gates.clone(), coefficient_gradient);
            kernels::logit_gradient(path, shares, coefficient_gradient, sharpness, gradient);
            kernels::clip(path, gradient, *clip);
            adamw.update(path, step, &mut layer.logits, gradient, moments);
        });
    }
}

impl LayerBuffers {
    fn new(gates: Range<usize>) -> Self {
        let count = gates.len();
        Self {
            gates,
            shares: vec![Shares::default(); count.div_ceil(GATES)],
            coefficient_gradient: vec![[0.0; 4]; count],
            gradient: vec![0.0; count * GATES],
        }
    }
}
