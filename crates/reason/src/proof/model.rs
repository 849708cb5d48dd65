//! Worlds in which some things are so and others are not.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Derivation;
use crate::symbols::Symbol;
use crate::syntax::{Atom, Formula, Quantifier, Term, unfolded};

/// Why a goal does not follow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Model {
    /// A world in which the knowledge holds and the goal does not.
    Interpretation(Interpretation),
    /// In a closed world: what the goal denies follows from facts and rules.
    Derivation(Derivation),
    /// Another program says that there is such a world. Nothing of it is checked.
    External {
        /// The program and its version.
        program: String,
    },
}

/// A world: which things there are, which are the same, and what holds of them. Everything else does not hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interpretation {
    /// The things that quantifiers range over, each by one term.
    pub things: Vec<Term>,
    /// Terms that are the same thing as another, each with the term that the thing goes by.
    pub same: BTreeMap<Term, Term>,
    /// What holds, of terms that things go by.
    pub holds: BTreeSet<Atom>,
}

/// More steps are not taken to find out whether something holds.
const MOST_EVALUATION_STEPS: u64 = 200_000_000;

/// Finding out would take too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooLarge;

impl Interpretation {
    /// Whether a statement holds in this world.
    pub(crate) fn satisfies(&self, statement: &Formula) -> Result<bool, TooLarge> {
        let mut steps = 0;
        self.evaluate(&unfolded(statement), &mut BTreeMap::new(), &mut steps)
    }

    fn evaluate(
        &self,
        formula: &Formula,
        bound: &mut BTreeMap<String, Term>,
        steps: &mut u64,
    ) -> Result<bool, TooLarge> {
        *steps += 1;
        if *steps > MOST_EVALUATION_STEPS {
            return Err(TooLarge);
        }
        Ok(match formula {
            Formula::Constant(value) => *value,
            Formula::Atom(atom) => self.atom_holds(atom, bound),
            Formula::Not(body) => !self.evaluate(body, bound, steps)?,
            Formula::And(parts) => {
                for part in parts {
                    if !self.evaluate(part, bound, steps)? {
                        return Ok(false);
                    }
                }
                true
            }
            Formula::Or(parts) => {
                for part in parts {
                    if self.evaluate(part, bound, steps)? {
                        return Ok(true);
                    }
                }
                false
            }
            Formula::Implies(a, b) => !self.evaluate(a, bound, steps)? || self.evaluate(b, bound, steps)?,
            Formula::Iff(a, b) => self.evaluate(a, bound, steps)? == self.evaluate(b, bound, steps)?,
            Formula::Quantified(quantifier, variable, body) => {
                return self.quantified(*quantifier, variable, body, bound, steps);
            }
            // Unfolded before.
            Formula::Applied { .. } => false,
        })
    }

    fn quantified(
        &self,
        quantifier: Quantifier,
        variable: &str,
        body: &Formula,
        bound: &mut BTreeMap<String, Term>,
        steps: &mut u64,
    ) -> Result<bool, TooLarge> {
        let before = bound.remove(variable);
        let decisive = quantifier == Quantifier::Exists;
        let mut value = !decisive;
        for thing in &self.things {
            bound.insert(variable.to_owned(), thing.clone());
            if self.evaluate(body, bound, steps)? == decisive {
                value = decisive;
                break;
            }
        }
        match before {
            Some(before) => bound.insert(variable.to_owned(), before),
            None => bound.remove(variable),
        };
        Ok(value)
    }

    fn atom_holds(&self, atom: &Atom, bound: &BTreeMap<String, Term>) -> bool {
        let arguments: Vec<Term> = atom.arguments.iter().map(|term| self.thing(term, bound)).collect();
        match arguments.as_slice() {
            [a, b] if atom.predicate == Symbol::Equals.ascii() => a == b,
            _ => self.holds.contains(&Atom { predicate: atom.predicate.clone(), arguments }),
        }
    }

    /// The term that the thing which a term without variables stands for goes by.
    pub(crate) fn representative(&self, term: &Term) -> Term {
        self.thing(term, &BTreeMap::new())
    }

    /// The term that the thing which a term stands for goes by.
    fn thing(&self, term: &Term, bound: &BTreeMap<String, Term>) -> Term {
        let term = match term {
            Term::Variable(name) => bound.get(name).unwrap_or(term).clone(),
            Term::Function(name, arguments) => {
                let arguments = arguments.iter().map(|term| self.thing(term, bound)).collect();
                Term::Function(name.clone(), arguments)
            }
        };
        self.same.get(&term).cloned().unwrap_or(term)
    }
}
