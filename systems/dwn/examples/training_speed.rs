//! Milliseconds of a step of training: `training_speed [STEPS] [THREADS] [SETTING...]`, on the preset `dwn`.
//!
//! `cargo run --release -p rekindle-dwn --example training_speed -- 200 1 'model.layers=[2000, 1000]'`

use std::time::Instant;

use rekindle_compute::KernelPath;
use rekindle_dwn::{Dwn, presets};
use rekindle_train::{ConfigOf, ConfigText, Resources, System};

const REPETITIONS: usize = 3;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let steps: u32 = arguments.next().map_or(Ok(100), |steps| steps.parse())?;
    let threads = arguments.next().map_or(Ok(1), |threads| threads.parse())?;
    let settings: Vec<String> = arguments.collect();
    let text = ConfigText { origin: "preset".into(), yaml: presets::DWN.into() };
    let config: ConfigOf<Dwn> = text.config(&settings)?;
    let mut state = Dwn::build(&config)?;
    let mut dwn = Dwn::attach(&config, &state, &Resources::new(threads))?;
    let mut best = f64::INFINITY;
    for _ in 0..REPETITIONS {
        let begin = Instant::now();
        for _ in 0..steps {
            dwn.step(&mut state)?;
        }
        best = best.min(begin.elapsed().as_secs_f64());
    }
    let milliseconds = best * 1e3 / f64::from(steps);
    println!("kernels {}, {threads} threads: {milliseconds:.2} ms a step", KernelPath::from_environment()?);
    Ok(())
}
