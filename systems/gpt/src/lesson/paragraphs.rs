//! Paragraphs of plain text.

use super::dice::Dice;
use super::grammar::{Subject, listed, render, sentences};
use super::things::{self, Named, Topic};
use super::world::{Kind, THINGS, Thing};
use super::{general, taught};

/// One paragraph.
pub(super) fn paragraph(dice: &mut Dice) -> String {
    let text = match dice.below(10) {
        0..4 => portrait(dice),
        4 => kind(dice),
        5 => questions(dice),
        _ => points(dice),
    };
    sentences(&text)
}

/// Some of what can be said about a thing; after the first sentence it may be a pronoun.
fn portrait(dice: &mut Dice) -> String {
    let thing = dice.pick(THINGS);
    let many = thing.has_plural() && dice.chance(35);
    let count = 3 + dice.below(3);
    let mut topics = things::topics(dice, thing);
    topics.sort_by_key(|topic| !matches!(topic, Topic::Definition));
    // The definition comes first or not at all; it is in the singular.
    let mut told = Vec::new();
    if many || dice.chance(30) {
        topics.remove(0);
    }
    for topic in topics.into_iter().take(count) {
        let named = Named::by_name(thing, many);
        let named = if !told.is_empty() && dice.chance(60) { named.answered_by_pronoun() } else { named };
        told.push(things::told(dice, thing, &named, topic).statement);
    }
    told.join(" ")
}

/// A kind: what it is, some of its things, what holds for all of them.
fn kind(dice: &mut Dice) -> String {
    let kinds: Vec<&Kind> = THINGS.iter().filter_map(things::kind_of).collect();
    let kind = *dice.pick(&kinds);
    let mut told = vec![render("{X} {is} {v}.", &Subject::of_kind(kind, false), kind.definition)];
    let members: Vec<&Thing> = THINGS.iter().filter(|thing| thing.kind == Some(kind.name)).collect();
    let count = 2 + dice.below(2);
    let chosen: Vec<String> = dice
        .some(&members, count)
        .into_iter()
        .map(|thing| render("{X}", &Subject::named(thing, true), ""))
        .collect();
    if chosen.len() > 1 {
        told.push(format!("{} are {}.", listed(&chosen, "and"), kind.plural));
    }
    if !kind.feature.is_empty() {
        told.push(render(&format!("all {{X}} {}.", kind.feature), &Subject::of_kind(kind, true), ""));
    }
    if let Some(thing) = things::of_kind(dice, kind).filter(|_| !kind.feature.is_empty()) {
        let (one, many) = (Subject::named(thing, false), Subject::of_kind(kind, false));
        let of_kind = render("{X}", &many, "");
        told.push(render(&format!("{{X}} is {of_kind}, so {{X}} {}.", kind.feature), &one, ""));
    }
    told.join(" ")
}

/// Questions about one thing with their answers, told as a text.
fn questions(dice: &mut Dice) -> String {
    let thing = dice.pick(THINGS);
    let many = thing.has_plural() && dice.chance(35);
    let topics = things::topics(dice, thing);
    let mut told: Vec<String> = Vec::new();
    for topic in topics.into_iter().take(2) {
        let named = Named::by_name(thing, many);
        let named = if dice.chance(30) { named.answered_by_pronoun() } else { named };
        let point = taught(dice, |dice| things::told(dice, thing, &named, topic));
        told.push(format!("{} {}", point.question, point.answer));
    }
    if dice.chance(50) {
        let draw = if dice.chance(50) { things::explanation } else { general };
        let point = taught(dice, draw);
        told.push(format!("{} {}", point.question, point.answer));
    }
    told.join(" ")
}

/// Some points of logic, order or numbers.
fn points(dice: &mut Dice) -> String {
    let count = 2 + dice.below(2);
    let told: Vec<String> = (0..count).map(|_| general(dice).statement).collect();
    told.join(" ")
}
