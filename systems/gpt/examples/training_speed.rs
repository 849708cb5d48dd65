//! How fast a network is trained: tokens a second, the best of four runs.
//!
//! ```text
//! cargo run --release -p rekindle-gpt --example training_speed -- [LAYERS WIDTH CONTEXT BATCH VOCABULARY THREADS]
//! ```

use std::time::Instant;

use rekindle_compute::{AdamW, KernelPath, Pool, rng};
use rekindle_gpt::model::{Block, ModelConfig, Network, Sampling, Sequence, TrainingPrecision};
use rekindle_gpt::train::{Optimizer, StepSettings, StepValues, Stepper};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let given: Vec<u32> =
        std::env::args().skip(1).map(|argument| argument.parse()).collect::<Result<_, _>>()?;
    let [layers, width, context, batch, vocabulary, threads] = match given[..] {
        [] => [4, 128, 64, 12, 65, 2],
        [layers, width, context, batch, vocabulary, threads] => {
            [layers, width, context, batch, vocabulary, threads]
        }
        _ => return Err("six numbers are expected, or none".into()),
    };
    let model = ModelConfig {
        block: Block::Gpt2,
        layers,
        heads: (width / 32).max(1),
        width,
        feed_forward: None,
        context,
        tied: false,
        attention_biases: false,
        dropout: 0.0,
        structure: rekindle_gpt::model::StructureConfig::default(),
        sampling: Sampling::default(),
    };
    model.validate()?;
    let mut network = Network::random(&model, vocabulary as usize, 0);
    let mut optimizer = Optimizer::new(&network);
    let settings =
        StepSettings { path: KernelPath::best(), precision: TrainingPrecision::F32, parts: 4, clip: 1.0 };
    let mut stepper = Stepper::new(&network, settings, Pool::new(threads as usize)?);
    let adamw = AdamW { learning_rate: 1e-3, betas: [0.9, 0.999], epsilon: 1e-8, weight_decay: 0.01 };
    let mut stream = rng::stream(1, 0, 0);
    let steps = if network.parameters() > 5_000_000 { 3 } else { 50 };
    let mut best = 0.0_f64;
    for _ in 0..4 {
        let begun = Instant::now();
        for _ in 0..steps {
            let mut sequence = || {
                let tokens: Vec<u32> =
                    (0..=context).map(|_| stream.below(u64::from(vocabulary)) as u32).collect();
                Sequence::of_text(&tokens)
            };
            let sequences = (0..batch).map(|_| sequence()).collect();
            let values = StepValues { adamw, dropout: None, held: None };
            stepper.step(&mut network, &mut optimizer, None, &[sequences], values);
        }
        best = best.max(f64::from(steps * batch * context) / begun.elapsed().as_secs_f64());
    }
    println!("{} parameters: {best:.0} tokens a second", network.parameters());
    Ok(())
}
