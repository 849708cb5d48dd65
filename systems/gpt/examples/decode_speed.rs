//! Tokens per second of a network of 15 million parameters, in 32-bit floats and in 8-bit numbers.
//!
//! `cargo run --release -p rekindle-gpt --example decode_speed`

use std::time::Instant;

use rekindle_gpt::GptError;
use rekindle_gpt::inference::{Decoder, WeightPrecision};
use rekindle_gpt::model::{Block, ModelConfig, Network};

const PROMPT: usize = 128;
const REPETITIONS: usize = 3;

fn main() -> Result<(), GptError> {
    let model = ModelConfig {
        block: Block::Gpt2,
        layers: 6,
        heads: 6,
        width: 288,
        feed_forward: Some(768),
        context: 256,
        tied: true,
        attention_biases: false,
        dropout: 0.0,
        structure: rekindle_gpt::model::StructureConfig::default(),
        sampling: rekindle_gpt::model::Sampling::default(),
    };
    let network = Network::random(&model, 32_000, 1);
    println!("{} parameters; the best of {REPETITIONS}; tokens per second:", network.parameters());
    for precision in [WeightPrecision::F32, WeightPrecision::Int8] {
        for threads in [1, 2] {
            let mut decoder = Decoder::new(&network, precision, threads)?;
            let (mut prompt, mut generated) = (0.0_f64, 0.0_f64);
            for _ in 0..REPETITIONS {
                let rates = rates(&mut decoder)?;
                prompt = prompt.max(rates.0);
                generated = generated.max(rates.1);
            }
            println!("{precision:?}, {threads} threads: prompt {prompt:.0}, generation {generated:.0}");
        }
    }
    Ok(())
}

/// Tokens per second of a prompt, and of the tokens behind it up to the end of the context.
fn rates(decoder: &mut Decoder) -> Result<(f64, f64), GptError> {
    let prompt: Vec<u32> = (0..PROMPT as u32).map(|i| i * 37 % 32_000).collect();
    decoder.clear();
    let start = Instant::now();
    decoder.feed(&prompt)?;
    let of_prompt = prompt.len() as f64 / start.elapsed().as_secs_f64();
    let start = Instant::now();
    let mut token = 1;
    let count = decoder.context() - decoder.len();
    for _ in 0..count {
        let logits = decoder.feed(&[token])?;
        token = (logits[0].to_bits() ^ token) % 32_000;
    }
    Ok((of_prompt, count as f64 / start.elapsed().as_secs_f64()))
}
