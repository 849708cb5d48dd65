//! Conclusions: from all, no and some; from if and then; from and, or and not.

use super::grammar::{Subject, kind_phrase, render, with_article};
use super::text_rng::TextRng;
use super::things::{kind_of, other_kind};
use super::world::{KINDS, Kind, THINGS, Thing};
use super::{Key, Point};

/// Names for one who is this or that.
const NAMES: &[&str] = &["Tom", "Mia", "Rex", "Luna", "Max", "Ida"];

/// Words without a meaning, so that the form of a conclusion is learned and not its subject: one, many.
const INVENTED: &[(&str, &str)] = &[
    ("blim", "blims"),
    ("dax", "daxes"),
    ("fep", "feps"),
    ("gorp", "gorps"),
    ("wug", "wugs"),
    ("zib", "zibs"),
];

/// If the first is so, then so is the second; each as stated, denied and asked.
struct Conditional {
    cause: [&'static str; 3],
    effect: [&'static str; 3],
}

#[rustfmt::skip]
const CONDITIONALS: &[Conditional] = &[
    Conditional { cause: ["it rains", "it does not rain", "does it rain"], effect: ["the street is wet", "the street is not wet", "is the street wet"] },
    Conditional { cause: ["the sun shines", "the sun does not shine", "does the sun shine"], effect: ["the garden is warm", "the garden is not warm", "is the garden warm"] },
    Conditional { cause: ["the lamp is on", "the lamp is not on", "is the lamp on"], effect: ["the room is bright", "the room is not bright", "is the room bright"] },
    Conditional { cause: ["Ben is ill", "Ben is not ill", "is Ben ill"], effect: ["Ben stays at home", "Ben does not stay at home", "does Ben stay at home"] },
    Conditional { cause: ["it is very cold", "it is not very cold", "is it very cold"], effect: ["the lake is frozen", "the lake is not frozen", "is the lake frozen"] },
    Conditional { cause: ["the door is locked", "the door is not locked", "is the door locked"], effect: ["the door is shut", "the door is not shut", "is the door shut"] },
    Conditional { cause: ["the dog is hungry", "the dog is not hungry", "is the dog hungry"], effect: ["the dog barks", "the dog does not bark", "does the dog bark"] },
    Conditional { cause: ["the wind blows", "the wind does not blow", "does the wind blow"], effect: ["the boat sails", "the boat does not sail", "does the boat sail"] },
    Conditional { cause: ["the fire burns", "the fire does not burn", "does the fire burn"], effect: ["the stove is hot", "the stove is not hot", "is the stove hot"] },
    Conditional { cause: ["it snows", "it does not snow", "does it snow"], effect: ["the hill is white", "the hill is not white", "is the hill white"] },
    Conditional { cause: ["Anna is tired", "Anna is not tired", "is Anna tired"], effect: ["Anna sleeps", "Anna does not sleep", "does Anna sleep"] },
    Conditional { cause: ["it is Sunday", "it is not Sunday", "is it Sunday"], effect: ["the shop is closed", "the shop is not closed", "is the shop closed"] },
];

/// A word for one and for many.
struct Term {
    one: String,
    many: String,
}

impl Term {
    fn invented(index: usize) -> Self {
        let (one, many) = INVENTED[index];
        Self { one: with_article(one), many: many.to_owned() }
    }

    fn kind(kind: &Kind) -> Self {
        Self { one: kind_phrase(kind, false), many: kind.plural.to_owned() }
    }
}

/// Two terms of which all of the first are the second.
fn inclusion(rng: &mut TextRng) -> (Term, Term) {
    let counted: Vec<(&Thing, &Kind)> = THINGS
        .iter()
        .filter(|thing| thing.name != thing.plural)
        .filter_map(|thing| Some((thing, kind_of(thing)?)))
        .filter(|(_, kind)| kind.parent == Some("animal"))
        .collect();
    if rng.chance(50) {
        let (first, second) = two(rng);
        return (Term::invented(first), Term::invented(second));
    }
    let (thing, kind) = *rng.pick(&counted);
    (Term { one: with_article(thing.name), many: thing.plural.to_owned() }, Term::kind(kind))
}

/// Two different invented words.
fn two(rng: &mut TextRng) -> (usize, usize) {
    let first = rng.below(INVENTED.len());
    (first, (first + 1 + rng.below(INVENTED.len() - 1)) % INVENTED.len())
}

/// The premises put before a question.
fn asked(rng: &mut TextRng, premises: [&str; 2], question: &str) -> String {
    let [first, second] = premises;
    match rng.below(3) {
        0 => format!("if {first} and {second}, {question}?"),
        1 => format!("suppose that {first} and {second}. {question}?"),
        _ => format!("{first}. {second}. {question}?"),
    }
}

/// All A are B, and x is an A: so x is a B. The other way round nothing follows.
pub(super) fn syllogism(rng: &mut TextRng) -> Point {
    let (a, b) = inclusion(rng);
    let name = rng.word(NAMES);
    let rule = format!("all {} are {}", a.many, b.many);
    let key = Key::Conclusion(format!("all {} are {}", a.many, b.many));
    if rng.chance(65) {
        let case = format!("{name} is {}", a.one);
        Point {
            key,
            statement: format!("{rule}. {case}. so {name} is {}.", b.one),
            question: asked(rng, [&rule, &case], &format!("is {name} {}", b.one)),
            answer: format!("yes, {name} is {}, because {rule}.", b.one),
        }
    } else {
        let case = format!("{name} is {}", b.one);
        let why = format!("{rule}, but {} need not be {}", b.one, a.one);
        Point {
            key,
            statement: format!("{rule}. {case}. it does not follow that {name} is {}.", a.one),
            question: asked(rng, [&rule, &case], &format!("is {name} {}", a.one)),
            answer: format!("that is not certain. {why}."),
        }
    }
}

/// No A is a B, and x is an A: so x is not a B.
pub(super) fn exclusion(rng: &mut TextRng) -> Point {
    let (a, b) = if rng.chance(50) {
        let (first, second) = two(rng);
        (Term::invented(first), Term::invented(second))
    } else {
        let kinds: Vec<&Kind> = KINDS.iter().filter(|kind| kind.parent == Some("animal")).collect();
        let kind = rng.pick(&kinds);
        (Term::kind(kind), Term::kind(other_kind(rng, kind)))
    };
    let name = rng.word(NAMES);
    let rule = format!("no {} are {}", a.many, b.many);
    let case = format!("{name} is {}", a.one);
    Point {
        key: Key::Conclusion(rule.clone()),
        statement: format!("{rule}. {case}. so {name} is not {}.", b.one),
        question: asked(rng, [&rule, &case], &format!("is {name} {}", b.one)),
        answer: format!("no, {name} is not {}, because {rule}.", b.one),
    }
}

/// All A are B, and all B are C: so all A are C.
pub(super) fn chain(rng: &mut TextRng) -> Point {
    let terms = rng.some(INVENTED, 3);
    let [a, b, c] = [terms[0].1, terms[1].1, terms[2].1];
    let rules = [format!("all {a} are {b}"), format!("all {b} are {c}")];
    Point {
        key: Key::Conclusion(rules.join(", ")),
        statement: format!("{}. {}. so all {a} are {c}.", rules[0], rules[1]),
        question: asked(rng, [&rules[0], &rules[1]], &format!("are all {a} {c}")),
        answer: format!("yes, all {a} are {c}, because all {a} are {b} and all {b} are {c}."),
    }
}

/// Some A are B: so it is not certain that all are.
pub(super) fn some(rng: &mut TextRng) -> Point {
    let (first, second) = two(rng);
    let (a, b) = (INVENTED[first].1, INVENTED[second].1);
    let question = if rng.chance(50) {
        format!("some {a} are {b}. are all {a} {b}?")
    } else {
        format!("if some {a} are {b}, are all {a} {b}?")
    };
    Point {
        key: Key::Conclusion(format!("some {a} are {b}")),
        statement: format!("some {a} are {b}. it does not follow that all {a} are {b}."),
        question,
        answer: format!("that is not certain. some {a} are {b}, but perhaps not all."),
    }
}

/// If A then B: what follows from A and from not B, and that nothing follows from B and from not A.
pub(super) fn conditional(rng: &mut TextRng) -> Point {
    let Conditional { cause, effect } = rng.pick(CONDITIONALS);
    let ([cause, no_cause, cause_asked], [effect, no_effect, effect_asked]) = (cause, effect);
    let rule =
        if rng.chance(50) { format!("if {cause}, {effect}") } else { format!("if {cause}, then {effect}") };
    let (case, question, conclusion, answer) = match rng.below(6) {
        0 | 1 => (cause, effect_asked, format!("so {effect}"), format!("yes, {effect}, because {cause}.")),
        2 | 3 => {
            let answer = format!("no, {no_cause}, because {no_effect}.");
            (no_effect, cause_asked, format!("so {no_cause}"), answer)
        }
        4 => {
            let answer = format!("that is not certain. there may be another reason why {effect}.");
            (effect, cause_asked, format!("it does not follow that {cause}"), answer)
        }
        _ => {
            let answer = format!("that is not certain. the rule does not say what is so if {no_cause}.");
            (no_cause, effect_asked, format!("it does not follow that {no_effect}"), answer)
        }
    };
    Point {
        key: Key::Conclusion(format!("if {cause}, {effect}; {case}")),
        statement: format!("{rule}. {case}. {conclusion}."),
        question: format!("{rule}. {case}. {question}?"),
        answer,
    }
}

/// A proposition about the world, true or false.
struct Proposition {
    key: Key,
    claim: String,
    denial: String,
    /// What is true: the claim, or what holds in its place.
    truth: String,
    holds: bool,
}

fn proposition(rng: &mut TextRng) -> Proposition {
    let candidates: Vec<(&Thing, &Kind)> =
        THINGS.iter().filter_map(|thing| Some((thing, kind_of(thing)?))).collect();
    let (thing, kind) = *rng.pick(&candidates);
    let subject = Subject::named(thing, false);
    let truth = render(&format!("{{X}} is {}", kind_phrase(kind, false)), &subject, "");
    let holds = rng.chance(50);
    let other = if holds { kind } else { other_kind(rng, kind) };
    // What it is about, and what `things` asks in other wordings.
    let key = match holds {
        true => Key::Fact(format!("{} is {}", thing.name, kind.name)),
        false => Key::Conclusion(format!("{} is not {}", thing.name, other.name)),
    };
    if !rng.may_state(&key) {
        return proposition(rng);
    }
    let claimed = kind_phrase(other, false);
    Proposition {
        key,
        claim: render(&format!("{{X}} is {claimed}"), &subject, ""),
        denial: render(&format!("{{X}} is not {claimed}"), &subject, ""),
        truth: if holds { truth } else { format!("{truth}, not {claimed}") },
        holds,
    }
}

/// Whether a proposition or its denial is true.
pub(super) fn verdict(rng: &mut TextRng) -> Point {
    let Proposition { key, claim, denial, truth, holds } = proposition(rng);
    let denied = rng.chance(50);
    let (said, holds) = if denied { (denial, !holds) } else { (claim, holds) };
    let (word, yes) = if holds { ("true", "yes") } else { ("false", "no") };
    let statement = if holds && !denied {
        format!("it is true that {said}.")
    } else {
        format!("it is {word} that {said}, because {truth}.")
    };
    let answer = if holds && !denied { truth } else { format!("that is {word}, because {truth}") };
    Point { key, statement, question: claimed(rng, &said), answer: format!("{yes}, {answer}.") }
}

fn claimed(rng: &mut TextRng, claim: &str) -> String {
    if rng.chance(70) { format!("is it true that {claim}?") } else { format!("{claim}. is that true?") }
}

/// Whether two propositions joined by "and" or "or" are true.
pub(super) fn connective(rng: &mut TextRng) -> Point {
    let (first, second) = (proposition(rng), proposition(rng));
    let both = rng.chance(50);
    let joined = format!("{} {} {}", first.claim, if both { "and" } else { "or" }, second.claim);
    // "And" is decided by a part that is false, "or" by one that is true.
    let decides = if first.holds == both { &second } else { &first };
    let reason = match (both, decides.holds) {
        (true, true) => "both parts are true",
        (false, false) => "both parts are false",
        _ => &decides.truth,
    };
    let (word, yes) = if decides.holds { ("true", "yes") } else { ("false", "no") };
    Point {
        key: Key::Conclusion(format!("connective {joined}")),
        statement: format!("it is {word} that {joined}, because {reason}."),
        question: claimed(rng, &joined),
        answer: format!("{yes}, that is {word}, because {reason}."),
    }
}

/// What "and", "or", "not" and "if" make of the truth of their parts.
pub(super) fn truth(rng: &mut TextRng) -> Point {
    let (a, b) = *rng.pick(&[("A", "B"), ("P", "Q")]);
    let [left, right] = [(); 2].map(|()| rng.chance(50));
    let word = |holds| if holds { "true" } else { "false" };
    let (joined, holds, rule) = match rng.below(4) {
        0 => (format!("{a} and {b}"), left && right, "it is true only if both parts are true"),
        1 => (format!("{a} or {b}"), left || right, "it is false only if both parts are false"),
        2 => (format!("not {a}"), !left, "it is true only if the part is false"),
        _ => (
            format!("if {a} then {b}"),
            !left || right,
            "it is false only if the first part is true and the second is false",
        ),
    };
    let given = if joined.starts_with("not") {
        format!("{a} is {}", word(left))
    } else {
        format!("{a} is {} and {b} is {}", word(left), word(right))
    };
    let value = word(holds);
    Point {
        key: Key::Conclusion(format!("truth of {joined}: {given}")),
        statement: format!("if {given}, the sentence \"{joined}\" is {value}. {rule}."),
        question: match rng.below(3) {
            0 => format!("{given}. is \"{joined}\" true?"),
            1 => format!("if {given}, is \"{joined}\" true?"),
            _ => format!("suppose that {given}. is \"{joined}\" true?"),
        },
        answer: format!("{}, it is {value}. {rule}.", if holds { "yes" } else { "no" }),
    }
}
