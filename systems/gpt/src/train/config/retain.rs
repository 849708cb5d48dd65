//! What keeps a phase from replacing what was learnt before it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::require;
use crate::error::GptError;

/// What keeps a phase from replacing what was learnt before it. All of it can be combined.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Retain {
    /// Share of the sequences that are examples of what was learnt before, which the state keeps.
    pub replay: f64,
    /// Share of the sequences that are texts which the model made itself before the phase began: nothing that was learnt
    /// need be there any more.
    pub self_replay: f64,
    /// Elastic weight consolidation (Kirkpatrick and others, "Overcoming catastrophic forgetting", 2017): how strongly
    /// parameters are held where they matter to what was learnt before; 0 for not at all. 1 weighs a token of what was learnt
    /// as much as one that is being learnt.
    pub ewc: f64,
    /// Examples that are kept, and texts that are made, at most.
    pub examples: u32,
}

impl Default for Retain {
    fn default() -> Self {
        Self { replay: 0.0, self_replay: 0.0, ewc: 0.0, examples: 1000 }
    }
}

impl Retain {
    pub(super) fn validate(&self, path: &str, adapts: bool) -> Result<(), GptError> {
        let at = |name: &str| format!("{path}.retain.{name}");
        let Self { replay, self_replay, ewc, examples } = *self;
        for (name, share) in [("replay", replay), ("self_replay", self_replay)] {
            require((0.0..=0.9).contains(&share), at(name), share, "from 0 to 0.9 is possible")?;
        }
        let reason = "together with `replay` it leaves nothing to learn";
        require(replay + self_replay <= 0.95, at("self_replay"), self_replay, reason)?;
        require((0.0..=1e9).contains(&ewc), at("ewc"), ewc, "from 0 to 1e9 is possible")?;
        let is_possible = (1..=1_000_000).contains(&examples);
        require(is_possible, at("examples"), examples, "from 1 to 1000000 is possible")?;
        let reason =
            "a vocabulary that changes moves the parameters that are held; leave out `training.adapt`";
        require(ewc == 0.0 || !adapts, at("ewc"), ewc, reason)
    }
}
