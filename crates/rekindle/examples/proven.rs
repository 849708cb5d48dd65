//! A loop whose exact resume is proven from outside:
//!
//! ```sh
//! cargo build -p rekindle --example proven
//! rekindle prove --kills 5 -- target/debug/examples/proven runs/proven
//! rekindle prove --kills 5 -- target/debug/examples/proven runs/proven forget
//! ```
//!
//! With `forget` a resume does not take the random stream from the checkpoint, and the proof names the step and the
//! entry at which that shows.

use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct State {
    step: u64,
    #[serde(with = "rekindle::array")]
    weights: Vec<f64>,
    random: u64,
}

const SEED: u64 = 7;

impl State {
    fn advance(&mut self) {
        self.random = self.random.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        let place = (self.random >> 33) as usize % self.weights.len();
        self.weights[place] = 0.9 * self.weights[place] + (self.random >> 11) as f64 / (1u64 << 53) as f64;
        self.step += 1;
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let scratch = tempfile::tempdir()?;
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().map_or(scratch.path().join("run"), Into::into);
    let forgets = arguments.next().is_some_and(|word| word == "forget");

    let mut state = State { step: 0, weights: vec![0.0; 100], random: SEED };
    let mut run = rekindle::Run::open_or_create(path)?;
    run.resume(&mut state)?;
    if forgets {
        state.random = SEED;
    }
    while state.step < 200 {
        state.advance();
        run.checkpoint(state.step, &state)?;
    }
    Ok(run.finish(&state)?)
}
