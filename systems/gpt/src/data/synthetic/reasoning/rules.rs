//! Facts and rules in sentences (after Clark, Tafjord and Richardson, "Transformers as soft reasoners over language", 2020).

use std::collections::BTreeSet;

use super::{Drawn, Random, Split, logic_label, truth};

/// Names and properties, of which those that are learnt and the others have none in common.
struct Words {
    names: &'static [&'static str],
    properties: &'static [&'static str],
}

const LEARNT: Words = Words {
    names: &["Anne", "Bob", "Carl", "Dora", "Erin", "Finn", "Gary", "Hana"],
    properties: &[
        "kind", "big", "round", "quiet", "young", "smart", "green", "cold", "rough", "nice", "white", "blue",
        "furry", "red",
    ],
};
const OTHERS: Words = Words {
    names: &["Iris", "Jack", "Kate", "Leo", "Mona", "Nils"],
    properties: &[
        "calm", "tall", "proud", "brave", "loud", "shy", "rich", "fast", "old", "warm", "dark", "soft",
        "keen", "wise",
    ],
};

/// A rule: who has all of these has that.
struct Rule {
    body: Vec<usize>,
    head: usize,
}

/// Facts (name, property) and rules, by numbers.
#[derive(Default)]
struct Theory {
    facts: Vec<(usize, usize)>,
    rules: Vec<Rule>,
}

/// Theories that are tried for one question.
const TRIES: usize = 50;

/// Facts and rules beside the point.
fn beside(split: Split, random: &mut Random) -> [usize; 2] {
    match split {
        Split::Longer => [random.between(4, 6), random.between(5, 8)],
        _ => [random.between(1, 3), random.between(1, 3)],
    }
}

pub(super) fn draw(random: &mut Random, split: Split) -> Option<Drawn> {
    let words = if split == Split::Shifted { OTHERS } else { LEARNT };
    let depth = if split == Split::Deeper { random.between(4, 6) } else { random.below(4) };
    // What is asked and how is drawn before anything that may be given up: neither tells the answer.
    let (is_derivable, is_denied) = (random.chance(50), random.chance(50));
    (0..TRIES).find_map(|_| attempt(random, split, &words, depth, is_derivable, is_denied))
}

fn attempt(
    random: &mut Random,
    split: Split,
    words: &Words,
    depth: usize,
    is_derivable: bool,
    is_denied: bool,
) -> Option<Drawn> {
    let mut names: Vec<usize> = (0..words.names.len()).collect();
    random.shuffle(&mut names);
    let mut properties: Vec<usize> = (0..words.properties.len()).collect();
    random.shuffle(&mut properties);
    let (chain, others) = properties.split_at(depth + 1);
    let (subject, other_name) = (names[0], names[1]);
    let mut theory = chained(random, chain, others, subject);
    if !is_derivable {
        break_somewhere(random, &mut theory, chain, others, [subject, other_name]);
    }
    let [facts, rules] = beside(split, random);
    for _ in 0..facts {
        theory.facts.push((*random.pick(&names[..4]), *random.pick(&properties)));
    }
    for _ in 0..rules {
        let mut body = random.some(&properties, 2);
        let head = *random.pick(&properties);
        body.truncate(random.between(1, 2));
        if !body.contains(&head) {
            theory.rules.push(Rule { body, head });
        }
    }
    theory.facts.sort_unstable();
    theory.facts.dedup();
    // What is beside the point may lead to the goal after all, or on a shorter way.
    let goal = *chain.last()?;
    let level = level(&theory, subject, goal);
    if level != is_derivable.then_some(depth) {
        return None;
    }
    let (name, property) = (words.names[subject], words.properties[goal]);
    let question = format!("{name} is {}{property}.", if is_denied { "not " } else { "" });
    let statement = written(random, &theory, words, split);
    let answer = logic_label::follows(logic_label::english(&statement, &question))?;
    // Two ways to the same answer: the reasoner on the text, and the levels here.
    (answer == (is_derivable != is_denied)).then(|| Drawn {
        depth,
        statement,
        question,
        answer: truth(answer),
    })
}

/// Rules from each property to the next, some of which need another that is a fact.
fn chained(random: &mut Random, chain: &[usize], others: &[usize], subject: usize) -> Theory {
    let mut theory = Theory { facts: vec![(subject, chain[0])], rules: Vec::new() };
    for step in chain.windows(2) {
        let mut body = vec![step[0]];
        if random.chance(30) {
            let also = *random.pick(others);
            body.push(also);
            theory.facts.push((subject, also));
            random.shuffle(&mut body);
        }
        theory.rules.push(Rule { body, head: step[1] });
    }
    theory
}

/// Puts something else in the place of one fact or rule that is needed, so that there are as many as before.
fn break_somewhere(
    random: &mut Random,
    theory: &mut Theory,
    chain: &[usize],
    others: &[usize],
    names: [usize; 2],
) {
    let [_, other_name] = names;
    match random.below(if theory.rules.is_empty() { 1 } else { 3 }) {
        // It is said of somebody else.
        0 => theory.facts[0] = (other_name, chain[0]),
        // The rule needs what nobody has.
        1 => {
            let rule = random.below(theory.rules.len());
            let needed = *random.pick(others);
            theory.rules[rule].body = vec![chain[rule], needed];
        }
        // The rule goes the other way round.
        _ => {
            let rule = random.below(theory.rules.len());
            theory.rules[rule] = Rule { body: vec![chain[rule + 1]], head: chain[rule] };
        }
    }
}

/// Rounds of applying all rules after which somebody has a property.
fn level(theory: &Theory, name: usize, property: usize) -> Option<usize> {
    let mut has: BTreeSet<usize> =
        theory.facts.iter().filter(|(of, _)| *of == name).map(|(_, fact)| *fact).collect();
    for level in 0.. {
        if has.contains(&property) {
            return Some(level);
        }
        let holding = theory.rules.iter().filter(|rule| rule.body.iter().all(|needed| has.contains(needed)));
        let new: Vec<usize> = holding.map(|rule| rule.head).filter(|head| !has.contains(head)).collect();
        if new.is_empty() {
            return None;
        }
        has.extend(new);
    }
    None
}

/// Facts and rules in random order and wording.
fn written(random: &mut Random, theory: &Theory, words: &Words, split: Split) -> String {
    let mut sentences: Vec<String> = theory
        .facts
        .iter()
        .map(|&(name, property)| format!("{} is {}.", words.names[name], words.properties[property]))
        .collect();
    for rule in &theory.rules {
        let body: Vec<&str> = rule.body.iter().map(|&property| words.properties[property]).collect();
        sentences.push(rule_sentence(random, &body, words.properties[rule.head], split));
    }
    random.shuffle(&mut sentences);
    sentences.join(" ")
}

fn rule_sentence(random: &mut Random, body: &[&str], head: &str, split: Split) -> String {
    if split == Split::Shifted {
        return format!("If something is {} then it is {head}.", body.join(" and "));
    }
    let mut listed = body.join(", ");
    match random.below(3) {
        0 => format!("If someone is {} then they are {head}.", body.join(" and ")),
        1 => format!("All {listed} people are {head}."),
        _ => {
            listed[..1].make_ascii_uppercase();
            format!("{listed} people are {head}.")
        }
    }
}
