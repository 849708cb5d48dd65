//! What the tests of the language model share.

#![allow(dead_code, reason = "each test file uses some of it")]

use rekindle_train::{ConfigOf, ConfigText, Resources, System};
use rekindle_wnn::{Measured, State, Wnn, presets};

/// A config that is searched in seconds.
pub fn small(settings: &[&str]) -> ConfigOf<Wnn> {
    let mut all = vec![
        "training.data.vocabulary=300",
        "training.data.train_tokens=6000",
        "training.data.eval_tokens=1500",
        "training.search.token_parts=3",
        "training.search.ga_generations=3",
        "training.search.population_size=6",
        "training.search.ts_iterations=3",
        "training.search.neighbors_per_iter=20",
        "training.search.default_bits=18",
        "training.genetic.mutation=0.05",
        "training.batch=2",
    ];
    all.extend(settings);
    config(presets::SEARCH, &all)
}

pub fn config(yaml: &str, settings: &[&str]) -> ConfigOf<Wnn> {
    let settings: Vec<String> = settings.iter().map(|&setting| setting.to_owned()).collect();
    let text = ConfigText { origin: "test".into(), yaml: yaml.to_owned() };
    text.config(&settings).unwrap()
}

pub fn initial(config: &ConfigOf<Wnn>) -> State {
    Wnn::build(config).unwrap_or_else(|error| panic!("{error}"))
}

/// What a search begins with, measured.
pub fn beginning(config: &ConfigOf<Wnn>) -> Measured {
    let mut state = initial(config);
    attach(config, &state, 1).step(&mut state).unwrap();
    state.best
}

/// What `build` refuses, in words.
pub fn refused(config: &ConfigOf<Wnn>) -> String {
    match Wnn::build(config) {
        Ok(_) => panic!("it was not refused"),
        Err(error) => error.to_string(),
    }
}

pub fn attach(config: &ConfigOf<Wnn>, state: &State, threads: usize) -> Wnn {
    Wnn::attach(config, state, &Resources::new(threads)).unwrap_or_else(|error| panic!("{error}"))
}

/// Searches to the end.
pub fn search(config: &ConfigOf<Wnn>) -> State {
    let mut state = initial(config);
    let mut runtime = attach(config, &state, 2);
    while !runtime.progress(&state).finished {
        runtime.step(&mut state).unwrap();
    }
    state
}
