//! Dialogues: greetings, questions with answers, questions that follow from the turn before.

use super::dice::Dice;
use super::grammar::{Subject, render, sentences};
use super::things::{self, Named, Topic};
use super::world::THINGS;
use super::{Point, Speaker, Turn, general, talk, taught, taught_if_any};

/// The most questions of a dialogue.
const LONGEST: usize = 4;

/// What was asked, and what was answered.
type Exchange = (String, String);

fn exchange(point: Point) -> Exchange {
    (point.question, point.answer)
}

/// One dialogue.
pub(super) fn dialogue(dice: &mut Dice) -> Vec<Turn> {
    let mut exchanges = Vec::new();
    if dice.chance(15) {
        exchanges.push(exchange(talk::small(dice, talk::GREETINGS)));
    }
    match dice.below(10) {
        // Facts that are held out are told in answers, too, so that they are known where answers are given.
        0..2 if dice.holds_out_facts() => exchanges.push(portrait(dice)),
        0..5 => chain(dice, &mut exchanges),
        5..9 => {
            for _ in 0..1 + dice.below(2) {
                exchanges.push(single(dice));
            }
        }
        _ => exchanges.push(other(dice)),
    }
    if exchanges.is_empty() {
        exchanges.push(single(dice));
    }
    if exchanges.len() < LONGEST && dice.chance(12) {
        let end = if dice.chance(60) { talk::THANKS } else { talk::PARTINGS };
        exchanges.push(exchange(talk::small(dice, end)));
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

/// One to three questions about one thing; the later ones name it by a pronoun.
fn chain(dice: &mut Dice, exchanges: &mut Vec<Exchange>) {
    let thing = dice.pick(THINGS);
    let many = thing.has_plural() && dice.chance(35);
    let count = 1 + dice.below(3);
    let mut topics = things::topics(dice, thing);
    if dice.chance(30) {
        topics.sort_by_key(|topic| !matches!(topic, Topic::Definition));
    }
    let mut place = 0;
    for topic in topics.into_iter().take(count) {
        let named = if place == 0 { Named::by_name(thing, many) } else { Named::by_pronoun(thing, many) };
        let named = if dice.chance(20) { named.answered_by_pronoun() } else { named };
        let Some(point) = taught_if_any(dice, |dice| things::told(dice, thing, &named, topic)) else {
            continue;
        };
        let joined = place > 0 && dice.chance(50);
        let question = if joined { format!("and {}", point.question) } else { point.question };
        exchanges.push((question, point.answer));
        place += 1;
    }
}

/// What there is to say about a thing.
fn portrait(dice: &mut Dice) -> Exchange {
    const ASKED: &[&str] =
        &["tell me about {O}.", "what can you tell me about {O}?", "tell me something about {O}."];
    loop {
        let thing = dice.pick(THINGS);
        let many = thing.has_plural() && dice.chance(35);
        let question = render(dice.word(ASKED), &Subject::named(thing, many), "");
        let mut told = Vec::new();
        for topic in things::topics(dice, thing).into_iter().take(3) {
            let point = things::told(dice, thing, &Named::by_name(thing, many), topic);
            if dice.may_tell(&point.key) {
                told.push(point.statement);
            }
        }
        if !told.is_empty() {
            return (question, told.join(" "));
        }
    }
}

/// A question that stands for itself.
fn single(dice: &mut Dice) -> Exchange {
    let draw = match dice.below(8) {
        0 => things::explanation,
        1 => things::kind_definition,
        _ => general,
    };
    exchange(taught(dice, draw))
}

/// A question about the one who answers, one from outside of the world, or one for an example.
fn other(dice: &mut Dice) -> Exchange {
    exchange(taught(dice, |dice| match dice.below(10) {
        0..4 => talk::about_self(dice),
        4..9 => talk::unknown(dice),
        _ => things::example(dice),
    }))
}
