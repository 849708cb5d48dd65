//! Where Fahlman's algorithm is.

use rekindle_train::{Patience, StateMismatch};
use serde::{Deserialize, Serialize};

use crate::candidates::Candidates;
use crate::config::Fahlman;
use crate::data::Preparation;
use crate::network::Network;
use crate::quickprop::Memory;

/// Where Fahlman's algorithm is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FahlmanState {
    /// What quickprop remembers of the output layer: it goes on where the last phase stopped.
    pub output_memory: Memory,
    /// The phase.
    pub phase: Phase,
    /// What is known of the losses by which growing ends; absent before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patience: Option<Patience>,
}

/// A phase of the algorithm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Phase {
    /// The output layer is trained.
    Output(Stagnation),
    /// Candidates are trained.
    Candidates(CandidatePhase),
}

/// Tells when training no longer changes anything.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stagnation {
    /// Epochs of this phase.
    pub epochs: u32,
    /// The last value that counted as a change; absent before the first.
    pub last: Option<f32>,
    /// Without a change the phase ends at this epoch, of all phases.
    pub quit_at: u64,
}

/// Training of candidates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CandidatePhase {
    /// When it ends.
    pub stagnation: Stagnation,
    /// The correlations are known: the first epoch only finds them.
    pub primed: bool,
    /// The candidates.
    pub candidates: Candidates,
    /// What quickprop remembers of them.
    pub memory: Memory,
    /// Covariance of each candidate with the errors of each output, divided by the sum of their
    /// squares: from the epoch before, whose signs this epoch climbs.
    #[serde(with = "rekindle::growing")]
    pub correlations: Vec<f32>,
    /// The errors of the output layer, `(o - t) f'(o)`, output by output: of the last epoch of its
    /// training, before its last step.
    #[serde(with = "rekindle::growing")]
    pub errors: Vec<f32>,
    /// The sum of each output's errors.
    pub error_sums: Vec<f32>,
    /// The sum of the squares of all errors.
    pub error_squares: f32,
    /// The mean squared error before this growth.
    pub loss: f64,
}

impl Stagnation {
    pub(crate) fn new(epoch: u64, patience: u32) -> Self {
        Self { epochs: 0, last: None, quit_at: epoch + u64::from(patience) }
    }
}

impl FahlmanState {
    pub(crate) fn new(method: &Fahlman) -> Self {
        Self {
            output_memory: Memory::default(),
            phase: Phase::Output(Stagnation::new(0, method.output.patience)),
            patience: None,
        }
    }

    /// Checks that this fits the network, the examples and the config.
    pub(crate) fn check(
        &self,
        network: &Network,
        preparation: &Preparation,
        method: &Fahlman,
    ) -> Result<(), StateMismatch> {
        // An optimiser that has not begun remembers nothing.
        let expected = if self.output_memory.deltas.is_empty() { 0 } else { network.output_weights.len() };
        let Memory { deltas, previous_slopes } = &self.output_memory;
        StateMismatch::require(deltas.len() == expected && previous_slopes.len() == expected, || {
            "the optimiser of the output layer remembers another number of weights".to_owned()
        })?;
        match &self.phase {
            Phase::Output(_) => Ok(()),
            Phase::Candidates(phase) => phase.check(network, preparation, method),
        }
    }
}

impl CandidatePhase {
    fn check(
        &self,
        network: &Network,
        preparation: &Preparation,
        method: &Fahlman,
    ) -> Result<(), StateMismatch> {
        let (pool, outputs) = (method.pool as usize, network.outputs as usize);
        let weights = pool * network.units();
        let lengths = [
            (self.candidates.count as usize, pool),
            (self.candidates.weights.len(), weights),
            (self.memory.deltas.len(), weights),
            (self.memory.previous_slopes.len(), weights),
            (self.correlations.len(), pool * outputs),
            (self.errors.len(), preparation.examples as usize * outputs),
            (self.error_sums.len(), outputs),
        ];
        StateMismatch::require(lengths.into_iter().all(|(found, expected)| found == expected), || {
            "the pool of candidates is of another size than the config says".to_owned()
        })
    }
}
