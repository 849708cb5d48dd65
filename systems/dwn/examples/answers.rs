//! How fast the circuit of a trained network answers, with the examples packed as bits.
//!
//! `cargo run --release -p rekindle-dwn --example answers -- RUN`

use std::sync::Arc;
use std::time::Instant;

use rekindle::storage::FileStorage;
use rekindle::{Access, EntryPath, Store, from_tree};
use rekindle_compute::{KernelPath, rng};
use rekindle_dwn::{Dwn, Model, Says, State, Training};
use rekindle_gates::Program;
use rekindle_train::System;
use serde::{Deserialize, Serialize};

/// Words of a plane, each with a bit of 64 examples.
const WORDS: usize = 64;
const REPETITIONS: usize = 2000;

/// What a checkpoint holds.
#[derive(Serialize, Deserialize)]
struct Saved {
    seed: u64,
    model: Model,
    training: Training,
    state: State,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let run = std::env::args().nth(1).ok_or("name a run of a weightless network")?;
    let path = KernelPath::from_environment()?;
    let begin = Instant::now();
    let store = Store::open(Access::from(Arc::new(FileStorage::new(&run))))?;
    let step = store.steps().pop().ok_or("the run has no checkpoint")?;
    let saved: Saved = from_tree(&store.checkpoint(step)?.load(&EntryPath::root())?)?;
    let loaded = begin.elapsed();
    let circuit = saved.state.circuit(&saved.model, Says::Class)?;
    let program = Program::new(&circuit);
    let ready = begin.elapsed();
    let mut stream = rng::stream(0, 0, 0);
    let mut plane = |words: usize| -> Vec<u64> { (0..words).map(|_| stream.bits()).collect() };
    let first: Vec<Vec<u64>> = (0..program.inputs()).map(|_| plane(1)).collect();
    program.run(path, &first, &mut vec![[0_u64; 1]; program.outputs()])?;
    let answered = begin.elapsed();

    let inputs: Vec<Vec<u64>> = (0..program.inputs()).map(|_| plane(WORDS)).collect();
    let mut outputs = vec![vec![0_u64; WORDS]; program.outputs()];
    let mut best = f64::INFINITY;
    for _ in 0..REPETITIONS {
        let begin = Instant::now();
        program.run(path, &inputs, &mut outputs)?;
        best = best.min(begin.elapsed().as_secs_f64());
    }
    let examples = (64 * WORDS) as f64;
    println!("system {}, step {step}, kernels {path}", Dwn::NAME);
    println!("{} gates with sums and comparison, {} inputs", circuit.gates().len(), circuit.inputs());
    println!("{} functions of three inputs, {} values alive at a time", program.functions(), program.slots());
    println!("state after {loaded:.0?}, program after {ready:.0?}, first answers after {answered:.0?}");
    println!("{:.2} million examples a second on one thread", examples / best / 1e6);
    Ok(())
}
