//! Dialogues: greetings, questions with answers, questions that follow from the turn before.

use super::dice::Dice;
use super::examination::is_held_out;
use super::grammar::sentences;
use super::things::{self, Named};
use super::world::{KINDS, THINGS, Thing};
use super::{Speaker, Turn, general, talk};

/// The most questions of a dialogue.
const LONGEST: usize = 4;

/// What was asked, and what was answered.
type Exchange = (String, String);

/// One dialogue.
pub(super) fn dialogue(dice: &mut Dice) -> Vec<Turn> {
    let mut exchanges = Vec::new();
    if dice.chance(15) {
        exchanges.push(talk::small(dice, talk::GREETINGS));
    }
    match dice.below(10) {
        0..5 => chain(dice, &mut exchanges),
        5..9 => {
            for _ in 0..1 + dice.below(2) {
                exchanges.push(taught(dice, single));
            }
        }
        _ => exchanges.push(taught(dice, other)),
    }
    if exchanges.len() < LONGEST && dice.chance(12) {
        let end = if dice.chance(60) { talk::THANKS } else { talk::PARTINGS };
        exchanges.push(talk::small(dice, end));
    }
    exchanges.into_iter().flat_map(|exchange| turns(dice, exchange)).collect()
}

fn turns(dice: &mut Dice, (question, answer): Exchange) -> [Turn; 2] {
    let mut question = sentences(&question);
    // Many people write without capital letters and without the mark at the end.
    if dice.chance(8) {
        question = question.to_ascii_lowercase().trim_end_matches(['?', '.', '!']).to_owned();
    }
    [
        Turn { speaker: Speaker::User, text: question },
        Turn { speaker: Speaker::Assistant, text: sentences(&answer) },
    ]
}

/// The first exchange drawn whose question is not kept for the examination.
fn taught(dice: &mut Dice, draw: impl Fn(&mut Dice) -> Exchange) -> Exchange {
    loop {
        let exchange = draw(dice);
        if !is_held_out(&exchange.0) {
            return exchange;
        }
    }
}

/// One to three questions about one thing; the later ones name it by a pronoun.
fn chain(dice: &mut Dice, exchanges: &mut Vec<Exchange>) {
    let thing = dice.pick(THINGS);
    exchanges.push(taught(dice, |dice| opening(dice, thing)));
    let mut asked = vec![exchanges[exchanges.len() - 1].1.clone()];
    for _ in 0..dice.below(3) {
        let many = thing.plural != thing.name && dice.chance(25);
        let exchange = taught(dice, |dice| following(dice, thing, many));
        if !asked.contains(&exchange.1) {
            asked.push(exchange.1.clone());
            exchanges.push(exchange);
        }
    }
}

fn opening(dice: &mut Dice, thing: &Thing) -> Exchange {
    let named = Named::first(dice, thing);
    let about = if dice.chance(30) { None } else { things::about(dice, thing, &named) };
    let point = about.unwrap_or_else(|| things::definition(dice, thing));
    (point.question, point.answer)
}

fn following(dice: &mut Dice, thing: &Thing, many: bool) -> Exchange {
    let named = Named::again(dice, thing, many);
    let point = match things::about(dice, thing, &named) {
        Some(point) => point,
        None => things::explanation(dice),
    };
    let question = if dice.chance(50) { format!("and {}", point.question) } else { point.question };
    (question, point.answer)
}

/// A question that stands for itself.
fn single(dice: &mut Dice) -> Exchange {
    let point = match dice.below(8) {
        0 => things::explanation(dice),
        1 => things::kind_definition(dice),
        _ => general(dice),
    };
    (point.question, point.answer)
}

/// A question about the one who answers, or one from outside of the world.
fn other(dice: &mut Dice) -> Exchange {
    match dice.below(10) {
        0..4 => talk::about_self(dice),
        4..9 => talk::unknown(dice),
        _ => {
            let kind = dice.pick(KINDS);
            match things::example(dice, kind) {
                Some(point) => (point.question, point.answer),
                None => talk::unknown(dice),
            }
        }
    }
}
