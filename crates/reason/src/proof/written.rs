//! Proofs and models as lines for people.

use crate::engine::Verdict;
use crate::knowledge::{Knowledge, Rule};
use crate::syntax::{Atom, Formula};

use super::{Clauses, Derivation, Interpretation, Model, Proof, Refutation, ground};

/// Literals of clauses that are made at most to name those of a refutation.
const MOST_LITERALS: u64 = 100_000_000;

/// What a verdict rests on, a line for each step or fact. Of what is unknown, or cannot be shown, there is none.
pub fn written(verdict: &Verdict, goal: &Formula, knowledge: &Knowledge) -> Vec<String> {
    match verdict {
        Verdict::Proved(Proof::Refutation(proof)) => refutation(proof, goal, knowledge),
        Verdict::Proved(Proof::Derivation(steps)) | Verdict::Refuted(Model::Derivation(steps)) => {
            derivation(steps, knowledge)
        }
        Verdict::Proved(Proof::NotDerivable(world)) | Verdict::Refuted(Model::Interpretation(world)) => {
            worlds(world)
        }
        _ => Vec::new(),
    }
}

fn derivation(derivation: &Derivation, knowledge: &Knowledge) -> Vec<String> {
    let Ok(rules) = knowledge.rules() else { return Vec::new() };
    let Ok(conclusions) = derivation.conclusions(&rules) else { return Vec::new() };
    let inferences = derivation.inferences.iter().zip(&conclusions).enumerate();
    inferences
        .map(|(index, (inference, conclusion))| {
            let because = because(&rules, inference.rule, &inference.premises);
            format!("{}. {conclusion}  [{because}]", index + 1)
        })
        .collect()
}

fn because(rules: &[Rule], rule: u32, premises: &[u32]) -> String {
    let Some(rule) = rules.get(rule as usize) else { return String::new() };
    if premises.is_empty() {
        return if rule.variables().is_empty() { "known".to_owned() } else { format!("known: {rule}") };
    }
    let numbers: Vec<String> = premises.iter().map(|premise| (premise + 1).to_string()).collect();
    format!("{}; {rule}", numbers.join(", "))
}

fn refutation(refutation: &Refutation, goal: &Formula, knowledge: &Knowledge) -> Vec<String> {
    let Ok(clauses) = ground(knowledge, goal, MOST_LITERALS) else { return Vec::new() };
    let given = clauses.clauses.len() as u32;
    let mut lines = Vec::new();
    // Clauses that are named get numbers in the order in which they are.
    let mut numbers: Vec<(u32, usize)> = Vec::new();
    for (index, step) in refutation.steps.iter().enumerate() {
        let mut because = Vec::new();
        for &number in &step.because {
            let known = numbers.iter().find(|(of, _)| *of == number).map(|(_, line)| *line);
            let line = known.unwrap_or_else(|| {
                let clause = clauses.clauses.get(number as usize).map_or(&[][..], Vec::as_slice);
                lines.push(format!(
                    "{}. {}  [known, or the goal denied]",
                    lines.len() + 1,
                    literals(clause, &clauses)
                ));
                numbers.push((number, lines.len()));
                lines.len()
            });
            because.push(line.to_string());
        }
        lines.push(format!(
            "{}. {}  [{}]",
            lines.len() + 1,
            literals(&step.clause, &clauses),
            because.join(", ")
        ));
        numbers.push((given + index as u32, lines.len()));
    }
    lines
}

fn literals(clause: &[i32], clauses: &Clauses) -> String {
    if clause.is_empty() {
        return "a contradiction".to_owned();
    }
    let literal = |&number: &i32| {
        let index = number.unsigned_abs() as usize - 1;
        let atom =
            clauses.atoms.get(index).map_or_else(|| format!("part {}", index + 1), ToString::to_string);
        if number > 0 { atom } else { format!("not {atom}") }
    };
    clause.iter().map(literal).collect::<Vec<_>>().join(" or ")
}

fn worlds(world: &Interpretation) -> Vec<String> {
    let mut lines = Vec::new();
    if !world.things.is_empty() {
        let things: Vec<String> = world.things.iter().map(ToString::to_string).collect();
        lines.push(format!("things: {}", things.join(", ")));
    }
    lines.extend(world.same.iter().map(|(term, thing)| format!("{term} = {thing}")));
    lines.extend(world.holds.iter().map(Atom::to_string));
    lines.push("and nothing else".to_owned());
    lines
}
