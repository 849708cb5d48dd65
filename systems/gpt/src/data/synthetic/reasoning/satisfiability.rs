//! Whether clauses of three literals have a world, near the number of clauses at which half of them have (Mitchell, Selman and
//! Levesque, "Hard and easy distributions of SAT problems", 1992; 4.26 clauses for each proposition).

use super::{Drawn, Random, Split, logic_label, truth};

const NAMES: [&str; 12] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"];

/// Clauses for each hundred propositions.
const TRANSITION: usize = 426;

/// Sets of clauses that are tried for the answer that is to come.
const TRIES: usize = 60;

pub(super) fn draw(random: &mut Random, split: Split) -> Option<Drawn> {
    let propositions = match split {
        Split::InDistribution | Split::Shifted => random.between(4, 5),
        Split::Deeper => random.between(6, 7),
        Split::Longer => random.between(10, 12),
    };
    let ratio = match split {
        Split::Shifted => *random.pick(&[360, 520]),
        _ => TRANSITION,
    };
    let clauses = (propositions * ratio).div_ceil(100);
    let wanted = random.chance(50);
    for _ in 0..TRIES {
        let lines: Vec<String> = (0..clauses).map(|_| clause(random, &NAMES[..propositions])).collect();
        let statement = lines.join("\n");
        let is_contradiction = logic_label::follows(logic_label::clauses(&statement))?;
        if is_contradiction != wanted {
            let question = "Is there a world in which all hold?".to_owned();
            return Some(Drawn { depth: propositions, statement, question, answer: truth(wanted) });
        }
    }
    None
}

fn clause(random: &mut Random, names: &[&str]) -> String {
    let chosen = random.some(names, 3);
    let literals: Vec<String> = chosen
        .into_iter()
        .map(|name| format!("{}{name}", if random.chance(50) { "~" } else { "" }))
        .collect();
    literals.join(" | ")
}
