//! Contradictions, step by step.
//!
//! A step is a clause that follows from clauses before it by propagation of units: where all its literals are false, each
//! clause that it names has one literal left, which has to be true, and the last has none (Cruz-Filipe, Heule, Hunt,
//! Kaufmann and Schneider-Kamp, "Efficient certified RAT verification", 2017; without the part that gives RAT its name).

use serde::{Deserialize, Serialize};

/// Clauses that follow one from the other, down to the empty one.
///
/// Clauses are numbered from 0: first those of the knowledge and the negated goal, as they are translated, then the steps.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refutation {
    /// The steps; the last has no literals.
    pub steps: Vec<RefutationStep>,
}

/// A clause and what it follows from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefutationStep {
    /// Its literals: numbers of variables from 1, with a minus where negated.
    pub clause: Vec<i32>,
    /// Numbers of clauses, in the order in which they become units.
    pub because: Vec<u32>,
}

/// What is wrong with a refutation: the number of a step, and why.
pub(super) type Flaw = (usize, &'static str);

/// Checks each step. The checker keeps nothing but which literals are true, and looks at each clause that is named once.
pub(super) fn check(clauses: &[Vec<i32>], variables: usize, refutation: &Refutation) -> Result<(), Flaw> {
    let mut truth = vec![0_i8; variables + 1];
    let mut set = Vec::new();
    for (index, step) in refutation.steps.iter().enumerate() {
        let flaw = |what| (index, what);
        if step.clause.iter().any(|literal| !(1..=variables).contains(&(literal.unsigned_abs() as usize))) {
            return Err(flaw("has a literal of no variable"));
        }
        for variable in set.drain(..) {
            truth[variable] = 0;
        }
        for &literal in &step.clause {
            assign(&mut truth, &mut set, -literal);
        }
        follows(clauses, &refutation.steps[..index], step, &mut truth, &mut set).map_err(flaw)?;
    }
    match refutation.steps.last() {
        Some(step) if step.clause.is_empty() => Ok(()),
        _ => Err((refutation.steps.len(), "does not end with a contradiction")),
    }
}

fn follows(
    clauses: &[Vec<i32>],
    before: &[RefutationStep],
    step: &RefutationStep,
    truth: &mut [i8],
    set: &mut Vec<usize>,
) -> Result<(), &'static str> {
    for &number in &step.because {
        let number = number as usize;
        let named = match clauses.get(number) {
            Some(clause) => clause,
            None => &before.get(number - clauses.len()).ok_or("names a clause that is not before it")?.clause,
        };
        let mut open = named.iter().filter(|literal| value(truth, **literal) != -1);
        match (open.next(), open.next()) {
            (None, _) => return Ok(()),
            (Some(&literal), None) => assign(truth, set, literal),
            _ => return Err("names a clause that leaves more than one literal open"),
        }
    }
    Err("does not follow from the clauses that it names")
}

fn value(truth: &[i8], literal: i32) -> i8 {
    let value = truth[literal.unsigned_abs() as usize];
    if literal > 0 { value } else { -value }
}

fn assign(truth: &mut [i8], set: &mut Vec<usize>, literal: i32) {
    let variable = literal.unsigned_abs() as usize;
    truth[variable] = if literal > 0 { 1 } else { -1 };
    set.push(variable);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(clause: &[i32], because: &[u32]) -> RefutationStep {
        RefutationStep { clause: clause.to_vec(), because: because.to_vec() }
    }

    #[test]
    fn steps_that_follow_are_taken_and_others_are_not() {
        let clauses = [vec![1, 2], vec![1, -2], vec![-1, 3], vec![-1, -3]];
        let good = Refutation { steps: vec![step(&[1], &[0, 1]), step(&[], &[4, 2, 3])] };
        assert_eq!(check(&clauses, 3, &good), Ok(()));
        for (steps, flaw) in [
            (vec![step(&[1], &[0])], (0, "does not follow from the clauses that it names")),
            (vec![step(&[1], &[0, 1])], (1, "does not end with a contradiction")),
            (vec![step(&[], &[2, 3])], (0, "names a clause that leaves more than one literal open")),
            (vec![step(&[], &[4])], (0, "names a clause that is not before it")),
            (vec![step(&[4], &[0])], (0, "has a literal of no variable")),
            (vec![], (0, "does not end with a contradiction")),
        ] {
            assert_eq!(check(&clauses, 3, &Refutation { steps }), Err(flaw));
        }
    }

    #[test]
    fn a_clause_that_a_true_literal_satisfies_forces_nothing() {
        // With 1 false, the clause (-1 or 2) says nothing of 2.
        let clauses = [vec![-1, 2], vec![-2]];
        let steps = vec![step(&[1], &[0, 1]), step(&[], &[2])];
        assert!(check(&clauses, 2, &Refutation { steps }).is_err());
    }
}
