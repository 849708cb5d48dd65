//! A loop that goes on where it was stopped: `cargo run -p rekindle --example plain_loop -- DIR`, twice.

use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct State {
    step: u64,
    weights: Vec<f64>,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let scratch = tempfile::tempdir()?;
    let path = std::env::args_os().nth(1).map_or(scratch.path().join("run"), Into::into);
    let mut state = State { step: 0, weights: vec![1.0; 100] };
    let mut run = rekindle::Run::open_or_create(&path)?;
    let resumed = run.resume(&mut state)?;
    println!("begins at step {}", resumed.step.unwrap_or(0));
    let until = state.step + 1000;
    while state.step < until {
        state.weights.iter_mut().for_each(|weight| *weight -= 0.001 * *weight);
        state.step += 1;
        run.checkpoint(state.step, &state)?;
    }
    println!("step {}, state {}", state.step, rekindle::hash_of(&state)?);
    run.finish(&state)?;
    Ok(())
}
