//! What can be said and asked about a thing.

use super::grammar::{Subject, base, kind_phrase, render, with_article};
use super::text_rng::TextRng;
use super::world::{EXPLANATIONS, KINDS, Kind, Relation, SIZES, THINGS, Thing};
use super::{Key, Point};

/// How a relation is stated, asked and answered. Templates of [`render`].
struct Wording {
    relation: Relation,
    statements: &'static [&'static str],
    questions: &'static [&'static str],
    /// Empty where the statements are answers.
    answers: &'static [&'static str],
}

#[rustfmt::skip]
const WORDINGS: &[Wording] = &[
    Wording { relation: Relation::Colour, statements: &["{X} {is} {v}."], questions: &["what colour {is} {X}?", "which colour {does} {X} have?", "tell me what colour {X} {is}."], answers: &["{X} {is} {v}."] },
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

const DEFINITION_QUESTIONS: &[&str] = &[
    "what {is} {X}?",
    "can you tell me what {X} {is}?",
    "tell me what {X} {is}.",
    "do you know what {X} {is}?",
];

fn wording(relation: Relation) -> &'static Wording {
    WORDINGS.iter().find(|wording| wording.relation == relation).expect("every relation has its wording")
}

pub(super) fn kind_named(name: &str) -> &'static Kind {
    KINDS.iter().find(|kind| kind.name == name).expect("every kind that is named is in the table")
}

/// A kind that no thing of this kind belongs to.
pub(super) fn other_kind(rng: &mut TextRng, kind: &Kind) -> &'static Kind {
    kind_named(rng.word(kind.never))
}

pub(super) fn kind_of(thing: &Thing) -> Option<&'static Kind> {
    thing.kind.map(kind_named)
}

fn point(statement: String, question: String, answer: String) -> Point {
    Point { key: Key::Unkeyed, statement, question, answer }
}

/// A subject as it is asked about, and as the answer names it.
pub(super) struct Named {
    pub asked: Subject,
    pub answered: Subject,
}

impl Named {
    /// By the name.
    pub fn by_name(thing: &Thing, many: bool) -> Self {
        Self { asked: Subject::named(thing, many), answered: Subject::named(thing, many) }
    }

    /// By a pronoun in the question, for a thing that the turn before was about.
    pub fn by_pronoun(thing: &Thing, many: bool) -> Self {
        let named = Self::by_name(thing, many);
        Self { asked: named.asked.pronoun(), ..named }
    }

    /// The same, with a pronoun in the answer.
    pub fn answered_by_pronoun(self) -> Self {
        Self { answered: self.answered.pronoun(), ..self }
    }
}

/// Something that can be said about a thing.
#[derive(Clone, Copy)]
pub(super) enum Topic {
    Definition,
    Fact(Relation, &'static str),
    Membership(&'static Kind),
    Exclusion(&'static Kind),
    Inheritance(&'static Kind),
    Lack(&'static Kind),
}

/// What can be said about a thing, in random order. What its kind tells of it is left out now and
/// then, so that its own facts come up more often.
pub(super) fn topics(rng: &mut TextRng, thing: &Thing) -> Vec<Topic> {
    let mut topics = vec![Topic::Definition];
    topics.extend(thing.facts.iter().map(|&(relation, value)| Topic::Fact(relation, value)));
    if let Some(kind) = kind_of(thing) {
        let of_kind = [
            Some(Topic::Membership(kind)),
            Some(Topic::Exclusion(kind)),
            (!kind.feature.is_empty()).then_some(Topic::Inheritance(kind)),
            (!kind.lacks.is_empty()).then_some(Topic::Lack(kind)),
        ];
        topics.extend(of_kind.into_iter().flatten().filter(|_| rng.chance(50)));
    }
    rng.shuffle(&mut topics);
    topics
}

/// The point of a topic.
pub(super) fn point_of(rng: &mut TextRng, thing: &Thing, named: &Named, topic: Topic) -> Point {
    match topic {
        Topic::Definition => definition(rng, thing, named),
        Topic::Fact(relation, value) => fact(rng, thing, named, relation, value),
        Topic::Membership(kind) => membership(rng, thing, named, kind),
        Topic::Exclusion(kind) => exclusion(rng, thing, named, kind),
        Topic::Inheritance(kind) => inheritance(rng, thing, named, kind),
        Topic::Lack(kind) => lack(rng, thing, named, kind),
    }
}

/// What a thing is. The answer is in the singular, in which the definitions are.
fn definition(rng: &mut TextRng, thing: &Thing, named: &Named) -> Point {
    let statement = render("{X} {is} {v}.", &Subject::named(thing, false), thing.definition);
    point(statement.clone(), render(rng.word(DEFINITION_QUESTIONS), &named.asked, ""), statement)
        .about_fact(format!("definition of {}", thing.name))
}

/// What a kind of things is.
pub(super) fn kind_definition(rng: &mut TextRng) -> Point {
    let kind = rng.pick(KINDS);
    let asked = Subject::of_kind(kind, rng.chance(25));
    let statement = render("{X} {is} {v}.", &Subject::of_kind(kind, false), kind.definition);
    point(statement.clone(), render(rng.word(DEFINITION_QUESTIONS), &asked, ""), statement)
        .about_fact(format!("definition of {}", kind.name))
}

/// One fact of a thing's own.
fn fact(rng: &mut TextRng, thing: &Thing, named: &Named, relation: Relation, value: &str) -> Point {
    let wording = wording(relation);
    let answers = if wording.answers.is_empty() { wording.statements } else { wording.answers };
    point(
        render(rng.word(wording.statements), &named.answered, value),
        render(rng.word(wording.questions), &named.asked, value),
        render(rng.word(answers), &named.answered, value),
    )
    .about_fact(format!("{relation:?} of {}", thing.name))
}

/// Whether the subject is this.
fn is_it(rng: &mut TextRng, named: &Named, this: &str) -> String {
    let questions =
        ["{is} {X} {v}?", "{is} {X} {v}?", "is it true that {X} {is} {v}?", "tell me if {X} {is} {v}."];
    render(rng.word(&questions), &named.asked, this)
}

/// Whether the subject does this, where the phrase has a verb that agrees.
fn does_it(rng: &mut TextRng, named: &Named, phrase: &str) -> String {
    if rng.chance(60) {
        return render("{does} {X} {v}?", &named.asked, &base(phrase, &named.asked));
    }
    render(rng.word(&["is it true that {X} {v}?", "tell me if {X} {v}."]), &named.asked, phrase)
}

/// That a thing is of its kind, or of the kind above it.
fn membership(rng: &mut TextRng, thing: &Thing, named: &Named, kind: &Kind) -> Point {
    let many = named.asked.is_many();
    let subject = Subject::named(thing, many);
    let of_kind = kind_phrase(kind, many);
    let above = kind.parent.map(kind_named).filter(|_| rng.chance(40));
    match above {
        Some(above) => {
            let reason = format!("all {} are {}", kind.plural, above.plural);
            point(
                render(&format!("{{X}} {{is}} {of_kind}, and {reason}."), &subject, ""),
                is_it(rng, named, &kind_phrase(above, many)),
                render(&format!("yes, {{X}} {{is}} {of_kind}, and {reason}."), &subject, ""),
            )
            .about_conclusion(format!("{} is {}", thing.name, above.name))
        }
        None => {
            let statement = render(&format!("{{X}} {{is}} {of_kind}."), &subject, "");
            let answer = format!("yes, {statement}");
            point(statement, is_it(rng, named, &of_kind), answer)
                .about_fact(format!("{} is {}", thing.name, kind.name))
        }
    }
}

/// That a thing is not of another kind.
fn exclusion(rng: &mut TextRng, thing: &Thing, named: &Named, kind: &Kind) -> Point {
    let many = named.asked.is_many();
    let subject = Subject::named(thing, many);
    let other = other_kind(rng, kind);
    let key = format!("{} is not {}", thing.name, other.name);
    let other = kind_phrase(other, many);
    let of_kind = kind_phrase(kind, many);
    point(
        render(&format!("{{X}} {{is}} {of_kind}, not {other}."), &subject, ""),
        is_it(rng, named, &other),
        render(&format!("no, {{X}} {{is}} {of_kind}, not {other}."), &subject, ""),
    )
    .about_conclusion(key)
}

/// What a thing has or does because all of its kind do.
fn inheritance(rng: &mut TextRng, thing: &Thing, named: &Named, kind: &Kind) -> Point {
    let many = named.asked.is_many();
    let subject = Subject::named(thing, many);
    let all = render(&format!("all {{X}} {}", kind.feature), &Subject::of_kind(kind, true), "");
    let of_kind = kind_phrase(kind, many);
    point(
        render(&format!("{all}. {{X}} {{is}} {of_kind}. so {{X}} {}.", kind.feature), &subject, ""),
        does_it(rng, named, kind.feature),
        render(&format!("yes. {{X}} {{is}} {of_kind}, and {all}."), &subject, ""),
    )
    .about_conclusion(format!("feature of {}", thing.name))
}

/// What a thing lacks because all of its kind do.
fn lack(rng: &mut TextRng, thing: &Thing, named: &Named, kind: &Kind) -> Point {
    let many = named.asked.is_many();
    let subject = Subject::named(thing, many);
    let lacked = rng.word(kind.lacks);
    let phrase = base(lacked, &subject);
    let of_kind = kind_phrase(kind, many);
    let reason = format!("{} do not {phrase}", kind.plural);
    point(
        render(&format!("{reason}. {{X}} {{is}} {of_kind}. so {{X}} {{does}} not {phrase}."), &subject, ""),
        does_it(rng, named, lacked),
        render(&format!("no. {{X}} {{is}} {of_kind}, and {reason}."), &subject, ""),
    )
    .about_conclusion(format!("{} does not {lacked}", thing.name))
}

/// A thing of that kind.
pub(super) fn of_kind(rng: &mut TextRng, kind: &Kind) -> Option<&'static Thing> {
    let things: Vec<&Thing> = THINGS.iter().filter(|thing| thing.kind == Some(kind.name)).collect();
    if things.is_empty() { None } else { Some(things[rng.below(things.len())]) }
}

/// An example of a kind.
pub(super) fn example(rng: &mut TextRng) -> Point {
    let candidates: Vec<(&Thing, &Kind)> =
        THINGS.iter().filter_map(|thing| Some((thing, kind_of(thing)?))).collect();
    let (thing, kind) = *rng.pick(&candidates);
    let subject = Subject::named(thing, false);
    let name = with_article(kind.name);
    let statement = render(&format!("{{X}} {{is}} {name}."), &subject, "");
    let question = match rng.below(3) {
        0 => format!("tell me the name of {name}."),
        1 => format!("do you know {name}?"),
        _ => format!("give me an example of {name}."),
    };
    let answer = if question.starts_with("do ") { format!("yes, {statement}") } else { statement.clone() };
    point(statement, question, answer)
}

/// Which of two things is bigger.
pub(super) fn size(rng: &mut TextRng) -> Point {
    let small = rng.below(SIZES.len() - 1);
    let big = small + 1 + rng.below(SIZES.len() - small - 1);
    let key = format!("{} is bigger than {}", SIZES[big], SIZES[small]);
    let (small, big) = (with_article(SIZES[small]), with_article(SIZES[big]));
    let statement = if rng.chance(50) {
        format!("{big} is bigger than {small}.")
    } else {
        format!("{small} is smaller than {big}.")
    };
    let (question, answer) = match rng.below(5) {
        0 => (format!("is {big} bigger than {small}?"), format!("yes, {big} is bigger than {small}.")),
        1 => (format!("is {small} bigger than {big}?"), format!("no, {small} is smaller than {big}.")),
        2 => (format!("is {small} smaller than {big}?"), format!("yes, {small} is smaller than {big}.")),
        3 => (format!("what is bigger, {small} or {big}?"), format!("{big} is bigger than {small}.")),
        _ => (format!("which is smaller, {big} or {small}?"), format!("{small} is smaller than {big}.")),
    };
    point(statement, question, answer).about_fact(key)
}

/// Why something is so.
pub(super) fn explanation(rng: &mut TextRng) -> Point {
    let explanation = rng.pick(EXPLANATIONS);
    let answer = rng.word(explanation.answers).to_owned();
    point(rng.word(explanation.answers).to_owned(), rng.word(explanation.questions).to_owned(), answer)
        .about_fact(explanation.questions[0].to_owned())
}
