//! Trains a preset and shows its circuit at work.
//!
//! ```text
//! cargo run --release -p rekindle-logic --example watch -- life
//! cargo run --release -p rekindle-logic --example watch -- checkerboard
//! ```

use std::error::Error;

use rekindle_compute::{KernelPath, rng};
use rekindle_logic::{
    Automaton, Boards, CompiledCircuit, HardCircuit, Model, State, Task, Training, presets, render,
    side_by_side,
};
use serde::Deserialize;

/// The part of a preset that training needs.
#[derive(Deserialize)]
struct Preset {
    model: Model,
    training: Training,
}

const SEED: u64 = 1;

fn main() -> Result<(), Box<dyn Error>> {
    let name = std::env::args().nth(1).ok_or("usage: watch life|checkerboard")?;
    let text = if name == "life" { presets::LIFE } else { presets::CHECKERBOARD };
    let Preset { model, training } = serde_saphyr::from_str(text)?;
    let circuit = train(&model, &training)?;
    println!("{:?}", circuit.check(&training, SEED, KernelPath::best())?);

    let (boards, times) = match training.task {
        Task::Life => (glider(), [0, 4, 8, 16]),
        _ => (noise(&model, &training), [0, 5, 10, 20]),
    };
    print!("{}", film(&circuit.compile()?, &boards, &training, times)?);
    Ok(())
}

fn train(model: &Model, training: &Training) -> Result<HardCircuit, Box<dyn Error>> {
    let threads = std::thread::available_parallelism()?.get();
    let mut state = State::new(model, SEED)?;
    let path = KernelPath::from_environment()?;
    let mut automaton = Automaton::attach(model, training, SEED, &state, threads, path)?;
    while !automaton.is_finished(&state) {
        automaton.step(&mut state);
        if state.epoch.is_multiple_of((training.epochs / 5).max(1)) {
            println!("epoch {}: {:?}", state.epoch, automaton.evaluate(&state));
        }
    }
    Ok(HardCircuit::from_state(model, &state)?)
}

fn glider() -> Boards {
    let mut boards = Boards::zeros(1, 16, 16, 1);
    for (x, y) in [(1, 0), (2, 1), (0, 2), (1, 2), (2, 2)] {
        boards.set(0, 0, x, y, true);
    }
    boards
}

fn noise(model: &Model, training: &Training) -> Boards {
    let mut boards = Boards::zeros(1, training.width, training.height, model.channels);
    boards.randomize(model.channels, &mut rng::stream(SEED, 0, 0));
    boards
}

fn film(
    circuit: &CompiledCircuit,
    boards: &Boards,
    training: &Training,
    times: [usize; 4],
) -> Result<String, Box<dyn Error>> {
    let mut pictures = Vec::new();
    for time in times {
        let board = circuit.run(boards, training.boundary, time, KernelPath::best())?;
        pictures.push((format!("step {time}"), render(&board, 0)));
    }
    Ok(side_by_side(&pictures))
}
