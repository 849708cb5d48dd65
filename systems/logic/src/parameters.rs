//! From logits to the coefficients of soft gates, and from their gradient back to new logits.

use std::ops::Range;

use rekindle_compute::{AdamW, KernelPath, Pool, rng};
use rekindle_gates::gate::GATES;
use rekindle_gates::soft::{self, Coefficients, Shares};

use crate::config::Training;
use crate::rollout::Rollout;
use crate::state::State;
use crate::streams;

/// The buffers and settings of all gates' parameters.
pub(crate) struct Parameters {
    adamw: AdamW,
    clip: f32,
    layers: Vec<LayerBuffers>,
    coefficients: Vec<Coefficients>,
}

/// Gumbel noise to add to the logits of one epoch.
#[derive(Clone, Copy)]
pub(crate) struct Noise {
    pub(crate) seed: u64,
    pub(crate) epoch: u64,
    pub(crate) scale: f32,
}

/// The buffers of one layer's parameters.
struct LayerBuffers {
    /// The layer's gates among all gates with parameters.
    gates: Range<usize>,
    shares: Vec<Shares>,
    noisy_logits: Vec<f32>,
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

    /// Computes the coefficients of every gate.
    pub(crate) fn soften(&mut self, pool: &Pool, path: KernelPath, state: &State, noise: Option<Noise>) {
        let mut rest = self.coefficients.as_mut_slice();
        let layers = state.perception.layers.iter().chain(&state.update.layers);
        let mut work: Vec<_> = layers
            .zip(&mut self.layers)
            .map(|(layer, buffers)| {
                let coefficients = rest.split_off_mut(..buffers.gates.len()).unwrap_or_default();
                (&layer.logits, buffers, coefficients)
            })
            .collect();
        pool.for_each(&mut work, |index, (logits, buffers, coefficients)| {
            let LayerBuffers { shares, noisy_logits, .. } = &mut **buffers;
            let logits = match noise {
                None => logits.as_slice(),
                Some(noise) => {
                    noise.add(path, logits, index, noisy_logits);
                    noisy_logits.as_slice()
                }
            };
            soft::soften(path, logits, shares, coefficients);
        });
    }

    /// Takes the gradient that a rollout has left and makes one step of the optimiser.
    pub(crate) fn update(
        &mut self,
        pool: &Pool,
        path: KernelPath,
        state: &mut State,
        rollout: &Rollout,
        rate: f64,
    ) {
        let step = state.attempt_epochs() + 1;
        let Self { adamw, clip, layers, .. } = self;
        let adamw = AdamW { learning_rate: rate, ..*adamw };
        let states = state.perception.layers.iter_mut().chain(&mut state.update.layers);
        let moments = state.optimizer.perception.iter_mut().chain(&mut state.optimizer.update);
        let mut work: Vec<_> = states.zip(moments).zip(layers).collect();
        pool.for_each(&mut work, |_, ((layer, moments), buffers)| {
            let LayerBuffers { gates, shares, coefficient_gradient, gradient, .. } = &mut **buffers;
            rollout.gradient(path, gates.clone(), coefficient_gradient);
            soft::logit_gradient(path, shares, coefficient_gradient, gradient);
            soft::clip(path, gradient, *clip);
            adamw.update(path, step, &mut layer.logits, gradient, moments);
        });
    }
}

impl Noise {
    /// The logits of one layer with noise that is drawn for the layer and the epoch.
    fn add(self, path: KernelPath, logits: &[f32], layer: usize, noisy_logits: &mut [f32]) {
        let mut stream = rng::stream(self.seed, streams::NOISE + layer as u64, self.epoch);
        noisy_logits.fill_with(|| stream.uniform());
        soft::add_gumbel(path, noisy_logits, logits, self.scale);
    }
}

impl LayerBuffers {
    fn new(gates: Range<usize>) -> Self {
        let count = gates.len();
        Self {
            gates,
            shares: vec![Shares::default(); count.div_ceil(GATES)],
            noisy_logits: vec![0.0; count * GATES],
            coefficient_gradient: vec![[0.0; 4]; count],
            gradient: vec![0.0; count * GATES],
        }
    }
}
