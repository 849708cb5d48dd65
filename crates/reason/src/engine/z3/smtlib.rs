//! Statements as SMT-LIB 2.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::knowledge::Knowledge;
use crate::symbols::Symbol;
use crate::syntax::{Atom, Formula, Quantifier, Term, unfolded};

/// A script that asks whether the knowledge and the negation of a goal have a world. Names become numbers, so that no name
/// means anything to the program.
pub(super) fn script(knowledge: &Knowledge, goal: &Formula) -> String {
    let mut script = Script::default();
    for statement in knowledge.statements() {
        script.assert(&unfolded(statement));
    }
    script.assert(&unfolded(goal).negated());
    script.finish()
}

#[derive(Default)]
struct Script {
    predicates: BTreeMap<(String, usize), usize>,
    functions: BTreeMap<(String, usize), usize>,
    asserted: String,
    bound: Vec<String>,
}

impl Script {
    fn assert(&mut self, formula: &Formula) {
        self.asserted += "(assert ";
        self.formula(formula);
        self.asserted += ")\n";
    }

    fn finish(self) -> String {
        let mut script = "(declare-sort U 0)\n".to_owned();
        for ((_, arguments), number) in &self.predicates {
            // Writing to a text cannot fail.
            let _ = writeln!(script, "(declare-fun p{number} ({}) Bool)", "U ".repeat(*arguments).trim_end());
        }
        for ((_, arguments), number) in &self.functions {
            let _ = writeln!(script, "(declare-fun f{number} ({}) U)", "U ".repeat(*arguments).trim_end());
        }
        script + &self.asserted + "(check-sat)\n(exit)\n"
    }

    fn formula(&mut self, formula: &Formula) {
        match formula {
            Formula::Constant(value) => self.asserted += if *value { "true" } else { "false" },
            Formula::Atom(atom) => self.atom(atom),
            Formula::Not(body) => self.applied("not", [&**body]),
            Formula::And(parts) if parts.is_empty() => self.asserted += "true",
            Formula::Or(parts) if parts.is_empty() => self.asserted += "false",
            Formula::And(parts) => self.applied("and", parts),
            Formula::Or(parts) => self.applied("or", parts),
            Formula::Implies(a, b) => self.applied("=>", [&**a, b]),
            Formula::Iff(a, b) => self.applied("=", [&**a, b]),
            Formula::Quantified(quantifier, variable, body) => {
                let name = if *quantifier == Quantifier::Forall { "forall" } else { "exists" };
                let _ = write!(self.asserted, "({name} ((x{} U)) ", self.bound.len());
                self.bound.push(variable.clone());
                self.formula(body);
                self.bound.pop();
                self.asserted.push(')');
            }
            // Unfolded before.
            Formula::Applied { body, .. } => self.formula(body),
        }
    }

    fn applied<'a>(&mut self, operator: &str, parts: impl IntoIterator<Item = &'a Formula>) {
        self.asserted.push('(');
        self.asserted += operator;
        for part in parts {
            self.asserted.push(' ');
            self.formula(part);
        }
        self.asserted.push(')');
    }

    fn atom(&mut self, Atom { predicate, arguments }: &Atom) {
        let name = match predicate == Symbol::Equals.ascii() {
            true => "=".to_owned(),
            false => {
                let next = self.predicates.len();
                format!("p{}", self.predicates.entry((predicate.clone(), arguments.len())).or_insert(next))
            }
        };
        self.named(&name, arguments);
    }

    fn term(&mut self, term: &Term) {
        match term {
            Term::Variable(name) => {
                let level = self.bound.iter().rposition(|bound| bound == name).unwrap_or_default();
                let _ = write!(self.asserted, "x{level}");
            }
            Term::Function(name, arguments) => {
                let next = self.functions.len();
                let number = *self.functions.entry((name.clone(), arguments.len())).or_insert(next);
                self.named(&format!("f{number}"), arguments);
            }
        }
    }

    fn named(&mut self, name: &str, arguments: &[Term]) {
        if arguments.is_empty() {
            self.asserted += name;
            return;
        }
        let _ = write!(self.asserted, "({name}");
        for argument in arguments {
            self.asserted.push(' ');
            self.term(argument);
        }
        self.asserted.push(')');
    }
}
