//! Z3, as a process that reads SMT-LIB 2.

mod smtlib;

use super::process::Program;
use super::{Budget, Reason, Reasoner, Verdict};
use crate::knowledge::{self, Knowledge, World};
use crate::proof::{Model, Proof};
use crate::syntax::Formula;

/// Asks Z3 (de Moura and Bjorner, "Z3: an efficient SMT solver", 2008), or another program that takes SMT-LIB 2 on its standard input.
///
/// It takes every formula. What it says is not checked.
#[derive(Clone, Debug)]
pub struct Z3 {
    program: Program,
}

const NAME: &str = "z3";

impl Default for Z3 {
    /// The one on the PATH.
    fn default() -> Self {
        Self::at("z3")
    }
}

impl Z3 {
    /// The one of this name or path. It is asked for its version; where it is missing, every verdict says so.
    pub fn at(program: impl Into<String>) -> Self {
        Self { program: Program::at(program.into()) }
    }

    /// Whether it is there and says its version.
    pub fn is_there(&self) -> bool {
        self.program.is_there()
    }
}

impl Reasoner for Z3 {
    fn name(&self) -> &str {
        NAME
    }

    fn version(&self) -> &str {
        self.program.version()
    }

    fn prove(&mut self, goal: &Formula, knowledge: &Knowledge, budget: Budget) -> Verdict {
        decide(self, goal, knowledge, budget).unwrap_or_else(Verdict::Unknown)
    }
}

fn decide(z3: &Z3, goal: &Formula, knowledge: &Knowledge, budget: Budget) -> Result<Verdict, Reason> {
    knowledge::check(goal)?;
    if knowledge.world() == World::Closed {
        return Err(Reason::Outside { engine: NAME.to_owned(), what: "a closed world".to_owned() });
    }
    let script = smtlib::script(knowledge, goal);
    let answer = z3.program.ask(&["-in", "-smt2"], script, budget.time)?;
    let program = z3.program.title();
    // What it says before an error counts for nothing.
    match answer.output.trim() {
        "unsat" => Ok(Verdict::Proved(Proof::External { program })),
        "sat" => Ok(Verdict::Refuted(Model::External { program })),
        "unknown" => Err(Reason::GaveUp(program)),
        _ => Err(z3.program.refused(&answer)),
    }
}
