//! Which predicates and functions there are, and with how many arguments.

use std::collections::BTreeMap;

use super::{Atom, Formula, Problem, Term};
use crate::symbols::{Symbol, Symbols};

/// The letters `u` to `z`, with or without digits behind them, are variables always.
pub(crate) fn is_variable_name(name: &str) -> bool {
    let mut letters = name.chars();
    letters.next().is_some_and(|letter| ('u'..='z').contains(&letter))
        && letters.all(|letter| letter.is_ascii_digit())
}

/// The predicates and functions of a text, each with one number of arguments: as declared, or as first used.
#[derive(Clone, Debug, Default)]
pub struct Names {
    predicates: BTreeMap<String, usize>,
    functions: BTreeMap<String, usize>,
    is_declared: bool,
}

impl Names {
    /// Only these.
    pub fn declared(symbols: &Symbols) -> Self {
        Self {
            predicates: symbols.predicates.clone(),
            functions: symbols.functions.clone(),
            is_declared: true,
        }
    }

    /// Takes note of a predicate.
    ///
    /// # Errors
    /// It has another number of arguments elsewhere, or is not declared where some are.
    pub fn predicate(&mut self, name: &str, arguments: usize) -> Result<(), Problem> {
        if is_relation(name) {
            return relation(name, arguments);
        }
        note(&mut self.predicates, self.is_declared, "predicate", name, arguments)
    }

    /// Takes note of a function.
    ///
    /// # Errors
    /// As of a predicate. A number is a constant that nobody has to declare.
    pub fn function(&mut self, name: &str, arguments: usize) -> Result<(), Problem> {
        let is_number = arguments == 0 && name.bytes().all(|byte| byte.is_ascii_digit());
        if is_number {
            return Ok(());
        }
        note(&mut self.functions, self.is_declared, "function", name, arguments)
    }

    /// Takes note of all in a formula.
    ///
    /// # Errors
    /// The first that does not fit.
    pub fn formula(&mut self, formula: &Formula) -> Result<(), Problem> {
        formula.subformulas().try_for_each(|part| match part {
            Formula::Atom(atom) => self.atom(atom),
            Formula::Applied { argument, .. } => self.term(argument),
            _ => Ok(()),
        })
    }

    fn atom(&mut self, atom: &Atom) -> Result<(), Problem> {
        self.predicate(&atom.predicate, atom.arguments.len())?;
        atom.arguments.iter().try_for_each(|argument| self.term(argument))
    }

    fn term(&mut self, term: &Term) -> Result<(), Problem> {
        term.subterms().try_for_each(|term| match term {
            Term::Variable(_) => Ok(()),
            Term::Function(name, arguments) => self.function(name, arguments.len()),
        })
    }
}

fn is_relation(name: &str) -> bool {
    Symbol::of_word(name).is_some_and(Symbol::is_relation)
}

/// A relation is of two terms, wherever its name comes from.
pub(crate) fn relation(name: &str, found: usize) -> Result<(), Problem> {
    match is_relation(name) && found != 2 {
        true => Err(Problem::Arity { role: "predicate", name: name.to_owned(), found, expected: 2 }),
        false => Ok(()),
    }
}

fn note(
    known: &mut BTreeMap<String, usize>,
    is_declared: bool,
    role: &'static str,
    name: &str,
    found: usize,
) -> Result<(), Problem> {
    match known.get(name) {
        Some(&expected) if expected == found => Ok(()),
        Some(&expected) => Err(Problem::Arity { role, name: name.to_owned(), found, expected }),
        None if is_declared => {
            let nearest = known.keys().find(|known| is_near(known, name)).cloned();
            Err(Problem::Unknown { role, name: name.to_owned(), nearest })
        }
        None => {
            known.insert(name.to_owned(), found);
            Ok(())
        }
    }
}

/// Whether a name is a slip of the keys away.
fn is_near(known: &str, name: &str) -> bool {
    strsim::damerau_levenshtein(known, name) <= if name.chars().count() > 8 { 2 } else { 1 }
}
