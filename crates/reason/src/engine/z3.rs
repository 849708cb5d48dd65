//! Z3, as a process that reads SMT-LIB 2.

mod smtlib;

use super::{Budget, Reason, Reasoner, Verdict, process};
use crate::knowledge::{self, Knowledge, World};
use crate::proof::{Model, Proof};
use crate::syntax::Formula;

/// Asks Z3 (de Moura and Bjorner, "Z3: an efficient SMT solver", 2008), or another program that takes SMT-LIB 2 on its standard input.
///
/// It takes every formula. What it says is not checked.
#[derive(Clone, Debug)]
pub struct Z3 {
    program: String,
    version: String,
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
        let program = program.into();
        let version = process::version(&program);
        Self { program, version }
    }

    /// Whether it is there and says its version.
    pub fn is_there(&self) -> bool {
        !self.version.is_empty()
    }
}

impl Reasoner for Z3 {
    fn name(&self) -> &str {
        NAME
    }

    fn version(&self) -> String {
        self.version.clone()
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
    let answer = process::ask(&z3.program, &["-in", "-smt2"], script, budget.time)?;
    let program = if z3.version.is_empty() { z3.program.clone() } else { z3.version.clone() };
    // What it says before an error counts for nothing.
    match answer.output.trim() {
        "unsat" => Ok(Verdict::Proved(Proof::External { program })),
        "sat" => Ok(Verdict::Refuted(Model::External { program })),
        "unknown" => Err(Reason::GaveUp(program)),
        _ => Err(answer.refused(&z3.program)),
    }
}
