//! What was found out, kept with what it rests on.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::engine::{Budget, Reasoner, Verdict};
use crate::knowledge::{Knowledge, World, canonical};
use crate::proof::{self, CheckError, Model, Proof};
use crate::read::read_statements;
use crate::syntax::{Formula, parse};

/// What a fact is found by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FactKey {
    /// The [canonical form](canonical) of the goal.
    pub goal: String,
    /// The [digest](Knowledge::digest) of what is known.
    pub knowledge: String,
    /// The engine.
    pub engine: String,
    /// Its version.
    pub version: String,
    /// Steps and size that it had, and milliseconds.
    pub limits: [u64; 3],
}

impl FactKey {
    /// The key of a question to an engine.
    pub fn of(goal: &Formula, knowledge: &Knowledge, engine: &dyn Reasoner, budget: Budget) -> Self {
        Question::new(&canonical(goal), knowledge, engine, budget).to_key()
    }
}

/// A [`FactKey`] whose texts belong to others, so that looking for a fact copies none of them. Its fields have the key's order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Question<'a> {
    goal: &'a str,
    knowledge: &'a str,
    engine: &'a str,
    version: &'a str,
    limits: [u64; 3],
}

impl<'a> Question<'a> {
    fn new(goal: &'a str, knowledge: &'a Knowledge, engine: &'a dyn Reasoner, budget: Budget) -> Self {
        let milliseconds = u64::try_from(budget.time.as_millis()).unwrap_or(u64::MAX);
        Self {
            goal,
            knowledge: knowledge.digest(),
            engine: engine.name(),
            version: engine.version(),
            limits: [budget.steps, budget.size, milliseconds],
        }
    }

    fn to_key(self) -> FactKey {
        FactKey {
            goal: self.goal.to_owned(),
            knowledge: self.knowledge.to_owned(),
            engine: self.engine.to_owned(),
            version: self.version.to_owned(),
            limits: self.limits,
        }
    }
}

/// What a map of facts is searched by, whoever its texts belong to.
trait AsQuestion {
    fn as_question(&self) -> Question<'_>;
}

impl AsQuestion for FactKey {
    fn as_question(&self) -> Question<'_> {
        let Self { goal, knowledge, engine, version, limits } = self;
        Question { goal, knowledge, engine, version, limits: *limits }
    }
}

impl AsQuestion for Question<'_> {
    fn as_question(&self) -> Question<'_> {
        *self
    }
}

impl<'a> Borrow<dyn AsQuestion + 'a> for FactKey {
    fn borrow(&self) -> &(dyn AsQuestion + 'a) {
        self
    }
}

impl PartialEq for dyn AsQuestion + '_ {
    fn eq(&self, other: &Self) -> bool {
        self.as_question() == other.as_question()
    }
}

impl Eq for dyn AsQuestion + '_ {}

impl PartialOrd for dyn AsQuestion + '_ {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for dyn AsQuestion + '_ {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_question().cmp(&other.as_question())
    }
}

/// A goal that was decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// The goal, as it was asked first.
    pub goal: String,
    /// What it follows from, or why it does not: of the goal as it was asked first, and of the statements as they were then.
    pub outcome: Outcome,
    /// Which of [`FactCache::statements`] these were.
    pub statements: String,
    /// BLAKE3 of key, goal and outcome, in hexadecimal digits.
    pub seal: String,
}

/// What was decided. That something is unknown is not kept: more time may find it out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It follows.
    Proved(Proof),
    /// It does not.
    Refuted(Model),
}

impl Outcome {
    /// As an engine says it.
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::Proved(proof) => Verdict::Proved(proof.clone()),
            Self::Refuted(model) => Verdict::Refuted(model.clone()),
        }
    }

    /// Whether the goal follows.
    pub fn follows(&self) -> bool {
        matches!(self, Self::Proved(_))
    }
}

/// Statements that facts follow from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Statements {
    world: World,
    text: Vec<String>,
}

/// A fact that is none.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("the kept fact `{goal}` was changed: {why}")]
pub struct Tampered {
    /// The goal.
    pub goal: String,
    /// What shows it.
    pub why: String,
}

/// A verdict that cannot be kept.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("what the engine `{engine}` showed for `{goal}` does not show it: {why}")]
pub struct Unsound {
    /// The engine.
    pub engine: String,
    /// The goal.
    pub goal: String,
    /// What is wrong.
    pub why: CheckError,
}

/// Facts that engines found out, each with its proof or model.
///
/// As a value of serde it is a list in the order of the keys, and so the same bytes for the same facts. Whoever loads one calls
/// [`verify`](Self::verify): nothing in it is believed before.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Stored", into = "Stored")]
pub struct FactCache {
    facts: BTreeMap<FactKey, Fact>,
    statements: BTreeMap<String, Statements>,
}

/// What was looked at when a cache was verified.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// Facts whose proof or model was checked.
    pub checked: usize,
    /// Facts that another program only said; of those the seal was checked.
    pub external: usize,
}

#[derive(Clone, Serialize, Deserialize)]
struct Stored {
    facts: Vec<(FactKey, Fact)>,
    statements: Vec<(String, Statements)>,
}

impl From<Stored> for FactCache {
    fn from(stored: Stored) -> Self {
        Self {
            facts: stored.facts.into_iter().collect(),
            statements: stored.statements.into_iter().collect(),
        }
    }
}

impl From<FactCache> for Stored {
    fn from(cache: FactCache) -> Self {
        Self { facts: cache.facts.into_iter().collect(), statements: cache.statements.into_iter().collect() }
    }
}

impl FactCache {
    /// How many facts there are.
    pub fn len(&self) -> usize {
        self.facts.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.facts.is_empty()
    }

    /// All facts, in the order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = (&FactKey, &Fact)> {
        self.facts.iter()
    }

    /// A fact, if it is known.
    pub fn get(&self, key: &FactKey) -> Option<&Fact> {
        self.facts.get(key)
    }

    /// What an engine found out of a goal, if it did.
    pub fn find(
        &self,
        engine: &dyn Reasoner,
        goal: &Formula,
        knowledge: &Knowledge,
        budget: Budget,
    ) -> Option<&Fact> {
        self.look_up(&Question::new(&canonical(goal), knowledge, engine, budget))
    }

    fn look_up(&self, question: &Question<'_>) -> Option<&Fact> {
        self.facts.get(question as &dyn AsQuestion)
    }

    /// The statements that the proof or model of a fact is about, in their order.
    pub fn statements(&self, fact: &Fact) -> Option<&[String]> {
        Some(&self.statements.get(&fact.statements)?.text)
    }

    /// Whether a goal follows: from what is kept, or by asking the engine; what that decides is checked and kept.
    ///
    /// # Errors
    /// What the engine shows does not show what it says. Nothing is kept then.
    pub fn prove(
        &mut self,
        engine: &mut dyn Reasoner,
        goal: &Formula,
        knowledge: &Knowledge,
        budget: Budget,
    ) -> Result<Verdict, Unsound> {
        let form = canonical(goal);
        let question = Question::new(&form, knowledge, engine, budget);
        if let Some(fact) = self.look_up(&question) {
            return Ok(fact.outcome.verdict());
        }
        let key = question.to_key();
        let verdict = engine.prove(goal, knowledge, budget);
        self.insert(key, goal, knowledge, &verdict)?;
        Ok(verdict)
    }

    /// Keeps a verdict; one that is unknown is not kept.
    ///
    /// # Errors
    /// What the engine shows does not show what it says.
    pub fn insert(
        &mut self,
        key: FactKey,
        goal: &Formula,
        knowledge: &Knowledge,
        verdict: &Verdict,
    ) -> Result<(), Unsound> {
        let outcome = match verdict {
            Verdict::Proved(proof) => Outcome::Proved(proof.clone()),
            Verdict::Refuted(model) => Outcome::Refuted(model.clone()),
            Verdict::Unknown(_) => return Ok(()),
        };
        match proof::check(verdict, goal, knowledge) {
            Ok(()) | Err(CheckError::Unchecked { .. }) => {}
            Err(why) => return Err(Unsound { engine: key.engine, goal: goal.to_string(), why }),
        }
        let text: Vec<String> = knowledge.statements().iter().map(ToString::to_string).collect();
        let statements = Statements { world: knowledge.world(), text };
        let name = statements.name();
        self.statements.entry(name.clone()).or_insert(statements);
        let goal = goal.to_string();
        let seal = seal(&key, &goal, &outcome, &name);
        self.facts.insert(key, Fact { goal, outcome, statements: name, seal });
        Ok(())
    }

    /// Forgets facts that other versions of an engine found out, and statements that no fact is left of.
    pub fn keep_version(&mut self, engine: &str, version: &str) {
        self.facts.retain(|key, _| key.engine != engine || key.version == version);
        let used: std::collections::BTreeSet<&String> =
            self.facts.values().map(|fact| &fact.statements).collect();
        let unused: Vec<String> =
            self.statements.keys().filter(|name| !used.contains(name)).cloned().collect();
        unused.iter().for_each(|name| {
            self.statements.remove(name);
        });
    }

    /// Checks every fact again: its seal, its key, and its proof or model.
    ///
    /// # Errors
    /// The first fact that does not hold what it should.
    pub fn verify(&self) -> Result<Verified, Tampered> {
        let mut known: BTreeMap<&str, Knowledge> = BTreeMap::new();
        let mut verified = Verified::default();
        for (key, fact) in &self.facts {
            let tampered = |why: &dyn ToString| Tampered { goal: fact.goal.clone(), why: why.to_string() };
            if seal(key, &fact.goal, &fact.outcome, &fact.statements) != fact.seal {
                return Err(tampered(&"its seal is that of another"));
            }
            if !known.contains_key(fact.statements.as_str()) {
                let statements = self
                    .statements
                    .get(&fact.statements)
                    .ok_or_else(|| tampered(&"its statements are gone"))?;
                known.insert(
                    &fact.statements,
                    statements.read(&fact.statements).map_err(|why| tampered(&why))?,
                );
            }
            let knowledge = &known[fact.statements.as_str()];
            let goal = parse(&fact.goal).map_err(|error| tampered(&error))?;
            if canonical(&goal) != key.goal || knowledge.digest() != key.knowledge {
                return Err(tampered(&"its key is that of another"));
            }
            match proof::check(&fact.outcome.verdict(), &goal, knowledge) {
                Ok(()) => verified.checked += 1,
                Err(CheckError::Unchecked { .. }) => verified.external += 1,
                Err(why) => return Err(tampered(&why)),
            }
        }
        Ok(verified)
    }
}

impl Statements {
    /// What they are kept by: BLAKE3 of all, in their order.
    fn name(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&[u8::from(self.world == World::Closed)]);
        for statement in &self.text {
            hasher.update(&(statement.len() as u64).to_le_bytes());
            hasher.update(statement.as_bytes());
        }
        hasher.finalize().to_hex().to_string()
    }

    fn read(&self, name: &str) -> Result<Knowledge, String> {
        if self.name() != name {
            return Err("its statements are others".to_owned());
        }
        let text: String = self.text.iter().map(|statement| format!("{statement}\n")).collect();
        let document = read_statements(&text).map_err(|error| error.to_string())?;
        Ok(document.knowledge.with_world(self.world))
    }
}

/// BLAKE3 of what a fact says. It finds what was changed by accident; whoever can change a fact can change its seal, and is
/// found out by the proof.
fn seal(key: &FactKey, goal: &str, outcome: &Outcome, statements: &str) -> String {
    // What derives `Debug` prints every field, and each value in one way.
    blake3::hash(format!("{key:?}{goal:?}{outcome:?}{statements:?}").as_bytes()).to_hex().to_string()
}
