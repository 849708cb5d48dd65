//! Statements of first-order logic: read, proven, and kept with what proves them.
//!
//! - [`syntax`]: terms and formulas, as text and as trees; [`symbols`]: the symbols that are reserved, and those that a user declares;
//!   [`tree`]: where in an expression each token stands;
//! - [`Knowledge`]: what is known, [read] from statements, English, DIMACS, TPTP and SMT-LIB files; [`canonical`]: one form
//!   for statements that differ in nothing that matters; [`Graph`]: what depends on what;
//! - [`Reasoner`]: an engine that says whether a goal follows: [`Sat`] and [`Horn`] are built in, [`Z3`] and [`Prolog`] are other
//!   programs; [`Auto`] asks the one that fits;
//! - [`proof`]: what an engine shows for what it says, and the checker that trusts none of them;
//! - [`FactCache`]: what was found out, with its proof, to be checked again when it is loaded.
//!
//! ```
//! use rekindle_reason::{Auto, Budget, Knowledge, Reasoner, Verdict, proof, syntax};
//!
//! let knowledge = Knowledge::parse("kind(anne)\nforall x. kind(x) implies round(x)\n")?;
//! let goal = syntax::parse("exists x. round(x)")?;
//! let verdict = Auto::built_in().prove(&goal, &knowledge, Budget::default());
//! assert!(matches!(verdict, Verdict::Proved(_)));
//! assert_eq!(proof::check(&verdict, &goal, &knowledge), Ok(()));
//! # Ok::<(), rekindle_reason::syntax::SyntaxError>(())
//! ```

mod cache;
mod engine;
mod knowledge;
pub mod proof;
pub mod read;
pub mod symbols;
pub mod syntax;
pub mod tree;

pub use cache::{Fact, FactCache, FactKey, Outcome, Tampered, Unsound, Verified};
pub use engine::{Auto, Budget, Direction, Horn, Prolog, Reason, Reasoner, Sat, Verdict, Z3};
pub use knowledge::{
    Dependency, Graph, Knowledge, MOST_STATEMENTS, NotDefinite, Query, Rule, StatementError, Vertex, World,
    canonical,
};
pub use symbols::{Symbols, SymbolsError};
