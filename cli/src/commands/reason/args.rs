//! The arguments.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use rekindle_reason::read::Format;

use crate::replace::ReplaceArgs;

/// An engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum EngineArg {
    /// The first of horn, sat and z3 that can say.
    Auto,
    /// Facts and rules.
    Horn,
    /// Propositions, and what can be written with them.
    Sat,
    /// Z3, another program.
    Z3,
    /// SWI-Prolog, another program.
    Prolog,
}

/// A format of knowledge.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum FormatArg {
    /// A statement a line.
    Statements,
    /// Sentences.
    English,
    /// Clauses, as in SAT competitions.
    Dimacs,
    /// Annotated formulas, as in provers' competitions.
    Tptp,
    /// A script for SMT solvers.
    Smtlib,
}

impl FormatArg {
    pub fn format(self) -> Format {
        match self {
            Self::Statements => Format::Statements,
            Self::English => Format::English,
            Self::Dimacs => Format::Dimacs,
            Self::Tptp => Format::Tptp,
            Self::Smtlib => Format::SmtLib,
        }
    }
}

#[derive(Debug, Args)]
pub struct ReasonArgs {
    /// The statement, such as `forall x. kind(x) implies round(x)`, or a sentence that ends with `.` or `?`
    /// [default: what the file asks].
    pub goal: Option<String>,
    /// What is known: statements, one a line; or .txt (sentences), .cnf (DIMACS), .p (TPTP), .smt2 (SMT-LIB).
    #[arg(long, value_name = "FILE")]
    pub knowledge: PathBuf,
    /// Take the file for one of this format, whatever its ending.
    #[arg(long, value_enum)]
    pub format: Option<FormatArg>,
    /// The predicates and functions that statements may have, as YAML.
    #[arg(long, value_name = "FILE")]
    pub symbols: Option<PathBuf>,
    /// What does not follow from facts and rules is false.
    #[arg(long)]
    pub closed: bool,
    /// What answers.
    #[arg(long, value_enum, default_value_t = EngineArg::Auto)]
    pub engine: EngineArg,
    /// Show the proof, or a world in which the statement does not hold.
    #[arg(long)]
    pub proof: bool,
    /// Stop z3 or prolog after so many seconds [default: 10].
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub timeout: Option<u64>,
    /// Stop horn or sat after so many steps [default: 2000000].
    #[arg(long, value_name = "N")]
    pub steps: Option<u64>,
    /// Draw which predicate depends on which, as .svg, .png or .dot.
    #[arg(long, value_name = "FILE")]
    pub graph: Option<PathBuf>,
    #[command(flatten)]
    pub replace: ReplaceArgs,
}
