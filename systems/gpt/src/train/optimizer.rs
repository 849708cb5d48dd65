//! What the optimiser remembers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::network::Network;

/// The memory of AdamW: moments for each array, and how often what was updated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Optimizer {
    /// Updates of the arrays that do not belong to tokens.
    pub updates: u64,
    /// Updates of the rows of each token. A token that is new has had fewer, so that its moments are
    /// corrected as those of a new row are.
    #[serde(with = "rekindle::growing")]
    pub token_updates: Vec<u64>,
    /// The moments of each array, by its name in [`Network::arrays`].
    pub moments: BTreeMap<String, Moments>,
}

/// The running moments of the gradient of one array, a number for each parameter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Moments {
    /// Running mean of the gradient.
    #[serde(with = "rekindle::growing")]
    pub first: Vec<f32>,
    /// Running mean of the squared gradient.
    #[serde(with = "rekindle::growing")]
    pub second: Vec<f32>,
}

impl Optimizer {
    /// The memory before the first update.
    pub fn new(network: &Network) -> Self {
        let moments = |len| Moments { first: vec![0.0; len], second: vec![0.0; len] };
        let arrays = network.arrays().into_iter();
        Self {
            updates: 0,
            token_updates: vec![0; network.vocabulary()],
            moments: arrays.map(|(name, _, array)| (name, moments(array.len()))).collect(),
        }
    }

    /// Why it is not the memory of an optimiser of this network; nothing when it is.
    pub(crate) fn mismatch(&self, network: &Network) -> Option<String> {
        let (rows, vocabulary) = (self.token_updates.len(), network.vocabulary());
        if rows != vocabulary {
            return Some(format!("the optimizer knows {rows} tokens, the network {vocabulary}"));
        }
        let arrays = network.arrays();
        if let Some(name) = self.moments.keys().find(|&name| !arrays.iter().any(|(known, ..)| known == name))
        {
            return Some(format!("the optimizer has moments for `{name}`, which the network does not have"));
        }
        arrays.iter().find_map(|(name, _, array)| match self.moments.get(name) {
            None => Some(format!("the optimizer has no moments for `{name}`")),
            Some(moments) if moments.first.len() != array.len() || moments.second.len() != array.len() => {
                Some(format!("the moments of `{name}` are not as many as its {} numbers", array.len()))
            }
            Some(_) => None,
        })
    }
}
