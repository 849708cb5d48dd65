//! What problems that are learnt follow from, proven while training goes on and kept with the model.

use rekindle_reason::{Auto, Budget, FactCache};

use crate::data::reasoning::Problem;
use crate::data::worked;
use crate::error::GptError;
use crate::train::config::{Source, TrainingConfig};

/// The problems whose facts are kept: the first that are learnt.
pub(crate) fn problems(training: &TrainingConfig, seed: u64) -> Vec<Problem> {
    let reasoning = training
        .phases()
        .map(|(_, phase)| &phase.data)
        .find(|data| data.file.is_none() && data.source == Source::Reasoning);
    let kept = training.facts.min(reasoning.map_or(0, |data| data.count));
    let suites = reasoning.map_or(&[][..], |data| &data.suites);
    // Fewer are the first of more.
    worked::learnt(suites, seed, kept as usize)
}

/// Proves what a problem asks, and keeps the proof.
pub(crate) fn keep(facts: &mut FactCache, problem: &Problem) -> Result<(), GptError> {
    let Some((knowledge, goal)) = problem.logic() else { return Ok(()) };
    let mut engine = Auto::built_in();
    let kept = facts.prove(&mut engine, &goal, &knowledge, Budget::default());
    kept.map(drop).map_err(|source| GptError::Unsound(Box::new(source)))
}
