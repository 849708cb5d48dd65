//! What an engine shows for what it says.

mod check;
mod derivation;
mod grounding;
mod model;
mod refutation;
mod written;

use serde::{Deserialize, Serialize};

pub use check::{CheckError, check, check_model, check_proof};
pub use derivation::{Derivation, Inference};
pub(crate) use grounding::{Clauses, NoClauses, ground};
pub use model::{Interpretation, Model};
pub use refutation::{Refutation, RefutationStep};
pub use written::written;

/// Why a goal follows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// The goal's negation contradicts the knowledge: clauses, each of which follows from those before it, down to the empty one.
    Refutation(Refutation),
    /// Facts and rules that lead to the goal.
    Derivation(Derivation),
    /// In a closed world: one in which all facts and rules hold, and what the goal denies does not.
    NotDerivable(Interpretation),
    /// Another program says so. Nothing of it is checked.
    External {
        /// The program and its version.
        program: String,
    },
}
