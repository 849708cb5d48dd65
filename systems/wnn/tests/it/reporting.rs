//! What is reported was seen by nothing that was chosen, and configs from before there was such a part
//! mean what they meant.

use rekindle::to_tree;
use rekindle_compute::KernelPath;
use rekindle_train::System;
use rekindle_wnn::original::{self, OriginalFile};
use rekindle_wnn::{Corpus, LocalEvaluator, Searcher, State, Text};
use serde_json::Value;

/// As a config from before there was `test` has it.
const BEFORE: [&str; 3] =
    ["training.data.select=null", "training.data.test=null", "training.data.evaluation=0.1"];

/// Searches in a corpus to the end.
fn search(config: &rekindle_train::ConfigOf<rekindle_wnn::Wnn>, corpus: &Corpus) -> State {
    let (model, training) = (&config.model, &config.training);
    let parts = training.search.token_parts;
    let path = KernelPath::best();
    let mut evaluator = LocalEvaluator::new(corpus, parts, model.scoring, &model.backoff, 2, path).unwrap();
    let searcher = Searcher::new(model, training, config.seed, corpus);
    let mut state = crate::common::initial(config);
    while searcher.step(&mut state, &mut evaluator).unwrap().is_some() {}
    state
}

fn without_reports(mut state: State) -> State {
    state.test = None;
    for result in &mut state.results {
        (result.test, result.initial_test) = (None, None);
    }
    state
}

#[test]
fn nothing_is_chosen_by_what_is_reported_on() {
    let config = crate::common::small(&[
        "training.check_every=1",
        "training.search.patience=1",
        "training.search.ga_generations=6",
        "training.search.ts_iterations=6",
    ]);
    let corpus = Text::load(&config.model, &config.training, config.seed, None).unwrap().corpus;
    let mut other = corpus.clone();
    other.test.reverse();
    let (state, of_other) = (search(&config, &corpus), search(&config, &other));
    assert_ne!(state.test, of_other.test);
    let early = state.results.iter().filter(|result| result.iterations < 6).count();
    assert!(early > 0, "patience ends a phase");
    assert_eq!(without_reports(state.clone()), without_reports(of_other));
    other = corpus.clone();
    other.select.reverse();
    assert_ne!(search(&config, &other).best, state.best);
}

#[test]
fn the_end_of_a_search_reports_on_what_it_has_not_seen() {
    let config = crate::common::small(&[]);
    let state = crate::common::search(&config);
    let test = state.test.unwrap();
    let mut runtime = crate::common::attach(&config, &state, 2);
    let conclusion = runtime.conclude(&state).unwrap();
    assert_eq!(conclusion.metrics["test_cross_entropy"], test.cross_entropy);
    assert_ne!(test, state.best.fitness);

    let (name, text) = &conclusion.artifacts[0];
    assert_eq!(name, "results.json");
    let results: Value = serde_json::from_slice(text).unwrap();
    assert_eq!(results["final"]["fitness"], test.cross_entropy);
    assert_eq!(results["final"]["select_fitness"], state.best.fitness.cross_entropy);
    let first = &state.results[0];
    assert_eq!(results["phase1_ga"]["fitness"], first.test.unwrap().cross_entropy);
    let read = original::parse(text.as_slice()).unwrap();
    let OriginalFile::Results { fitness, test: reported, .. } = read else { panic!("no results") };
    assert_eq!((fitness, reported), (state.best.fitness, state.test));

    let shown = |cross_entropy: f64| conclusion.text.contains(&format!("{cross_entropy:.4}"));
    for result in &state.results {
        assert!(shown(result.best.fitness.cross_entropy) && shown(result.test.unwrap().cross_entropy));
    }
    assert!(shown(first.initial_test.unwrap().cross_entropy), "{}", conclusion.text);
    assert!(shown(conclusion.metrics["bigram_cross_entropy"]), "{}", conclusion.text);
}

#[test]
fn the_beginning_is_measured_by_the_first_step_and_not_by_build() {
    for first in ["training.search.ga_generations=3", "training.search.ga_generations=0"] {
        let config = crate::common::small(&[first]);
        let initial = crate::common::initial(&config);
        assert!(!initial.best.fitness.is_known() && !initial.test.unwrap().is_known());
        let measured = crate::common::attach(&config, &initial, 3).evaluate(&initial).unwrap();
        let mut state = initial.clone();
        let mut runtime = crate::common::attach(&config, &state, 1);
        runtime.step(&mut state).unwrap();
        assert_eq!(state.best.fitness.cross_entropy, measured["cross_entropy"]);
        assert_eq!(state.best.genome, initial.best.genome);
        assert!(state.test.unwrap().is_known());
    }
}

#[test]
fn a_config_from_before_there_was_test_means_what_it_meant() {
    let config = crate::common::small(&BEFORE);
    let state = crate::common::search(&config);
    assert_eq!((state.test, state.text.test), (None, None));
    // Saved as it was saved then: no entry more, none less.
    let names = |tree: &rekindle::Tree, name: &str| match tree {
        rekindle::Node::Struct(fields) => fields.iter().any(|field| field.0 == name),
        _ => false,
    };
    let tree = to_tree(&config.training.data).unwrap();
    assert!(names(&tree, "evaluation") && !names(&tree, "select") && !names(&tree, "test"));
    let tree = to_tree(&state.text).unwrap();
    assert!(names(&tree, "evaluation") && !names(&tree, "test"));
    assert!(!names(&to_tree(&state).unwrap(), "test"));
    let conclusion = crate::common::attach(&config, &state, 1).conclude(&state).unwrap();
    assert!(conclusion.text.contains("the search selected by these very tokens"), "{}", conclusion.text);
    assert!(!conclusion.metrics.contains_key("test_cross_entropy"));
    // Selected by the same tokens: the end of the text.
    let now = crate::common::small(&["training.data.test=0.0"]);
    assert_eq!(crate::common::search(&now).best, state.best);
}

#[test]
fn shares_that_contradict_each_other_or_leave_nothing() {
    for (settings, expected) in [
        (&["training.data.evaluation=0.1"][..], "what `select` was called before there was `test`"),
        (&["training.data.select=0.6", "training.data.test=0.4"], "together less than 1"),
        (&["training.data.select=0"], "`training.data.select` is 0"),
        (&["training.data.test=-0.1"], "`training.data.test` is -0.1"),
        (&["training.data.test=0.00001"], "3 tokens to report on"),
    ] {
        let refused = crate::common::refused(&crate::common::small(settings));
        assert!(refused.contains(expected), "{settings:?}: {refused}");
    }
}

#[test]
fn each_round_is_told_by_the_name_of_its_phase_and_the_end_comes_nearer() {
    // All candidates suffice, so that no generation takes longer than is foreseen.
    let config = crate::common::small(&["training.threshold.start=0", "training.threshold.rise=0"]);
    let mut state = crate::common::initial(&config);
    let mut runtime = crate::common::attach(&config, &state, 2);
    let (mut total, mut ended) = (runtime.progress(&state).total.unwrap(), 0);
    let declared = rekindle_wnn::Wnn::measures(&config);
    while !runtime.progress(&state).finished {
        let phase = state.search.as_ref().unwrap().phase;
        let metrics = runtime.step(&mut state).unwrap();
        assert!(metrics.contains_key(&format!("rounds_of_{}", phase.key())), "{metrics:?}");
        assert!(metrics.keys().all(|name| declared.contains(name)), "{metrics:?}");
        ended += u32::from(metrics.contains_key("round_cross_entropy"));
        let foreseen = runtime.progress(&state).total.unwrap();
        assert!(foreseen >= state.step && foreseen <= total, "{foreseen} after {total}");
        total = foreseen;
    }
    assert_eq!(total, state.step);
    assert_eq!(ended, state.results.iter().map(|result| result.iterations).sum::<u32>());
}
