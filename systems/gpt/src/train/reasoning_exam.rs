//! How many problems of reasoning a model answers rightly.

use rekindle_data::{Part, share_interval};
use rekindle_train::Metrics;

use super::report;
use crate::data::reasoning::{Split, Suite, problems, verdict};
use crate::error::GptError;
use crate::inference::decode::{Decoder, WeightPrecision};
use crate::model::language_model::LanguageModel;

/// Problems of each suite and split.
const ASKED: usize = 50;
/// Tokens of an answer with its steps.
const ANSWER: u64 = 200;
/// What they are drawn from: none of them is learnt, whatever the seed.
const SEED: u64 = 0;

/// The names of the shares of right answers.
pub(crate) fn metrics(suites: &[Suite]) -> impl Iterator<Item = String> {
    suites.iter().flat_map(|suite| Split::ALL.map(|split| format!("{suite}.{split}")))
}

/// Asks problems that were never learnt, of each suite and split; gives the shares of right answers, and a line for
/// each suite.
pub(crate) fn hold(
    model: &LanguageModel,
    suites: &[Suite],
    threads: usize,
) -> Result<(Metrics, String), GptError> {
    let mut decoder = Decoder::new(&model.network, WeightPrecision::F32, threads)?;
    let mut shares = Metrics::new();
    let mut lines = vec![format!("of {ASKED} problems that were never learnt, each, have a right answer:")];
    for &suite in suites {
        let mut found = Vec::new();
        for split in Split::ALL {
            let problems = problems(suite, split, Part::Test, SEED, ASKED);
            let mut right = 0;
            for problem in &problems {
                let answer = report::answer(model, &mut decoder, &problem.text(), ANSWER)?;
                right += usize::from(verdict(&answer) == problem.answer);
            }
            let [low, high] = share_interval(right, problems.len()).map(|share| (100.0 * share).round());
            found.push(format!("{split} {right} ({low} to {high} %)"));
            shares.insert(format!("{suite}.{split}"), right as f64 / problems.len().max(1) as f64);
        }
        lines.push(format!("  {suite}: {}", found.join(", ")));
    }
    Ok((shares, lines.join("\n")))
}
