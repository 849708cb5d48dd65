//! Problems of reasoning as dialogues, with the steps that lead to their answers.

use std::panic::resume_unwind;
use std::thread::ScopedJoinHandle;

use rekindle_data::Part;
use rekindle_reason::Rule;
use rekindle_reason::syntax::{Atom, Formula, Term};
use rekindle_train::{Message, Role};

use super::dialogue::Dialogue;
use super::reasoning::{Problem, Split, Suite, problems};

/// Problems to learn, in turn from each suite: the same for the same seed.
pub(crate) fn learnt(suites: &[Suite], seed: u64, count: usize) -> Vec<Problem> {
    let of_each = count.div_ceil(suites.len().max(1));
    let make = |&suite: &Suite| problems(suite, Split::InDistribution, Part::Train, seed, of_each);
    let drawn: Vec<Vec<Problem>> = std::thread::scope(|scope| {
        let threads: Vec<_> = suites.iter().map(|suite| scope.spawn(move || make(suite))).collect();
        let made = |thread: ScopedJoinHandle<'_, Vec<Problem>>| {
            thread.join().unwrap_or_else(|panic| resume_unwind(panic))
        };
        threads.into_iter().map(made).collect()
    });
    let in_turn = (0..of_each).flat_map(|index| drawn.iter().filter_map(move |of| of.get(index)));
    in_turn.take(count).cloned().collect()
}

/// A problem as a question and its answer.
pub(crate) fn dialogue(problem: &Problem, with_steps: bool) -> Dialogue {
    let answer = match with_steps.then(|| steps(problem)).flatten() {
        Some(steps) => steps.into_iter().chain([problem.answer.clone()]).collect::<Vec<_>>().join(" "),
        None => problem.answer.clone(),
    };
    vec![
        Message { role: Role::User, content: problem.text() },
        Message { role: Role::Assistant, content: answer },
    ]
}

/// The way to the answer, for problems about rules in sentences: what is asked about is looked up among the facts, then
/// among the rules that lead to it, whose conditions are looked up in turn. None of other problems.
fn steps(problem: &Problem) -> Option<Vec<String>> {
    if problem.suite != Suite::Rules {
        return None;
    }
    let (knowledge, goal) = problem.logic()?;
    let goal = atom(&goal)?;
    let rules = knowledge.rules().ok()?;
    let mut search = Search {
        rules: &rules,
        about: &goal.arguments,
        name: problem.question.split_whitespace().next()?,
        asked: Vec::new(),
        known: Vec::new(),
        lines: Vec::new(),
    };
    search.holds(&goal.predicate);
    Some(search.lines)
}

/// A search from the goal back to the facts.
struct Search<'a> {
    rules: &'a [Rule],
    /// Who it is about, and how that is written.
    about: &'a [Term],
    name: &'a str,
    /// The properties that are being looked up, one because of the other.
    asked: Vec<&'a str>,
    /// What was found out about properties.
    known: Vec<(&'a str, bool)>,
    lines: Vec<String>,
}

impl<'a> Search<'a> {
    /// Looks a property up; there are no more calls within each other than properties.
    fn holds(&mut self, property: &'a str) -> bool {
        let found = self.find(property);
        let said = if found { "yes" } else { "no" };
        self.lines.push(format!("{} is {property} {said}.", self.name));
        self.known.push((property, found));
        found
    }

    fn find(&mut self, property: &'a str) -> bool {
        if let Some((_, found)) = self.known.iter().find(|(of, _)| *of == property) {
            return *found;
        }
        let leads = |rule: &&'a Rule| rule.head.predicate == property;
        let of_property: Vec<&'a Rule> = self.rules.iter().filter(leads).collect();
        if of_property.iter().any(|rule| rule.body.is_empty() && rule.head.arguments == self.about) {
            return true;
        }
        self.asked.push(property);
        let found = of_property
            .into_iter()
            .filter(|rule| !rule.body.is_empty())
            .any(|rule| self.applies(property, rule));
        self.asked.pop();
        found
    }

    fn applies(&mut self, property: &str, rule: &'a Rule) -> bool {
        let body: Vec<&'a str> = rule.body.iter().map(|atom| atom.predicate.as_str()).collect();
        // A way in a circle leads to nothing that is not found on another.
        if body.iter().any(|condition| self.asked.contains(condition)) {
            return false;
        }
        self.lines.push(format!("{} is {property} if {}.", self.name, body.join(" ")));
        body.into_iter().all(|condition| self.holds(condition))
    }
}

/// What is asked about, said or denied.
fn atom(goal: &Formula) -> Option<&Atom> {
    match goal {
        Formula::Atom(atom) => Some(atom),
        Formula::Not(inner) => atom(inner),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::reasoning::verdict;

    #[test]
    fn problems_to_learn_are_the_same_again_and_of_all_suites() {
        let suites = [Suite::Rules, Suite::Dyck];
        let problems = learnt(&suites, 3, 40);
        assert_eq!(problems.len(), 40);
        assert_eq!(problems.iter().filter(|problem| problem.suite == Suite::Dyck).count(), 20);
        assert_eq!(problems, learnt(&suites, 3, 40));
        assert_ne!(problems, learnt(&suites, 4, 40));
    }

    #[test]
    fn steps_lead_to_the_answer() {
        let problem = |statement: &str, question: &str, answer: &str| Problem {
            suite: Suite::Rules,
            split: Split::InDistribution,
            depth: 0,
            statement: statement.to_owned(),
            question: question.to_owned(),
            answer: answer.to_owned(),
        };
        let told =
            "Anne is kind. Bob is red. If someone is big and kind then they are round. Kind people are big.";
        let answer = |question, answer| dialogue(&problem(told, question, answer), true)[1].content.clone();
        assert_eq!(
            answer("Anne is round.", "True"),
            "Anne is round if big kind. Anne is big if kind. Anne is kind yes. Anne is big yes. Anne is kind yes. \
             Anne is round yes. True"
        );
        assert_eq!(
            answer("Anne is not big.", "False"),
            "Anne is big if kind. Anne is kind yes. Anne is big yes. False"
        );
        assert_eq!(answer("Anne is kind.", "True"), "Anne is kind yes. True");
        assert_eq!(answer("Anne is red.", "False"), "Anne is red no. False");
        assert_eq!(
            answer("Bob is round.", "False"),
            "Bob is round if big kind. Bob is big if kind. Bob is kind no. Bob is big no. Bob is round no. False"
        );
    }

    #[test]
    fn steps_agree_with_the_label_of_every_problem() {
        for problem in learnt(&[Suite::Rules], 1, 200) {
            let (_, goal) = problem.logic().unwrap();
            let is_denied = matches!(goal, Formula::Not(_));
            let answer = dialogue(&problem, true)[1].content.clone();
            let last = answer.split('.').rev().nth(1).unwrap().trim();
            assert_eq!(
                last.ends_with("yes") != is_denied,
                verdict(&answer) == "True",
                "{problem:?} {answer}"
            );
        }
    }
}
