//! Facts and rules: definite clauses.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::symbols::Symbol;
use crate::syntax::{Atom, Formula, Quantifier, Term, unfolded};

/// The head holds wherever all of the body does, whatever the variables stand for. Without a body it is a fact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// What follows.
    pub head: Atom,
    /// What it follows from.
    pub body: Vec<Atom>,
}

/// A statement that is neither a fact nor a rule.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("`{statement}` is neither a fact nor a rule with one conclusion")]
pub struct NotDefinite {
    /// The statement.
    pub statement: String,
}

/// A question to facts and rules: whether all atoms hold for some things in the place of the variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// What has to hold together.
    pub atoms: Vec<Atom>,
    /// It is asked whether that is not so.
    pub is_negated: bool,
}

impl Rule {
    /// The definite clauses that a statement is; none where it is something else.
    pub fn of(statement: &Formula) -> Option<Vec<Self>> {
        let statement = unfolded(statement);
        let mut variables = BTreeSet::new();
        let mut inner = &statement;
        while let Formula::Quantified(Quantifier::Forall, variable, body) = inner {
            // A name that is bound twice is two variables.
            if !variables.insert(variable.clone()) {
                return None;
            }
            inner = body;
        }
        match inner {
            Formula::Implies(body, head) => {
                let body = premises(body, &variables)?;
                conclusions(head).map(|heads| rules_of(heads, &body))
            }
            Formula::Or(parts) => clause(parts).map(|rule| vec![rule]),
            _ => conclusions(inner).map(|heads| rules_of(heads, &[])),
        }
    }

    /// All variables, in the order in which they are met.
    pub fn variables(&self) -> Vec<&str> {
        let mut variables = Vec::new();
        for name in self.body.iter().chain([&self.head]).flat_map(Atom::variables) {
            if !variables.contains(&name) {
                variables.push(name);
            }
        }
        variables
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, atom) in self.body.iter().enumerate() {
            write!(f, "{}{atom}", if index == 0 { "" } else { " and " })?;
        }
        if !self.body.is_empty() {
            f.write_str(" implies ")?;
        }
        write!(f, "{}", self.head)
    }
}

impl Query {
    /// The question that a formula is; none where it is something else.
    pub fn of(goal: &Formula) -> Option<Self> {
        let goal = unfolded(goal);
        let mut is_negated = false;
        let mut inner = &goal;
        while let Formula::Not(body) = inner {
            is_negated = !is_negated;
            inner = body;
        }
        let mut variables = BTreeSet::new();
        while let Formula::Quantified(Quantifier::Exists, variable, body) = inner {
            if !variables.insert(variable.clone()) {
                return None;
            }
            inner = body;
        }
        Some(Self { atoms: conclusions(inner)?, is_negated })
    }
}

fn rules_of(heads: Vec<Atom>, body: &[Atom]) -> Vec<Rule> {
    heads.into_iter().map(|head| Rule { head, body: body.to_vec() }).collect()
}

/// The atoms of a conjunction.
fn conclusions(formula: &Formula) -> Option<Vec<Atom>> {
    match formula {
        Formula::Atom(atom) if is_predicate(atom) => Some(vec![atom.clone()]),
        Formula::And(parts) => {
            parts.iter().map(conclusions).collect::<Option<Vec<_>>>().map(|all| all.concat())
        }
        _ => None,
    }
}

/// The atoms of a conjunction, for things that may be said to exist: those are variables of the rule, too.
fn premises(formula: &Formula, variables: &BTreeSet<String>) -> Option<Vec<Atom>> {
    match formula {
        Formula::Constant(true) => Some(Vec::new()),
        Formula::Quantified(Quantifier::Exists, variable, body) if !variables.contains(variable) => {
            let mut inner = variables.clone();
            inner.insert(variable.clone());
            premises(body, &inner)
        }
        _ => conclusions(formula),
    }
}

/// A disjunction in which one atom is not negated.
fn clause(parts: &[Formula]) -> Option<Rule> {
    let mut head = None;
    let mut body = Vec::new();
    for part in parts {
        match part {
            Formula::Atom(atom) if is_predicate(atom) && head.is_none() => head = Some(atom.clone()),
            Formula::Not(inner) => match &**inner {
                Formula::Atom(atom) if is_predicate(atom) => body.push(atom.clone()),
                _ => return None,
            },
            _ => return None,
        }
    }
    head.map(|head| Rule { head, body })
}

/// Equality means more than what rules say of it.
fn is_predicate(atom: &Atom) -> bool {
    atom.predicate != Symbol::Equals.ascii()
}

/// Whether there are functions of something in it, so that there may be endlessly many things.
pub(crate) fn has_functions(atoms: &[Atom]) -> bool {
    let arguments = atoms.iter().flat_map(|atom| &atom.arguments);
    arguments.flat_map(Term::subterms).any(|term| !term.arguments().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::parse;

    fn rules(text: &str) -> Option<Vec<String>> {
        Some(Rule::of(&parse(text).unwrap())?.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn facts_rules_and_clauses_are_found() {
        assert_eq!(rules("p(a) and q").unwrap(), ["p(a)", "q"]);
        assert_eq!(
            rules("forall x. p(x) and q(x) implies r(x) and s").unwrap(),
            ["p(x) and q(x) implies r(x)", "p(x) and q(x) implies s"]
        );
        assert_eq!(rules("forall x. not p(x) or q(x)").unwrap(), ["p(x) implies q(x)"]);
        assert_eq!(
            rules("forall x. (exists y. likes(x, y)) implies happy(x)").unwrap(),
            ["likes(x, y) implies happy(x)"]
        );
        assert_eq!(rules("(lambda x. p(x))(a)").unwrap(), ["p(a)"]);
        for other in [
            "p or q",
            "not p",
            "exists x. p(x)",
            "p iff q",
            "a = b",
            "p implies q or r",
            "forall x. exists y. q(x, y)",
        ] {
            assert_eq!(rules(other), None, "{other}");
        }
    }

    #[test]
    fn questions_are_found() {
        let query = |text| Query::of(&parse(text).unwrap());
        assert!(
            query("not exists x. p(x) and q(x)")
                .is_some_and(|query| query.is_negated && query.atoms.len() == 2)
        );
        assert!(query("p(a)").is_some_and(|query| !query.is_negated));
        assert!(query("p or q").is_none() && query("forall x. p(x)").is_none());
    }
}
