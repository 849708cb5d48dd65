//! Trains a preset from several seeds and prints one row for each.
//!
//! ```text
//! cargo run --release -p rekindle-logic --example seeds -- life 1..10
//! cargo run --release -p rekindle-logic --example seeds -- checkerboard 1..10 --threads 2
//! ```

use std::error::Error;
use std::time::Instant;

use rekindle_compute::KernelPath;
use rekindle_logic::{Automaton, HardCircuit, Model, State, Training, presets};
use serde::Deserialize;

/// The part of a preset that training needs.
#[derive(Deserialize)]
struct Preset {
    model: Model,
    training: Training,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [preset, seeds, options @ ..] = arguments.as_slice() else {
        return Err("usage: seeds life|checkerboard FIRST..LAST [--threads N]".into());
    };
    let preset: Preset = match preset.as_str() {
        "life" => serde_saphyr::from_str(presets::LIFE)?,
        "checkerboard" => serde_saphyr::from_str(presets::CHECKERBOARD)?,
        other => return Err(format!("no preset `{other}`").into()),
    };
    let (first, last) = seeds.split_once("..").unwrap_or((seeds, seeds));
    let threads = match options {
        [flag, threads] if flag == "--threads" => threads.parse()?,
        _ => std::thread::available_parallelism()?.get(),
    };
    let path = KernelPath::from_environment()?;
    println!("{threads} threads, {path} kernels");
    println!("seed        right  hard loss  first 0  active  needed  seconds");
    for seed in first.parse()?..=last.parse()? {
        train(&preset, seed, threads, path)?;
    }
    Ok(())
}

fn train(preset: &Preset, seed: u64, threads: usize, path: KernelPath) -> Result<(), Box<dyn Error>> {
    let Preset { model, training } = preset;
    let mut state = State::new(model, seed)?;
    let mut automaton = Automaton::attach(model, training, seed, &state, threads, path)?;
    let mut first_zero = None;
    let mut seconds = 0.0;
    while state.epoch < training.epochs {
        let start = Instant::now();
        automaton.step(&mut state);
        seconds += start.elapsed().as_secs_f64();
        if first_zero.is_none() && state.epoch % 10 == 0 && automaton.evaluate(&state).hard_loss == 0.0 {
            first_zero = Some(state.epoch);
        }
    }
    let evaluation = automaton.evaluate(&state);
    let circuit = HardCircuit::from_state(model, &state)?;
    let check = circuit.check(training, seed, path)?;
    println!(
        "{seed:>4}  {:>5}/{:<5}  {:>9}  {:>7}  {:>6}  {:>6}  {seconds:>7.2}",
        check.right,
        check.tried,
        evaluation.hard_loss,
        first_zero.map_or_else(|| "never".to_owned(), |epoch| epoch.to_string()),
        circuit.active_gates(),
        circuit.compile()?.gates(),
    );
    Ok(())
}
