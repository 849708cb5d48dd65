//! Gate evaluations a second of training, forwards and backwards, the optimiser included.
//!
//! `cargo run --release -p rekindle-lgn --example training_speed`

use std::time::Instant;

use rekindle_compute::KernelPath;
use rekindle_lgn::{Lgn, presets};
use rekindle_train::{ConfigOf, ConfigText, Resources, System};

const REPETITIONS: usize = 3;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = KernelPath::from_environment()?;
    println!("kernels {path}; billions of gate evaluations a second:");
    let layers = "model.layers=[8000,8000,8000,8000,8000,8000]";
    let trees = "model.convolutions=[{kernels: 128, window: 3, depth: 3, padding: 1, pool: 2}]";
    for (name, settings) in [
        ("six layers of 8000 gates, batches of 128", vec![layers, "training.batch=128"]),
        ("six layers of 8000 gates, batches of 2048", vec![layers, "training.batch=2048"]),
        ("128 trees of 7 gates at 64 places", vec![trees, "model.layers=[100]", "training.batch=2048"]),
    ] {
        for threads in [1, 2] {
            let rate = rate(&settings, threads)?;
            println!("{name}, {threads} threads: {:.2}", rate / 1e9);
        }
    }
    Ok(())
}

/// Gate evaluations a second, the optimiser included.
fn rate(settings: &[&str], threads: usize) -> Result<f64, Box<dyn std::error::Error>> {
    let text = ConfigText { origin: "preset".into(), yaml: presets::DIGITS.into() };
    let settings: Vec<String> = settings.iter().map(|&setting| setting.to_owned()).collect();
    let config: ConfigOf<Lgn> = text.config(&settings)?;
    let mut state = Lgn::build(&config)?;
    let mut lgn = Lgn::attach(&config, &state, &Resources::new(threads))?;
    let trees = config.model.convolutions.iter().map(|trees| trees.kernels * 7 * 64).sum::<usize>();
    let gates = trees + config.model.layers.iter().sum::<usize>();
    let steps = (20_000 / config.training.batch).max(3);
    let mut best = f64::INFINITY;
    for _ in 0..REPETITIONS {
        let begin = Instant::now();
        for _ in 0..steps {
            lgn.step(&mut state)?;
        }
        best = best.min(begin.elapsed().as_secs_f64());
    }
    Ok((gates * config.training.batch * steps) as f64 / best)
}
