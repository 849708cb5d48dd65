//! Whether a formula of propositional logic follows from others.

use rekindle_reason::syntax::Formula;
use rekindle_reason::{Budget, Knowledge, Reasoner, Sat};

use super::{Drawn, Random, Split, logic_label, truth};

const LEARNT: &[&str] = &["p", "q", "r", "s", "t"];
const MORE: &[&str] = &["p", "q", "r", "s", "t", "m", "n"];
const OTHERS: &[&str] = &["a", "b", "c", "d", "e"];

/// Statements and goals that are tried for the answer that is to come.
const TRIES: usize = 100;

pub(super) fn draw(random: &mut Random, split: Split) -> Option<Drawn> {
    let (names, statements, depth) = match split {
        Split::InDistribution => (LEARNT, random.between(3, 5), random.between(1, 2)),
        Split::Deeper => (LEARNT, random.between(3, 5), random.between(3, 4)),
        Split::Longer => (MORE, random.between(8, 10), random.between(1, 2)),
        Split::Shifted => (OTHERS, random.between(3, 5), random.between(1, 2)),
    };
    // The answer and the kind of goal are drawn apart, so that the one does not tell the other.
    let wanted = random.chance(50);
    let kind = random.below(4);
    for _ in 0..TRIES {
        let lines: Vec<String> =
            (0..statements).map(|_| formula(random, names, depth, split).to_string()).collect();
        let statement = lines.join("\n");
        let goal = goal(random, names, kind);
        let question = format!("{goal}?");
        let follows = logic_label::follows(logic_label::formulas(&statement, &question))?;
        // From what contradicts itself everything follows, and some goals follow from nothing.
        if follows == wanted && is_contingent(&statement, &goal) {
            return Some(Drawn { depth, statement, question, answer: truth(follows) });
        }
    }
    None
}

fn is_contingent(statement: &str, goal: &Formula) -> bool {
    let nothing = Knowledge::default();
    let follows =
        |knowledge: &Knowledge, goal: &Formula| Sat.prove(goal, knowledge, Budget::default()).follows();
    let known = Knowledge::parse(statement);
    known.is_ok_and(|known| follows(&known, &Formula::Constant(false)) == Some(false))
        && follows(&nothing, goal) == Some(false)
}

/// A formula of just so many levels of operators.
fn formula(random: &mut Random, names: &[&str], depth: usize, split: Split) -> Formula {
    if depth == 0 {
        let literal = Formula::atom(*random.pick(names), Vec::new());
        return if random.chance(35) { literal.negated() } else { literal };
    }
    let deep = formula(random, names, depth - 1, split);
    let lower = random.below(depth);
    let other = formula(random, names, lower, split);
    let (a, b) = if random.chance(50) { (deep, other) } else { (other, deep) };
    let equal = if split == Split::Shifted { 60 } else { 10 };
    if random.chance(equal) {
        return Formula::Iff(Box::new(a), Box::new(b));
    }
    match random.below(3) {
        0 => a.implies(b),
        1 => Formula::Or(vec![a, b]),
        _ if depth > 1 => Formula::And(vec![a, b]),
        _ => a.implies(b),
    }
}

fn goal(random: &mut Random, names: &[&str], kind: usize) -> Formula {
    let pair = random.some(names, 2);
    let mut literal = |index: usize| {
        let literal = Formula::atom(pair[index], Vec::new());
        if random.chance(40) { literal.negated() } else { literal }
    };
    match kind {
        0 => literal(0),
        1 => Formula::Or(vec![literal(0), literal(1)]),
        2 => Formula::And(vec![literal(0), literal(1)]),
        _ => literal(0).implies(literal(1)),
    }
}
