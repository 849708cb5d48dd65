//! Paragraphs of plain text.

use super::dice::Dice;
use super::grammar::{Subject, listed, render, sentences};
use super::things::{self, Named, Topic};
use super::world::{Kind, THINGS, Thing};
use super::{Key, general, stated, taught, taught_if_any};

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
    loop {
        let thing = dice.pick(THINGS);
        let told = portrait_of(dice, thing);
        if !told.is_empty() {
            return told;
        }
    }
}

/// Some of what can be said about this thing; nothing where all of it is held out.
fn portrait_of(dice: &mut Dice, thing: &'static Thing) -> String {
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
        let point = things::told(dice, thing, &named, topic);
        if dice.may_tell(&point.key) {
            told.push(point.statement);
        }
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
    let example = things::of_kind(dice, kind).filter(|_| !kind.feature.is_empty());
    if let Some(thing) =
        example.filter(|thing| dice.may_tell(&Key::Derived(format!("feature of {}", thing.name))))
    {
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
        let Some(point) = taught_if_any(dice, |dice| things::told(dice, thing, &named, topic)) else {
            continue;
        };
        told.push(format!("{} {}", point.question, point.answer));
    }
    if told.is_empty() || dice.chance(50) {
        let draw = if dice.chance(50) { things::explanation } else { general };
        let point = taught(dice, draw);
        told.push(format!("{} {}", point.question, point.answer));
    }
    told.join(" ")
}

/// Some points of logic, order or numbers.
fn points(dice: &mut Dice) -> String {
    let count = 2 + dice.below(2);
    let told: Vec<String> = (0..count)
        .map(|_| {
            // Why something is so is told, too, since it may be asked without having been answered.
            let explains = dice.holds_out_facts() && dice.chance(10);
            stated(dice, if explains { things::explanation } else { general })
        })
        .collect();
    told.join(" ")
}
