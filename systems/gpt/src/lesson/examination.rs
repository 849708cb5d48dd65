//! The questions that are kept from the dialogues.

use std::collections::HashSet;
use std::sync::LazyLock;

/// A question, and words that a right answer contains.
#[rustfmt::skip]
pub(super) const QUESTIONS: &[(&str, &[&str])] = &[
    // Things
    ("What is a robin?", &["bird"]),
    ("Where does a robin live?", &["gardens"]),
    ("What do owls eat?", &["mice"]),
    ("What colour is a penguin?", &["black", "white"]),
    ("Can a penguin fly?", &["cannot"]),
    ("What does a bee do?", &["honey"]),
    ("How many legs does a spider have?", &["eight"]),
    ("Is a whale a fish?", &["mammal"]),
    ("Is a salmon a fish?", &["yes"]),
    ("Does an eagle have feathers?", &["yes", "birds"]),
    ("Where does a shark live?", &["sea"]),
    ("Can a duck swim?", &["yes"]),
    ("What sound does a dog make?", &["barks"]),
    ("Which colour does a frog have?", &["green"]),
    ("Where do daisies grow?", &["meadows"]),
    ("How does a lemon taste?", &["sour"]),
    ("What is a saw used for?", &["cutting", "wood"]),
    ("What is bread?", &["food"]),
    ("How is glass made?", &["sand"]),
    ("Where does wool come from?", &["sheep"]),
    ("How do mountains form?", &["plates", "push"]),
    ("How does a rainbow form?", &["sunlight", "rain"]),
    ("What is a hammer made of?", &["wood", "steel"]),
    ("What is the sun?", &["star"]),
    ("Why do we have seasons?", &["tilted"]),
    ("Is an elephant bigger than a mouse?", &["yes", "bigger"]),
    // Order and numbers
    ("What comes after Monday?", &["Tuesday"]),
    ("Which month comes after March?", &["April"]),
    ("How many days are there in a week?", &["seven"]),
    ("What is the opposite of hot?", &["cold"]),
    ("What is two plus three?", &["five"]),
    ("What is 4 plus 4?", &["8"]),
    ("How much is ten minus four?", &["six"]),
    ("Anna is taller than Ben and Ben is taller than Clara. Who is the tallest?", &["Anna"]),
    ("If David is older than Emma and Emma is older than Felix, is David older than Felix?", &["yes", "older"]),
    // Logic
    ("If all blims are daxes and Tom is a blim, is Tom a dax?", &["yes", "dax"]),
    ("All robins are birds. Mia is a robin. Is Mia a bird?", &["yes", "bird"]),
    ("If all blims are wugs and all wugs are zibs, are all blims zibs?", &["yes", "zibs"]),
    ("If it rains, the street is wet. It rains. Is the street wet?", &["yes", "wet"]),
    ("If it rains, then the street is wet. The street is not wet. Does it rain?", &["no", "not"]),
    ("If the lamp is on, the room is bright. The room is bright. Is the lamp on?", &["not certain"]),
    ("P is true and Q is false. Is \"P and Q\" true?", &["no", "false"]),
    // The talk
    ("What are you?", &["language model"]),
    ("What is the capital of France?", &["not know"]),
];

/// Whether the question is one of the examination's, however its letters and marks are written.
pub(super) fn is_held_out(question: &str) -> bool {
    static HELD_OUT: LazyLock<HashSet<String>> =
        LazyLock::new(|| QUESTIONS.iter().map(|(question, _)| plain(question)).collect());
    HELD_OUT.contains(&plain(question))
}

/// The words alone: small letters, no marks.
pub(super) fn plain(question: &str) -> String {
    question
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || *c == ' ')
        .map(|c| c.to_ascii_lowercase())
        .collect()
}
