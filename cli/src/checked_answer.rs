//! Answers of a language model that the reasoner checks.

use rekindle_reason::proof::written;
use rekindle_reason::read::{english_goal, read_english, read_statements};
use rekindle_reason::syntax::{Formula, parse_with};
use rekindle_reason::{Auto, Budget, FactCache, Knowledge, Verdict, World};
use serde_json::{Value, json};

/// What is said where the reasoner has nothing to check.
pub const NO_QUESTION: &str = "the answer rests on the model alone: it is no question of logic";

/// A question, and what is known for it.
pub struct Question {
    knowledge: Knowledge,
    goal: Formula,
}

/// What the reasoner says to a question.
pub struct Checked {
    question: Question,
    verdict: Verdict,
    /// What the model said, where it said either.
    said: Option<bool>,
}

impl Question {
    /// The question at the end of a text, with what stands before it and what was said earlier: sentences of the
    /// controlled English, of which the last is asked, or statements of logic, a line each, of which the last ends with a
    /// question mark. None where it is something else.
    pub fn of<'a>(text: &str, earlier: impl Iterator<Item = &'a str>) -> Option<Self> {
        let earlier: Vec<&str> = earlier.collect();
        in_english(text, &earlier).or_else(|| in_logic(text, &earlier))
    }

    /// Asks the reasoner, or what it has found out before.
    pub fn check(self, facts: &mut FactCache, answer: &str) -> anyhow::Result<Checked> {
        let Self { knowledge, goal } = &self;
        let verdict = facts.prove(&mut Auto::built_in(), goal, knowledge, Budget::default())?;
        Ok(Checked { said: said(answer), verdict, question: self })
    }
}

impl Checked {
    /// The word for what the reasoner says; none where it cannot say.
    pub fn verdict(&self) -> Option<&'static str> {
        let follows = self.verdict.follows()?;
        Some(match (follows, self.question.knowledge.world()) {
            (true, _) => "True",
            (false, World::Closed) => "False",
            (false, World::Open) => "It does not follow",
        })
    }

    /// What it comes to, in a line; nothing where the reasoner cannot say.
    pub fn text(&self) -> String {
        let (Some(follows), Some(word)) = (self.verdict.follows(), self.verdict()) else {
            return format!("the answer rests on the model alone: {}", self.reason());
        };
        let agrees = match self.said {
            Some(said) if said == follows => "",
            Some(_) => "; the model says otherwise, and is wrong",
            None => "",
        };
        format!("{word}: the answer rests on the reasoner{agrees}")
    }

    /// The steps that lead to the verdict.
    pub fn proof(&self) -> Vec<String> {
        written(&self.verdict, &self.question.goal, &self.question.knowledge)
    }

    /// For scripts.
    pub fn in_json(&self) -> Value {
        let follows = self.verdict.follows();
        json!({
            "rests_on": if follows.is_some() { "reasoner" } else { "model" },
            "verdict": self.verdict(),
            "model_agrees": follows.and_then(|follows| Some(self.said? == follows)),
            "goal": self.question.goal.to_string(),
            "reason": follows.is_none().then(|| self.reason()),
            "proof": self.proof(),
        })
    }

    fn reason(&self) -> String {
        match &self.verdict {
            Verdict::Unknown(reason) => reason.to_string(),
            Verdict::Proved(_) | Verdict::Refuted(_) => String::new(),
        }
    }
}

/// Words that ask for more than yes or no.
const ASKING: [&str; 8] = ["what", "who", "whom", "which", "where", "when", "why", "how"];

/// What an answer says in the end, if it is one of the words for true and false.
fn said(answer: &str) -> Option<bool> {
    let last = answer.split_whitespace().next_back()?;
    let word = last.trim_matches(|letter: char| !letter.is_alphanumeric()).to_lowercase();
    match word.as_str() {
        "true" | "yes" => Some(true),
        "false" | "no" => Some(false),
        _ => None,
    }
}

fn in_english(text: &str, earlier: &[&str]) -> Option<Question> {
    let (statements, question) = last_sentence(text);
    // What is asked for a word has no name in front.
    let first = question.split_whitespace().next()?.to_lowercase();
    if ASKING.contains(&first.as_str()) {
        return None;
    }
    let goal = english_goal(question).ok()?;
    // What was said for other reasons is no knowledge.
    let known = earlier.iter().filter(|text| read_english(text).is_ok());
    let all = known.copied().chain([statements]).collect::<Vec<_>>().join("\n");
    let knowledge = read_english(&all).ok()?.knowledge.with_world(World::Closed);
    Some(Question { knowledge, goal })
}

fn in_logic(text: &str, earlier: &[&str]) -> Option<Question> {
    let question = text.trim_end().strip_suffix('?')?;
    let (statements, goal) = question.rsplit_once('\n').unwrap_or(("", question));
    let known = earlier.iter().filter(|text| read_statements(text).is_ok());
    let all = known.copied().chain([statements]).collect::<Vec<_>>().join("\n");
    let knowledge = read_statements(&all).ok()?.knowledge;
    let goal = parse_with(goal, &mut knowledge.names().clone()).ok()?;
    Some(Question { knowledge, goal })
}

/// What stands before the last sentence, and that sentence.
fn last_sentence(text: &str) -> (&str, &str) {
    let text = text.trim_end();
    let without_end = text.trim_end_matches(['.', '?', '!']);
    match without_end.rfind(['.', '?', '!', '\n']) {
        Some(end) => (&text[..=end], text[end + 1..].trim_start()),
        None => ("", text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(text: &str, earlier: &[&str], answer: &str) -> Checked {
        let question = Question::of(text, earlier.iter().copied()).unwrap();
        question.check(&mut FactCache::default(), answer).unwrap()
    }

    #[test]
    fn a_question_in_english_rests_on_what_was_said_before_it() {
        let told = "Anne is kind. Kind people are round.";
        let right = checked(&format!("{told} Anne is round."), &[], "round yes. True");
        assert_eq!(right.text(), "True: the answer rests on the reasoner");
        assert_eq!(right.proof().len(), 2);
        let wrong = checked("Bob is round?", &[told, "Who are you?"], "True");
        assert_eq!(
            wrong.text(),
            "False: the answer rests on the reasoner; the model says otherwise, and is wrong"
        );
        assert_eq!(wrong.in_json()["model_agrees"], false);
    }

    #[test]
    fn a_question_in_logic_is_asked_of_an_open_world() {
        let told = "p implies q\np";
        assert_eq!(checked(&format!("{told}\nq?"), &[], "").text(), "True: the answer rests on the reasoner");
        let open = checked("r?", &[told], "");
        assert_eq!(open.text(), "It does not follow: the answer rests on the reasoner");
    }

    #[test]
    fn other_texts_are_no_questions_to_the_reasoner() {
        for text in ["", "?", "Hello!", "What is rain?", "Anne is kind and", "p and and q?"] {
            assert!(Question::of(text, std::iter::empty()).is_none(), "{text}");
        }
    }
}
