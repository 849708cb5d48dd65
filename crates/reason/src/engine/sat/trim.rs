//! A refutation out of the clauses that a solver learnt.
//!
//! Each learnt clause follows from those before it by propagation of units (Goldberg and Novikov, "Verification of proofs of
//! unsatisfiability for CNF formulas", 2003). From the contradiction backwards only what is needed is looked at, and for
//! each clause it is noted which others made units.

use crate::engine::{Budget, Reason};
use crate::proof::{Clauses, Refutation, RefutationStep};

/// Clauses that are looked at for each step of a budget.
const VISITS_PER_STEP: u64 = 2_000;

/// A refutation of clauses, by some of those that a solver learnt from them.
pub(super) fn refutation(clauses: &Clauses, learnt: &[&[i32]], budget: Budget) -> Result<Refutation, Reason> {
    let given = clauses.clauses.len();
    let all: Vec<Vec<i32>> =
        clauses.clauses.iter().map(Vec::as_slice).chain(learnt.iter().copied()).map(distinct).collect();
    let room = budget.steps.saturating_mul(VISITS_PER_STEP);
    let mut units = Units::new(all, clauses.variables, room);
    let mut steps = vec![(units.len(), Vec::new(), units.conflict(&[], units.len())?)];
    let mut is_needed = vec![false; units.len()];
    let mark = |because: &[u32], is_needed: &mut Vec<bool>| {
        because.iter().for_each(|&number| is_needed[number as usize] = true)
    };
    mark(&steps[0].2, &mut is_needed);
    for number in (given..units.len()).rev() {
        if is_needed[number] {
            let clause = learnt[number - given].to_vec();
            let because = units.conflict(&clause, number)?;
            mark(&because, &mut is_needed);
            steps.push((number, clause, because));
        }
    }
    steps.reverse();
    Ok(renumbered(given, steps))
}

/// Numbers without gaps.
fn renumbered(given: usize, steps: Vec<(usize, Vec<i32>, Vec<u32>)>) -> Refutation {
    let kept: Vec<usize> = steps.iter().map(|(number, ..)| *number).collect();
    let place = |number: u32| match (number as usize) < given {
        true => number,
        // What is needed was kept.
        false => (given + kept.partition_point(|&kept| kept < number as usize)) as u32,
    };
    let steps = steps.into_iter().map(|(_, clause, because)| RefutationStep {
        clause,
        because: because.into_iter().map(place).collect(),
    });
    Refutation { steps: steps.collect() }
}

fn distinct(clause: &[i32]) -> Vec<i32> {
    let mut clause = clause.to_vec();
    clause.sort_unstable();
    clause.dedup();
    clause
}

/// Propagation of units, with two literals watched in each clause (Moskewicz and others, "Chaff", 2001).
struct Units {
    /// The two first literals of each are watched.
    clauses: Vec<Vec<i32>>,
    /// By literal: the clauses that watch it.
    watches: Vec<Vec<u32>>,
    /// Those of one literal, or none.
    short: Vec<u32>,
    /// By variable: 1, -1 or, where it is open, 0.
    truth: Vec<i8>,
    /// By variable: the clause that forced it, or none.
    forced_by: Vec<u32>,
    trail: Vec<i32>,
    room: u64,
}

const NOTHING: u32 = u32::MAX;

impl Units {
    fn new(clauses: Vec<Vec<i32>>, variables: usize, room: u64) -> Self {
        let mut watches = vec![Vec::new(); 2 * variables + 2];
        let mut short = Vec::new();
        for (number, clause) in clauses.iter().enumerate() {
            match clause.as_slice() {
                [a, b, ..] => {
                    [a, b].into_iter().for_each(|literal| watches[place(*literal)].push(number as u32))
                }
                _ => short.push(number as u32),
            }
        }
        let (truth, forced_by) = (vec![0; variables + 1], vec![NOTHING; variables + 1]);
        Self { clauses, watches, short, truth, forced_by, trail: Vec::new(), room }
    }

    fn len(&self) -> usize {
        self.clauses.len()
    }

    /// The clauses, in the order in which they become units, that contradict the negation of a clause; only those with numbers
    /// below a limit count, and the limit never rises.
    fn conflict(&mut self, clause: &[i32], limit: usize) -> Result<Vec<u32>, Reason> {
        let found = self.find_conflict(clause, limit as u32)?;
        let because = found.map(|conflict| self.explain(conflict));
        for literal in self.trail.drain(..) {
            let variable = literal.unsigned_abs() as usize;
            self.truth[variable] = 0;
            self.forced_by[variable] = NOTHING;
        }
        because.ok_or_else(|| Reason::GaveUp("the solver, whose clauses contradict nothing,".to_owned()))
    }

    fn find_conflict(&mut self, clause: &[i32], limit: u32) -> Result<Option<u32>, Reason> {
        for &literal in clause {
            if self.value(literal) == 0 {
                self.assign(-literal, NOTHING);
            }
        }
        for index in 0..self.short.len() {
            let number = self.short[index];
            if number >= limit {
                break;
            }
            match self.clauses[number as usize].first() {
                None => return Ok(Some(number)),
                Some(&literal) if self.value(literal) == -1 => return Ok(Some(number)),
                Some(&literal) if self.value(literal) == 0 => self.assign(literal, number),
                Some(_) => {}
            }
        }
        let mut next = 0;
        while let Some(&literal) = self.trail.get(next) {
            next += 1;
            if let Some(conflict) = self.visit(-literal, limit)? {
                return Ok(Some(conflict));
            }
        }
        Ok(None)
    }

    /// Looks at the clauses that watch a literal which became false.
    fn visit(&mut self, falsified: i32, limit: u32) -> Result<Option<u32>, Reason> {
        let mut watching = std::mem::take(&mut self.watches[place(falsified)]);
        let mut conflict = None;
        let (mut kept, mut at) = (0, 0);
        while at < watching.len() {
            let number = watching[at];
            at += 1;
            // Later clauses count never again.
            if number >= limit {
                continue;
            }
            self.room = self.room.saturating_sub(1);
            if let Some(literal) = self.other_watch(number, falsified) {
                self.watches[place(literal)].push(number);
                continue;
            }
            watching[kept] = number;
            kept += 1;
            let first = self.clauses[number as usize][0];
            match self.value(first) {
                0 => self.assign(first, number),
                -1 => {
                    conflict = Some(number);
                    break;
                }
                _ => {}
            }
        }
        let left = watching.len() - at;
        watching.copy_within(at.., kept);
        watching.truncate(kept + left);
        self.watches[place(falsified)] = watching;
        if self.room == 0 {
            return Err(Reason::Budget("what the refutation may take".to_owned()));
        }
        Ok(conflict)
    }

    /// Puts the falsified literal second, and another that is not false in its place, if there is one.
    fn other_watch(&mut self, number: u32, falsified: i32) -> Option<i32> {
        let truth = &self.truth;
        let clause = &mut self.clauses[number as usize];
        if clause[0] == falsified {
            clause.swap(0, 1);
        }
        if value(truth, clause[0]) == 1 {
            return None;
        }
        let other = (2..clause.len()).find(|&index| value(truth, clause[index]) != -1)?;
        clause.swap(1, other);
        Some(clause[1])
    }

    fn explain(&self, conflict: u32) -> Vec<u32> {
        let mut is_meant = vec![false; self.truth.len()];
        let mut because = vec![conflict];
        let mean = |number: u32, is_meant: &mut Vec<bool>| {
            let clause = &self.clauses[number as usize];
            clause.iter().for_each(|literal| is_meant[literal.unsigned_abs() as usize] = true);
        };
        mean(conflict, &mut is_meant);
        for literal in self.trail.iter().rev() {
            let variable = literal.unsigned_abs() as usize;
            let forced_by = self.forced_by[variable];
            if is_meant[variable] && forced_by != NOTHING {
                because.push(forced_by);
                mean(forced_by, &mut is_meant);
            }
        }
        because.reverse();
        because
    }

    fn assign(&mut self, literal: i32, because: u32) {
        let variable = literal.unsigned_abs() as usize;
        self.truth[variable] = if literal > 0 { 1 } else { -1 };
        self.forced_by[variable] = because;
        self.trail.push(literal);
    }

    fn value(&self, literal: i32) -> i8 {
        value(&self.truth, literal)
    }
}

fn value(truth: &[i8], literal: i32) -> i8 {
    let value = truth[literal.unsigned_abs() as usize];
    if literal > 0 { value } else { -value }
}

fn place(literal: i32) -> usize {
    2 * literal.unsigned_abs() as usize + usize::from(literal < 0)
}
