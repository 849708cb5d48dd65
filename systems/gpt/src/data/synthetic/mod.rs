//! Text about logic and everyday facts, made from tables, for a model that is trained in minutes.
//!
//! The world of this text is small and closed: some eighty things with what is true of them, a few
//! forms of conclusion, the calendar, numbers up to twenty. Every fact is stated and asked in several
//! wordings, so that a model can learn the fact and not one sentence. All text is ASCII.
//!
//! ```text
//! world ──▶ things ─┐
//!           logic  ─┼─▶ points (a statement, a question, its answer) ──▶ paragraphs, talks
//!           order  ─┘
//! ```

mod dialogues;
mod exam;
mod grammar;
mod logic;
mod order;
mod paragraphs;
pub mod reasoning;
pub mod shapes;
mod small_talk;
mod text_rng;
mod things;
mod world;

#[cfg(test)]
mod tests;

use std::collections::HashSet;

use rekindle_data::Part;

use crate::data::version::DataVersion;
use rekindle_train::Message;

use crate::data::Dialogue;
use crate::streams::{DIALOGUES, PARAGRAPHS};
pub use exam::Question;
use text_rng::TextRng;

/// One thing to learn, as it is stated, asked and answered; sentences may begin with a small letter.
struct Point {
    key: Key,
    statement: String,
    question: String,
    answer: String,
}

/// What a point is about, whatever its wording.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Key {
    /// Nothing of the kind is held out.
    Unkeyed,
    /// A fact.
    Fact(String),
    /// A conclusion: what it follows from is stated elsewhere, too.
    Conclusion(String),
}

impl Point {
    /// The same as a fact of that key.
    fn about_fact(self, key: impl Into<String>) -> Self {
        Self { key: Key::Fact(key.into()), ..self }
    }

    /// The same as a conclusion of that key.
    fn about_conclusion(self, key: impl Into<String>) -> Self {
        Self { key: Key::Conclusion(key.into()), ..self }
    }
}

/// Short paragraphs about logic and everyday facts, the same for the same seed, about 140 bytes each.
///
/// Fewer paragraphs are the first of more.
pub fn facts(data_version: DataVersion, seed: u64, paragraphs: usize) -> Vec<String> {
    (0..paragraphs)
        .map(|index| paragraphs::paragraph(&mut TextRng::new(data_version, seed, PARAGRAPHS, index)))
        .collect()
}

/// Dialogues of one to four questions with their answers, the same for the same seed.
///
/// The user begins, and the two take turns. Some questions are written without capital letters and
/// without the mark at the end; answers never are. Fewer dialogues are the first of more. Since the second
/// version no two are the same: there are fewer than `count` then.
pub fn dialogues(data_version: DataVersion, seed: u64, count: usize) -> Vec<Dialogue> {
    let mut known = HashSet::new();
    let all =
        (0..count).map(|index| dialogues::dialogue(&mut TextRng::new(data_version, seed, DIALOGUES, index)));
    all.filter(|dialogue| data_version == DataVersion::V1 || known.insert(text_of(dialogue))).collect()
}

fn text_of(dialogue: &[Message]) -> String {
    dialogue.iter().map(|turn| turn.content.clone() + "\n").collect()
}

/// Questions about facts that no dialogue asks for and conclusions that no text draws: the exam of a
/// fine-tuned model. Facts are stated in the text; what conclusions follow from is taught.
pub fn exam() -> Vec<Question> {
    exam::listed()
}

/// Other questions like those of the exam, to choose settings by: no question of the one is a
/// question of the other, nor about the same.
pub fn selection(count: usize) -> Vec<Question> {
    exam::facts(Part::Select, count)
}

/// Questions about conclusions that no text draws, at most `count`; those of test are reported, those
/// of select are there to choose settings by.
pub fn conclusions(part: Part, count: usize) -> Vec<Question> {
    exam::conclusions(part, count)
}

/// The first point drawn whose question may be asked; every source has enough of them.
fn taught(rng: &mut TextRng, draw: impl Fn(&mut TextRng) -> Point) -> Point {
    loop {
        let point = draw(rng);
        if rng.may_ask(&point) {
            return point;
        }
    }
}

/// The same for a source of few points, all of which may be held out.
fn taught_if_any(rng: &mut TextRng, draw: impl Fn(&mut TextRng) -> Point) -> Option<Point> {
    /// Tries before it is given up.
    const TRIES: usize = 8;
    if !rng.holds_out_facts() {
        return Some(taught(rng, draw));
    }
    for _ in 0..TRIES {
        let point = draw(rng);
        if rng.may_ask(&point) {
            return Some(point);
        }
    }
    None
}

/// The first point drawn that may be stated.
fn stated(rng: &mut TextRng, draw: impl Fn(&mut TextRng) -> Point) -> String {
    loop {
        let point = draw(rng);
        if rng.may_state(&point.key) {
            return point.statement;
        }
    }
}

/// A question as it is written.
fn sentence_of(question: &str) -> String {
    grammar::sentences(question)
}

/// A point of logic, order, numbers or opposites.
fn general(rng: &mut TextRng) -> Point {
    match rng.below(28) {
        0..4 => logic::syllogism(rng),
        4 => logic::exclusion(rng),
        5 => logic::chain(rng),
        6 => logic::some(rng),
        7..10 => logic::conditional(rng),
        10 => logic::verdict(rng),
        11 => logic::connective(rng),
        12 => logic::truth(rng),
        13 => order::season(rng),
        14..16 => order::calendar(rng),
        16 => order::calendar_count(rng),
        17..20 => order::sum(rng),
        20 => order::story(rng),
        21 => order::number(rng),
        22 => order::opposite(rng),
        23 => order::kind_of_word(rng),
        24..26 => order::comparison(rng),
        26 => order::converse(rng),
        _ => things::size(rng),
    }
}
