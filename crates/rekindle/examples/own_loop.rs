//! A training loop that can be stopped at any moment: a line is fitted to points that are drawn anew at every step.
//! `cargo run --release -p rekindle --example own_loop`

use std::collections::BTreeMap;
use std::error::Error;
use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use rekindle::{Best, Goal, Policy, Resumed, RunOptions, Versions};
use serde::{Deserialize, Serialize};

/// All that the next step depends on. What is missing here is what a resume would lose.
#[derive(Serialize, Deserialize)]
struct State {
    step: u64,
    #[serde(with = "rekindle::array")]
    weights: Vec<f32>,
    random: ChaCha8Rng,
}

impl State {
    fn new(seed: u64) -> Self {
        Self { step: 0, weights: vec![0.0; 2], random: ChaCha8Rng::seed_from_u64(seed) }
    }

    /// One step of gradient descent towards y = 3x + 1; gives the loss.
    fn advance(&mut self) -> f32 {
        let x = self.random.next_u32() as f32 / u32::MAX as f32;
        let error = self.weights[0] * x + self.weights[1] - (3.0 * x + 1.0);
        self.weights[0] -= 0.05 * error * x;
        self.weights[1] -= 0.05 * error;
        self.step += 1;
        error * error
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let policy = Policy {
        every: Some(Duration::from_secs(10)),
        best: Some(Best { metric: "loss".to_owned(), goal: Goal::Min }),
        ..Policy::default()
    };
    let options = RunOptions::new().policy(policy).versions(Versions::new("line", 1));
    let mut run = options.open_or_create("runs/mine")?;

    let mut state = State::new(7);
    if let Resumed { step: Some(step), .. } = run.resume(&mut state)? {
        println!("goes on from step {step}");
    }
    while state.step < 20_000 {
        let loss = state.advance();
        if state.step.is_multiple_of(1000) {
            run.log(state.step, &BTreeMap::from([("loss".to_owned(), loss.into())]));
        }
        run.checkpoint(state.step, &state)?;
    }
    println!("y = {}x + {}", state.weights[0], state.weights[1]);
    Ok(run.finish(&state)?)
}
