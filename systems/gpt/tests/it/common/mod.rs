//! A small language model.

#![allow(dead_code, reason = "not every test needs all of it")]

use rekindle::{from_tree, hash_of, to_tree};
use rekindle_gpt::Gpt;
use rekindle_gpt::train::State;
use rekindle_train::{ConfigOf, ConfigText, Resources, System};

/// Learns generated facts in a few steps, with everything on that a run can have.
const SMALL: &str = "
system: gpt
seed: 3
model: {layers: 2, heads: 2, width: 32, context: 24, dropout: 0.1}
training:
  tokenizer: {vocabulary: 300}
  precision: f16
  parts: 3
  pretraining:
    data: {source: facts, count: 300, evaluation: 0.02}
    steps: 24
    batch: 4
    accumulate: 2
    learning_rate: 0.01
    warmup: 4
  tuning:
    data: {source: dialogues, count: 300, evaluation: 0.1}
    steps: 16
    batch: 4
    learning_rate: 0.005
  adapt:
    every: 700
    rows: distilled
    policy: {limit: 340, least_count: 4, most_at_once: 12, pruning: lru, prune_share: 0.02}
";

pub fn small(settings: &[&str]) -> ConfigOf<Gpt> {
    let text = ConfigText { origin: "small".to_owned(), yaml: SMALL.to_owned() };
    let settings: Vec<String> = settings.iter().map(|&setting| setting.to_owned()).collect();
    text.config(&settings).unwrap()
}

pub fn initial(config: &ConfigOf<Gpt>) -> State {
    Gpt::build(config).unwrap()
}

pub fn attach(config: &ConfigOf<Gpt>, state: &State, threads: usize) -> Gpt {
    Gpt::attach(config, state, &Resources::new(threads)).unwrap()
}

/// The state hash after each step from a state on, and the last state, when everything but the state is built anew
/// every `every` steps.
pub fn hashes(config: &ConfigOf<Gpt>, mut state: State, every: u64, threads: usize) -> (Vec<String>, State) {
    let mut runtime = attach(config, &state, threads);
    let mut hashes = Vec::new();
    while !runtime.progress(&state).finished {
        runtime.step(&mut state).unwrap();
        hashes.push(hash_of(&state).unwrap().to_string());
        if state.step.is_multiple_of(every) {
            state = from_tree(&to_tree(&state).unwrap()).unwrap();
            runtime = attach(config, &state, threads);
        }
    }
    (hashes, state)
}

/// The message of what cannot be built or attached.
pub fn refused(config: &ConfigOf<Gpt>) -> String {
    match Gpt::build(config) {
        Err(error) => error.to_string(),
        Ok(state) => Gpt::attach(config, &state, &Resources::new(1)).err().unwrap().to_string(),
    }
}
