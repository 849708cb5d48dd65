//! The outcome in words.

use std::fmt::Write as _;

use crate::baselines::Baselines;
use crate::config::Model;
use crate::original::stats;
use crate::rule::Scoring;
use crate::scorer::Fitness;
use crate::state::State;

/// The table of what was predicted, and by what.
pub(crate) fn comparison(state: &State, model: &Model, baselines: &Baselines) -> String {
    let mut text = String::from("predicted by            cross-entropy  perplexity  accuracy\n");
    let mut row = |name: &str, cross_entropy: f64, accuracy: Option<f64>| {
        let perplexity = libm::exp(cross_entropy);
        let accuracy = accuracy.map_or(String::new(), |accuracy| format!("{:8.2} %", 100.0 * accuracy));
        let line = format!("{name:<22}  {cross_entropy:13.4}  {perplexity:10.1}  {accuracy}");
        let _ = writeln!(text, "{}", line.trim_end());
    };
    row("unigram", baselines.unigram, None);
    row("bigram, Kneser-Ney", baselines.bigram, None);
    row("trigram, Kneser-Ney", baselines.trigram, None);
    if let Some(first) = state.results.first() {
        row("this model, before", first.initial.cross_entropy, Some(first.initial.accuracy));
    }
    let Fitness { cross_entropy, accuracy } = state.best.fitness;
    row("this model", cross_entropy, Some(accuracy));
    if model.scoring == Scoring::Votes {
        let floor = votes_floor(state.text.vocabulary as usize);
        let _ = writeln!(
            text,
            "votes lie between 0 and 1, so no cross-entropy of {} classes is below {floor:.4}",
            state.text.vocabulary
        );
    }
    text
}

/// The cross-entropy that votes cannot fall below: one class with all votes, the others with none.
pub fn votes_floor(classes: usize) -> f64 {
    let e = std::f64::consts::E;
    -libm::log(e / (e + classes as f64 - 1.0))
}

/// The genome, and how the phases came to it.
pub(crate) fn summary(state: &State) -> String {
    let genome = &state.best.genome;
    let (stats, text) = (stats(genome), &state.text);
    let mut out = format!(
        "{} classes, {} neurons of {} to {} address bits ({:.1} on average), {} to {} a class\n",
        genome.bits.len(),
        genome.total_neurons(),
        stats["min_bits"],
        stats["max_bits"],
        stats["mean_bits"].as_f64().unwrap_or(0.0),
        stats["min_neurons"],
        stats["max_neurons"],
    );
    let _ = writeln!(out, "{} tokens to learn from, {} to measure on", text.training, text.evaluation);
    if !state.results.is_empty() {
        let _ = writeln!(out, "phase  rounds  cross-entropy  accuracy");
    }
    for result in &state.results {
        let Fitness { cross_entropy, accuracy } = result.best.fitness;
        let accuracy = 100.0 * accuracy;
        let _ = writeln!(
            out,
            "{:<5}  {:6}  {cross_entropy:13.4}  {accuracy:6.2} %",
            result.phase.key(),
            result.iterations
        );
    }
    if let Some(search) = &state.search {
        let _ = writeln!(out, "phase {} is at round {}", search.phase.key(), search.round);
    }
    out
}

#[cfg(test)]
mod tests {
    use rekindle_compute::KernelPath;

    use super::*;
    use crate::corpus::{Corpus, Part};
    use crate::evaluator::{Evaluator, LocalEvaluator};
    use crate::genome::Genome;
    use crate::rule::Backoff;

    #[test]
    fn the_floor_of_votes_for_the_tokens_of_gpt_2() {
        assert!((votes_floor(50_257) - 9.824_939).abs() < 1e-6);
    }

    /// Each token decides the next, and each class votes exactly where it is right.
    #[test]
    fn votes_that_are_always_right_reach_the_floor_and_counts_go_below() {
        const CLASSES: usize = 97;
        let tokens: Vec<u32> = (0..5000).map(|index| index % CLASSES as u32).collect();
        let (training, evaluation) = (tokens[..4000].to_vec(), tokens[4000..].to_vec());
        let corpus = Corpus::new(training, evaluation, CLASSES, 1, false);
        let connections = (0..7).collect::<Vec<u8>>().repeat(CLASSES);
        let genome = Genome { bits: vec![7; CLASSES], neurons: vec![1; CLASSES], connections };
        let measure = |scoring| {
            let (backoff, path) = (Backoff::default(), KernelPath::best());
            let mut evaluator = LocalEvaluator::new(&corpus, 1, scoring, &backoff, 1, path).unwrap();
            evaluator.evaluate(Part::All, std::slice::from_ref(&genome)).unwrap()[0]
        };
        let votes = measure(Scoring::Votes);
        assert_eq!(votes.accuracy, 1.0);
        assert!((votes.cross_entropy - votes_floor(CLASSES)).abs() < 1e-6, "{votes:?}");
        assert!(measure(Scoring::Counts).cross_entropy < votes_floor(CLASSES));
    }
}
