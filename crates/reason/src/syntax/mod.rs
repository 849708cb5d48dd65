//! Terms and formulas of first-order logic, as text and as trees.
//!
//! | what | ASCII | Unicode |
//! |---|---|---|
//! | negation | `not`, `~` | `¬` |
//! | conjunction | `and`, `&` | `∧` |
//! | disjunction | `or`, `\|` | `∨` |
//! | implication | `implies`, `=>`, `->` | `→` |
//! | equivalence | `iff`, `<=>`, `<->` | `↔` |
//! | quantifiers | `forall x y. F`, `exists x. F` | `∀x y. F`, `∃x. F` |
//! | relations of terms | `=`, `>`, `<`, `subset` | `=`, `>`, `<`, `⊆` |
//! | application | `(lambda x. F)(t)` | `(λx. F)(t)` |
//! | truth values | `true`, `false` | |
//!
//! `not` binds tightest, then `and`, `or`, `implies` (which groups to the right) and `iff`. A quantifier reaches as far to
//! the right as it can. A predicate or function stands before its arguments, `likes(anne, f(bob))`; one without
//! arguments stands alone. Names begin with a letter or `_` and go on with those, digits and `'`; a number is a constant, and any
//! other text is a name in single quotes, which is never a variable, in which a backslash stands before a quote or a backslash, and `\n` for the end of a line. `#` begins a comment.
//!
//! A name that a quantifier or `lambda` binds is a variable within its reach. The letters `u` to `z`, alone or with digits
//! behind them, are variables always, so that one that nothing binds is noticed.
//!
//! `=` is equality, and `a > b` is `b < a`; beyond that `<` and `subset` mean what is stated of them.

mod error;
mod formula;
mod lexer;
mod names;
mod parser;
mod print;
mod substitute;
mod term;

pub use error::{Position, Problem, SyntaxError};
pub use formula::{Formula, Quantifier};
pub use lexer::{MOST_BYTES, Spanned, Token, tokens};
pub use names::Names;
pub(crate) use names::{is_variable_name, relation};
pub(crate) use parser::binding;
pub use parser::{parse, parse_with};
pub use print::{Spelling, Written};
pub(crate) use substitute::{free_variables, substitute, unfolded};
pub use term::{Atom, Term};

/// Formulas are at most so many levels deep, those of their terms included: deeper ones are refused by whatever reads them.
pub const MOST_DEPTH: usize = 128;
