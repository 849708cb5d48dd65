//! The engine that fits.

use super::{Budget, Horn, Reason, Reasoner, Sat, Verdict, Z3};
use crate::knowledge::{Knowledge, World};
use crate::syntax::Formula;

/// Asks the engines of this crate, and another program where they cannot say: facts and rules first, then SAT, then
/// Z3 where it is there.
#[derive(Clone, Debug, Default)]
pub struct Auto {
    z3: Option<Z3>,
}

impl Auto {
    /// Only the engines of this crate: nothing is started, and verdicts depend on nothing outside.
    pub fn built_in() -> Self {
        Self { z3: None }
    }

    /// Z3 too, for what they cannot say.
    pub fn with_z3(z3: Z3) -> Self {
        Self { z3: Some(z3) }
    }
}

impl Reasoner for Auto {
    fn name(&self) -> &str {
        "auto"
    }

    fn version(&self) -> String {
        let z3 = self.z3.as_ref().map_or_else(String::new, |z3| format!(", {}", z3.version()));
        format!("horn {}, sat {}{z3}", Horn::default().version(), Sat.version())
    }

    fn prove(&mut self, goal: &Formula, knowledge: &Knowledge, budget: Budget) -> Verdict {
        let horn = Horn::default().prove(goal, knowledge, budget);
        let Verdict::Unknown(of_horn) = horn else { return horn };
        if knowledge.world() == World::Closed {
            return Verdict::Unknown(of_horn);
        }
        let sat = Sat.prove(goal, knowledge, budget);
        let Verdict::Unknown(of_sat) = sat else { return sat };
        // Where both had their try, the one that ran out tells more than the one that did not begin.
        let reason = if matches!(of_sat, Reason::Outside { .. }) && !matches!(of_horn, Reason::Outside { .. })
        {
            of_horn
        } else {
            of_sat
        };
        match &mut self.z3 {
            Some(z3) => z3.prove(goal, knowledge, budget),
            None => Verdict::Unknown(reason),
        }
    }
}
