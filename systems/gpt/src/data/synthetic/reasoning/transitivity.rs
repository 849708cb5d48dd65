//! Comparisons, one after the other (after Vashishtha and others, "Teaching transformers causal reasoning through axiomatic
//! training", 2024).

use super::{Drawn, Random, Split, logic_label, truth};

const NAMES: [&str; 16] = [
    "Anne", "Bob", "Carl", "Dora", "Erin", "Finn", "Gary", "Hana", "Ivan", "Jane", "Kurt", "Lisa", "Mark",
    "Nora", "Otto", "Paul",
];
const OTHERS: [&str; 16] = [
    "Ada", "Ben", "Cleo", "Dean", "Ella", "Fred", "Gwen", "Hugo", "Iris", "Jack", "Kate", "Leo", "Mona",
    "Nils", "Olga", "Pete",
];

pub(super) fn draw(random: &mut Random, split: Split) -> Option<Drawn> {
    let (names, relation) = match split {
        Split::Shifted => (OTHERS, *random.pick(&["older", "faster"])),
        _ => (NAMES, *random.pick(&["taller", "bigger"])),
    };
    let depth = if split == Split::Deeper { random.between(5, 8) } else { random.between(1, 4) };
    let beside = if split == Split::Longer { random.between(6, 8) } else { random.between(1, 3) };
    let names = random.some(&names, depth + 1 + beside);
    let (chain, others) = names.split_at(depth + 1);
    let mut pairs: Vec<(&str, &str)> = chain.windows(2).map(|pair| (pair[0], pair[1])).collect();
    // Others hang on somebody of the chain, above or below.
    for &other in others {
        let somebody = *random.pick(chain);
        pairs.push(if random.chance(50) { (other, somebody) } else { (somebody, other) });
    }
    random.shuffle(&mut pairs);
    let follows = random.chance(50);
    let (first, last) = (chain[0], chain[depth]);
    let mut sentences: Vec<String> =
        pairs.iter().map(|(a, b)| format!("{a} is {relation} than {b}.")).collect();
    let mut capital = relation.to_owned();
    capital[..1].make_ascii_uppercase();
    sentences.insert(0, format!("{capital} is transitive."));
    let question = match follows {
        true => format!("{first} is {relation} than {last}."),
        false => format!("{last} is {relation} than {first}."),
    };
    let statement = sentences.join(" ");
    let answer = logic_label::follows(logic_label::english(&statement, &question))?;
    (answer == follows).then(|| Drawn { depth, statement, question, answer: truth(answer) })
}
