//! Random configs, stopped at random steps and gone on with in a run of their own, on other numbers of
//! threads: every step comes to the same state. A dozen of each kind by default;
//! `REKINDLE_RANDOM_CONFIGS=COUNT` sets how many, `REKINDLE_RANDOM_SEED` where they begin.

#[path = "../../../reliability/src/random_configs/wisard.rs"]
mod wisard;
#[path = "../../../reliability/src/random_configs/wnn.rs"]
mod wnn;

use std::sync::Arc;

use rekindle::storage::{MemoryStorage, Storage};
use rekindle::{RunOptions, hash_of};
use rekindle_compute::rng::{self, Stream};
use rekindle_train::{ConfigOf, ConfigText, Resources, System};
use rekindle_wnn::Wnn;
use rekindle_wnn::wisard::Wisard;

/// The stream of configs; the step is the config.
const CONFIGS: u64 = 77;
/// Stops of a run, at most.
const STOPS: u64 = 4;

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().map_or(otherwise, |text| text.parse().unwrap())
}

fn attach<S: System>(config: &ConfigOf<S>, state: &S::State, threads: usize) -> S {
    S::attach(config, state, &Resources { threads }).unwrap_or_else(|error| panic!("{error}"))
}

/// The state after each step, of a run that is stopped after these.
fn hashes<S: System>(config: &ConfigOf<S>, threads: &mut dyn FnMut() -> usize, stops: &[u64]) -> Vec<String> {
    let mut state = S::build(config).unwrap_or_else(|error| panic!("{error}"));
    let mut runtime = attach::<S>(config, &state, threads());
    let mut hashes = vec![hash_of(&state).unwrap().to_string()];
    loop {
        let progress = runtime.progress(&state);
        if stops.contains(&progress.step) {
            state = saved_and_resumed::<S>(config, progress.step, &state);
            runtime = attach::<S>(config, &state, threads());
            assert_eq!(runtime.progress(&state), progress);
        }
        if progress.finished {
            break;
        }
        runtime.step(&mut state).unwrap();
        hashes.push(hash_of(&state).unwrap().to_string());
        // Measuring changes nothing.
        if hashes.len() % 3 == 0 {
            runtime.evaluate(&state).unwrap();
        }
    }
    runtime.conclude(&state).unwrap();
    hashes
}

fn saved_and_resumed<S: System>(config: &ConfigOf<S>, step: u64, state: &S::State) -> S::State {
    let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::default());
    let options = || RunOptions::new().system(S::NAME).versions(S::versions());
    options().create_in(Arc::clone(&storage)).unwrap().save(step, state).unwrap();
    let mut resumed = S::blank(config).unwrap_or_else(|error| panic!("{error}"));
    let mut run = options().open_in(storage).unwrap();
    assert_eq!(run.resume(&mut resumed).unwrap().step, Some(step));
    resumed
}

fn every_config_goes_on_from_any_step<S: System>(config: fn(&mut Stream) -> String) {
    let first = number("REKINDLE_RANDOM_SEED", 0);
    let (mut steps, count) = (0, number("REKINDLE_RANDOM_CONFIGS", 12));
    for index in first..first + count {
        let draws = &mut rng::stream(index, CONFIGS, 0);
        let yaml = config(draws);
        let text = ConfigText { origin: format!("config {index}"), yaml: yaml.clone() };
        let config: ConfigOf<S> = text.config(&[]).unwrap_or_else(|error| panic!("{error}\n{yaml}"));
        let straight = hashes::<S>(&config, &mut || 1, &[]);
        let stops: Vec<u64> =
            (0..1 + draws.below(STOPS)).map(|_| draws.below(straight.len() as u64)).collect();
        let stopped = hashes::<S>(&config, &mut || 1 + draws.below(4) as usize, &stops);
        let parts = straight.iter().zip(&stopped).position(|(a, b)| a != b);
        let lengths = (straight.len(), stopped.len());
        assert!(
            parts.is_none() && lengths.0 == lengths.1,
            "config {index} stopped at {stops:?} parts at {parts:?} of {lengths:?}:\n{yaml}"
        );
        steps += straight.len();
    }
    println!("{count} configs of `{}` from {first} on, {steps} steps", S::NAME);
}

#[test]
fn searches_go_on_from_any_step() {
    every_config_goes_on_from_any_step::<Wnn>(wnn::config);
}

#[test]
fn classifiers_go_on_from_any_step() {
    every_config_goes_on_from_any_step::<Wisard>(wisard::config);
}
