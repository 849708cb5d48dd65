//! SWI-Prolog, as a process.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::process::Program;
use super::{Budget, Reason, Reasoner, Verdict};
use crate::knowledge::{self, Knowledge, Query, Rule, World, has_functions};
use crate::proof::{Model, Proof};
use crate::syntax::{Atom, Formula, Term};

/// Asks SWI-Prolog (Wielemaker, Schrijvers, Triska and Lager, "SWI-Prolog", 2012) about facts and rules; all predicates are
/// tabled, so that circles end.
///
/// It takes what [`Horn`](super::Horn) takes. What it says is not checked.
#[derive(Clone, Debug)]
pub struct Prolog {
    program: Program,
}

const NAME: &str = "prolog";

impl Default for Prolog {
    /// The one on the PATH.
    fn default() -> Self {
        Self::at("swipl")
    }
}

impl Prolog {
    /// The one of this name or path. It is asked for its version; where it is missing, every verdict says so.
    pub fn at(program: impl Into<String>) -> Self {
        Self { program: Program::at(program.into()) }
    }

    /// Whether it is there and says its version.
    pub fn is_there(&self) -> bool {
        self.program.is_there()
    }
}

impl Reasoner for Prolog {
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

fn decide(prolog: &Prolog, goal: &Formula, knowledge: &Knowledge, budget: Budget) -> Result<Verdict, Reason> {
    knowledge::check(goal)?;
    let outside = |what: String| Reason::Outside { engine: NAME.to_owned(), what };
    let rules = knowledge.rules().map_err(|error| outside(error.to_string()))?;
    let query = Query::of(goal).ok_or_else(|| outside(format!("`{goal}` as a goal")))?;
    if query.is_negated && knowledge.world() == World::Open {
        return Err(outside("a negated goal in an open world".to_owned()));
    }
    // Its own unification makes endless terms of some functions.
    let all = || rules.iter().flat_map(|rule| rule.body.iter().chain([&rule.head])).chain(&query.atoms);
    if all().any(|atom| has_functions(std::slice::from_ref(atom))) {
        return Err(outside("functions".to_owned()));
    }
    let arguments = ["-q", "-f", "none", "-g", "consult(user)", "-t", "halt"];
    let answer = prolog.program.ask(&arguments, program(&rules, &query), budget.time)?;
    let program = prolog.program.title();
    let follows = match answer.output.trim() {
        "true" => true,
        "false" => false,
        _ => return Err(prolog.program.refused(&answer)),
    };
    Ok(match follows != query.is_negated {
        true => Verdict::Proved(Proof::External { program }),
        false => Verdict::Refuted(Model::External { program }),
    })
}

/// Facts and rules with numbers for names, and the question as what is done while they are read.
fn program(rules: &[Rule], query: &Query) -> String {
    let question = Rule { head: Atom::new("", Vec::new()), body: query.atoms.clone() };
    let mut names = Names::default();
    let mut text = String::new();
    for rule in rules {
        let variables = rule.variables();
        // A variable of the head alone stands for any thing.
        let unsafe_ones = variables
            .iter()
            .filter(|name| !rule.body.iter().any(|atom| atom.variables().any(|other| other == **name)));
        let mut body: Vec<String> = rule.body.iter().map(|atom| names.atom(atom, &variables)).collect();
        body.extend(unsafe_ones.map(|name| format!("thing({})", variable(name, &variables))));
        text += &names.atom(&rule.head, &variables);
        if !body.is_empty() {
            // Writing to a text cannot fail.
            let _ = write!(text, " :- {}", body.join(", "));
        }
        text += ".\n";
    }
    let variables = question.variables();
    let goals: Vec<String> = question.body.iter().map(|atom| names.atom(atom, &variables)).collect();
    let mut head = ":- style_check(-singleton), style_check(-discontiguous).\n".to_owned();
    for (&(_, arguments), number) in &names.predicates {
        let _ = writeln!(
            head,
            ":- discontiguous p{number}/{arguments}.\n:- table p{number}/{arguments}.\n:- dynamic p{number}/{arguments}."
        );
    }
    names.constant("something");
    for number in names.constants.values() {
        let _ = writeln!(head, "thing(c{number}).");
    }
    format!("{head}{text}:- ( {} -> write(true) ; write(false) ), nl.\n", goals.join(", "))
}

#[derive(Default)]
struct Names<'a> {
    predicates: BTreeMap<(&'a str, usize), usize>,
    constants: BTreeMap<&'a str, usize>,
}

impl<'a> Names<'a> {
    fn atom(&mut self, atom: &'a Atom, variables: &[&str]) -> String {
        let next = self.predicates.len();
        let number = *self.predicates.entry((&atom.predicate, atom.arguments.len())).or_insert(next);
        let arguments: Vec<String> = atom
            .arguments
            .iter()
            .map(|term| match term {
                Term::Variable(name) => variable(name, variables),
                Term::Function(name, _) => format!("c{}", self.constant(name)),
            })
            .collect();
        match arguments.is_empty() {
            true => format!("p{number}"),
            false => format!("p{number}({})", arguments.join(", ")),
        }
    }

    fn constant(&mut self, name: &'a str) -> usize {
        let next = self.constants.len();
        *self.constants.entry(name).or_insert(next)
    }
}

fn variable(name: &str, variables: &[&str]) -> String {
    format!("X{}", variables.iter().position(|other| *other == name).unwrap_or_default())
}
