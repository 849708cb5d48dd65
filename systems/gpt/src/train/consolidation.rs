//! What parameters are held to while something else is learnt (Kirkpatrick and others, "Overcoming catastrophic
//! forgetting in neural networks", 2017).

use serde::{Deserialize, Serialize};

use crate::model::network::Network;
use crate::model::pass::Sequence;
use crate::train::step::Stepper;

/// What parameters were when something had been learnt, and how much each of them matters to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Consolidation {
    /// What the parameters were.
    pub anchor: Network,
    /// The diagonal of the Fisher information: for each parameter the mean of the squared gradient of a token's loss.
    pub importance: Network,
}

/// Sequences that the importance is measured on, at most.
const SEQUENCES: usize = 256;

impl Consolidation {
    /// Holds a network to what it is, by what matters to some sequences: the first of them.
    pub(crate) fn new(stepper: &mut Stepper, network: &Network, sequences: &[Sequence]) -> Self {
        let mut importance = network.zeros();
        let some = &sequences[..sequences.len().min(SEQUENCES)];
        stepper.add_squared_gradients(network, some, &mut importance);
        Self { anchor: network.clone(), importance }
    }

    /// Whether it is of a network of this form.
    pub(crate) fn fits(&self, network: &Network) -> bool {
        let form = |network: &Network| -> Vec<usize> {
            network.slices().into_iter().map(|(_, array)| array.len()).collect()
        };
        [&self.anchor, &self.importance].into_iter().all(|of| form(of) == form(network))
    }
}
