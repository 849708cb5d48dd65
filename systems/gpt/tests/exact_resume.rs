//! Training goes on to the same bits from any step, on any number of threads, while the vocabulary
//! grows and is pruned, numbers are left out, and gradients are stored in 16 bits.

mod common;

use rekindle::{from_tree, hash_of, to_tree};
use rekindle_gpt::{Gpt, State};
use rekindle_train::{ConfigOf, System};

/// The state hash after each step, and the last state, when everything but the state is built anew
/// every `every` steps.
fn hashes(config: &ConfigOf<Gpt>, every: u64, threads: usize) -> (Vec<String>, State) {
    let mut state = common::initial(config);
    // So large that gradients overflow.
    state.scaler.as_mut().unwrap().scale = 16_777_216.0;
    let mut runtime = common::attach(config, &state, threads);
    let mut hashes = Vec::new();
    while !runtime.progress(&state).finished {
        runtime.step(&mut state).unwrap();
        hashes.push(hash_of(&state).unwrap().to_string());
        if state.step.is_multiple_of(every) {
            state = from_tree(&to_tree(&state).unwrap()).unwrap();
            runtime = common::attach(config, &state, threads);
        }
    }
    (hashes, state)
}

#[test]
fn every_step_can_be_gone_on_from_on_any_number_of_threads() {
    let config = common::small(&[]);
    let (straight, state) = hashes(&config, u64::MAX, 1);
    assert_eq!(straight.len(), 40);
    assert!(hashes(&config, 1, 2).0 == straight);
    assert!(hashes(&config, 7, 3).0 == straight);

    let (added, removed) = state
        .growth
        .iter()
        .fold((0, 0), |(added, removed), growth| (added + growth.added, removed + growth.removed));
    assert!(added > 40 && removed > 5, "{added} {removed}");
    assert!(state.growth.iter().any(|growth| growth.step > 24), "in the second phase too");
    assert!(state.scaler.is_some_and(|scaler| scaler.skipped > 0));
    assert!(state.model.network.vocabulary() <= 340);
}

#[test]
fn a_thousand_tokens_that_grew_in_use_are_there_after_a_resume() {
    let config = common::small(&[
        "training.adapt.every=2000",
        "training.adapt.rows=mean",
        "training.adapt.policy={limit: 1400, least_count: 2, most_at_once: 500}",
        "training.pretraining.steps=50",
        "training.pretraining.batch=8",
    ]);
    let (straight, state) = hashes(&config, u64::MAX, 2);
    let added: u32 = state.growth.iter().map(|growth| growth.added).sum();
    assert!(added >= 1000, "{added}");
    assert_eq!(state.model.tokenizer().len(), state.model.network.vocabulary());
    assert!(hashes(&config, 10, 1).0 == straight);
}

#[test]
fn measuring_changes_nothing() {
    let config = common::small(&[]);
    let mut state = common::initial(&config);
    state.scaler.as_mut().unwrap().scale = 16_777_216.0;
    let mut runtime = common::attach(&config, &state, 2);
    let mut measured = Vec::new();
    while !runtime.progress(&state).finished {
        runtime.step(&mut state).unwrap();
        measured.push(runtime.evaluate(&state).unwrap());
    }
    let (straight, expected) = hashes(&config, u64::MAX, 1);
    assert_eq!(hash_of(&state).unwrap().to_string(), *straight.last().unwrap());
    assert_eq!(state, expected);
    assert!(measured.iter().all(|metrics| metrics["validation_loss"] > 0.0));
}

#[test]
fn it_learns() {
    let config = common::small(&["training.pretraining.steps=120", "training.adapt=null", "model.dropout=0"]);
    let mut state = common::initial(&config);
    let mut runtime = common::attach(&config, &state, 2);
    let before = runtime.evaluate(&state).unwrap()["bits_per_byte"];
    while state.step < 120 {
        runtime.step(&mut state).unwrap();
    }
    // The phase that follows is another one.
    state.step -= 1;
    let after = runtime.evaluate(&state).unwrap()["bits_per_byte"];
    assert!(after < 0.6 * before, "{before} {after}");
}
