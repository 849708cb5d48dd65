//! Formulas as text.

use std::collections::BTreeSet;
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
        write_term(f, self.what, &Style { spelling: self.spelling, bound: BTreeSet::new() })
    }
}

impl Display for Written<'_, Atom> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write_atom(f, self.what, &Style { spelling: self.spelling, bound: BTreeSet::new() })
    }
}

impl Display for Written<'_, Formula> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let bound = self.what.subformulas().filter_map(|part| match part {
            Formula::Quantified(_, name, _) | Formula::Applied { parameter: name, .. } => Some(name.as_str()),
            _ => None,
        });
        write_formula(f, self.what, &Style { spelling: self.spelling, bound: bound.collect() }, 0)
    }
}

/// How a formula is written.
struct Style<'a> {
    spelling: Spelling,
    /// Names of its variables: a constant of such a name stands in quotes, which no variable does.
    bound: BTreeSet<&'a str>,
}

fn write_term(f: &mut Formatter<'_>, term: &Term, style: &Style<'_>) -> fmt::Result {
    match term {
        Term::Variable(name) => f.write_str(name),
        Term::Function(name, arguments) => named(f, name, arguments, style),
    }
}

fn write_atom(f: &mut Formatter<'_>, Atom { predicate, arguments }: &Atom, style: &Style<'_>) -> fmt::Result {
    let relation = Symbol::of_word(predicate).filter(|symbol| symbol.is_relation());
    match (relation, arguments.as_slice()) {
        (Some(relation), [left, right]) => {
            write_term(f, left, style)?;
            write!(f, " {} ", spelt(relation, style.spelling))?;
            write_term(f, right, style)
        }
        _ => named(f, predicate, arguments, style),
    }
}

fn spelt(symbol: Symbol, spelling: Spelling) -> &'static str {
    match spelling {
        Spelling::Ascii => symbol.ascii(),
        Spelling::Unicode => symbol.unicode(),
    }
}

fn named(f: &mut Formatter<'_>, name: &str, arguments: &[Term], style: &Style<'_>) -> fmt::Result {
    write_name(f, name, arguments.is_empty(), style)?;
    for (index, argument) in arguments.iter().enumerate() {
        f.write_str(if index == 0 { "(" } else { ", " })?;
        write_term(f, argument, style)?;
    }
    if arguments.is_empty() { Ok(()) } else { f.write_str(")") }
}

/// A name, in quotes where it would be read as something else without.
fn write_name(f: &mut Formatter<'_>, name: &str, stands_alone: bool, style: &Style<'_>) -> fmt::Result {
    let begins = name.starts_with(is_name_letter);
    let is_plain = begins && name.chars().all(|letter| is_name_letter(letter) || letter == '\'');
    if is_plain
        && !is_reserved(name)
        && !(stands_alone && (is_variable_name(name) || style.bound.contains(name)))
    {
        return f.write_str(name);
    }
    write!(f, "'{}'", name.replace('\\', "\\\\").replace('\'', "\\'").replace('\n', "\\n"))
}

/// Loosest, and so in brackets within all others.
const QUANTIFIED: u8 = 0;
/// What `not` and brackets are: tighter than all operators of two sides.
const TIGHTEST: u8 = 4;

/// Writes a formula where something stands that binds at least as tightly as `level`.
fn write_formula(f: &mut Formatter<'_>, formula: &Formula, style: &Style<'_>, level: u8) -> fmt::Result {
    let of = |symbol| binding(symbol).unwrap_or(TIGHTEST);
    match formula {
        Formula::Constant(value) => write!(f, "{value}"),
        Formula::Atom(atom) => write_atom(f, atom, style),
        Formula::Not(body) => {
            let not = spelt(Symbol::Not, style.spelling);
            f.write_str(not)?;
            if style.spelling == Spelling::Ascii {
                f.write_str(" ")?;
            }
            write_formula(f, body, style, TIGHTEST)
        }
        Formula::And(parts) => write_chain(f, parts, Symbol::And, style, level),
        Formula::Or(parts) => write_chain(f, parts, Symbol::Or, style, level),
        Formula::Implies(a, b) => in_brackets(f, of(Symbol::Implies) < level, |f| {
            let own = of(Symbol::Implies);
            write_sides(f, [a, b], Symbol::Implies, style, [own + 1, own])
        }),
        Formula::Iff(a, b) => in_brackets(f, of(Symbol::Iff) < level, |f| {
            let own = of(Symbol::Iff);
            write_sides(f, [a, b], Symbol::Iff, style, [own, own + 1])
        }),
        Formula::Quantified(quantifier, variable, body) => {
            let symbol = match quantifier {
                Quantifier::Forall => Symbol::Forall,
                Quantifier::Exists => Symbol::Exists,
            };
            in_brackets(f, QUANTIFIED < level, |f| write_bound(f, symbol, variable, body, style))
        }
        Formula::Applied { parameter, body, argument } => {
            f.write_str("(")?;
            write_bound(f, Symbol::Lambda, parameter, body, style)?;
            f.write_str(")(")?;
            write_term(f, argument, style)?;
            f.write_str(")")
        }
    }
}

fn write_bound(
    f: &mut Formatter<'_>,
    symbol: Symbol,
    variable: &str,
    body: &Formula,
    style: &Style<'_>,
) -> fmt::Result {
    let space = if style.spelling == Spelling::Ascii { " " } else { "" };
    write!(f, "{}{space}", spelt(symbol, style.spelling))?;
    write!(f, "{variable}. ")?;
    write_formula(f, body, style, 0)
}

fn write_chain(
    f: &mut Formatter<'_>,
    parts: &[Formula],
    symbol: Symbol,
    style: &Style<'_>,
    level: u8,
) -> fmt::Result {
    match parts {
        [] => write!(f, "{}", symbol == Symbol::And),
        [part] => write_formula(f, part, style, level),
        parts => {
            let own = binding(symbol).unwrap_or(TIGHTEST);
            in_brackets(f, own < level, |f| {
                for (index, part) in parts.iter().enumerate() {
                    if index > 0 {
                        write!(f, " {} ", spelt(symbol, style.spelling))?;
                    }
                    write_formula(f, part, style, own + 1)?;
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
    style: &Style<'_>,
    levels: [u8; 2],
) -> fmt::Result {
    // A quantifier on the left would swallow the operator.
    let left = if matches!(a, Formula::Quantified(..)) { TIGHTEST } else { levels[0] };
    write_formula(f, a, style, left)?;
    write!(f, " {} ", spelt(symbol, style.spelling))?;
    write_formula(f, b, style, levels[1])
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
