//! Statements.

use std::fmt;
use std::mem;

use serde::{Deserialize, Serialize};

use super::print::{Spelling, Written};
use super::{Atom, Term};

/// Of how many things something is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quantifier {
    /// Of all.
    Forall,
    /// Of one at least.
    Exists,
}

/// A statement of first-order logic.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Formula {
    /// True, or false.
    Constant(bool),
    /// A predicate, or a relation of two terms.
    Atom(Atom),
    /// What is not so.
    Not(Box<Formula>),
    /// All of these; true where there are none.
    And(Vec<Formula>),
    /// One of these at least; false where there are none.
    Or(Vec<Formula>),
    /// The second where the first is.
    Implies(Box<Formula>, Box<Formula>),
    /// Both or neither.
    Iff(Box<Formula>, Box<Formula>),
    /// All or some things.
    Quantified(Quantifier, String, Box<Formula>),
    /// What is said of a variable, said of a term: the body with the term in the place of the variable.
    Applied {
        /// The variable that `lambda` binds.
        parameter: String,
        /// What is said of it.
        body: Box<Formula>,
        /// What takes its place.
        argument: Term,
    },
}

impl Formula {
    /// A predicate of terms.
    pub fn atom(predicate: impl Into<String>, arguments: Vec<Term>) -> Self {
        Self::Atom(Atom::new(predicate, arguments))
    }

    /// What is not so.
    pub fn negated(self) -> Self {
        Self::Not(Box::new(self))
    }

    /// The second where the first is.
    pub fn implies(self, then: Self) -> Self {
        Self::Implies(Box::new(self), Box::new(then))
    }

    /// For all things.
    pub fn forall(variable: impl Into<String>, body: Self) -> Self {
        Self::Quantified(Quantifier::Forall, variable.into(), Box::new(body))
    }

    /// For one thing at least.
    pub fn exists(variable: impl Into<String>, body: Self) -> Self {
        Self::Quantified(Quantifier::Exists, variable.into(), Box::new(body))
    }

    /// The formulas that it is made of.
    pub fn children(&self) -> Vec<&Self> {
        match self {
            Self::Constant(_) | Self::Atom(_) => Vec::new(),
            Self::Not(body) | Self::Quantified(_, _, body) | Self::Applied { body, .. } => vec![body],
            Self::And(parts) | Self::Or(parts) => parts.iter().collect(),
            Self::Implies(a, b) | Self::Iff(a, b) => vec![a, b],
        }
    }

    /// It and all formulas in it, it first.
    pub fn subformulas(&self) -> impl Iterator<Item = &Self> {
        let mut waiting = vec![self];
        std::iter::from_fn(move || {
            let formula = waiting.pop()?;
            waiting.extend(formula.children().into_iter().rev());
            Some(formula)
        })
    }

    /// The atoms in it, as they stand.
    pub fn atoms(&self) -> impl Iterator<Item = &Atom> {
        self.subformulas().filter_map(|formula| match formula {
            Self::Atom(atom) => Some(atom),
            _ => None,
        })
    }

    /// Its levels, those of its terms included: 1 for a proposition.
    pub fn depth(&self) -> usize {
        let mut deepest = 0;
        let mut waiting = vec![(self, 1)];
        while let Some((formula, depth)) = waiting.pop() {
            let terms = match formula {
                Self::Atom(atom) => atom.arguments.iter().map(Term::depth).max().unwrap_or(0),
                Self::Applied { argument, .. } => argument.depth(),
                _ => 0,
            };
            deepest = deepest.max(depth + terms);
            waiting.extend(formula.children().into_iter().map(|child| (child, depth + 1)));
        }
        deepest
    }

    /// Puts away what it is made of, into a list.
    fn take_children(&mut self, into: &mut Vec<Self>) {
        let mut take = |child: &mut Box<Self>| into.push(mem::replace(child, Self::Constant(false)));
        match self {
            Self::Constant(_) | Self::Atom(_) => {}
            Self::Not(body) | Self::Quantified(_, _, body) | Self::Applied { body, .. } => take(body),
            Self::Implies(a, b) | Self::Iff(a, b) => {
                take(a);
                take(b);
            }
            Self::And(parts) | Self::Or(parts) => into.append(parts),
        }
    }

    fn is_leaf(&self) -> bool {
        matches!(self, Self::Constant(_) | Self::Atom(_))
    }
}

/// Without recursion: whoever builds a formula by hand can build one that is deeper than the stack.
impl Drop for Formula {
    fn drop(&mut self) {
        if self.is_leaf() {
            return;
        }
        let mut waiting = Vec::new();
        self.take_children(&mut waiting);
        while let Some(mut formula) = waiting.pop() {
            formula.take_children(&mut waiting);
        }
    }
}

impl fmt::Display for Formula {
    /// In ASCII, with no more brackets than are needed: what is printed is read as the same formula.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Written { what: self, spelling: Spelling::Ascii }.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_deeper_than_the_stack_is_measured_and_dropped() {
        let mut formula = Formula::atom("p", vec![]);
        let mut term = Term::constant("a");
        for _ in 0..200_000 {
            formula = formula.negated();
            term = Term::Function("f".to_owned(), vec![term]);
        }
        assert_eq!(formula.depth(), 200_001);
        assert_eq!(term.depth(), 200_001);
        assert_eq!(Formula::atom("q", vec![term]).depth(), 200_002);
    }
}
