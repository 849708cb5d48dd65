//! Paragraphs of plain text.

use super::grammar::{Subject, listed, render, sentences};
use super::text_rng::TextRng;
use super::things::{self, Named, Topic};
use super::world::{Kind, THINGS, Thing};
use super::{Key, general, stated, taught, taught_if_any};

/// One paragraph.
pub(super) fn paragraph(rng: &mut TextRng) -> String {
    let text = match rng.below(10) {
        0..4 => portrait(rng),
        4 => kind(rng),
        5 => questions(rng),
        _ => points(rng),
    };
    sentences(&text)
}

/// Some of what can be said about a thing; after the first sentence it may be a pronoun.
fn portrait(rng: &mut TextRng) -> String {
    loop {
        let thing = rng.pick(THINGS);
        let statements = portrait_of(rng, thing);
        if !statements.is_empty() {
            return statements;
        }
    }
}

/// Some of what can be said about this thing; nothing where all of it is held out.
fn portrait_of(rng: &mut TextRng, thing: &'static Thing) -> String {
    let many = thing.has_plural() && rng.chance(35);
    let count = 3 + rng.below(3);
    let mut topics = things::topics(rng, thing);
    topics.sort_by_key(|topic| !matches!(topic, Topic::Definition));
    // The definition comes first or not at all; it is in the singular.
    let mut statements = Vec::new();
    if many || rng.chance(30) {
        topics.remove(0);
    }
    for topic in topics.into_iter().take(count) {
        let named = Named::by_name(thing, many);
        let named =
            if !statements.is_empty() && rng.chance(60) { named.answered_by_pronoun() } else { named };
        let point = things::point_of(rng, thing, &named, topic);
        if rng.may_state(&point.key) {
            statements.push(point.statement);
        }
    }
    statements.join(" ")
}

/// A kind: what it is, some of its things, what holds for all of them.
fn kind(rng: &mut TextRng) -> String {
    let kinds: Vec<&Kind> = THINGS.iter().filter_map(things::kind_of).collect();
    let kind = *rng.pick(&kinds);
    let mut statements = vec![render("{X} {is} {v}.", &Subject::of_kind(kind, false), kind.definition)];
    let members: Vec<&Thing> = THINGS.iter().filter(|thing| thing.kind == Some(kind.name)).collect();
    let count = 2 + rng.below(2);
    let chosen: Vec<String> = rng
        .some(&members, count)
        .into_iter()
        .map(|thing| render("{X}", &Subject::named(thing, true), ""))
        .collect();
    if chosen.len() > 1 {
        statements.push(format!("{} are {}.", listed(&chosen, "and"), kind.plural));
    }
    if !kind.feature.is_empty() {
        statements.push(render(&format!("all {{X}} {}.", kind.feature), &Subject::of_kind(kind, true), ""));
    }
    let example = things::of_kind(rng, kind).filter(|_| !kind.feature.is_empty());
    if let Some(thing) =
        example.filter(|thing| rng.may_state(&Key::Conclusion(format!("feature of {}", thing.name))))
    {
        let (one, many) = (Subject::named(thing, false), Subject::of_kind(kind, false));
        let of_kind = render("{X}", &many, "");
        statements.push(render(&format!("{{X}} is {of_kind}, so {{X}} {}.", kind.feature), &one, ""));
    }
    statements.join(" ")
}

/// Questions about one thing with their answers, as running text.
fn questions(rng: &mut TextRng) -> String {
    let thing = rng.pick(THINGS);
    let many = thing.has_plural() && rng.chance(35);
    let topics = things::topics(rng, thing);
    let mut statements: Vec<String> = Vec::new();
    for topic in topics.into_iter().take(2) {
        let named = Named::by_name(thing, many);
        let named = if rng.chance(30) { named.answered_by_pronoun() } else { named };
        let Some(point) = taught_if_any(rng, |rng| things::point_of(rng, thing, &named, topic)) else {
            continue;
        };
        statements.push(format!("{} {}", point.question, point.answer));
    }
    if statements.is_empty() || rng.chance(50) {
        let draw = if rng.chance(50) { things::explanation } else { general };
        let point = taught(rng, draw);
        statements.push(format!("{} {}", point.question, point.answer));
    }
    statements.join(" ")
}

/// Some points of logic, order or numbers.
fn points(rng: &mut TextRng) -> String {
    let count = 2 + rng.below(2);
    let statements: Vec<String> = (0..count)
        .map(|_| {
            // Why something is so is stated, too, since it may be asked without having been answered.
            let explains = rng.holds_out_facts() && rng.chance(10);
            stated(rng, if explains { things::explanation } else { general })
        })
        .collect();
    statements.join(" ")
}
