//! Files of knowledge.
//!
//! | format | files | what is read |
//! |---|---|---|
//! | [statements](read_statements) | any other | the [syntax](crate::syntax), a statement a line |
//! | [English](read_english) | `.txt` | sentences of a small, fixed grammar |
//! | [DIMACS](read_dimacs) | `.cnf`, `.dimacs` | clauses of propositional logic |
//! | [TPTP](read_tptp) | `.p`, `.tptp`, `.ax` | `cnf` and `fof` without `include` |
//! | [SMT-LIB 2](read_smtlib) | `.smt2` | Booleans and one other kind of things, without `push` and `pop` |
//!
//! What cannot be read is refused with its line and column.

mod dimacs;
mod english;
mod smtlib;
mod statements;
mod tptp;

use std::path::Path;

use crate::knowledge::{Knowledge, StatementError};
use crate::syntax::{Formula, Problem, SyntaxError};

pub use dimacs::read_dimacs;
pub use english::{english_goal, read_english};
pub use smtlib::read_smtlib;
pub use statements::{read_statements, read_statements_with};
pub use tptp::read_tptp;

/// A format of files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The syntax of this crate.
    Statements,
    /// Sentences.
    English,
    /// DIMACS CNF.
    Dimacs,
    /// TPTP.
    Tptp,
    /// SMT-LIB 2.
    SmtLib,
}

/// What a file says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Document {
    /// What is known.
    pub knowledge: Knowledge,
    /// What it asks about, if it asks. Files that ask whether their statements have a world ask whether `false` follows.
    pub goal: Option<Formula>,
    /// Whether that follows, if it says so.
    pub follows: Option<bool>,
}

impl Format {
    /// The format of a file, by the ending of its name.
    pub fn of(file: &Path) -> Self {
        let ending = file.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
        match ending.as_deref() {
            Some("txt") => Self::English,
            Some("cnf" | "dimacs") => Self::Dimacs,
            Some("p" | "tptp" | "ax") => Self::Tptp,
            Some("smt2") => Self::SmtLib,
            _ => Self::Statements,
        }
    }

    /// Reads a text of this format.
    ///
    /// # Errors
    /// The text is none.
    pub fn read(self, text: &str) -> Result<Document, SyntaxError> {
        match self {
            Self::Statements => read_statements(text),
            Self::English => read_english(text),
            Self::Dimacs => read_dimacs(text),
            Self::Tptp => read_tptp(text),
            Self::SmtLib => read_smtlib(text),
        }
    }
}

/// What is wrong with a statement, as a problem of the text that it stands in.
fn problem(error: StatementError) -> Problem {
    match error {
        StatementError::Name(problem) => problem,
        StatementError::Unbound(name) => Problem::Unbound { name },
        StatementError::TooDeep { .. } => Problem::TooDeep { most: crate::syntax::MOST_DEPTH },
        StatementError::TooMany => {
            let most = crate::knowledge::MOST_STATEMENTS;
            Problem::TooMany { what: "statements", found: most + 1, most }
        }
    }
}
