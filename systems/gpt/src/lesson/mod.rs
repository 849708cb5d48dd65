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

use crate::streams::{DIALOGUES, PARAGRAPHS};
use dice::Dice;

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
    statement: String,
    question: String,
    answer: String,
}

/// Text about logic and everyday facts, the same for the same seed: `paragraphs` short paragraphs
/// joined by blank lines, about 140 bytes each.
///
/// A text of fewer paragraphs is the beginning of a text of more.
pub fn facts(seed: u64, paragraphs: usize) -> String {
    let made: Vec<String> =
        (0..paragraphs).map(|index| paragraphs::paragraph(&mut Dice::new(seed, PARAGRAPHS, index))).collect();
    made.join("\n\n")
}

/// Dialogues of one to four questions with their answers, the same for the same seed.
///
/// The user begins, and the two take turns. Some questions are written without capital letters and
/// without the mark at the end; answers never are. Fewer dialogues are the first of more.
pub fn dialogues(seed: u64, count: usize) -> Vec<Vec<Turn>> {
    (0..count).map(|index| talks::dialogue(&mut Dice::new(seed, DIALOGUES, index))).collect()
}

/// Questions that no dialogue of [`dialogues`] contains in that wording, with words that a right
/// answer contains: what a tuned model is examined with.
///
/// What is asked is taught in other wordings, and the wording is taught with other facts.
pub fn examination() -> Vec<(String, Vec<&'static str>)> {
    examination::QUESTIONS.iter().map(|(question, words)| (question.to_string(), words.to_vec())).collect()
}

/// The first point drawn whose question is not kept for the examination; every topic has more
/// wordings than are kept, so there is one.
fn taught(dice: &mut Dice, draw: impl Fn(&mut Dice) -> Point) -> Point {
    loop {
        let point = draw(dice);
        if !examination::is_held_out(&point.question) {
            return point;
        }
    }
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
