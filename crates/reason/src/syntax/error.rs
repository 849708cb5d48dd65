//! What can be wrong with a text.

use std::ops::Range;

use thiserror::Error;

/// A place in a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// From 1.
    pub line: usize,
    /// Characters from the beginning of the line, from 1.
    pub column: usize,
}

impl Position {
    /// The place of a byte of a text.
    pub fn of(text: &str, byte: usize) -> Self {
        let before = text.get(..byte).unwrap_or(text);
        let line = before.bytes().filter(|&byte| byte == b'\n').count() + 1;
        let begin = before.rfind('\n').map_or(0, |end| end + 1);
        Self { line, column: before[begin..].chars().count() + 1 }
    }
}

/// A text that is no formula, or no file of knowledge.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("line {}, column {}: {problem}", position.line, position.column)]
pub struct SyntaxError {
    /// Where.
    pub position: Position,
    /// The bytes that are meant.
    pub span: Range<usize>,
    /// What.
    pub problem: Problem,
}

impl SyntaxError {
    /// A problem with these bytes of a text.
    pub fn new(text: &str, span: Range<usize>, problem: Problem) -> Self {
        Self { position: Position::of(text, span.start), span, problem }
    }
}

impl SyntaxError {
    /// The same error of a longer text, in which the one that it is of begins at a byte.
    pub(crate) fn within(self, text: &str, begin: usize) -> Self {
        Self::new(text, begin + self.span.start..begin + self.span.end, self.problem)
    }
}

/// What is wrong with a text at a place.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// Something else has to stand there.
    #[error("found {found}, expected {expected}")]
    Unexpected {
        /// What may stand there.
        expected: String,
        /// What does.
        found: String,
    },
    /// A character that begins nothing.
    #[error("the character {0:?} begins nothing that is known")]
    Character(char),
    /// A quoted name without an end.
    #[error("the quote is not closed in its line")]
    Unclosed,
    /// A bracket without an end.
    #[error("the bracket is not closed")]
    OpenBracket,
    /// It is nested too deeply.
    #[error("it is nested more than {most} levels deep")]
    TooDeep {
        /// How deep it may be.
        most: usize,
    },
    /// There is too much of something.
    #[error("there are {found} {what}; {most} at most are read")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// How much there is, or more.
        found: usize,
        /// How much there may be.
        most: usize,
    },
    /// A variable that nothing binds.
    #[error("nothing binds the variable `{name}`; `forall {name}.` or `exists {name}.` before it would")]
    Unbound {
        /// The variable.
        name: String,
    },
    /// A variable where a statement has to stand.
    #[error("the variable `{name}` stands for a thing, and no statement is made of it")]
    NoStatement {
        /// The variable.
        name: String,
    },
    /// A predicate or function has another number of arguments elsewhere.
    #[error("the {role} `{name}` has {found} arguments here, and {expected} elsewhere")]
    Arity {
        /// `predicate` or `function`.
        role: &'static str,
        /// Its name.
        name: String,
        /// Arguments here.
        found: usize,
        /// Arguments elsewhere, or as declared.
        expected: usize,
    },
    /// A name that is not declared.
    #[error("no {role} `{name}` is declared{}", nearest.as_ref().map(|name| format!("; did you mean `{name}`?")).unwrap_or_default())]
    Unknown {
        /// `predicate` or `function`.
        role: &'static str,
        /// The name.
        name: String,
        /// A declared one that is spelt alike.
        nearest: Option<String>,
    },
    /// A word with a meaning of its own, where a name has to stand.
    #[error("`{0}` is reserved, and cannot be a name")]
    Reserved(String),
    /// A number out of range.
    #[error("{what} {found} is not between {least} and {most}")]
    Range {
        /// What is counted.
        what: &'static str,
        /// The number.
        found: i128,
        /// At least.
        least: i128,
        /// At most.
        most: i128,
    },
    /// Something that such files can have, and that is not read here.
    #[error("{0} cannot be read here")]
    Unsupported(String),
}
