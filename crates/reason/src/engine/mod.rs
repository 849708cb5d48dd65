//! Engines that say whether something follows.

mod auto;
mod horn;
mod process;
mod prolog;
mod sat;
mod z3;

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::knowledge::{Knowledge, StatementError};
use crate::proof::{Model, Proof};
use crate::syntax::Formula;

pub use auto::Auto;
pub use horn::{Direction, Horn};
pub use prolog::Prolog;
pub use sat::Sat;
pub use z3::Z3;

/// Rules with more premises are taken by no engine of this crate.
pub(crate) const MOST_PREMISES: usize = 250;

/// What an engine may spend on one question.
///
/// The engines of this crate count steps, so that a verdict is the same on every machine; the time is for other programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Conflicts of the SAT solver, or applications of a rule.
    pub steps: u64,
    /// Literals of all clauses, atoms of all facts, or nodes of a search: what takes memory.
    pub size: u64,
    /// How long another program may take.
    pub time: Duration,
}

impl Default for Budget {
    fn default() -> Self {
        Self { steps: 2_000_000, size: 20_000_000, time: Duration::from_secs(10) }
    }
}

/// What an engine says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The goal holds wherever the knowledge does; so does every other goal where the knowledge contradicts itself.
    Proved(Proof),
    /// There is a world in which the knowledge holds and the goal does not.
    Refuted(Model),
    /// Neither was found out.
    Unknown(Reason),
}

impl Verdict {
    /// Whether the goal follows; none where that is unknown.
    pub fn follows(&self) -> Option<bool> {
        match self {
            Self::Proved(_) => Some(true),
            Self::Refuted(_) => Some(false),
            Self::Unknown(_) => None,
        }
    }
}

/// Why an engine cannot say whether a goal follows.
#[derive(Clone, Debug, Error, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reason {
    /// What it may spend is spent.
    #[error("no answer within {0}")]
    Budget(String),
    /// The engine does not take such statements.
    #[error("{engine} does not take this: {what}")]
    Outside {
        /// The engine.
        engine: String,
        /// What it does not take.
        what: String,
    },
    /// A program is not there.
    #[error("there is no program `{program}` on the PATH")]
    Missing {
        /// The program.
        program: String,
    },
    /// A program did not answer in time, and was stopped.
    #[error("`{program}` gave no answer in {seconds} s, and was stopped")]
    Timeout {
        /// The program.
        program: String,
        /// How long it had, rounded up.
        seconds: u64,
    },
    /// A program ended without an answer.
    #[error("`{program}` ended without an answer: {how}")]
    Crash {
        /// The program.
        program: String,
        /// How it ended, and what it said.
        how: String,
    },
    /// A program answered something that is no answer.
    #[error("`{program}` answered with what is no answer: {text}")]
    Rubbish {
        /// The program.
        program: String,
        /// The beginning of what it said.
        text: String,
    },
    /// The engine itself gave up.
    #[error("{0} gave up")]
    GaveUp(String),
    /// The goal cannot be worked with.
    #[error("the goal cannot be asked: {0}")]
    Goal(String),
}

impl From<StatementError> for Reason {
    fn from(error: StatementError) -> Self {
        Self::Goal(error.to_string())
    }
}

/// An engine that says whether a goal follows from what is known.
pub trait Reasoner {
    /// Its name.
    fn name(&self) -> &str;

    /// Which version of it answers; of another program, what that says of itself. Empty where the program is missing.
    fn version(&self) -> &str;

    /// Whether the goal follows.
    fn prove(&mut self, goal: &Formula, knowledge: &Knowledge, budget: Budget) -> Verdict;
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Proved(_) => f.write_str("proved"),
            Self::Refuted(_) => f.write_str("refuted"),
            Self::Unknown(reason) => write!(f, "unknown: {reason}"),
        }
    }
}
