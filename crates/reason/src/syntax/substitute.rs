//! Terms in the place of variables.

use std::collections::{BTreeMap, BTreeSet};

use super::{Atom, Formula, Term};
use crate::symbols::Symbol;

impl Term {
    /// The same with terms in the place of variables.
    pub(crate) fn substituted(&self, terms: &BTreeMap<String, Term>) -> Self {
        match self {
            Self::Variable(name) => terms.get(name).cloned().unwrap_or_else(|| self.clone()),
            Self::Function(name, arguments) => {
                let arguments = arguments.iter().map(|argument| argument.substituted(terms));
                Self::Function(name.clone(), arguments.collect())
            }
        }
    }

    /// The variables in it.
    pub(crate) fn variables(&self) -> impl Iterator<Item = &str> {
        self.subterms().filter_map(|term| match term {
            Self::Variable(name) => Some(name.as_str()),
            Self::Function(..) => None,
        })
    }
}

impl Atom {
    /// The same with terms in the place of variables.
    pub(crate) fn substituted(&self, terms: &BTreeMap<String, Term>) -> Self {
        let arguments = self.arguments.iter().map(|argument| argument.substituted(terms)).collect();
        Self { predicate: self.predicate.clone(), arguments }
    }

    /// The variables in it.
    pub(crate) fn variables(&self) -> impl Iterator<Item = &str> {
        self.arguments.iter().flat_map(Term::variables)
    }
}

/// Variables that nothing in the formula binds.
pub(crate) fn free_variables(formula: &Formula) -> BTreeSet<String> {
    match formula {
        Formula::Constant(_) => BTreeSet::new(),
        Formula::Atom(atom) => atom.variables().map(str::to_owned).collect(),
        Formula::Quantified(_, variable, body) => {
            let mut free = free_variables(body);
            free.remove(variable);
            free
        }
        Formula::Applied { parameter, body, argument } => {
            let mut free = free_variables(body);
            free.remove(parameter);
            free.extend(argument.variables().map(str::to_owned));
            free
        }
        _ => formula.children().into_iter().flat_map(free_variables).collect(),
    }
}

/// The formula with terms in the place of its free variables. A bound variable that a term has too gets another name.
pub(crate) fn substitute(formula: &Formula, terms: &BTreeMap<String, Term>) -> Formula {
    let all = |parts: &[Formula]| parts.iter().map(|part| substitute(part, terms)).collect();
    let boxed = |part: &Formula| Box::new(substitute(part, terms));
    match formula {
        Formula::Constant(value) => Formula::Constant(*value),
        Formula::Atom(atom) => Formula::Atom(atom.substituted(terms)),
        Formula::Not(body) => Formula::Not(boxed(body)),
        Formula::And(parts) => Formula::And(all(parts)),
        Formula::Or(parts) => Formula::Or(all(parts)),
        Formula::Implies(a, b) => Formula::Implies(boxed(a), boxed(b)),
        Formula::Iff(a, b) => Formula::Iff(boxed(a), boxed(b)),
        Formula::Quantified(quantifier, variable, body) => {
            let (variable, body) = under_binder(variable, body, terms);
            Formula::Quantified(*quantifier, variable, Box::new(body))
        }
        Formula::Applied { parameter, body, argument } => {
            let (parameter, body) = under_binder(parameter, body, terms);
            Formula::Applied { parameter, body: Box::new(body), argument: argument.substituted(terms) }
        }
    }
}

fn under_binder(variable: &str, body: &Formula, terms: &BTreeMap<String, Term>) -> (String, Formula) {
    let mut terms = terms.clone();
    terms.remove(variable);
    let free = free_variables(body);
    terms.retain(|name, _| free.contains(name));
    let taken: BTreeSet<&str> = terms.values().flat_map(Term::variables).collect();
    if !taken.contains(variable) {
        return (variable.to_owned(), substitute(body, &terms));
    }
    let is_free = |name: &String| !taken.contains(name.as_str()) && !free.contains(name);
    let fresh = (0_u64..).map(|number| format!("x{number}")).find(is_free).unwrap_or_default();
    terms.insert(variable.to_owned(), Term::Variable(fresh.clone()));
    (fresh, substitute(body, &terms))
}

/// The formula without `lambda`, each term in the place that it is applied to, and with `b < a` for `a > b`.
pub(crate) fn unfolded(formula: &Formula) -> Formula {
    let all = |parts: &[Formula]| parts.iter().map(unfolded).collect();
    let boxed = |part: &Formula| Box::new(unfolded(part));
    match formula {
        Formula::Constant(_) => formula.clone(),
        Formula::Atom(Atom { predicate, arguments }) if predicate == Symbol::Greater.ascii() => {
            Formula::atom(Symbol::Less.ascii(), arguments.iter().rev().cloned().collect())
        }
        Formula::Atom(_) => formula.clone(),
        Formula::Not(body) => Formula::Not(boxed(body)),
        Formula::And(parts) => Formula::And(all(parts)),
        Formula::Or(parts) => Formula::Or(all(parts)),
        Formula::Implies(a, b) => Formula::Implies(boxed(a), boxed(b)),
        Formula::Iff(a, b) => Formula::Iff(boxed(a), boxed(b)),
        Formula::Quantified(quantifier, variable, body) => {
            Formula::Quantified(*quantifier, variable.clone(), boxed(body))
        }
        Formula::Applied { parameter, body, argument } => {
            let terms = BTreeMap::from([(parameter.clone(), argument.clone())]);
            substitute(&unfolded(body), &terms)
        }
    }
}
