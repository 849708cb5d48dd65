//! Trials on the two spirals: `cargo run --release -p rekindle-cascor --example trials -- 100`.
//!
//! Prints how many were solved, how large the networks became, and how long a trial took on one
//! thread, building the examples included.

use std::time::Instant;

use rekindle_cascor::{Cascor, Dataset, Ending, State, Trainer, presets};
use rekindle_compute::KernelPath;
use rekindle_train::{ConfigOf, ConfigText};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let trials = std::env::args().nth(1).map_or(Ok(100), |trials| trials.parse::<u64>())?;
    let text = ConfigText { origin: "preset".to_owned(), yaml: presets::SPIRALS.to_owned() };
    let config: ConfigOf<Cascor> = text.config(&[])?;
    let (mut solved, mut units, mut epochs, mut milliseconds) = (0, 0, 0, Vec::new());
    for seed in 0..trials {
        let begun = Instant::now();
        let state = trial(&config, seed)?;
        milliseconds.push(begun.elapsed().as_secs_f64() * 1e3);
        solved += u64::from(state.ending == Some(Ending::Solved));
        units += state.network.hidden.len();
        epochs += state.epochs;
    }
    milliseconds.sort_by(f64::total_cmp);
    let mean = |sum: f64| sum / trials as f64;
    println!(
        "{solved} of {trials} solved; {:.2} hidden units and {:.0} epochs in the mean; \
         {:.2} ms a trial in the mean, {:.2} ms in the median",
        mean(units as f64),
        mean(epochs as f64),
        mean(milliseconds.iter().sum()),
        milliseconds[milliseconds.len() / 2]
    );
    Ok(())
}

fn trial(config: &ConfigOf<Cascor>, seed: u64) -> Result<State, Box<dyn std::error::Error>> {
    let (model, training) = (&config.model, &config.training);
    let preparation = Dataset::load(&training.data, model.output, seed)?.preparation;
    let mut state = State::new(model, training, preparation, seed)?;
    let mut trainer = Trainer::attach(model, training, seed, &state, 1, KernelPath::best())?;
    while !trainer.is_finished(&state) {
        trainer.step(&mut state);
    }
    Ok(state)
}
