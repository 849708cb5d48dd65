//! Small networks, tokenizers and optimisers.

use std::path::{Path, PathBuf};

use proptest::prelude::*;
use rekindle_gpt::model::{Block, ModelConfig, Network};
use rekindle_gpt::train::Optimizer;
use rekindle_tokenizer::Tokenizer;

/// A network whose biases and gains are no longer all the same.
pub fn network(model: &ModelConfig, vocabulary: usize, seed: u64) -> Network {
    let mut network = Network::random(model, vocabulary, seed);
    let mut state = seed;
    for (_, _, array) in network.arrays_mut() {
        for number in array {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *number += (state >> 40) as f32 / (1 << 24) as f32 * 0.6 - 0.3;
        }
    }
    network
}

pub fn gpt2(layers: u32, heads: u32, width: u32) -> ModelConfig {
    ModelConfig {
        block: Block::Gpt2,
        layers,
        heads,
        width,
        feed_forward: Some(2 * width + 1),
        context: 9,
        tied: false,
        attention_biases: false,
        dropout: 0.0,
        structure: rekindle_gpt::model::StructureConfig::default(),
        sampling: rekindle_gpt::model::Sampling::default(),
    }
}

pub fn rustgpt(layers: u32, width: u32) -> ModelConfig {
    ModelConfig { block: Block::Rustgpt, heads: 1, ..gpt2(layers, 1, width) }
}

prop_compose! {
    /// A network like GPT-2's.
    pub fn any_gpt2()(layers in 1..3_u32, heads in 1..4_u32, size in 1..5_u32, context in 2..9_u32,
        inner in 1..20_u32, tied: bool, attention_biases: bool, vocabulary in 1..40_usize, seed: u64) -> Network {
        let shape = gpt2(layers, heads, heads * size);
        let model = ModelConfig { feed_forward: Some(inner), context, tied, attention_biases, ..shape };
        network(&model, vocabulary, seed)
    }
}

prop_compose! {
    /// A network like RustGPT's, and the memory of its optimiser.
    pub fn any_rustgpt()(layers in 1..3_u32, width in 1..9_u32, context in 2..9_u32, inner in 1..20_u32,
        vocabulary in 1..300_usize, seed: u64) -> (Network, Optimizer) {
        let model = ModelConfig { feed_forward: Some(inner), context, ..rustgpt(layers, width) };
        let network = network(&model, vocabulary, seed);
        let optimizer = optimizer(&network, seed % 100_000);
        (network, optimizer)
    }
}

/// The memory of an optimiser as RustGPT can hold it.
pub fn optimizer(network: &Network, updates: u64) -> Optimizer {
    let mut optimizer = Optimizer::new(network);
    optimizer.updates = updates;
    optimizer.token_updates.fill(updates);
    for (name, moments) in &mut optimizer.moments {
        if name == "output/bias" {
            continue;
        }
        for (index, (first, second)) in moments.first.iter_mut().zip(&mut moments.second).enumerate() {
            *first = (index as f32 + 1.0).recip() - 0.4;
            *second = (index as f32 * 0.37 + name.len() as f32).recip();
        }
    }
    optimizer
}

/// So many different words.
pub fn words(count: usize) -> Vec<String> {
    (0..count).map(|index| format!("wört{index}")).collect()
}

/// Byte pairs with the added token `<|endoftext|>`: 283 tokens.
pub fn byte_pairs() -> Tokenizer {
    let text = "the cat sat on the mat; the dog ran to the café, and the cat ran too. ".repeat(5);
    let mut file = Tokenizer::train_byte_pair(text.as_bytes(), 290).unwrap().to_hugging_face().unwrap();
    let id = file["model"]["vocab"].as_object().unwrap().len();
    file["added_tokens"] = serde_json::json!([{ "id": id, "content": "<|endoftext|>", "single_word": false,
        "lstrip": false, "rstrip": false, "normalized": false, "special": true }]);
    Tokenizer::from_hugging_face(file.to_string().as_bytes()).unwrap()
}

/// The folder of files that the original programs wrote; none, and a line that says so, where it is
/// not there.
pub fn samples(folder: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/samples").join(folder);
    if !path.is_dir() {
        eprintln!("skipped: {} is not here", path.display());
        return None;
    }
    Some(path)
}

/// The difference that is largest.
pub fn largest_difference(found: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    found.iter().zip(expected).map(|(found, expected)| (found - expected).abs()).fold(0.0, f64::max)
}

pub fn bits(network: &Network) -> Vec<(String, Vec<u32>)> {
    let arrays = network.arrays().into_iter();
    arrays.map(|(name, _, array)| (name, array.iter().map(|number| number.to_bits()).collect())).collect()
}
