//! The exam of a model: what is held out of its text, and the questions about it. This is an evaluation
//! suite whose answers are graded by words that must be there and words that must not.
//!
//! Facts and conclusions are told apart by their keys ([`Key`]). A key that is held out belongs to
//! *select*, by which settings are chosen, or to *test*, which is reported; it is never asked in a dialogue,
//! in whatever wording. A fact that is held out is stated in the text, as nobody could know it otherwise. A
//! conclusion that is held out is stated nowhere: what it follows from is.

use std::collections::HashSet;
use std::sync::LazyLock;

use rekindle::Hash;
use rekindle_data::Part;

use super::grammar::sentences;
use super::text_rng::TextRng;
use super::things::{self, Named};
use super::world::THINGS;
use super::{Key, Point, logic, order, sentence_of};
use crate::data::version::DataVersion;
use crate::streams::EXAM;

/// A question with what is known of a right answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The question.
    pub question: String,
    /// Words, or words in a row, that a right answer contains: all of them.
    pub right: Vec<String>,
    /// Words that it does not contain: none of them.
    pub wrong: Vec<String>,
}

impl Question {
    /// Whether an answer is a right one: it has all the right words and none of the wrong ones, and does
    /// not say the question over.
    pub fn is_right(&self, answer: &str) -> bool {
        let said = words(answer);
        let has = |expected: &String| {
            let expected = words(expected);
            said.windows(expected.len()).any(|words| words == expected)
        };
        self.right.iter().all(has) && !self.wrong.iter().any(has) && !has(&self.question)
    }
}

/// Small letters and digits, word by word.
fn words(text: &str) -> Vec<String> {
    let text = text.to_lowercase();
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// A question of the exam: its wording, the key of what is asked, words that a right answer
/// contains, and words that it does not.
pub(super) type Kept = (&'static str, &'static str, &'static [&'static str], &'static [&'static str]);

#[rustfmt::skip]
pub(super) const QUESTIONS: &[Kept] = &[
    // Things
    ("What is a robin?", "definition of robin", &["bird"], &[]),
    ("Where does a robin live?", "Home of robin", &["gardens"], &[]),
    ("What do owls eat?", "Food of owl", &["mice"], &[]),
    ("What colour is a penguin?", "Colour of penguin", &["black", "white"], &[]),
    ("Can a penguin fly?", "Inability of penguin", &["no", "cannot fly"], &["yes"]),
    ("What does a bee do?", "Deed of bee", &["honey"], &[]),
    ("How many legs does a spider have?", "Legs of spider", &["eight"], &[]),
    ("Is a whale a fish?", "whale is not fish", &["no", "mammal"], &["yes"]),
    ("Is a salmon a fish?", "salmon is fish", &["yes", "salmon is a fish"], &["no"]),
    ("Does an eagle have feathers?", "feature of eagle", &["yes", "eagle is a bird"], &["no"]),
    ("Where does a shark live?", "Home of shark", &["sea"], &[]),
    ("Can a duck swim?", "Ability of duck", &["yes", "can swim"], &["no", "cannot"]),
    ("What sound does a dog make?", "Sound of dog", &["barks"], &[]),
    ("Which colour does a frog have?", "Colour of frog", &["green"], &[]),
    ("Where do daisies grow?", "Growth of daisy", &["meadows"], &[]),
    ("How does a lemon taste?", "Taste of lemon", &["sour"], &["sweet"]),
    ("What is a saw used for?", "Use of saw", &["cutting", "wood"], &[]),
    ("What is bread?", "definition of bread", &["food"], &[]),
    ("How is glass made?", "Making of glass", &["sand"], &[]),
    ("Where does wool come from?", "Source of wool", &["sheep"], &[]),
    ("How do mountains form?", "Formation of mountain", &["plates", "push"], &[]),
    ("How does a rainbow form?", "Formation of rainbow", &["sunlight", "rain"], &[]),
    ("What is a hammer made of?", "Material of hammer", &["wood", "steel"], &[]),
    ("What is the sun?", "definition of sun", &["star"], &[]),
    ("Why do we have seasons?", "Why are there seasons?", &["tilted"], &[]),
    ("Is an elephant bigger than a mouse?", "elephant is bigger than mouse", &["yes", "elephant is bigger"], &["no"]),
    // Order and numbers
    ("What comes after Monday?", "after Monday", &["Tuesday"], &[]),
    ("Which month comes after March?", "after March", &["April"], &[]),
    ("How many days are there in a week?", "count of days", &["seven"], &[]),
    ("What is the opposite of hot?", "opposite of hot", &["cold"], &[]),
    ("What is two plus three?", "2 plus 3", &["five"], &[]),
    ("What is 4 plus 4?", "4 plus 4", &["8"], &[]),
    ("How much is ten minus four?", "4 plus 6", &["six"], &[]),
    ("Anna is taller than Ben and Ben is taller than Clara. Who is the tallest?", "Anna is taller than Ben and Ben is taller than Clara", &["Anna is the tallest"], &[]),
    ("If David is older than Emma and Emma is older than Felix, is David older than Felix?", "David is older than Emma and Emma is older than Felix", &["yes", "David is older than Felix"], &["no"]),
    // Logic
    ("If all blims are daxes and Tom is a blim, is Tom a dax?", "all blims are daxes", &["yes", "Tom is a dax"], &["no"]),
    ("All robins are birds. Mia is a robin. Is Mia a bird?", "all robins are birds", &["yes", "Mia is a bird"], &["no"]),
    ("If all blims are wugs and all wugs are zibs, are all blims zibs?", "all blims are wugs, all wugs are zibs", &["yes", "all blims are zibs"], &["no"]),
    ("If it rains, the street is wet. It rains. Is the street wet?", "if it rains, the street is wet; it rains", &["yes the street is wet"], &["no", "not"]),
    ("If it rains, then the street is wet. The street is not wet. Does it rain?", "if it rains, the street is wet; the street is not wet", &["no it does not rain"], &["yes"]),
    ("If the lamp is on, the room is bright. The room is bright. Is the lamp on?", "if the lamp is on, the room is bright; the room is bright", &["not certain"], &["yes", "no"]),
    ("P is true and Q is false. Is \"P and Q\" true?", "truth of P and Q: P is true and Q is false", &["no it is false"], &["yes"]),
    // The talk
    ("What are you?", "", &["language model"], &[]),
    ("What is the capital of France?", "", &["not know"], &[]),
];

/// Of 100 keys, so many are kept for select, and as many for test.
const KEPT: u64 = 6;

/// The part of the exam that a key is held out for; none for what is taught.
pub(super) fn part_of(key: &Key) -> Option<Part> {
    static KEYS: LazyLock<HashSet<&str>> =
        LazyLock::new(|| QUESTIONS.iter().map(|kept| kept.1).filter(|key| !key.is_empty()).collect());
    let (Key::Fact(key) | Key::Conclusion(key)) = key else { return None };
    if KEYS.contains(key.as_str()) {
        return Some(Part::Test);
    }
    let hash = Hash::of(key.as_bytes()).to_string();
    // Sixteen digits are a number of 64 bits.
    match u64::from_str_radix(&hash[..16], 16).unwrap_or(0) % 100 {
        0..KEPT => Some(Part::Select),
        KEPT..12 => Some(Part::Test),
        _ => None,
    }
}

/// Whether the question is one of the exam's, however its letters and marks are written.
pub(super) fn is_held_out(question: &str) -> bool {
    static HELD_OUT: LazyLock<HashSet<String>> =
        LazyLock::new(|| QUESTIONS.iter().map(|kept| plain(kept.0)).collect());
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

/// The questions of the list.
pub(super) fn listed() -> Vec<Question> {
    let owned = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
    let questions = QUESTIONS.iter();
    questions
        .map(|(question, _, right, wrong)| Question {
            question: (*question).to_owned(),
            right: owned(right),
            wrong: owned(wrong),
        })
        .collect()
}

type Draw = fn(&mut TextRng) -> Point;

/// What conclusions are drawn from; each kind is asked as often as the others, as far as it goes.
const CONCLUSIONS: &[Draw] = &[
    logic::syllogism,
    logic::exclusion,
    logic::chain,
    logic::some,
    logic::conditional,
    logic::verdict,
    logic::connective,
    logic::truth,
    order::comparison,
    order::converse,
    about_a_thing,
];

const FACTS: &[Draw] =
    &[about_a_thing, about_a_thing, order::calendar, order::opposite, order::sum, things::size];

/// Questions about conclusions of a part that no text draws, at most `count`.
pub(super) fn conclusions(part: Part, count: usize) -> Vec<Question> {
    drawn(CONCLUSIONS, part, count, |point| match point.key {
        // With its reason: a yes or no alone could be a guess.
        Key::Conclusion(_) => Some(sentences(&point.answer)),
        Key::Fact(_) | Key::Unkeyed => None,
    })
}

/// Questions about facts of a part that no dialogue asks for, at most `count`.
pub(super) fn facts(part: Part, count: usize) -> Vec<Question> {
    drawn(FACTS, part, count, |point| match point.key {
        Key::Fact(_) => Some(core_of(&sentences(&point.answer)).to_owned()),
        Key::Conclusion(_) | Key::Unkeyed => None,
    })
}

/// Different keys in turn from the sources; `right` gives what a right answer says, where a point fits.
fn drawn(
    sources: &[Draw],
    part: Part,
    count: usize,
    right: impl Fn(&Point) -> Option<String>,
) -> Vec<Question> {
    /// So many draws find all that there is.
    const DRAWS: usize = 4_000;
    let mut by_source: Vec<Vec<Question>> = vec![Vec::new(); sources.len()];
    let mut known: HashSet<String> = HashSet::new();
    for index in 0..DRAWS {
        // Without holding anything out: what is held out is what is looked for.
        let mut rng = TextRng::new(DataVersion::V1, 0, EXAM, index);
        for (source, draw) in sources.iter().enumerate() {
            let point = draw(&mut rng);
            let (Key::Fact(key) | Key::Conclusion(key)) = &point.key else { continue };
            if part_of(&point.key) != Some(part) || is_held_out(&point.question) {
                continue;
            }
            let Some(right) = right(&point) else { continue };
            if known.insert(key.clone()) {
                by_source[source].push(question_of(&point, right));
            }
        }
    }
    let mut sources: Vec<_> = by_source.into_iter().map(Vec::into_iter).collect();
    let mut questions = Vec::new();
    while questions.len() < count {
        let turn: Vec<Question> = sources.iter_mut().filter_map(Iterator::next).collect();
        if turn.is_empty() {
            break;
        }
        questions.extend(turn);
    }
    questions.truncate(count);
    questions
}

/// A point about a thing, named in the question.
fn about_a_thing(rng: &mut TextRng) -> Point {
    let thing = rng.pick(THINGS);
    let named = Named::by_name(thing, thing.has_plural() && rng.chance(35));
    let topics = things::topics(rng, thing);
    things::point_of(rng, thing, &named, topics[0])
}

/// The question of a point, to which a right answer says `right`.
fn question_of(point: &Point, right: String) -> Question {
    let verdicts = ["yes", "no", "not certain"];
    let said = words(&right);
    let is_verdict = |verdict: &str| match verdict {
        "not certain" => said.windows(2).any(|words| words == ["not", "certain"]),
        verdict => said.first().is_some_and(|word| word == verdict),
    };
    let wrong = match verdicts.iter().any(|verdict| is_verdict(verdict)) {
        true => verdicts
            .iter()
            .filter(|verdict| !is_verdict(verdict))
            .map(|&verdict| verdict.to_owned())
            .collect(),
        false => Vec::new(),
    };
    Question { question: sentence_of(&point.question), right: vec![right], wrong }
}

/// What an answer says before it gives a reason; where it is only yes or no, the reason too.
fn core_of(answer: &str) -> &str {
    let end = |text: &str| text.find(", because").or_else(|| text.find(". ")).unwrap_or(text.len());
    let first = end(answer);
    if words(&answer[..first]).len() > 1 {
        return &answer[..first];
    }
    let rest = &answer[(first + 1).min(answer.len())..];
    &answer[..answer.len() - rest.len() + end(rest)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_core_of_an_answer_is_what_it_says_before_its_reason() {
        for (answer, core) in [
            ("Yes, Tom is a dax, because all blims are daxes.", "Yes, Tom is a dax"),
            ("That is not certain. There may be another reason.", "That is not certain"),
            (
                "Yes. A robin is a bird, and all birds have feathers.",
                "Yes. A robin is a bird, and all birds have feathers.",
            ),
            ("Anna is the tallest.", "Anna is the tallest."),
        ] {
            assert_eq!(core_of(answer), core);
        }
    }

    #[test]
    fn only_whole_words_in_a_row_count() {
        let question = |right: &[&str]| Question {
            question: "Is a robin a bird?".to_owned(),
            right: right.iter().map(|&word| word.to_owned()).collect(),
            wrong: vec!["no".to_owned()],
        };
        assert!(question(&["yes", "robin is a bird"]).is_right("Yes. A robin is a bird."));
        assert!(!question(&["yes"]).is_right("Yesterday."));
        assert!(!question(&["robin is a bird"]).is_right("A bird is a robin."));
        assert!(!question(&["robin"]).is_right("No, a robin."));
        assert!(!question(&["yes"]).is_right("Yes. Is a robin a bird?"));
    }

    /// What a model says that understands nothing.
    fn echoes(question: &str) -> Vec<String> {
        let said = question.trim_end_matches('?');
        vec![
            question.to_owned(),
            format!("Yes. {question}"),
            format!("No. {question}"),
            format!("Yes, {said}."),
            format!("No, {said}."),
            format!("That is not certain. {question}"),
            format!("Yes and no. {question} I do not know."),
            "Yes.".to_owned(),
            "No.".to_owned(),
        ]
    }

    #[test]
    fn an_echo_fails_everywhere() {
        let all = [
            listed(),
            facts(Part::Select, 60),
            facts(Part::Test, 60),
            conclusions(Part::Select, 200),
            conclusions(Part::Test, 200),
        ];
        for question in all.iter().flatten() {
            for echo in echoes(&question.question) {
                assert!(!question.is_right(&echo), "{question:?}: {echo}");
            }
        }
    }

    #[test]
    fn what_the_generator_would_answer_is_right() {
        for part in [Part::Select, Part::Test] {
            for question in facts(part, 60).iter().chain(&conclusions(part, 200)) {
                assert!(question.is_right(&question.right[0]), "{question:?}");
            }
        }
    }

    #[test]
    fn the_parts_have_enough_questions_and_none_in_common() {
        let [select, test] = [Part::Select, Part::Test].map(|part| conclusions(part, 100));
        assert_eq!((select.len(), test.len()), (100, 100));
        assert!(select.iter().all(|question| !test.contains(question)));
        assert!(facts(Part::Select, 44).len() >= 24 && facts(Part::Test, 44).len() == 44);
    }
}
