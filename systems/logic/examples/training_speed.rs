//! Gate evaluations a second of training, forwards and backwards, beside the multiply-adds that the machine can do.
//!
//! `cargo run --release -p rekindle-logic --example training_speed`

use std::error::Error;
use std::time::Instant;

use rekindle_compute::{KernelPath, LANES, Pool, kernel};
use rekindle_logic::{Automaton, Model, State, Training, presets};
use serde::Deserialize;

#[derive(Deserialize)]
struct Preset {
    model: Model,
    training: Training,
}

/// Multiply-adds of one evaluation: 3 forwards, which are done twice, and 10 backwards.
const OPERATIONS: f64 = 16.0;
const REPETITIONS: usize = 5;
/// Chains of multiply-adds: enough for two units with a latency of four.
const CHAINS: usize = 8;
const ROUNDS: usize = 4_000_000;

kernel! {
    /// Chains of multiply-adds that stay in registers.
    fn multiply_add(rounds: usize, sums: &mut [[f32; LANES]; CHAINS]) {
        let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *sums;
        for _ in 0..rounds {
            for lane in 0..LANES {
                a[lane] = a[lane].mul_add(0.999, 0.001);
                b[lane] = b[lane].mul_add(0.999, 0.001);
                c[lane] = c[lane].mul_add(0.999, 0.001);
                d[lane] = d[lane].mul_add(0.999, 0.001);
                e[lane] = e[lane].mul_add(0.999, 0.001);
                f[lane] = f[lane].mul_add(0.999, 0.001);
                g[lane] = g[lane].mul_add(0.999, 0.001);
                h[lane] = h[lane].mul_add(0.999, 0.001);
            }
        }
        *sums = [a, b, c, d, e, f, g, h];
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let path = KernelPath::from_environment()?;
    println!("kernels {path}");
    println!("| training | threads | evaluations/s | multiply-adds/s | of what the machine can do |");
    println!("|---|---|---|---|---|");
    for threads in [1, 2] {
        let peak = peak(path, threads)?;
        for (name, yaml) in
            [("life", presets::LIFE), ("checkerboard", presets::CHECKERBOARD), ("lizard", presets::LIZARD)]
        {
            let rate = rate(&serde_saphyr::from_str(yaml)?, path, threads)?;
            let operations = rate * OPERATIONS;
            println!(
                "| {name} | {threads} | {:.2} G | {:.1} G | {:.0} % of {:.1} G |",
                rate / 1e9,
                operations / 1e9,
                100.0 * operations / peak,
                peak / 1e9
            );
        }
    }
    Ok(())
}

/// Multiply-adds a second of all threads.
fn peak(path: KernelPath, threads: usize) -> Result<f64, Box<dyn Error>> {
    let pool = Pool::new(threads)?;
    let mut best = f64::INFINITY;
    for _ in 0..REPETITIONS {
        let mut sums = vec![[[0.5; LANES]; CHAINS]; threads];
        let begin = Instant::now();
        pool.for_each(&mut sums, |_, sums| multiply_add(path, ROUNDS, sums));
        best = best.min(begin.elapsed().as_secs_f64());
        std::hint::black_box(sums);
    }
    Ok((threads * ROUNDS * CHAINS * LANES) as f64 / best)
}

/// Gate evaluations a second, everything between two epochs included.
fn rate(preset: &Preset, path: KernelPath, threads: usize) -> Result<f64, Box<dyn Error>> {
    let Preset { model, training } = preset;
    let training = Training { refinement: None, epochs: u64::MAX, ..training.clone() };
    let mut state = State::new(model, 1)?;
    let mut automaton = Automaton::attach(model, &training, 1, &state, threads, path)?;
    let perception = model.channels * model.kernels * model.kernel_gates.iter().sum::<usize>();
    let gates = perception + model.update_gates.iter().sum::<usize>();
    let evaluations = gates * training.grid().cells() * training.batch * training.automaton_steps;
    let epochs = (300_000_000 / evaluations).max(2);
    let mut best = f64::INFINITY;
    for _ in 0..REPETITIONS {
        let begin = Instant::now();
        for _ in 0..epochs {
            automaton.step(&mut state);
        }
        best = best.min(begin.elapsed().as_secs_f64());
    }
    Ok((evaluations * epochs) as f64 / best)
}
