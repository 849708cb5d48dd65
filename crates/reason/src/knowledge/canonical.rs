//! One form for formulas that differ in nothing that matters.

use crate::symbols::Symbol;
use crate::syntax::{Atom, Formula, Quantifier, Term, unfolded};

/// A text that is equal for formulas that differ only in names of bound variables, in order, grouping and repetition of what
/// `and`, `or`, `iff` and `=` join, in which of `<` and `>` is used, in where negations stand, and in `implies` for `or`.
///
/// It is no formula to be read, and two formulas with the same meaning can have different ones.
pub fn canonical(formula: &Formula) -> String {
    let mut text = String::new();
    form(formula, true, &mut Vec::new(), &mut text);
    text
}

/// Appends the form of a formula, or of its negation, under binders from the outermost.
fn form<'a>(formula: &'a Formula, is_positive: bool, bound: &mut Vec<&'a str>, text: &mut String) {
    match formula {
        Formula::Constant(value) => text.push_str(if *value == is_positive { "true" } else { "false" }),
        Formula::Atom(atom) => {
            text.push_str(if is_positive { "" } else { "!" });
            atom_form(atom, bound, text);
        }
        Formula::Not(body) => form(body, !is_positive, bound, text),
        Formula::And(_) | Formula::Or(_) | Formula::Implies(..) => {
            let is_and = matches!(formula, Formula::And(_)) == is_positive;
            let mut parts = Vec::new();
            collect(formula, is_positive, is_and, bound, &mut parts);
            parts.sort_unstable();
            parts.dedup();
            match parts.as_slice() {
                [part] => text.push_str(part),
                parts => {
                    text.push_str(if is_and { "&(" } else { "|(" });
                    joined(parts, ";", text);
                }
            }
        }
        Formula::Iff(a, b) => {
            let mut sides = [a, b].map(|side| own_form(side, true, bound));
            sides.sort_unstable();
            text.push_str(if is_positive { "=(" } else { "!=(" });
            joined(&sides, ";", text);
        }
        Formula::Quantified(quantifier, variable, body) => {
            let is_all = (*quantifier == Quantifier::Forall) == is_positive;
            text.push_str(if is_all { "A(" } else { "E(" });
            bound.push(variable);
            form(body, is_positive, bound, text);
            bound.pop();
            text.push(')');
        }
        Formula::Applied { .. } => form(&unfolded(formula), is_positive, &mut bound.clone(), text),
    }
}

/// The form as a text of its own.
fn own_form<'a>(formula: &'a Formula, is_positive: bool, bound: &mut Vec<&'a str>) -> String {
    let mut text = String::new();
    form(formula, is_positive, bound, &mut text);
    text
}

/// Appends parts and the bracket behind them.
fn joined(parts: &[String], separator: &str, text: &mut String) {
    for (number, part) in parts.iter().enumerate() {
        text.push_str(if number == 0 { "" } else { separator });
        text.push_str(part);
    }
    text.push(')');
}

/// The parts of nested conjunctions, or of nested disjunctions.
fn collect<'a>(
    formula: &'a Formula,
    is_positive: bool,
    is_and: bool,
    bound: &mut Vec<&'a str>,
    parts: &mut Vec<String>,
) {
    match formula {
        Formula::Not(body) => collect(body, !is_positive, is_and, bound, parts),
        Formula::And(inner) if is_positive == is_and => {
            inner.iter().for_each(|part| collect(part, is_positive, is_and, bound, parts));
        }
        Formula::Or(inner) if is_positive != is_and => {
            inner.iter().for_each(|part| collect(part, is_positive, is_and, bound, parts));
        }
        Formula::Implies(a, b) if is_positive != is_and => {
            collect(a, !is_positive, is_and, bound, parts);
            collect(b, is_positive, is_and, bound, parts);
        }
        Formula::Applied { .. } => {
            collect(&unfolded(formula), is_positive, is_and, &mut bound.clone(), parts);
        }
        other => parts.push(own_form(other, is_positive, bound)),
    }
}

fn atom_form(atom: &Atom, bound: &[&str], text: &mut String) {
    let is_greater = atom.predicate == Symbol::Greater.ascii();
    quoted(if is_greater { Symbol::Less.ascii() } else { &atom.predicate }, text);
    text.push('(');
    if atom.predicate == Symbol::Equals.ascii() {
        let mut sides: Vec<String> = atom.arguments.iter().map(|term| own_term_form(term, bound)).collect();
        sides.sort_unstable();
        return joined(&sides, ",", text);
    }
    match is_greater {
        true => terms_form(atom.arguments.iter().rev(), bound, text),
        false => terms_form(atom.arguments.iter(), bound, text),
    }
}

/// Appends terms and the bracket behind them.
fn terms_form<'a>(terms: impl Iterator<Item = &'a Term>, bound: &[&str], text: &mut String) {
    for (number, term) in terms.enumerate() {
        text.push_str(if number == 0 { "" } else { "," });
        term_form(term, bound, text);
    }
    text.push(')');
}

fn term_form(term: &Term, bound: &[&str], text: &mut String) {
    match term {
        Term::Variable(name) => match bound.iter().rposition(|bound| bound == name) {
            Some(level) => {
                text.push('#');
                text.push_str(&level.to_string());
            }
            None => {
                text.push('?');
                quoted(name, text);
            }
        },
        Term::Function(name, arguments) => {
            quoted(name, text);
            if !arguments.is_empty() {
                text.push('(');
                terms_form(arguments.iter(), bound, text);
            }
        }
    }
}

fn own_term_form(term: &Term, bound: &[&str]) -> String {
    let mut text = String::new();
    term_form(term, bound, &mut text);
    text
}

/// Appends a name in quotes, so that no name looks like something else.
fn quoted(name: &str, text: &mut String) {
    // What is escaped takes the long way; the text is the same.
    let is_plain = name.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\');
    if is_plain {
        text.push('"');
        text.push_str(name);
        text.push('"');
    } else {
        text.push_str(&format!("{name:?}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::parse;

    fn of(text: &str) -> String {
        canonical(&parse(text).unwrap())
    }

    #[test]
    fn what_does_not_matter_is_gone() {
        for (a, b) in [
            ("p and q and r", "r and (q and p) and p"),
            ("forall x. exists y. likes(x, y)", "forall person. exists thing. likes(person, thing)"),
            ("p implies q or r", "not p or r or q"),
            ("not (p and q)", "not q or not p"),
            ("not forall x. p(x)", "exists z. not p(z)"),
            ("a = b iff p", "p iff b = a"),
            ("1 > 2", "2 < 1"),
            ("(lambda x. p(x, b))(a)", "p(a, b)"),
            ("not not p", "p"),
        ] {
            assert_eq!(of(a), of(b), "{a} / {b}");
        }
    }

    #[test]
    fn what_matters_stays() {
        for (a, b) in [
            ("p and q", "p or q"),
            ("forall x. exists y. likes(x, y)", "forall x. exists y. likes(y, x)"),
            ("forall x. p(x)", "exists x. p(x)"),
            ("p implies q", "q implies p"),
            ("1 < 2", "2 < 1"),
            ("p(a)", "p(b)"),
            ("p('a,b')", "p(a, b)"),
            ("not (p iff q)", "p iff q"),
        ] {
            assert_ne!(of(a), of(b), "{a} / {b}");
        }
    }
}
