//! Paragraphs of plain text.

use super::dice::Dice;
use super::grammar::{Subject, listed, render, sentences};
use super::things::{self, Named};
use super::world::{KINDS, THINGS, Thing};
use super::{Point, general};

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

/// A thing's definition and some of its facts; after the first sentence it may be a pronoun.
fn portrait(dice: &mut Dice) -> String {
    let thing = dice.pick(THINGS);
    let mut told = Vec::new();
    if dice.chance(70) {
        told.push(things::definition(dice, thing).statement);
    } else if let Some(kind) = things::kind_of(thing) {
        let named = named(thing, false);
        told.push(things::membership(dice, thing, &named, kind).statement);
    }
    let many = dice.chance(35) && thing.plural != thing.name;
    let count = 2 + dice.below(3);
    for (place, chosen) in dice.some(thing.facts, count).into_iter().enumerate() {
        let mut named = named(thing, many);
        // The pronoun must agree with what it stands for, so it waits until the plural was named.
        if (place > 0 || !many) && !told.is_empty() && dice.chance(60) {
            named.answered = named.answered.pronoun();
        }
        told.push(things::fact(dice, &named, *chosen).statement);
    }
    if told.len() < 4 && dice.chance(40) {
        let named = named(thing, many);
        told.extend(things::about(dice, thing, &named).map(|point| point.statement));
    }
    told.dedup();
    told.join(" ")
}

fn named(thing: &Thing, many: bool) -> Named {
    Named { asked: Subject::named(thing, many), answered: Subject::named(thing, many) }
}

/// A kind: what it is, some of its things, what holds for all of them.
fn kind(dice: &mut Dice) -> String {
    let kind = dice.pick(KINDS);
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
    let mut told = Vec::new();
    for _ in 0..2 {
        let named = Named::first(dice, thing);
        let Point { question, answer, .. } = match dice.below(4) {
            0 => things::definition(dice, thing),
            1 => general(dice),
            _ => things::about(dice, thing, &named).unwrap_or_else(|| things::explanation(dice)),
        };
        told.push(format!("{question} {answer}"));
    }
    told.dedup();
    told.join(" ")
}

/// Some points of logic, order or numbers.
fn points(dice: &mut Dice) -> String {
    let count = 2 + dice.below(2);
    let told: Vec<String> = (0..count).map(|_| general(dice).statement).collect();
    told.join(" ")
}
