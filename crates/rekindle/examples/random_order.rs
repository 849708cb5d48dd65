//! Random generators and the order of the data: `cargo run -p rekindle --example random_order`.
//!
//! What decides which numbers come next belongs to the state: the generator itself, and where training is in
//! the data. A run that was stopped then draws what it would have drawn.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct State {
    step: u64,
    random: ChaCha8Rng,
    /// The examples of this epoch in their order, and how many are done.
    order: Vec<u32>,
    done: usize,
    weight: f64,
}

impl State {
    fn new(seed: u64) -> Self {
        let order = (0..100).collect();
        Self { step: 0, random: ChaCha8Rng::seed_from_u64(seed), order, done: 100, weight: 0.0 }
    }

    fn train(&mut self) {
        if self.done == self.order.len() {
            // Fisher and Yates.
            for last in (1..self.order.len()).rev() {
                let other = self.random.next_u64() as usize % (last + 1);
                self.order.swap(last, other);
            }
            self.done = 0;
        }
        self.weight = 0.9 * self.weight + f64::from(self.order[self.done]);
        self.done += 1;
        self.step += 1;
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut straight = State::new(1);
    (0..250).for_each(|_| straight.train());

    let dir = tempfile::tempdir()?;
    for _ in 0..5 {
        // Each time as a new process would.
        let mut state = State::new(1);
        let mut run = rekindle::Run::open_or_create(dir.path().join("run"))?;
        run.resume(&mut state)?;
        (0..50).for_each(|_| state.train());
        run.save(state.step, &state)?;
    }
    let mut resumed = State::new(1);
    rekindle::Run::open_or_create(dir.path().join("run"))?.resume(&mut resumed)?;
    assert_eq!(rekindle::hash_of(&straight)?, rekindle::hash_of(&resumed)?);
    println!("step {}: the same bits", resumed.step);
    Ok(())
}
