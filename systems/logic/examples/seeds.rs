//! Trains a preset, or a config, with several seeds and says how each ends:
//! `seeds PRESET|FILE FROM TO [THREADS]`. With VERBOSE set it tells how each goes on.

use std::error::Error;
use std::time::Instant;

use rekindle_compute::KernelPath;
use rekindle_logic::{Automaton, HardCircuit, Model, State, StepMetrics, Training, presets};
use serde::Deserialize;

#[derive(Deserialize)]
struct Preset {
    model: Model,
    training: Training,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [name, from, to, rest @ ..] = arguments.as_slice() else {
        return Err("usage: seeds PRESET|FILE FROM TO [THREADS]".into());
    };
    let threads = rest.first().map_or(Ok(2), |threads| threads.parse())?;
    let preset: Preset = serde_saphyr::from_str(&yaml(name)?)?;
    println!("| seed | right | attempts | epochs | steps | needed gates | seconds |");
    println!("|---|---|---|---|---|---|---|");
    for seed in from.parse()?..to.parse::<u64>()? {
        println!("{}", row(&preset, seed, threads)?);
    }
    Ok(())
}

fn yaml(name: &str) -> Result<String, std::io::Error> {
    let preset = match name {
        "life" => presets::LIFE,
        "checkerboard" => presets::CHECKERBOARD,
        "checkerboard-async" => presets::CHECKERBOARD_ASYNC,
        "lizard" => presets::LIZARD,
        "letter-g" => presets::LETTER_G,
        file => return text_of(file),
    };
    Ok(preset.to_owned())
}

fn text_of(file: &str) -> Result<String, std::io::Error> {
    let bytes = rekindle_formats::files::read(file.as_ref(), 1 << 20)?;
    String::from_utf8(bytes).map_err(std::io::Error::other)
}

fn row(Preset { model, training }: &Preset, seed: u64, threads: usize) -> Result<String, Box<dyn Error>> {
    let path = KernelPath::from_environment()?;
    let start = Instant::now();
    let mut state = State::new(model, seed)?;
    let mut automaton = Automaton::attach(model, training, seed, &state, threads, path)?;
    let mut epochs = 0;
    let verbose = std::env::var_os("VERBOSE").is_some();
    while !automaton.is_finished(&state) {
        let metrics = automaton.step(&mut state);
        epochs += u64::from(matches!(metrics, StepMetrics::Trained { .. }));
        if verbose && state.epoch.is_multiple_of(50) {
            let seconds = start.elapsed().as_secs_f64();
            eprintln!("{}: {metrics:?} {:?} {seconds:.1} s", state.epoch, automaton.evaluate(&state));
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    let circuit = HardCircuit::from_state(model, &state)?;
    let check = circuit.check(training, seed, path)?;
    Ok(format!(
        "| {seed} | {} of {} | {} | {epochs} | {} | {} | {seconds:.1} |",
        check.right,
        check.tried,
        state.attempt + 1,
        state.epoch,
        circuit.compile()?.gates()
    ))
}
