//! Problems of reasoning whose answers are known: labelled by the reasoner, or computed where they are made.
//!
//! | suite | the answer | deeper means | longer means | shifted means |
//! |---|---|---|---|---|
//! | rules | whether a sentence follows from facts and rules; what does not is false | more rules one after the other | more that is beside the point | other names, properties and wordings |
//! | entailment | whether a formula follows from others | deeper formulas | more of them, about more propositions | other names, mostly `iff` |
//! | satisfiability | whether clauses of three have a world, near the phase transition | more propositions | many more | away from the transition |
//! | transitivity | who is taller | longer ways | more beside the point | other names and relations |
//! | dyck | whether brackets are balanced | deeper nesting | longer strings | one kind, nested to the end |
//! | listops | the value of nested lists | deeper nesting | longer lists | operations that begin the lists of others |
//! | arithmetic | the value of an expression | deeper nesting | more operands | larger numbers |
//! | programs | the value of a variable at the end | more steps that it depends on | more beside the point | other names of variables |
//!
//! Answers are balanced where there are two, whatever the depth, and what could give them away without reasoning is the same for
//! both: how many facts and rules there are, and which words they have. A problem is in one [part](Part) by its own text, so
//! that none that is learnt is asked.

mod arithmetic;
mod dyck;
mod entailment;
mod list_ops;
mod logic_label;
mod programs;
mod rules;
mod satisfiability;
mod transitivity;

#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::fmt;
use std::str::FromStr;

use rekindle_compute::rng::{Stream, stream};
use rekindle_data::Part;
use rekindle_reason::syntax::Formula;
use rekindle_reason::{Knowledge, World};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::streams::REASONING;

/// A kind of problems.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Suite {
    /// Facts and rules in sentences.
    Rules,
    /// Formulas of propositional logic.
    Entailment,
    /// Clauses of three literals.
    Satisfiability,
    /// Comparisons, one after the other.
    Transitivity,
    /// Brackets.
    Dyck,
    /// Operations on nested lists.
    Listops,
    /// Sums and products in brackets.
    Arithmetic,
    /// Small programs.
    Programs,
}

/// How problems differ from those that are learnt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Split {
    /// Not at all.
    InDistribution,
    /// They need more steps one after the other.
    Deeper,
    /// They have more in them.
    Longer,
    /// They are drawn otherwise.
    Shifted,
}

/// A text that names nothing of a kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is no {kind}; there are {known}")]
pub struct NotNamed {
    /// The text.
    pub name: String,
    /// `suite` or `split`.
    pub kind: &'static str,
    /// All there are.
    pub known: String,
}

/// A problem and its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Its kind.
    pub suite: Suite,
    /// How it differs from what is learnt.
    pub split: Split,
    /// Steps one after the other that the answer takes.
    pub depth: usize,
    /// What is given.
    pub statement: String,
    /// What is asked.
    pub question: String,
    /// One word or number.
    pub answer: String,
}

impl Suite {
    /// All, in order.
    pub const ALL: [Self; 8] = [
        Self::Rules,
        Self::Entailment,
        Self::Satisfiability,
        Self::Transitivity,
        Self::Dyck,
        Self::Listops,
        Self::Arithmetic,
        Self::Programs,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rules => "rules",
            Self::Entailment => "entailment",
            Self::Satisfiability => "satisfiability",
            Self::Transitivity => "transitivity",
            Self::Dyck => "dyck",
            Self::Listops => "listops",
            Self::Arithmetic => "arithmetic",
            Self::Programs => "programs",
        }
    }
}

impl Split {
    /// All, in order.
    pub const ALL: [Self; 4] = [Self::InDistribution, Self::Deeper, Self::Longer, Self::Shifted];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::InDistribution => "in_distribution",
            Self::Deeper => "deeper",
            Self::Longer => "longer",
            Self::Shifted => "shifted",
        }
    }
}

impl fmt::Display for Suite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Suite {
    type Err = NotNamed;

    fn from_str(name: &str) -> Result<Self, NotNamed> {
        let known = || Self::ALL.map(Self::name).join(", ");
        let found = Self::ALL.into_iter().find(|suite| suite.name() == name);
        found.ok_or_else(|| NotNamed { name: name.to_owned(), kind: "suite", known: known() })
    }
}

impl FromStr for Split {
    type Err = NotNamed;

    fn from_str(name: &str) -> Result<Self, NotNamed> {
        let known = || Self::ALL.map(Self::name).join(", ");
        let found = Self::ALL.into_iter().find(|split| split.name() == name);
        found.ok_or_else(|| NotNamed { name: name.to_owned(), kind: "split", known: known() })
    }
}

/// What an answer says in the end: its last word.
pub fn verdict(answer: &str) -> &str {
    answer.split_whitespace().next_back().unwrap_or_default()
}

impl Problem {
    /// What is given and asked, as one text.
    pub fn text(&self) -> String {
        let Self { statement, question, .. } = self;
        match statement.contains('\n') {
            _ if statement.is_empty() => question.clone(),
            true => format!("{statement}\n{question}"),
            false => format!("{statement} {question}"),
        }
    }

    /// What is given and asked, as statements; none where it is about something else. The answer is `True` exactly where the goal
    /// follows; of satisfiability the goal is `false`, and the answer `True` where it does not follow.
    pub fn logic(&self) -> Option<(Knowledge, Formula)> {
        match self.suite {
            Suite::Rules | Suite::Transitivity => logic_label::english(&self.statement, &self.question),
            Suite::Entailment => logic_label::formulas(&self.statement, &self.question),
            Suite::Satisfiability => logic_label::clauses(&self.statement),
            Suite::Dyck | Suite::Listops | Suite::Arithmetic | Suite::Programs => None,
        }
    }

    /// A question to an engine that knows no closed world, and what it should say: of a negation in a closed world, whether what is denied
    /// follows. None where the problem is about something else.
    pub fn question_in_an_open_world(&self) -> Option<(Formula, Knowledge, bool)> {
        let (knowledge, goal) = self.logic()?;
        let is_true = self.answer == truth(true);
        Some(match (&goal, knowledge.world()) {
            (Formula::Not(denied), World::Closed) => {
                ((**denied).clone(), knowledge.with_world(World::Open), !is_true)
            }
            _ => (goal, knowledge.with_world(World::Open), is_true != (self.suite == Suite::Satisfiability)),
        })
    }

    /// How what does not follow is taken in problems of its kind.
    pub fn world(&self) -> World {
        match self.suite {
            Suite::Rules | Suite::Transitivity => World::Closed,
            _ => World::Open,
        }
    }

    /// The part that it is in: one of twenty is there to choose by, and three are reported on.
    pub fn part(&self) -> Part {
        let text = format!("{}\n{}", self.statement, self.question);
        let first = rekindle::Hash::of(text.as_bytes()).to_string();
        match u8::from_str_radix(&first[..2], 16).unwrap_or_default() % 20 {
            0 => Part::Select,
            1..=3 => Part::Test,
            _ => Part::Train,
        }
    }
}

/// Numbers that are tried for each problem that is asked for, before it is said that there are no more.
const MOST_TRIES: usize = 200;

/// Problems of a part, no two of them the same. The same seed gives the same; fewer are the first of more; where there are not as many,
/// there are fewer.
pub fn problems(suite: Suite, split: Split, part: Part, seed: u64, count: usize) -> Vec<Problem> {
    let mut known = HashSet::new();
    let numbers = 0..count.saturating_mul(MOST_TRIES) as u64;
    let all = numbers.filter_map(|number| draw(suite, split, seed, number));
    let fitting = all.filter(|problem| problem.part() == part);
    fitting
        .filter(|problem| known.insert((problem.statement.clone(), problem.question.clone())))
        .take(count)
        .collect()
}

/// Problems as JSON Lines: an object a line.
///
/// # Errors
/// None is known.
pub fn json_lines(problems: &[Problem]) -> serde_json::Result<String> {
    let lines = problems.iter().map(|problem| serde_json::to_string(problem).map(|line| line + "\n"));
    lines.collect()
}

/// The problem of a number; none where what was drawn is none.
fn draw(suite: Suite, split: Split, seed: u64, number: u64) -> Option<Problem> {
    let kind = suite as u64 * Split::ALL.len() as u64 + split as u64;
    let mut random = Random(stream(seed, REASONING + kind, number));
    let drawn = match suite {
        Suite::Rules => rules::draw(&mut random, split),
        Suite::Entailment => entailment::draw(&mut random, split),
        Suite::Satisfiability => satisfiability::draw(&mut random, split),
        Suite::Transitivity => transitivity::draw(&mut random, split),
        Suite::Dyck => dyck::draw(&mut random, split),
        Suite::Listops => list_ops::draw(&mut random, split),
        Suite::Arithmetic => arithmetic::draw(&mut random, split),
        Suite::Programs => programs::draw(&mut random, split),
    };
    drawn.map(|Drawn { depth, statement, question, answer }| Problem {
        suite,
        split,
        depth,
        statement,
        question,
        answer,
    })
}

/// What a suite draws.
struct Drawn {
    depth: usize,
    statement: String,
    question: String,
    answer: String,
}

/// A word for a truth value.
fn truth(value: bool) -> String {
    if value { "True" } else { "False" }.to_owned()
}

/// The choices of one problem.
struct Random(Stream);

impl Random {
    /// A number in `0..bound`.
    fn below(&mut self, bound: usize) -> usize {
        self.0.below(bound as u64) as usize
    }

    /// A number from the one to the other, both included.
    fn between(&mut self, least: usize, most: usize) -> usize {
        least + self.below(most - least + 1)
    }

    /// True in so many of 100 cases.
    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        self.0.shuffle(items);
    }

    /// So many different items, in random order.
    fn some<T: Copy>(&mut self, items: &[T], count: usize) -> Vec<T> {
        let mut all = items.to_vec();
        self.shuffle(&mut all);
        all.truncate(count);
        all
    }
}
