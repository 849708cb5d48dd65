//! What a checkpoint holds.

pub(crate) mod fahlman;
pub(crate) mod juniper;

use rekindle_compute::rng;
use rekindle_train::StateMismatch;
use serde::{Deserialize, Serialize};

use crate::config::{Method, Model, Training};
use crate::data::Preparation;
use crate::error::CascorError;
use crate::network::Network;
use crate::streams;

pub(crate) use fahlman::FahlmanState;
pub(crate) use juniper::JuniperState;

/// All that training needs to go on, after any epoch of any phase.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Steps done: epochs of all phases, and the look that finds no error left.
    pub step: u64,
    /// Epochs of all phases, as they are counted in the literature.
    pub epochs: u64,
    /// The examples: what they are, and how they are prepared.
    pub preparation: Preparation,
    /// The network.
    pub network: Network,
    /// How it grew, a row for each hidden unit that was installed.
    pub growth: Vec<Growth>,
    /// Where training is.
    pub trainer: TrainerState,
    /// Set when training has ended.
    pub ending: Option<Ending>,
}

/// One growth of the network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Growth {
    /// Epochs when the unit was installed.
    pub epochs: u64,
    /// Mean squared error of the outputs before.
    pub loss: f64,
    /// Share of the examples that were told apart, before; for numbers the share of their variance
    /// that was explained.
    pub accuracy: f64,
    /// Loss on the examples that are chosen by, before; absent without any.
    #[serde(rename = "validation_loss")]
    pub select_loss: Option<f64>,
    /// Accuracy on the examples that are chosen by, before.
    #[serde(rename = "validation_accuracy")]
    pub select_accuracy: Option<f64>,
    /// What the unit scored as a candidate.
    pub score: f64,
    /// Which candidate it was.
    pub candidate: u32,
}

/// Where training is, by the method.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum TrainerState {
    /// Fahlman and Lebiere's.
    Fahlman(FahlmanState),
    /// Juniper's.
    Juniper(JuniperState),
}

/// Why training has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ending {
    /// No output is further from its target than the threshold.
    Solved,
    /// The target accuracy is reached.
    TargetAccuracy,
    /// The network has as many hidden units as it may.
    MaxHidden,
    /// The loss on the examples that are chosen by no longer falls.
    Patience,
    /// No candidate correlates with the errors.
    NoCorrelation,
}

impl State {
    /// The state before the first epoch.
    ///
    /// # Errors
    /// When a value of the config is out of its range.
    pub fn new(
        model: &Model,
        training: &Training,
        preparation: Preparation,
        seed: u64,
    ) -> Result<Self, CascorError> {
        model.validate()?;
        training.validate()?;
        let (inputs, outputs) = (preparation.inputs.len(), preparation.outputs());
        let count = (1 + inputs) * outputs;
        let mut stream = rng::stream(seed, streams::OUTPUT_WEIGHTS, 0);
        let (output_weights, trainer) = match &training.method {
            Method::Fahlman(method) => {
                let range = method.weight_range as f32;
                let weights = (0..count).map(|_| range * (2.0 * stream.uniform() - 1.0)).collect();
                (weights, TrainerState::Fahlman(FahlmanState::new(method)))
            }
            Method::Juniper(_) => {
                let weights = (0..count).map(|_| 0.1 * stream.normal()).collect();
                (weights, TrainerState::Juniper(JuniperState::new()))
            }
        };
        Ok(Self {
            step: 0,
            epochs: 0,
            preparation,
            network: Network {
                inputs: inputs as u32,
                outputs: outputs as u32,
                hidden: Vec::new(),
                output_weights,
            },
            growth: Vec::new(),
            trainer,
            ending: None,
        })
    }

    /// Checks that all parts fit each other and the config.
    ///
    /// # Errors
    /// Says what does not fit.
    pub fn validate(&self, model: &Model, training: &Training) -> Result<(), CascorError> {
        model.validate()?;
        training.validate()?;
        let (network, preparation) = (&self.network, &self.preparation);
        network.check()?;
        let expected = (preparation.inputs.len(), preparation.outputs());
        let found = (network.inputs as usize, network.outputs as usize);
        StateMismatch::require(found == expected, || {
            format!(
                "the network has {} inputs and {} outputs, its examples have {} and {}",
                found.0, found.1, expected.0, expected.1
            )
        })?;
        match (&self.trainer, &training.method) {
            (TrainerState::Fahlman(state), Method::Fahlman(method)) => {
                state.check(network, preparation, method)?;
            }
            (TrainerState::Juniper(state), Method::Juniper(method)) => {
                state.check(network, preparation, method)?;
            }
            _ => {
                let reason = "it was trained by another method".to_owned();
                return Err(StateMismatch::Contradiction(reason).into());
            }
        }
        Ok(())
    }

    /// The cycle of growth: how many hidden units there are.
    pub(crate) fn cycle(&self) -> u64 {
        self.network.hidden.len() as u64
    }
}
