//! Where the algorithm of the Juniper project is.

use rekindle_train::StateMismatch;
use serde::{Deserialize, Serialize};

use crate::candidates::Candidates;
use crate::config::Juniper;
use crate::data::Preparation;
use crate::network::Network;

/// Where Juniper's algorithm is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JuniperState {
    /// The phase.
    pub phase: Phase,
    /// The smallest loss after a growth on the examples that are chosen by (on those that are learnt where
    /// there are no others).
    pub best_loss: Option<f64>,
    /// Growths since then.
    pub growths_without_gain: u32,
}

/// A phase of the algorithm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Phase {
    /// The output layer is trained.
    Output(OutputPhase),
    /// Candidates are trained.
    Candidates(CandidatePhase),
}

/// Training of the output layer, with a fresh optimiser.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct OutputPhase {
    /// Epochs of this phase.
    pub epochs: u32,
    /// Adam's moments of the output weights; empty before the first epoch.
    #[serde(with = "rekindle::growing")]
    pub first_moment: Vec<f32>,
    /// As the first.
    #[serde(with = "rekindle::growing")]
    pub second_moment: Vec<f32>,
}

/// Training of candidates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CandidatePhase {
    /// Epochs of this phase.
    pub epochs: u32,
    /// The candidates.
    pub candidates: Candidates,
    /// The weights with which each candidate correlated best.
    #[serde(with = "rekindle::growing")]
    pub best_weights: Vec<f32>,
    /// The best correlation of each candidate, signed.
    #[serde(with = "rekindle::growing")]
    pub best_correlations: Vec<f32>,
    /// Epochs of each candidate since then.
    #[serde(with = "rekindle::growing")]
    pub epochs_without_gain: Vec<u32>,
    /// `o - t`, output by output.
    #[serde(with = "rekindle::growing")]
    pub errors: Vec<f32>,
    /// The mean squared error before this growth.
    pub loss: f64,
}

impl JuniperState {
    pub(crate) fn new() -> Self {
        Self { phase: Phase::Output(OutputPhase::default()), best_loss: None, growths_without_gain: 0 }
    }

    /// Checks that this fits the network, the examples and the config.
    pub(crate) fn check(
        &self,
        network: &Network,
        preparation: &Preparation,
        method: &Juniper,
    ) -> Result<(), StateMismatch> {
        let (pool, outputs) = (method.pool as usize, network.outputs as usize);
        let weights = pool * network.units();
        let lengths = match &self.phase {
            // An optimiser that has not begun remembers nothing.
            Phase::Output(phase) => {
                let moments = if phase.epochs == 0 { 0 } else { network.output_weights.len() };
                vec![(phase.first_moment.len(), moments), (phase.second_moment.len(), moments)]
            }
            Phase::Candidates(phase) => vec![
                (phase.candidates.count as usize, pool),
                (phase.candidates.weights.len(), weights),
                (phase.best_weights.len(), weights),
                (phase.best_correlations.len(), pool),
                (phase.epochs_without_gain.len(), pool),
                (phase.errors.len(), preparation.examples as usize * outputs),
            ],
        };
        StateMismatch::require(lengths.into_iter().all(|(found, expected)| found == expected), || {
            "the optimiser or the pool is of another size than the network needs".to_owned()
        })
    }
}
