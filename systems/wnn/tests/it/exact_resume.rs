//! The search goes on to the same bits from any batch of candidates, on any number of threads.

use rekindle::{from_tree, hash_of, to_tree};
use rekindle_train::{ConfigOf, System};
use rekindle_wnn::{Phase, Wnn, Work};

/// The state after each step, when everything but the state is built anew every `every` steps.
fn hashes(config: &ConfigOf<Wnn>, every: u64, threads: usize) -> Vec<String> {
    let mut state = crate::common::initial(config);
    let mut runtime = crate::common::attach(config, &state, threads);
    let mut hashes = Vec::new();
    while !runtime.progress(&state).finished {
        runtime.step(&mut state).unwrap();
        hashes.push(hash_of(&state).unwrap().to_string());
        if state.step.is_multiple_of(every) {
            state = from_tree(&to_tree(&state).unwrap()).unwrap();
            runtime = crate::common::attach(config, &state, threads);
        }
    }
    hashes
}

#[test]
fn every_batch_can_be_gone_on_from_on_any_number_of_threads() {
    for scoring in ["counts", "votes"] {
        let setting = format!("model.scoring={scoring}");
        let config = crate::common::small(&[&setting]);
        let straight = hashes(&config, u64::MAX, 1);
        assert!(straight.len() > 60, "{}", straight.len());
        assert_eq!(hashes(&config, 1, 1), straight);
        assert_eq!(hashes(&config, 7, 3), straight);
    }
}

#[test]
fn a_checkpoint_falls_inside_a_generation_and_inside_an_iteration() {
    let config = crate::common::small(&[]);
    let mut state = crate::common::initial(&config);
    let mut runtime = crate::common::attach(&config, &state, 1);
    let (mut inside_generation, mut inside_iteration) = (0, 0);
    while let Some(search) = &state.search {
        match &search.work {
            Work::Genetic(generation) if !generation.next.is_empty() => inside_generation += 1,
            Work::Tabu(around) if around.is_measured => inside_iteration += 1,
            _ => {}
        }
        runtime.step(&mut state).unwrap();
    }
    assert!(inside_generation > 10 && inside_iteration > 5, "{inside_generation} {inside_iteration}");
}

/// How many candidates a step measures is no part of the outcome.
#[test]
fn batches_of_any_size_come_to_the_same() {
    let outcome = |batch: &str| {
        let state = crate::common::search(&crate::common::small(&[batch]));
        (state.best, state.results)
    };
    assert_eq!(outcome("training.batch=1"), outcome("training.batch=5"));
}

#[test]
fn no_phase_makes_it_worse_and_each_changes_only_what_it_says() {
    let config = crate::common::small(&["training.search.ce_percentile=0.75"]);
    let start = crate::common::beginning(&config);
    let state = crate::common::search(&config);
    assert_eq!(state.results.iter().map(|result| result.phase).collect::<Vec<_>>(), Phase::ALL);
    let mut before = start.clone();
    for result in &state.results {
        let (was, is) = (&before.genome, &result.best.genome);
        assert!(result.best.fitness.cross_entropy <= before.fitness.cross_entropy);
        assert_eq!(result.initial, before.fitness);
        match result.phase {
            Phase::GeneticNeurons | Phase::TabuNeurons => assert_eq!(was.bits, is.bits),
            Phase::GeneticBits | Phase::TabuBits => assert_eq!(was.neurons, is.neurons),
            Phase::GeneticConnections | Phase::TabuConnections => {
                assert_eq!((&was.bits, &was.neurons), (&is.bits, &is.neurons));
            }
        }
        before = result.best.clone();
    }
    assert!(state.best.fitness.cross_entropy < start.fitness.cross_entropy);
}
