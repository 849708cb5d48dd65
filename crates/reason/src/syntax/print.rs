//! Formulas as text.

use std::fmt::{self, Display, Formatter};

use super::lexer::is_name_letter;
use super::parser::binding;
use super::{Atom, Formula, Quantifier, Term, is_variable_name};
use crate::symbols::{Symbol, is_reserved};

/// How symbols are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Spelling {
    /// `forall x. p(x) implies q(x)`.
    #[default]
    Ascii,
    /// `∀x. p(x) → q(x)`.
    Unicode,
}

/// A formula, atom or term to be printed in a spelling, such as with `to_string`.
///
/// ```
/// use rekindle_reason::syntax::{Spelling, Written, parse};
///
/// let formula = parse("forall x. (kind(x) & big(x)) => round(x)")?;
/// assert_eq!(formula.to_string(), "forall x. kind(x) and big(x) implies round(x)");
/// let unicode = Written { what: &formula, spelling: Spelling::Unicode }.to_string();
/// assert_eq!(unicode, "∀x. kind(x) ∧ big(x) → round(x)");
/// assert_eq!(parse(&unicode)?, formula);
/// # Ok::<(), rekindle_reason::syntax::SyntaxError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Written<'a, T> {
    /// What is printed.
    pub what: &'a T,
    /// In which spelling.
    pub spelling: Spelling,
}

impl Display for Written<'_, Term> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.what {
            Term::Variable(name) => write_name(f, name, false),
            Term::Function(name, arguments) => named(f, name, arguments, self.spelling),
        }
    }
}

impl Display for Written<'_, Atom> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Atom { predicate, arguments } = self.what;
        let relation = Symbol::of_word(predicate).filter(|symbol| symbol.is_relation());
        match (relation, arguments.as_slice()) {
            (Some(relation), [left, right]) => {
                Written { what: left, spelling: self.spelling }.fmt(f)?;
                write!(f, " {} ", spelt(relation, self.spelling))?;
                Written { what: right, spelling: self.spelling }.fmt(f)
            }
            _ => named(f, predicate, arguments, self.spelling),
        }
    }
}

impl Display for Written<'_, Formula> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write_formula(f, self.what, self.spelling, 0)
    }
}

fn spelt(symbol: Symbol, spelling: Spelling) -> &'static str {
    match spelling {
        Spelling::Ascii => symbol.ascii(),
        Spelling::Unicode => symbol.unicode(),
    }
}

fn named(f: &mut Formatter<'_>, name: &str, arguments: &[Term], spelling: Spelling) -> fmt::Result {
    write_name(f, name, arguments.is_empty())?;
    for (index, argument) in arguments.iter().enumerate() {
        f.write_str(if index == 0 { "(" } else { ", " })?;
        Written { what: argument, spelling }.fmt(f)?;
    }
    if arguments.is_empty() { Ok(()) } else { f.write_str(")") }
}

/// A name, in quotes where it would be read as something else without.
fn write_name(f: &mut Formatter<'_>, name: &str, stands_alone: bool) -> fmt::Result {
    let begins = name.starts_with(is_name_letter);
    let is_plain = begins && name.chars().all(|letter| is_name_letter(letter) || letter == '\'');
    if is_plain && !is_reserved(name) && !(stands_alone && is_variable_name(name)) {
        return f.write_str(name);
    }
    write!(f, "'{}'", name.replace('\\', "\\\\").replace('\'', "\\'").replace('\n', "\\n"))
}

/// Loosest, and so in brackets within all others.
const QUANTIFIED: u8 = 0;
/// What `not` and brackets are: tighter than all operators of two sides.
const TIGHTEST: u8 = 4;

/// Writes a formula where something stands that binds at least as tightly as `level`.
fn write_formula(f: &mut Formatter<'_>, formula: &Formula, spelling: Spelling, level: u8) -> fmt::Result {
    let of = |symbol| binding(symbol).unwrap_or(TIGHTEST);
    match formula {
        Formula::Constant(value) => write!(f, "{value}"),
        Formula::Atom(atom) => Written { what: atom, spelling }.fmt(f),
        Formula::Not(body) => {
            let not = spelt(Symbol::Not, spelling);
            f.write_str(not)?;
            if spelling == Spelling::Ascii {
                f.write_str(" ")?;
            }
            write_formula(f, body, spelling, TIGHTEST)
        }
        Formula::And(parts) => write_chain(f, parts, Symbol::And, spelling, level),
        Formula::Or(parts) => write_chain(f, parts, Symbol::Or, spelling, level),
        Formula::Implies(a, b) => in_brackets(f, of(Symbol::Implies) < level, |f| {
            let own = of(Symbol::Implies);
            write_sides(f, [a, b], Symbol::Implies, spelling, [own + 1, own])
        }),
        Formula::Iff(a, b) => in_brackets(f, of(Symbol::Iff) < level, |f| {
            let own = of(Symbol::Iff);
            write_sides(f, [a, b], Symbol::Iff, spelling, [own, own + 1])
        }),
        Formula::Quantified(quantifier, variable, body) => {
            let symbol = match quantifier {
                Quantifier::Forall => Symbol::Forall,
                Quantifier::Exists => Symbol::Exists,
            };
            in_brackets(f, QUANTIFIED < level, |f| write_bound(f, symbol, variable, body, spelling))
        }
        Formula::Applied { parameter, body, argument } => {
            f.write_str("(")?;
            write_bound(f, Symbol::Lambda, parameter, body, spelling)?;
            f.write_str(")(")?;
            Written { what: argument, spelling }.fmt(f)?;
            f.write_str(")")
        }
    }
}

fn write_bound(
    f: &mut Formatter<'_>,
    symbol: Symbol,
    variable: &str,
    body: &Formula,
    spelling: Spelling,
) -> fmt::Result {
    let space = if spelling == Spelling::Ascii { " " } else { "" };
    write!(f, "{}{space}", spelt(symbol, spelling))?;
    write_name(f, variable, false)?;
    f.write_str(". ")?;
    write_formula(f, body, spelling, 0)
}

fn write_chain(
    f: &mut Formatter<'_>,
    parts: &[Formula],
    symbol: Symbol,
    spelling: Spelling,
    level: u8,
) -> fmt::Result {
    match parts {
        [] => write!(f, "{}", symbol == Symbol::And),
        [part] => write_formula(f, part, spelling, level),
        parts => {
            let own = binding(symbol).unwrap_or(TIGHTEST);
            in_brackets(f, own < level, |f| {
                for (index, part) in parts.iter().enumerate() {
                    if index > 0 {
                        write!(f, " {} ", spelt(symbol, spelling))?;
                    }
                    write_formula(f, part, spelling, own + 1)?;
                }
                Ok(())
            })
        }
    }
}

fn write_sides(
    f: &mut Formatter<'_>,
    [a, b]: [&Formula; 2],
    symbol: Symbol,
    spelling: Spelling,
    levels: [u8; 2],
) -> fmt::Result {
    // A quantifier on the left would swallow the operator.
    let left = if matches!(a, Formula::Quantified(..)) { TIGHTEST } else { levels[0] };
    write_formula(f, a, spelling, left)?;
    write!(f, " {} ", spelt(symbol, spelling))?;
    write_formula(f, b, spelling, levels[1])
}

fn in_brackets(
    f: &mut Formatter<'_>,
    are_needed: bool,
    write: impl FnOnce(&mut Formatter<'_>) -> fmt::Result,
) -> fmt::Result {
    if !are_needed {
        return write(f);
    }
    f.write_str("(")?;
    write(f)?;
    f.write_str(")")
}
