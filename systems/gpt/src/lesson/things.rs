//! What can be said and asked about a thing.

use super::Point;
use super::dice::Dice;
use super::grammar::{Subject, base, kind_phrase, render, with_article};
use super::world::{EXPLANATIONS, KINDS, Kind, Relation, SIZES, THINGS, Thing};

/// How a relation is told, asked and answered. Templates of [`render`].
struct Wording {
    relation: Relation,
    statements: &'static [&'static str],
    questions: &'static [&'static str],
    /// Empty where the statements are answers.
    answers: &'static [&'static str],
}

#[rustfmt::skip]
const WORDINGS: &[Wording] = &[
    Wording { relation: Relation::Colour, statements: &["{X} {is} {v}.", "the colour of {O} is {v}."], questions: &["what colour {is} {X}?", "which colour {does} {X} have?", "tell me what colour {X} {is}."], answers: &["{X} {is} {v}."] },
    Wording { relation: Relation::Home, statements: &["{X} [live] {v}.", "you can find {O} {v}."], questions: &["where {does} {X} live?", "where can you find {O}?", "tell me where {X} [live].", "where is the home of {O}?"], answers: &["{X} [live] {v}."] },
    Wording { relation: Relation::Growth, statements: &["{X} [grow] {v}.", "you can find {O} {v}."], questions: &["where {does} {X} grow?", "where can you find {O}?", "tell me where {X} [grow]."], answers: &["{X} [grow] {v}."] },
    Wording { relation: Relation::Food, statements: &["{X} [eat] {v}.", "{X} [feed] on {v}."], questions: &["what {does} {X} eat?", "what {does} {X} feed on?", "tell me what {X} [eat].", "what is the food of {O}?"], answers: &["{X} [eat] {v}."] },
    Wording { relation: Relation::Sound, statements: &["{X} {v}."], questions: &["what sound {does} {X} make?", "which sound {does} {X} make?", "tell me what sound {X} [make]."], answers: &[] },
    Wording { relation: Relation::Deed, statements: &["{X} {v}."], questions: &["what {does} {X} do?", "tell me what {X} [do].", "what do you know about {O}?"], answers: &[] },
    Wording { relation: Relation::Ability, statements: &["{X} can {v}."], questions: &["can {X} {v}?", "{is} {X} able to {v}?", "tell me if {X} can {v}."], answers: &["yes, {X} can {v}."] },
    Wording { relation: Relation::Inability, statements: &["{X} cannot {v}."], questions: &["can {X} {v}?", "{is} {X} able to {v}?", "tell me if {X} can {v}."], answers: &["no, {X} cannot {v}."] },
    Wording { relation: Relation::Legs, statements: &["{X} [have] {v} legs."], questions: &["how many legs {does} {X} have?", "tell me how many legs {X} [have]."], answers: &[] },
    Wording { relation: Relation::Material, statements: &["{X} {is} made of {v}."], questions: &["what {is} {X} made of?", "which material {is} {X} made of?", "tell me what {X} {is} made of."], answers: &[] },
    Wording { relation: Relation::Making, statements: &["{X} {is} made {v}."], questions: &["how {is} {X} made?", "how do we get {O}?", "tell me how {X} {is} made."], answers: &[] },
    Wording { relation: Relation::Source, statements: &["{X} [come] from {v}."], questions: &["where {does} {X} come from?", "what {does} {X} come from?", "tell me where {X} [come] from."], answers: &[] },
    Wording { relation: Relation::Use, statements: &["{X} {is} used for {v}.", "people use {O} for {v}."], questions: &["what {is} {X} used for?", "what do people use {O} for?", "what can you do with {O}?", "tell me what {X} {is} used for."], answers: &[] },
    Wording { relation: Relation::Taste, statements: &["{X} [taste] {v}."], questions: &["how {does} {X} taste?", "what {does} {X} taste like?", "tell me how {X} [taste]."], answers: &[] },
    Wording { relation: Relation::Formation, statements: &["{X} [form] {v}."], questions: &["how {does} {X} form?", "how {does} {X} come about?", "when {does} {X} form?", "tell me how {X} [form]."], answers: &["{X} [form] {v}."] },
];

const DEFINITION_QUESTIONS: &[&str] =
    &["what {is} {X}?", "can you tell me what {X} {is}?", "tell me what {X} {is}.", "do you know what {X} {is}?"];

fn wording(relation: Relation) -> &'static Wording {
    WORDINGS.iter().find(|wording| wording.relation == relation).expect("every relation has its wording")
}

pub(super) fn kind_named(name: &str) -> &'static Kind {
    KINDS.iter().find(|kind| kind.name == name).expect("every kind that is named is in the table")
}

/// A kind that no thing of this kind belongs to.
pub(super) fn other_kind(dice: &mut Dice, kind: &Kind) -> &'static Kind {
    kind_named(dice.word(kind.never))
}

pub(super) fn kind_of(thing: &Thing) -> Option<&'static Kind> {
    thing.kind.map(kind_named)
}

fn point(statement: String, question: String, answer: String) -> Point {
    Point { statement, question, answer }
}

/// A subject as it is asked about, and as the answer names it.
pub(super) struct Named {
    pub asked: Subject,
    pub answered: Subject,
}

impl Named {
    /// By the name both times, but for some answers.
    pub fn first(dice: &mut Dice, thing: &Thing) -> Self {
        let asked = Subject::named(thing, dice.chance(40));
        let answered = if dice.chance(15) { asked.pronoun() } else { Subject::named(thing, asked.is_many()) };
        Self { asked, answered }
    }

    /// By a pronoun in the question, for a thing that the turn before was about.
    pub fn again(dice: &mut Dice, thing: &Thing, many: bool) -> Self {
        let name = Subject::named(thing, many);
        let asked = name.pronoun();
        let answered = if dice.chance(30) { name.pronoun() } else { name };
        Self { asked, answered }
    }
}

/// What a thing is. The answer is in the singular, in which the definitions are.
pub(super) fn definition(dice: &mut Dice, thing: &Thing) -> Point {
    let asked = Subject::named(thing, dice.chance(25));
    let one = Subject::named(thing, false);
    let statement = render("{X} {is} {v}.", &one, thing.definition);
    point(statement.clone(), render(dice.word(DEFINITION_QUESTIONS), &asked, ""), statement)
}

/// What a kind of things is.
pub(super) fn kind_definition(dice: &mut Dice) -> Point {
    let kind = dice.pick(KINDS);
    let asked = Subject::of_kind(kind, dice.chance(25));
    let statement = render("{X} {is} {v}.", &Subject::of_kind(kind, false), kind.definition);
    point(statement.clone(), render(dice.word(DEFINITION_QUESTIONS), &asked, ""), statement)
}

/// One fact of a thing's own.
pub(super) fn fact(dice: &mut Dice, named: &Named, (relation, value): (Relation, &str)) -> Point {
    let wording = wording(relation);
    let answers = if wording.answers.is_empty() { wording.statements } else { wording.answers };
    point(
        render(dice.word(wording.statements), &named.answered, value),
        render(dice.word(wording.questions), &named.asked, value),
        render(dice.word(answers), &named.answered, value),
    )
}

/// That a thing is of its kind, or of the kind above it.
pub(super) fn membership(dice: &mut Dice, thing: &Thing, named: &Named, kind: &Kind) -> Point {
    let many = named.asked.is_many();
    let subject = Subject::named(thing, many);
    let of_kind = kind_phrase(kind, many);
    let above = kind.parent.map(kind_named).filter(|_| dice.chance(40));
    let question_of = |of: &str| render(&format!("{{is}} {{X}} {of}?"), &named.asked, "");
    match above {
        Some(above) => {
            let reason = format!("all {} are {}", kind.plural, above.plural);
            point(
                render(&format!("{{X}} {{is}} {of_kind}, and {reason}."), &subject, ""),
                question_of(&kind_phrase(above, many)),
                render(&format!("yes, {{X}} {{is}} {of_kind}, and {reason}."), &subject, ""),
            )
        }
        None => {
            let statement = render(&format!("{{X}} {{is}} {of_kind}."), &subject, "");
            let answer = format!("yes, {statement}");
            point(statement, question_of(&of_kind), answer)
        }
    }
}

/// That a thing is not of another kind.
pub(super) fn exclusion(dice: &mut Dice, thing: &Thing, named: &Named, kind: &Kind) -> Point {
    let many = named.asked.is_many();
    let subject = Subject::named(thing, many);
    let other = kind_phrase(other_kind(dice, kind), many);
    let of_kind = kind_phrase(kind, many);
    point(
        render(&format!("{{X}} {{is}} {of_kind}, not {other}."), &subject, ""),
        render(&format!("{{is}} {{X}} {other}?"), &named.asked, ""),
        render(&format!("no, {{X}} {{is}} {of_kind}, not {other}."), &subject, ""),
    )
}

/// What a thing has or does because all of its kind do.
pub(super) fn inheritance(thing: &Thing, named: &Named, kind: &Kind) -> Point {
    let many = named.asked.is_many();
    let subject = Subject::named(thing, many);
    let all = render(&format!("all {{X}} {}", kind.feature), &Subject::of_kind(kind, true), "");
    let of_kind = kind_phrase(kind, many);
    point(
        render(&format!("{all}. {{X}} {{is}} {of_kind}. so {{X}} {}.", kind.feature), &subject, ""),
        render(&format!("{{does}} {{X}} {}?", base(kind.feature, &named.asked)), &named.asked, ""),
        render(&format!("yes. {{X}} {{is}} {of_kind}, and {all}."), &subject, ""),
    )
}

/// What a thing lacks because all of its kind do.
pub(super) fn lack(dice: &mut Dice, thing: &Thing, named: &Named, kind: &Kind) -> Option<Point> {
    if kind.lacks.is_empty() {
        return None;
    }
    let many = named.asked.is_many();
    let subject = Subject::named(thing, many);
    let phrase = base(dice.word(kind.lacks), &subject);
    let of_kind = kind_phrase(kind, many);
    let reason = format!("{} do not {phrase}", kind.plural);
    Some(point(
        render(&format!("{reason}. {{X}} {{is}} {of_kind}. so {{X}} {{does}} not {phrase}."), &subject, ""),
        render(&format!("{{does}} {{X}} {phrase}?"), &named.asked, ""),
        render(&format!("no. {{X}} {{is}} {of_kind}, and {reason}."), &subject, ""),
    ))
}

/// Something about a thing: one of its facts, or what its kind tells of it.
pub(super) fn about(dice: &mut Dice, thing: &Thing, named: &Named) -> Option<Point> {
    let kind = kind_of(thing);
    match (dice.below(10), kind) {
        (0, Some(kind)) => Some(membership(dice, thing, named, kind)),
        (1, Some(kind)) => Some(exclusion(dice, thing, named, kind)),
        (2, Some(kind)) if !kind.feature.is_empty() => Some(inheritance(thing, named, kind)),
        (3, Some(kind)) => lack(dice, thing, named, kind),
        _ if thing.facts.is_empty() => None,
        _ => {
            let chosen = *dice.pick(thing.facts);
            Some(fact(dice, named, chosen))
        }
    }
}

/// A thing of that kind.
pub(super) fn of_kind(dice: &mut Dice, kind: &Kind) -> Option<&'static Thing> {
    let things: Vec<&Thing> = THINGS.iter().filter(|thing| thing.kind == Some(kind.name)).collect();
    if things.is_empty() { None } else { Some(things[dice.below(things.len())]) }
}

/// An example of a kind.
pub(super) fn example(dice: &mut Dice, kind: &Kind) -> Option<Point> {
    let subject = Subject::named(of_kind(dice, kind)?, false);
    let name = with_article(kind.name);
    let statement = render(&format!("{{X}} {{is}} {name}."), &subject, "");
    let question = match dice.below(3) {
        0 => format!("tell me the name of {name}."),
        1 => format!("do you know {name}?"),
        _ => format!("give me an example of {name}."),
    };
    let answer = if question.starts_with("do ") { format!("yes, {statement}") } else { statement.clone() };
    Some(point(statement, question, answer))
}

/// Which of two things is bigger.
pub(super) fn size(dice: &mut Dice) -> Point {
    let small = dice.below(SIZES.len() - 1);
    let big = small + 1 + dice.below(SIZES.len() - small - 1);
    let (small, big) = (with_article(SIZES[small]), with_article(SIZES[big]));
    let statement =
        if dice.chance(50) { format!("{big} is bigger than {small}.") } else { format!("{small} is smaller than {big}.") };
    let (question, answer) = match dice.below(5) {
        0 => (format!("is {big} bigger than {small}?"), format!("yes, {big} is bigger than {small}.")),
        1 => (format!("is {small} bigger than {big}?"), format!("no, {small} is smaller than {big}.")),
        2 => (format!("is {small} smaller than {big}?"), format!("yes, {small} is smaller than {big}.")),
        3 => (format!("what is bigger, {small} or {big}?"), format!("{big} is bigger than {small}.")),
        _ => (format!("which is smaller, {big} or {small}?"), format!("{small} is smaller than {big}.")),
    };
    point(statement, question, answer)
}

/// Why something is so.
pub(super) fn explanation(dice: &mut Dice) -> Point {
    let explanation = dice.pick(EXPLANATIONS);
    let answer = dice.word(explanation.answers).to_owned();
    point(dice.word(explanation.answers).to_owned(), dice.word(explanation.questions).to_owned(), answer)
}
