//! Facts and rules that lead to a conclusion.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::knowledge::{Query, Rule};
use crate::syntax::{Atom, Term};

/// Applications of rules, each to what was concluded before it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Derivation {
    /// In an order in which each comes behind what it needs.
    pub inferences: Vec<Inference>,
    /// The inferences that conclude the atoms of the goal, in their order.
    pub answers: Vec<u32>,
}

/// A rule with terms in the place of its variables.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inference {
    /// Which of the rules of the knowledge, from 0.
    pub rule: u32,
    /// The terms, in the order of [`Rule::variables`].
    pub terms: Vec<Term>,
    /// The inferences that conclude the atoms of its body, in their order.
    pub premises: Vec<u32>,
}

/// What is wrong with a derivation: the number of an inference, and why.
pub(super) type Flaw = (usize, &'static str);

impl Derivation {
    /// What each inference concludes.
    pub(crate) fn conclusions(&self, rules: &[Rule]) -> Result<Vec<Atom>, Flaw> {
        let mut conclusions: Vec<Atom> = Vec::new();
        for (index, inference) in self.inferences.iter().enumerate() {
            let conclusion = conclude(inference, rules, &conclusions).map_err(|flaw| (index, flaw))?;
            conclusions.push(conclusion);
        }
        Ok(conclusions)
    }
}

fn conclude(inference: &Inference, rules: &[Rule], before: &[Atom]) -> Result<Atom, &'static str> {
    let rule = rules.get(inference.rule as usize).ok_or("applies a rule that is not there")?;
    let variables = rule.variables();
    if variables.len() != inference.terms.len() || !inference.terms.iter().all(Term::is_ground) {
        return Err("does not say what each variable stands for");
    }
    let terms: BTreeMap<String, Term> =
        variables.into_iter().map(str::to_owned).zip(inference.terms.iter().cloned()).collect();
    if rule.body.len() != inference.premises.len() {
        return Err("has another number of premises than its rule");
    }
    for (atom, &premise) in rule.body.iter().zip(&inference.premises) {
        let known = before.get(premise as usize).ok_or("needs what is not concluded before it")?;
        if atom.substituted(&terms) != *known {
            return Err("has a premise that is not that of its rule");
        }
    }
    Ok(rule.head.substituted(&terms))
}

/// Checks that the inferences are those of rules, and that what they conclude answers a question.
pub(super) fn check(rules: &[Rule], query: &Query, derivation: &Derivation) -> Result<(), Flaw> {
    let conclusions = derivation.conclusions(rules)?;
    let last = derivation.inferences.len();
    if query.atoms.len() != derivation.answers.len() {
        return Err((last, "does not answer each part of the goal"));
    }
    let mut terms = BTreeMap::new();
    for (atom, &answer) in query.atoms.iter().zip(&derivation.answers) {
        let found = conclusions.get(answer as usize).ok_or((last, "answers with what is not concluded"))?;
        if !matches(atom, found, &mut terms) {
            return Err((answer as usize, "concludes something else than the goal"));
        }
    }
    Ok(())
}

/// Whether an atom becomes one without variables by terms in the place of its variables, which are taken note of.
pub(super) fn matches(pattern: &Atom, atom: &Atom, terms: &mut BTreeMap<String, Term>) -> bool {
    pattern.predicate == atom.predicate
        && pattern.arguments.len() == atom.arguments.len()
        && pattern
            .arguments
            .iter()
            .zip(&atom.arguments)
            .all(|(pattern, term)| matches_term(pattern, term, terms))
}

fn matches_term(pattern: &Term, term: &Term, terms: &mut BTreeMap<String, Term>) -> bool {
    match (pattern, term) {
        (Term::Variable(name), _) => match terms.get(name) {
            Some(known) => known == term,
            None => {
                terms.insert(name.clone(), term.clone());
                true
            }
        },
        (Term::Function(f, of_f), Term::Function(g, of_g)) => {
            f == g
                && of_f.len() == of_g.len()
                && of_f.iter().zip(of_g).all(|(pattern, term)| matches_term(pattern, term, terms))
        }
        (Term::Function(..), Term::Variable(_)) => false,
    }
}
