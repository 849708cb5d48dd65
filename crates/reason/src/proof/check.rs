//! The checker: it looks at a proof or model, at the knowledge and at the goal, and trusts no engine.
//!
//! | verdict | what is checked |
//! |---|---|
//! | a refutation | each clause, by the clauses that it names; statements become clauses as they do for the engine |
//! | a derivation | each inference, by its rule and premises; the goal, by what is concluded |
//! | a world | every statement and the goal are evaluated in it |
//! | what another program says | nothing: that is an error here |
//!
//! The checker shares the translation of statements into clauses, and of statements into rules, with the engines; an error
//! there is found only by comparing verdicts with those of other programs.

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;

use super::derivation::matches;
use super::grounding::{NoClauses, ground};
use super::{Derivation, Interpretation, Model, Proof, derivation, refutation};
use crate::engine::{MOST_PREMISES, Verdict};
use crate::knowledge::{self, Knowledge, Query, Rule, World};
use crate::syntax::{Atom, Formula, Term, unfolded};

/// Literals of clauses that a checker makes at most.
const MOST_LITERALS: u64 = 100_000_000;

/// Facts that are tried for the premises of rules at most.
const MOST_MATCHES: u64 = 200_000_000;

/// A proof or model that shows nothing.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum CheckError {
    /// A step of a refutation or derivation is wrong.
    #[error("step {step} {flaw}")]
    Step {
        /// The step, from 0.
        step: usize,
        /// What is wrong with it.
        flaw: &'static str,
    },
    /// A statement does not hold in the world that is to be one in which all do.
    #[error("`{0}` does not hold in the world that was found")]
    Statement(String),
    /// The goal holds where it should not.
    #[error("the goal holds in the world that was found")]
    Goal,
    /// The world is none for such statements.
    #[error("the world that was found is none of the statements: {0}")]
    World(&'static str),
    /// The proof is of another kind than the knowledge or the goal.
    #[error("such a proof does not fit the knowledge or the goal: {0}")]
    Kind(&'static str),
    /// It would take too long.
    #[error("it is too large to be checked")]
    TooLarge,
    /// Another program said so, and showed nothing.
    #[error("`{program}` said so and showed nothing that could be checked")]
    Unchecked {
        /// The program and its version.
        program: String,
    },
}

/// Checks what a verdict rests on. Of an unknown one there is nothing to check.
///
/// # Errors
/// It does not show what it should, or nothing can be checked.
pub fn check(verdict: &Verdict, goal: &Formula, knowledge: &Knowledge) -> Result<(), CheckError> {
    match verdict {
        Verdict::Proved(proof) => check_proof(proof, goal, knowledge),
        Verdict::Refuted(model) => check_model(model, goal, knowledge),
        Verdict::Unknown(_) => Ok(()),
    }
}

/// Checks that a proof shows that a goal follows.
///
/// # Errors
/// It does not, or nothing can be checked.
pub fn check_proof(proof: &Proof, goal: &Formula, knowledge: &Knowledge) -> Result<(), CheckError> {
    takes(goal)?;
    match proof {
        Proof::Refutation(refutation) => {
            if knowledge.world() == World::Closed {
                return Err(CheckError::Kind("clauses say nothing of a closed world"));
            }
            let clauses = ground(knowledge, goal, MOST_LITERALS).map_err(|error| match error {
                NoClauses::TooLarge => CheckError::TooLarge,
                NoClauses::Outside(_) => CheckError::Kind("they cannot be written as clauses"),
            })?;
            let checked = refutation::check(&clauses.clauses, clauses.variables, refutation);
            checked.map_err(|(step, flaw)| CheckError::Step { step, flaw })
        }
        Proof::Derivation(derivation) => check_derivation(derivation, goal, knowledge, false),
        Proof::NotDerivable(world) => {
            let query = query(goal)?;
            if knowledge.world() != World::Closed || !query.is_negated {
                return Err(CheckError::Kind("only in a closed world is false what does not follow"));
            }
            check_closed(world, &query, &rules(knowledge)?)
        }
        Proof::External { program } => Err(CheckError::Unchecked { program: program.clone() }),
    }
}

/// Checks that a model shows that a goal does not follow.
///
/// # Errors
/// It does not, or nothing can be checked.
pub fn check_model(model: &Model, goal: &Formula, knowledge: &Knowledge) -> Result<(), CheckError> {
    takes(goal)?;
    match model {
        Model::Interpretation(world) => check_world(world, goal, knowledge),
        Model::Derivation(derivation) => {
            if knowledge.world() != World::Closed {
                return Err(CheckError::Kind("only in a closed world does a derivation refute anything"));
            }
            check_derivation(derivation, goal, knowledge, true)
        }
        Model::External { program } => Err(CheckError::Unchecked { program: program.clone() }),
    }
}

fn takes(goal: &Formula) -> Result<(), CheckError> {
    knowledge::check(goal)
        .map_err(|_| CheckError::Kind("the goal is nested too deeply, or has a free variable"))
}

fn query(goal: &Formula) -> Result<Query, CheckError> {
    Query::of(goal).ok_or(CheckError::Kind("the goal is no question to rules"))
}

fn rules(knowledge: &Knowledge) -> Result<Vec<Rule>, CheckError> {
    knowledge.rules().map_err(|_| CheckError::Kind("a statement is neither a fact nor a rule"))
}

fn check_derivation(
    derivation: &Derivation,
    goal: &Formula,
    knowledge: &Knowledge,
    is_negated: bool,
) -> Result<(), CheckError> {
    let query = query(goal)?;
    if query.is_negated != is_negated {
        return Err(CheckError::Kind("it concludes the opposite"));
    }
    let checked = derivation::check(&rules(knowledge)?, &query, derivation);
    checked.map_err(|(step, flaw)| CheckError::Step { step, flaw })
}

fn check_world(world: &Interpretation, goal: &Formula, knowledge: &Knowledge) -> Result<(), CheckError> {
    let query = Query::of(goal);
    if let (Ok(rules), Some(query)) = (knowledge.rules(), &query)
        && !query.is_negated
        && world.same.is_empty()
    {
        return check_closed(world, query, &rules);
    }
    if knowledge.world() == World::Closed {
        return Err(CheckError::Kind("a world says nothing of such a goal in a closed world"));
    }
    check_things(world, knowledge.statements().iter().chain([goal]))?;
    for statement in knowledge.statements() {
        if !world.satisfies(statement).map_err(|_| CheckError::TooLarge)? {
            return Err(CheckError::Statement(statement.to_string()));
        }
    }
    match world.satisfies(goal) {
        Ok(false) => Ok(()),
        Ok(true) => Err(CheckError::Goal),
        Err(_) => Err(CheckError::TooLarge),
    }
}

/// Where quantifiers are in play, every term has to stand for one of the things that they range over.
fn check_things<'a>(
    world: &Interpretation,
    all: impl Iterator<Item = &'a Formula>,
) -> Result<(), CheckError> {
    let all: Vec<Formula> = all.map(unfolded).collect();
    let parts = || all.iter().flat_map(Formula::subformulas);
    if !parts().any(|part| matches!(part, Formula::Quantified(..))) {
        return Ok(());
    }
    let things: BTreeSet<&Term> = world.things.iter().collect();
    if things.is_empty() || world.things.iter().any(|thing| world.same.contains_key(thing)) {
        return Err(CheckError::World("it has no things, or one by two terms"));
    }
    for term in all.iter().flat_map(Formula::atoms).flat_map(|atom| &atom.arguments).flat_map(Term::subterms)
    {
        if !term.arguments().is_empty() {
            return Err(CheckError::World("with functions there may be endlessly many things"));
        }
        if term.is_ground() && !things.contains(&world.representative(term)) {
            return Err(CheckError::World("a term stands for nothing"));
        }
    }
    Ok(())
}

/// Checks that all rules hold in a world and that a question has the answer no.
fn check_closed(world: &Interpretation, query: &Query, rules: &[Rule]) -> Result<(), CheckError> {
    if rules
        .iter()
        .map(|rule| rule.body.len())
        .chain([query.atoms.len()])
        .any(|length| length > MOST_PREMISES)
    {
        return Err(CheckError::TooLarge);
    }
    let things: BTreeSet<&Term> = world.things.iter().collect();
    let atoms = rules.iter().flat_map(|rule| rule.body.iter().chain([&rule.head])).chain(&query.atoms);
    for term in atoms.flat_map(|atom| &atom.arguments).flat_map(Term::subterms) {
        if !term.arguments().is_empty() {
            return Err(CheckError::World("with functions there may be endlessly many things"));
        }
        if things.is_empty() || (term.is_ground() && !things.contains(term)) {
            return Err(CheckError::World("a term stands for nothing"));
        }
    }
    let mut facts: BTreeMap<(&str, usize), Vec<&Atom>> = BTreeMap::new();
    for atom in &world.holds {
        facts.entry((&atom.predicate, atom.arguments.len())).or_default().push(atom);
    }
    let mut search = Search { world, facts, room: MOST_MATCHES };
    for rule in rules {
        if search.find(&rule.body, Some(&rule.head), &mut BTreeMap::new())? {
            return Err(CheckError::Statement(rule.to_string()));
        }
    }
    match search.find(&query.atoms, None, &mut BTreeMap::new())? {
        false => Ok(()),
        true => Err(CheckError::Goal),
    }
}

struct Search<'a> {
    world: &'a Interpretation,
    facts: BTreeMap<(&'a str, usize), Vec<&'a Atom>>,
    room: u64,
}

impl<'a> Search<'a> {
    /// Whether there are terms for which all atoms hold and, if there is one, the head does not.
    fn find(
        &mut self,
        atoms: &[Atom],
        head: Option<&Atom>,
        terms: &mut BTreeMap<String, Term>,
    ) -> Result<bool, CheckError> {
        self.room = self.room.checked_sub(1).ok_or(CheckError::TooLarge)?;
        let Some((first, rest)) = atoms.split_first() else {
            return match head {
                None => Ok(true),
                Some(head) => self.is_missing(head, terms),
            };
        };
        let facts =
            self.facts.get(&(first.predicate.as_str(), first.arguments.len())).cloned().unwrap_or_default();
        for fact in facts {
            self.room = self.room.checked_sub(1).ok_or(CheckError::TooLarge)?;
            let mut more = terms.clone();
            if matches(first, fact, &mut more) && self.find(rest, head, &mut more)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether a head does not hold for some things in the place of variables that the body has not.
    fn is_missing(&mut self, head: &Atom, terms: &mut BTreeMap<String, Term>) -> Result<bool, CheckError> {
        let head = head.substituted(terms);
        let variable = head.variables().next().map(str::to_owned);
        let Some(variable) = variable else { return Ok(!self.world.holds.contains(&head)) };
        let world: &'a Interpretation = self.world;
        for thing in &world.things {
            self.room = self.room.checked_sub(1).ok_or(CheckError::TooLarge)?;
            let mut terms = BTreeMap::from([(variable.clone(), thing.clone())]);
            if self.is_missing(&head, &mut terms)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
