//! Learnt lookup tables on MNIST: `mnist FOLDER [THREADS] [SETTING...]`, with the settings on top of the preset
//! `dwn-mnist`.
//!
//! It learns, tells how it does on what is chosen by after each epoch and on the test pictures at the end, and
//! measures how fast the circuit answers, with the pictures packed as bits.
//!
//! `cargo run --release -p rekindle-dwn --example mnist -- FOLDER 2`

use std::error::Error;
use std::time::Instant;

use rekindle::hash_of;
use rekindle_compute::{KernelPath, rng};
use rekindle_dwn::{Dwn, Says, State, presets};
use rekindle_gates::Program;
use rekindle_train::{ConfigOf, ConfigText, Family, Resources, System};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const FILES: [&str; 4] = ["train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"];
/// Words of a plane, each with a bit of 64 pictures.
const WORDS: usize = 64;
const REPETITIONS: usize = 300;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("the folder of MNIST is named first")?;
    let threads = arguments.next().map_or(Ok(1), |threads| threads.parse())?;
    let files: Vec<String> = FILES.iter().map(|file| format!("{folder}/{file}-ubyte.gz")).collect();
    let mut settings = Dwn::options()[0].settings(&files)?;
    settings.extend(arguments);
    let text = ConfigText { origin: "preset".into(), yaml: presets::DWN_MNIST.into() };
    let config: ConfigOf<Dwn> = text.config(&settings)?;
    let begin = Instant::now();
    let mut state = Dwn::build(&config)?;
    let mut dwn = Dwn::attach(&config, &state, &Resources::new(threads))?;
    println!("loaded in {:.1} s", begin.elapsed().as_secs_f64());
    let begin = Instant::now();
    let (mut loss, mut epoch) = (0.0, 0);
    let steps = dwn.progress(&state).total.unwrap_or(0) / config.training.epochs.max(1);
    while !dwn.progress(&state).finished {
        loss += dwn.step(&mut state)?["train_loss"];
        if state.step.is_multiple_of(steps) {
            epoch += 1;
            let (metrics, seconds) = (dwn.evaluate(&state)?, begin.elapsed().as_secs_f64());
            println!("epoch {epoch}: train loss {:.4}, {metrics:?}, {seconds:.0} s", loss / steps as f64);
            loss = 0.0;
        }
    }
    println!("{} steps in {:.0} s", state.step, begin.elapsed().as_secs_f64());
    println!("{}", dwn.conclude(&state)?.text);
    println!("state {}", hash_of(&state)?);
    answering(&config, &state)
}

/// How fast the circuit answers, sums and comparison included.
fn answering(config: &ConfigOf<Dwn>, state: &State) -> Result<()> {
    let path = KernelPath::from_environment()?;
    let begin = Instant::now();
    let circuit = state.circuit(&config.model, Says::Class)?;
    let program = Program::new(&circuit);
    println!(
        "{} gates with sums and comparison, {} functions of three inputs, made in {:.0?}",
        circuit.gates().len(),
        program.functions(),
        begin.elapsed()
    );
    let mut stream = rng::stream(0, 0, 0);
    let mut plane = || -> Vec<u64> { (0..WORDS).map(|_| stream.bits()).collect() };
    let inputs: Vec<Vec<u64>> = (0..program.inputs()).map(|_| plane()).collect();
    let mut outputs = vec![vec![0_u64; WORDS]; program.outputs()];
    let mut best = f64::INFINITY;
    for _ in 0..REPETITIONS {
        let begin = Instant::now();
        program.run(path, &inputs, &mut outputs)?;
        best = best.min(begin.elapsed().as_secs_f64());
    }
    let rate = (64 * WORDS) as f64 / best / 1e6;
    println!("kernels {path}: {rate:.2} million answers a second on one thread");
    Ok(())
}
