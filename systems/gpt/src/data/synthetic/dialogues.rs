//! Dialogues: greetings, questions with answers, questions that follow from the turn before.

use super::grammar::{Subject, render, sentences};
use super::text_rng::TextRng;
use super::things::{self, Named, Topic};
use super::world::THINGS;
use rekindle_train::{Message, Role};

use super::{Point, general, small_talk, taught, taught_if_any};

/// The most questions of a dialogue.
const LONGEST: usize = 4;

/// What was asked, and what was answered.
type Exchange = (String, String);

fn exchange(point: Point) -> Exchange {
    (point.question, point.answer)
}

/// One dialogue.
pub(super) fn dialogue(rng: &mut TextRng) -> Vec<Message> {
    let mut exchanges = Vec::new();
    if rng.chance(15) {
        exchanges.push(exchange(small_talk::small(rng, small_talk::GREETINGS)));
    }
    match rng.below(10) {
        // Facts that are held out are stated in answers, too, so that they are known where answers are given.
        0..2 if rng.holds_out_facts() => exchanges.push(portrait(rng)),
        0..5 => chain(rng, &mut exchanges),
        5..9 => {
            for _ in 0..1 + rng.below(2) {
                exchanges.push(single(rng));
            }
        }
        _ => exchanges.push(other(rng)),
    }
    if exchanges.is_empty() {
        exchanges.push(single(rng));
    }
    if exchanges.len() < LONGEST && rng.chance(12) {
        let end = if rng.chance(60) { small_talk::THANKS } else { small_talk::PARTINGS };
        exchanges.push(exchange(small_talk::small(rng, end)));
    }
    exchanges.into_iter().flat_map(|exchange| messages(rng, exchange)).collect()
}

fn messages(rng: &mut TextRng, (question, answer): Exchange) -> [Message; 2] {
    let mut question = sentences(&question);
    // Many people write without capital letters and without the mark at the end.
    if rng.chance(8) {
        question = question.to_ascii_lowercase().trim_end_matches(['?', '.', '!']).to_owned();
    }
    [
        Message { role: Role::User, content: question },
        Message { role: Role::Assistant, content: sentences(&answer) },
    ]
}

/// One to three questions about one thing; the later ones name it by a pronoun.
fn chain(rng: &mut TextRng, exchanges: &mut Vec<Exchange>) {
    let thing = rng.pick(THINGS);
    let many = thing.has_plural() && rng.chance(35);
    let count = 1 + rng.below(3);
    let mut topics = things::topics(rng, thing);
    if rng.chance(30) {
        topics.sort_by_key(|topic| !matches!(topic, Topic::Definition));
    }
    let mut place = 0;
    for topic in topics.into_iter().take(count) {
        let named = if place == 0 { Named::by_name(thing, many) } else { Named::by_pronoun(thing, many) };
        let named = if rng.chance(20) { named.answered_by_pronoun() } else { named };
        let Some(point) = taught_if_any(rng, |rng| things::point_of(rng, thing, &named, topic)) else {
            continue;
        };
        let joined = place > 0 && rng.chance(50);
        let question = if joined { format!("and {}", point.question) } else { point.question };
        exchanges.push((question, point.answer));
        place += 1;
    }
}

/// What there is to say about a thing.
fn portrait(rng: &mut TextRng) -> Exchange {
    const ASKED: &[&str] =
        &["tell me about {O}.", "what can you tell me about {O}?", "tell me something about {O}."];
    loop {
        let thing = rng.pick(THINGS);
        let many = thing.has_plural() && rng.chance(35);
        let question = render(rng.word(ASKED), &Subject::named(thing, many), "");
        let mut statements = Vec::new();
        for topic in things::topics(rng, thing).into_iter().take(3) {
            let point = things::point_of(rng, thing, &Named::by_name(thing, many), topic);
            if rng.may_state(&point.key) {
                statements.push(point.statement);
            }
        }
        if !statements.is_empty() {
            return (question, statements.join(" "));
        }
    }
}

/// A question that stands for itself.
fn single(rng: &mut TextRng) -> Exchange {
    let draw = match rng.below(8) {
        0 => things::explanation,
        1 => things::kind_definition,
        _ => general,
    };
    exchange(taught(rng, draw))
}

/// A question about the one who answers, one from outside of the world, or one for an example.
fn other(rng: &mut TextRng) -> Exchange {
    exchange(taught(rng, |rng| match rng.below(10) {
        0..4 => small_talk::about_self(rng),
        4..9 => small_talk::unknown(rng),
        _ => things::example(rng),
    }))
}
