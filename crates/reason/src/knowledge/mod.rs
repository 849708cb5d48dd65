//! What is known: statements, and how what is not stated is taken.

mod canonical;
mod graph;
mod rule;

use std::sync::OnceLock;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::syntax::{Formula, MOST_DEPTH, Names, Problem, free_variables, relation};

pub use canonical::canonical;
pub use graph::{Dependency, Graph, Vertex};
pub(crate) use rule::has_functions;
pub use rule::{NotDefinite, Query, Rule};

/// Statements of one knowledge base are so many at most.
pub const MOST_STATEMENTS: usize = 4_000_000;

/// How what does not follow is taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum World {
    /// What does not follow is open: a statement is refuted by one world in which all that is known holds and it does not.
    #[default]
    Open,
    /// What does not follow from facts and rules is false (Reiter, "On closed world data bases", 1978): the only world is the
    /// least one in which they hold. Knowledge has to be facts and rules.
    Closed,
}

/// A statement that cannot be taken into a knowledge base.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum StatementError {
    /// It is nested too deeply.
    #[error("a statement is nested {found} levels deep; {MOST_DEPTH} are taken")]
    TooDeep {
        /// How deep it is.
        found: usize,
    },
    /// A variable is bound by nothing.
    #[error("nothing binds the variable `{0}`")]
    Unbound(String),
    /// A name does not fit the others.
    #[error(transparent)]
    Name(#[from] Problem),
    /// There are too many.
    #[error("there are more than {MOST_STATEMENTS} statements")]
    TooMany,
}

/// What is known.
#[derive(Clone, Debug, Default)]
pub struct Knowledge {
    statements: Vec<Formula>,
    world: World,
    names: Names,
    digest: OnceLock<String>,
}

impl Knowledge {
    /// Nothing.
    pub fn new(world: World) -> Self {
        Self { world, ..Self::default() }
    }

    /// Nothing, to which only statements of these predicates and functions can be added.
    pub fn declared(world: World, names: Names) -> Self {
        Self { world, names, ..Self::default() }
    }

    /// Statements in the [syntax](crate::syntax), one a line; see [`read_statements`](crate::read::read_statements).
    ///
    /// # Errors
    /// A line is no statement.
    pub fn parse(text: &str) -> Result<Self, crate::syntax::SyntaxError> {
        Ok(crate::read::read_statements(text)?.knowledge)
    }

    /// The same, taken so.
    #[must_use]
    pub fn with_world(mut self, world: World) -> Self {
        self.world = world;
        self.digest = OnceLock::new();
        self
    }

    /// Adds a statement.
    ///
    /// # Errors
    /// It is too deep, has a variable that nothing binds, or a name with another number of arguments than before.
    pub fn add(&mut self, statement: Formula) -> Result<(), StatementError> {
        check(&statement)?;
        self.names.formula(&statement)?;
        if self.statements.len() == MOST_STATEMENTS {
            return Err(StatementError::TooMany);
        }
        self.digest = OnceLock::new();
        self.statements.push(statement);
        Ok(())
    }

    /// All statements, in the order that they were added in.
    pub fn statements(&self) -> &[Formula] {
        &self.statements
    }

    /// How what does not follow is taken.
    pub fn world(&self) -> World {
        self.world
    }

    /// The predicates and functions in it.
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// Names them for a reader that adds statements.
    pub(crate) fn names_mut(&mut self) -> &mut Names {
        &mut self.names
    }

    /// BLAKE3, in hexadecimal digits, of the [canonical forms](canonical) of all statements, and of the world. It does
    /// not change with the order of statements, with one that is there twice, or with names of variables.
    pub fn digest(&self) -> &str {
        self.digest.get_or_init(|| {
            let mut forms: Vec<String> = self.statements.iter().map(canonical).collect();
            forms.sort_unstable();
            forms.dedup();
            let mut hasher = blake3::Hasher::new();
            hasher.update(match self.world {
                World::Open => b"open",
                World::Closed => b"closed",
            });
            for form in forms {
                hasher.update(&(form.len() as u64).to_le_bytes());
                hasher.update(form.as_bytes());
            }
            hasher.finalize().to_hex().to_string()
        })
    }

    /// The statements as definite clauses: facts and rules.
    ///
    /// # Errors
    /// One is neither.
    pub fn rules(&self) -> Result<Vec<Rule>, NotDefinite> {
        let mut rules = Vec::new();
        for statement in &self.statements {
            rules
                .extend(Rule::of(statement).ok_or_else(|| NotDefinite { statement: statement.to_string() })?);
        }
        Ok(rules)
    }
}

impl PartialEq for Knowledge {
    fn eq(&self, other: &Self) -> bool {
        self.world == other.world && self.statements == other.statements
    }
}

/// What must hold for a statement that engines work with.
pub(crate) fn check(statement: &Formula) -> Result<(), StatementError> {
    let found = statement.depth();
    if found > MOST_DEPTH {
        return Err(StatementError::TooDeep { found });
    }
    statement.atoms().try_for_each(|atom| relation(&atom.predicate, atom.arguments.len()))?;
    match free_variables(statement).pop_first() {
        Some(name) => Err(StatementError::Unbound(name)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::{Term, parse};

    #[test]
    fn the_digest_knows_neither_order_nor_names_of_variables() {
        let one = Knowledge::parse("p(a)\nforall x. p(x) and q(x) implies r(x)\n").unwrap();
        let other = Knowledge::parse("forall y. q(y) & p(y) => r(y)\np(a)\np(a)\n").unwrap();
        assert_eq!(one.digest(), other.digest());
        assert_ne!(one, other);
        assert_ne!(one.digest(), other.clone().with_world(World::Closed).digest());
        let mut more = other.clone();
        more.add(parse("p(b)").unwrap()).unwrap();
        assert_ne!(more.digest(), other.digest());
    }

    #[test]
    fn what_cannot_be_worked_with_is_refused() {
        let mut knowledge = Knowledge::default();
        let deep = (0..500).fold(Formula::atom("p", vec![]), |formula, _| formula.negated());
        assert_eq!(knowledge.add(deep), Err(StatementError::TooDeep { found: 501 }));
        let free = Formula::atom("p", vec![Term::variable("x")]);
        assert_eq!(knowledge.add(free), Err(StatementError::Unbound("x".to_owned())));
        knowledge.add(parse("likes(anne, bob)").unwrap()).unwrap();
        let error = knowledge.add(parse("likes(anne)").unwrap()).unwrap_err();
        assert_eq!(error.to_string(), "the predicate `likes` has 1 arguments here, and 2 elsewhere");
    }
}
