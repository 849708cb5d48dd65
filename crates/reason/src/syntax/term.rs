//! What statements are about.

use std::fmt;
use std::mem;

use serde::{Deserialize, Serialize};

use super::print::{Spelling, Written};

/// A thing, or a variable for one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Term {
    /// What a quantifier, a rule or `lambda` binds.
    Variable(String),
    /// A function of terms; without any it is a constant.
    Function(String, Vec<Term>),
}

/// A predicate of terms; without any it is a proposition. Relations of terms are predicates with the names `=`, `>`, `<`
/// and `subset`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Atom {
    /// Its name.
    pub predicate: String,
    /// What it is said of.
    pub arguments: Vec<Term>,
}

impl Term {
    /// A thing with a name.
    pub fn constant(name: impl Into<String>) -> Self {
        Self::Function(name.into(), Vec::new())
    }

    /// A variable.
    pub fn variable(name: impl Into<String>) -> Self {
        Self::Variable(name.into())
    }

    /// What it is a function of.
    pub fn arguments(&self) -> &[Self] {
        match self {
            Self::Variable(_) => &[],
            Self::Function(_, arguments) => arguments,
        }
    }

    /// Without variables.
    pub fn is_ground(&self) -> bool {
        self.subterms().all(|term| matches!(term, Self::Function(..)))
    }

    /// It and all that is in it, it first.
    pub fn subterms(&self) -> impl Iterator<Item = &Self> {
        let mut waiting = vec![self];
        std::iter::from_fn(move || {
            let term = waiting.pop()?;
            waiting.extend(term.arguments().iter().rev());
            Some(term)
        })
    }

    /// Its levels: 1 for a constant.
    pub fn depth(&self) -> usize {
        let mut deepest = 0;
        let mut waiting = vec![(self, 1)];
        while let Some((term, depth)) = waiting.pop() {
            deepest = deepest.max(depth);
            waiting.extend(term.arguments().iter().map(|argument| (argument, depth + 1)));
        }
        deepest
    }
}

/// Without recursion: whoever builds a term by hand can build one that is deeper than the stack.
impl Drop for Term {
    fn drop(&mut self) {
        let Self::Function(_, arguments) = self else { return };
        if arguments.iter().all(|argument| argument.arguments().is_empty()) {
            return;
        }
        let mut waiting = mem::take(arguments);
        while let Some(mut term) = waiting.pop() {
            if let Self::Function(_, arguments) = &mut term {
                waiting.append(arguments);
            }
        }
    }
}

impl Atom {
    /// A predicate of terms.
    pub fn new(predicate: impl Into<String>, arguments: Vec<Term>) -> Self {
        Self { predicate: predicate.into(), arguments }
    }

    /// Without variables.
    pub fn is_ground(&self) -> bool {
        self.arguments.iter().all(Term::is_ground)
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Written { what: self, spelling: Spelling::Ascii }.fmt(f)
    }
}

impl fmt::Display for Atom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Written { what: self, spelling: Spelling::Ascii }.fmt(f)
    }
}
