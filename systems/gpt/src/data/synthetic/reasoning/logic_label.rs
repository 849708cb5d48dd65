//! Answers from the reasoner: what it reads is the text of the problem itself.

use rekindle_reason::read::{english_goal, read_english, read_statements};
use rekindle_reason::syntax::{Formula, parse};
use rekindle_reason::{Auto, Budget, Knowledge, Reasoner, World};

/// Sentences, in a closed world.
pub(super) fn english(statement: &str, question: &str) -> Option<(Knowledge, Formula)> {
    let knowledge = read_english(statement).ok()?.knowledge.with_world(World::Closed);
    Some((knowledge, english_goal(question).ok()?))
}

/// Formulas of the syntax, a line each.
pub(super) fn formulas(statement: &str, question: &str) -> Option<(Knowledge, Formula)> {
    let knowledge = read_statements(statement).ok()?.knowledge;
    Some((knowledge, parse(question.trim_end_matches('?')).ok()?))
}

/// Clauses, of which it is asked whether they have a world: whether the negation of all of them does not follow from nothing.
pub(super) fn clauses(statement: &str) -> Option<(Knowledge, Formula)> {
    Some((read_statements(statement).ok()?.knowledge, Formula::Constant(false)))
}

/// Whether the goal follows, by the engines of the reasoner.
pub(super) fn follows(logic: Option<(Knowledge, Formula)>) -> Option<bool> {
    let (knowledge, goal) = logic?;
    Auto::built_in().prove(&goal, &knowledge, Budget::default()).follows()
}
