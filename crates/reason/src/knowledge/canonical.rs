//! One form for formulas that differ in nothing that matters.

use crate::symbols::Symbol;
use crate::syntax::{Atom, Formula, Quantifier, Term, unfolded};

/// A text that is equal for formulas that differ only in names of bound variables, in order, grouping and repetition of what
/// `and`, `or`, `iff` and `=` join, in which of `<` and `>` is used, in where negations stand, and in `implies` for `or`.
///
/// It is no formula to be read, and two formulas with the same meaning can have different ones.
pub fn canonical(formula: &Formula) -> String {
    form(&unfolded(formula), true, &mut Vec::new())
}

/// The form of a formula, or of its negation, under binders from the outermost.
fn form<'a>(formula: &'a Formula, is_positive: bool, bound: &mut Vec<&'a str>) -> String {
    match formula {
        Formula::Constant(value) => (*value == is_positive).to_string(),
        Formula::Atom(atom) => {
            let atom = atom_form(atom, bound);
            if is_positive { atom } else { format!("!{atom}") }
        }
        Formula::Not(body) => form(body, !is_positive, bound),
        Formula::And(_) | Formula::Or(_) | Formula::Implies(..) => {
            let is_and = matches!(formula, Formula::And(_)) == is_positive;
            let mut parts = Vec::new();
            collect(formula, is_positive, is_and, bound, &mut parts);
            parts.sort_unstable();
            parts.dedup();
            match parts.as_slice() {
                [part] => part.clone(),
                parts => format!("{}({})", if is_and { '&' } else { '|' }, parts.join(";")),
            }
        }
        Formula::Iff(a, b) => {
            let mut sides = [form(a, true, bound), form(b, true, bound)];
            sides.sort_unstable();
            format!("{}=({})", if is_positive { "" } else { "!" }, sides.join(";"))
        }
        Formula::Quantified(quantifier, variable, body) => {
            bound.push(variable);
            let body = form(body, is_positive, bound);
            bound.pop();
            let is_all = (*quantifier == Quantifier::Forall) == is_positive;
            format!("{}({body})", if is_all { 'A' } else { 'E' })
        }
        // Unfolded before.
        Formula::Applied { body, .. } => form(body, is_positive, bound),
    }
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
        other => parts.push(form(other, is_positive, bound)),
    }
}

fn atom_form(atom: &Atom, bound: &[&str]) -> String {
    let mut arguments: Vec<String> = atom.arguments.iter().map(|term| term_form(term, bound)).collect();
    if atom.predicate == Symbol::Equals.ascii() {
        arguments.sort_unstable();
    }
    // Names in quotes, so that no name looks like something else.
    format!("{:?}({})", atom.predicate, arguments.join(","))
}

fn term_form(term: &Term, bound: &[&str]) -> String {
    match term {
        Term::Variable(name) => match bound.iter().rposition(|bound| bound == name) {
            Some(level) => format!("#{level}"),
            None => format!("?{name:?}"),
        },
        Term::Function(name, arguments) if arguments.is_empty() => format!("{name:?}"),
        Term::Function(name, arguments) => {
            let arguments: Vec<String> = arguments.iter().map(|term| term_form(term, bound)).collect();
            format!("{name:?}({})", arguments.join(","))
        }
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
