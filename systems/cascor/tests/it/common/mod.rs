//! What the tests share.

#![allow(dead_code, reason = "each test uses a part")]

use rekindle_cascor::{Cascor, Dataset, Model, State, Trainer, Training, presets};
use rekindle_compute::KernelPath;
use rekindle_train::{ConfigOf, ConfigText};

pub fn config(yaml: &str, settings: &[&str]) -> ConfigOf<Cascor> {
    let text = ConfigText { origin: "test".to_owned(), yaml: yaml.to_owned() };
    let settings: Vec<String> = settings.iter().map(|&setting| setting.to_owned()).collect();
    text.config(&settings).unwrap()
}

pub fn spirals() -> ConfigOf<Cascor> {
    config(presets::SPIRALS, &[])
}

/// A few growths of the Juniper variant in a second.
pub fn small_juniper() -> ConfigOf<Cascor> {
    small_juniper_with(&[])
}

/// The same with other settings.
pub fn small_juniper_with(settings: &[&str]) -> ConfigOf<Cascor> {
    let small = [
        "model.max_hidden=4",
        "training.data.points=150",
        "training.method.juniper.output_epochs=40",
        "training.method.juniper.candidate_epochs=40",
        "training.method.juniper.candidate_patience=5",
        "training.method.juniper.pool=10",
    ];
    config(presets::SPIRALS_JUNIPER, &[&small, settings].concat())
}

pub fn initial(model: &Model, training: &Training, seed: u64) -> State {
    let preparation = Dataset::load(&training.data, model.output, seed).unwrap().preparation;
    State::new(model, training, preparation, seed).unwrap()
}

pub fn attach(
    config: &ConfigOf<Cascor>,
    seed: u64,
    state: &State,
    threads: usize,
    path: KernelPath,
) -> Trainer {
    Trainer::attach(&config.model, &config.training, seed, state, threads, path).unwrap()
}

/// Trains to the end.
pub fn train(config: &ConfigOf<Cascor>, seed: u64) -> State {
    let mut state = initial(&config.model, &config.training, seed);
    let mut trainer = attach(config, seed, &state, 1, KernelPath::best());
    while !trainer.is_finished(&state) {
        trainer.step(&mut state);
    }
    state
}
