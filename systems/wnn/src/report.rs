//! The outcome in words.

use std::fmt::Write as _;

use crate::baselines::Baselines;
use crate::config::Model;
use crate::original::stats;
use crate::rule::Scoring;
use crate::scorer::Fitness;
use crate::state::State;

/// The table of what was predicted, and by what: on the tokens that are reported on, and beside them on
/// those that everything was selected by. Without any to report on, on the latter alone.
pub(crate) fn comparison(
    state: &State,
    model: &Model,
    select: &Baselines,
    test: Option<&Baselines>,
) -> String {
    let reported = test.unwrap_or(select);
    let name = if test.is_some() { "test" } else { "select" };
    let mut text = format!("predicted by            {name:>13}  perplexity  accuracy");
    text.push_str(if test.is_some() { "  select\n" } else { "\n" });
    let mut row = |name: &str, reported: f64, accuracy: Option<f64>, select: f64| {
        let perplexity = libm::exp(reported);
        let accuracy = accuracy.map_or(String::new(), |accuracy| format!("{:.2} %", 100.0 * accuracy));
        let select = if test.is_some() { format!("{select:.4}") } else { String::new() };
        let line = format!("{name:<22}  {reported:13.4}  {perplexity:10.1}  {accuracy:>8}  {select}");
        let _ = writeln!(text, "{}", line.trim_end());
    };
    row("unigram", reported.unigram, None, select.unigram);
    row("bigram, Kneser-Ney", reported.bigram, None, select.bigram);
    row("trigram, Kneser-Ney", reported.trigram, None, select.trigram);
    let mut this = |name: &str, select: Fitness, test: Option<Fitness>| {
        let reported = test.unwrap_or(select);
        row(name, reported.cross_entropy, Some(reported.accuracy), select.cross_entropy);
    };
    if let Some(first) = state.results.first() {
        this("this model, before", first.initial, first.initial_test);
    }
    this("this model", state.best.fitness, state.test);
    if test.is_none() {
        text.push_str("there is no part to report on: the search selected by these very tokens\n");
    }
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
    let fitness = state.best.fitness;
    if text.training == 0 && fitness.is_known() {
        let _ = writeln!(
            out,
            "cross-entropy {:.4}, as the file says from which it was imported",
            fitness.cross_entropy
        );
    }
    let _ = match text.test {
        Some(test) => writeln!(
            out,
            "{} tokens to learn from, {} to select by, {test} to report on",
            text.training, text.select
        ),
        None => writeln!(out, "{} tokens to learn from, {} to select by", text.training, text.select),
    };
    // What is reported on is shown when nothing is left to be chosen.
    let is_shown = state.search.is_none() && state.test.is_some();
    if !state.results.is_empty() {
        let test = if is_shown { "           test  accuracy" } else { "" };
        let _ = writeln!(out, "phase  rounds         select  accuracy{test}");
    }
    for result in &state.results {
        let figures = |fitness: Fitness| match fitness.known_accuracy() {
            Some(accuracy) => format!("  {:13.4}  {:6.2} %", fitness.cross_entropy, 100.0 * accuracy),
            None => format!("  {:13.4}  unknown", fitness.cross_entropy),
        };
        let test = result.test.filter(|_| is_shown).map_or(String::new(), figures);
        let (phase, select) = (result.phase.key(), figures(result.best.fitness));
        let _ = writeln!(out, "{phase:<5}  {:6}{select}{test}", result.iterations);
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
    use crate::corpus::{Corpus, TokenPart};
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
        let (training, select) = (tokens[..4000].to_vec(), tokens[4000..].to_vec());
        let corpus = Corpus::new(training, select, Vec::new(), CLASSES, 1, false);
        let connections = (0..7).collect::<Vec<u8>>().repeat(CLASSES);
        let genome = Genome { bits: vec![7; CLASSES], neurons: vec![1; CLASSES], connections };
        let measure = |scoring| {
            let (backoff, path) = (Backoff::default(), KernelPath::best());
            let mut evaluator = LocalEvaluator::new(&corpus, 1, scoring, &backoff, 1, path).unwrap();
            evaluator.evaluate(TokenPart::All, std::slice::from_ref(&genome)).unwrap()[0]
        };
        let votes = measure(Scoring::Votes);
        assert_eq!(votes.accuracy, 1.0);
        assert!((votes.cross_entropy - votes_floor(CLASSES)).abs() < 1e-6, "{votes:?}");
        assert!(measure(Scoring::Counts).cross_entropy < votes_floor(CLASSES));
    }
}
