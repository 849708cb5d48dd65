//! The engine that fits.

use std::sync::LazyLock;

use super::{Budget, Horn, Reason, Reasoner, Sat, Verdict, Z3};
use crate::knowledge::{Knowledge, World};
use crate::syntax::Formula;

/// Asks the engines of this crate, and another program where they cannot say: facts and rules first, then SAT, then
/// Z3 where it is there.
#[derive(Clone, Debug, Default)]
pub struct Auto {
    /// With the version that it makes of all engines.
    z3: Option<(Z3, String)>,
}

static BUILT_IN: LazyLock<String> =
    LazyLock::new(|| format!("horn {}, sat {}", Horn::default().version(), Sat.version()));

impl Auto {
    /// Only the engines of this crate: nothing is started, and verdicts depend on nothing outside.
    pub fn built_in() -> Self {
        Self { z3: None }
    }

    /// Z3 too, for what they cannot say.
    pub fn with_z3(z3: Z3) -> Self {
        let version = format!("{}, {}", *BUILT_IN, z3.version());
        Self { z3: Some((z3, version)) }
    }
}

impl Reasoner for Auto {
    fn name(&self) -> &str {
        "auto"
    }

    fn version(&self) -> &str {
        self.z3.as_ref().map_or(&BUILT_IN, |(_, version)| version)
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
            Some((z3, _)) => z3.prove(goal, knowledge, budget),
            None => Verdict::Unknown(reason),
        }
    }
}
