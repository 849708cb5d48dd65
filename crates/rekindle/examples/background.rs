//! Saving while training goes on: `cargo run -p rekindle --example background`.

use std::time::Instant;

use rekindle::{Outcome, Policy, RunOptions, Saving, WhenBusy};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct State {
    step: u64,
    #[serde(with = "rekindle::array")]
    weights: Vec<f32>,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dir = tempfile::tempdir()?;
    let policy = Policy { every_steps: Some(5), every: None, ..Policy::default() };
    let options = RunOptions::new().policy(policy).saving(Saving::Background(WhenBusy::Skip));
    let mut run = options.create(dir.path().join("run"))?;
    let mut state = State { step: 0, weights: vec![0.0; 1 << 20] };
    while state.step < 50 {
        let step = state.step as f32;
        state.weights.iter_mut().enumerate().for_each(|(i, weight)| *weight += (i as f32 * step).sin());
        state.step += 1;
        let began = Instant::now();
        match run.checkpoint(state.step, &state)? {
            Outcome::NotDue => {}
            Outcome::SkippedBusy => println!("step {}: left out, the writer is busy", state.step),
            outcome => {
                let what = if outcome == Outcome::InBackground { "is being written" } else { "is saved" };
                println!("step {} {what}; training waited {:?}", state.step, began.elapsed());
            }
        }
    }
    run.finish(&state)?;
    Ok(())
}
