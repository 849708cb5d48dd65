//! Text about logic and everyday facts, made from tables, for a model that is trained in minutes.
//!
//! The world of this text is small and closed: some eighty things with what is true of them, a few
//! forms of conclusion, the calendar, numbers up to twenty. Every fact is told and asked in several
//! wordings, so that a model can learn the fact and not one sentence. All text is ASCII.
//!
//! ```text
//! world ──▶ things ─┐
//!           logic  ─┼─▶ points (a statement, a question, its answer) ──▶ paragraphs, talks
//!           order  ─┘
//! ```

mod dice;
mod examination;
mod grammar;
mod logic;
mod order;
mod paragraphs;
mod talk;
mod talks;
mod things;
mod world;

#[cfg(test)]
mod tests;

use std::collections::HashSet;

use rekindle_data::Part;

use crate::edition::Edition;
use crate::streams::{DIALOGUES, PARAGRAPHS};
use dice::Dice;
pub use examination::Question;

/// One who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaker {
    /// Asks.
    User,
    /// Answers.
    Assistant,
}

/// A turn of a dialogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// Whose turn it is.
    pub speaker: Speaker,
    /// What is said: one or a few sentences on one line.
    pub text: String,
}

/// One thing to learn, as it is told, asked and answered; sentences may begin with a small letter.
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
    Free,
    /// A fact.
    Told(String),
    /// A conclusion: what it follows from is told elsewhere, too.
    Derived(String),
}

impl Point {
    /// The same as a fact of that key.
    fn told(self, key: impl Into<String>) -> Self {
        Self { key: Key::Told(key.into()), ..self }
    }

    /// The same as a conclusion of that key.
    fn derived(self, key: impl Into<String>) -> Self {
        Self { key: Key::Derived(key.into()), ..self }
    }
}

/// Short paragraphs about logic and everyday facts, the same for the same seed, about 140 bytes each.
///
/// Fewer paragraphs are the first of more.
pub fn facts(edition: Edition, seed: u64, paragraphs: usize) -> Vec<String> {
    (0..paragraphs)
        .map(|index| paragraphs::paragraph(&mut Dice::new(edition, seed, PARAGRAPHS, index)))
        .collect()
}

/// Dialogues of one to four questions with their answers, the same for the same seed.
///
/// The user begins, and the two take turns. Some questions are written without capital letters and
/// without the mark at the end; answers never are. Fewer dialogues are the first of more. Since the second
/// edition no two are the same: there are fewer than `count` then.
pub fn dialogues(edition: Edition, seed: u64, count: usize) -> Vec<Vec<Turn>> {
    let mut known = HashSet::new();
    let all = (0..count).map(|index| talks::dialogue(&mut Dice::new(edition, seed, DIALOGUES, index)));
    all.filter(|dialogue| edition == Edition::First || known.insert(text_of(dialogue))).collect()
}

fn text_of(dialogue: &[Turn]) -> String {
    dialogue.iter().map(|turn| turn.text.clone() + "\n").collect()
}

/// Questions about facts that no dialogue asks for and conclusions that no text draws: what a tuned
/// model is examined with. Facts are told in the text; what conclusions follow from is taught.
pub fn examination() -> Vec<Question> {
    examination::listed()
}

/// Other questions like those of the examination, to choose settings by: no question of the one is a
/// question of the other, nor about the same.
pub fn selection(count: usize) -> Vec<Question> {
    examination::facts(Part::Select, count)
}

/// Questions about conclusions that no text draws, at most `count`; those of test are reported, those
/// of select are there to choose settings by.
pub fn conclusions(part: Part, count: usize) -> Vec<Question> {
    examination::conclusions(part, count)
}

/// The first point drawn whose question may be asked; every source has enough of them.
fn taught(dice: &mut Dice, draw: impl Fn(&mut Dice) -> Point) -> Point {
    loop {
        let point = draw(dice);
        if dice.may_ask(&point) {
            return point;
        }
    }
}

/// The same for a source of few points, all of which may be held out.
fn taught_if_any(dice: &mut Dice, draw: impl Fn(&mut Dice) -> Point) -> Option<Point> {
    /// Tries before it is given up.
    const TRIES: usize = 8;
    if !dice.holds_out_facts() {
        return Some(taught(dice, draw));
    }
    for _ in 0..TRIES {
        let point = draw(dice);
        if dice.may_ask(&point) {
            return Some(point);
        }
    }
    None
}

/// The first point drawn that may be told.
fn stated(dice: &mut Dice, draw: impl Fn(&mut Dice) -> Point) -> String {
    loop {
        let point = draw(dice);
        if dice.may_tell(&point.key) {
            return point.statement;
        }
    }
}

/// A question as it is written.
fn sentence_of(question: &str) -> String {
    grammar::sentences(question)
}

/// A point of logic, order, numbers or opposites.
fn general(dice: &mut Dice) -> Point {
    match dice.below(28) {
        0..4 => logic::syllogism(dice),
        4 => logic::exclusion(dice),
        5 => logic::chain(dice),
        6 => logic::some(dice),
        7..10 => logic::conditional(dice),
        10 => logic::verdict(dice),
        11 => logic::connective(dice),
        12 => logic::truth(dice),
        13 => order::season(dice),
        14..16 => order::calendar(dice),
        16 => order::calendar_count(dice),
        17..20 => order::sum(dice),
        20 => order::story(dice),
        21 => order::number(dice),
        22 => order::opposite(dice),
        23 => order::kind_of_word(dice),
        24..26 => order::comparison(dice),
        26 => order::converse(dice),
        _ => things::size(dice),
    }
}
