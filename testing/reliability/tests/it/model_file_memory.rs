//! A model file is read with memory in proportion to its length, whatever it says.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests make files themselves")]

use std::path::Path;

use rekindle_gpt::formats::rustgpt::Encoding;
use rekindle_gpt::formats::{detect, hugging_face, lopos, read, rustgpt};
use rekindle_gpt::model::{Block, ModelConfig, Network};
use rekindle_gpt::train::Optimizer;
use rekindle_reliability::allocation::peak_of;
use rekindle_tokenizer::Tokenizer;

use crate::alone;

/// Whether the file is taken, and the most memory that was in use beyond what was before.
fn peak(path: &Path) -> (bool, usize) {
    peak_of(|| match detect(path) {
        Some(_) => read(path).is_ok(),
        None => rustgpt::read(path).is_ok(),
    })
}

fn model(block: Block) -> ModelConfig {
    ModelConfig {
        block,
        layers: 2,
        heads: 1,
        width: 64,
        feed_forward: None,
        context: 64,
        tied: false,
        attention_biases: false,
        dropout: 0.0,
        structure: rekindle_gpt::model::StructureConfig::default(),
        sampling: rekindle_gpt::model::Sampling::default(),
    }
}

#[test]
fn memory_is_in_proportion_to_the_file() {
    let _alone = alone();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("model");
    let check = |what: &str, path: &Path, len: usize, times: usize, is_good: bool| {
        let (is_taken, peak) = peak(path);
        println!("{what}: {len} bytes, read with {peak}");
        assert_eq!(is_taken, is_good, "{what}");
        assert!(peak < times * len + (1 << 16), "{what}: {peak} for {len}");
    };
    let file = |what: &str, times: usize, is_good: bool| {
        check(what, &path, std::fs::metadata(&path).unwrap().len() as usize, times, is_good);
    };

    let network = Network::random(&model(Block::Gpt2), 300, 1);
    for version in [lopos::Version::LoopOs, lopos::Version::Named(lopos::Checksum::Sha256)] {
        lopos::write(&path, &network, version).unwrap();
        file("LOPOS", 4, true);
    }
    let network = Network::random(&model(Block::Rustgpt), 300, 1);
    let words: Vec<String> = (0..300).map(|index| format!("word{index}")).collect();
    let optimizer = Optimizer::new(&network);
    for encoding in [Encoding::Json, Encoding::Bincode] {
        rustgpt::write(&path, &network, &words, Some(&optimizer), encoding).unwrap();
        file("RustGPT", 4, true);
    }
    let tokenizer = Tokenizer::train_byte_pair(&b"low lower lowest ".repeat(20), 262).unwrap();
    let network = Network::random(&model(Block::Gpt2), tokenizer.len(), 1);
    let exported = directory.path().join("exported");
    hugging_face::write(&exported, &network, &tokenizer).unwrap();
    let len = std::fs::metadata(exported.join("model.safetensors")).unwrap().len() as usize;
    check("Hugging Face", &exported, len, 4, true);

    let write = |bytes: &[u8]| std::fs::write(&path, bytes).unwrap();
    let vocabulary = r#"{"vocab": {"encode": {}, "decode": {}, "words": []}, "network": ["#;
    write(format!(r#"{vocabulary}{{"LayerNorm": {{"gamma": [0{}"#, ",0".repeat(1 << 20)).as_bytes());
    file("a list of numbers without end", 8, false);
    write(format!(r#"{vocabulary}{{"X": 0}}{}"#, r#",{"X": 0}"#.repeat(1 << 18)).as_bytes());
    file("layers without end", 4, false);
    write(format!(r#"{{"vocab": {{"words": [""{}"#, r#","""#.repeat(1 << 21)).as_bytes());
    file("words without end", 16, false);
    write(&[&[252, 0, 0, 16, 0][..], &[1, b'a', 0].repeat(1 << 20)].concat());
    file("pairs without end", 16, false);
    let mut header = b"LOPOS\x01\0\0\0".to_vec();
    header.extend([1, 1, 2048, 1, 1, 1_u32].iter().flat_map(|extent| extent.to_le_bytes()));
    header.resize(33 + 8 * (5 + 10 * 2048) + 4 * (3 + 2048 * 12 + 2), 0);
    write(&header);
    // What a layer is made of takes more than its numbers: this is why their number is bounded.
    file("many small layers", 24, false);
}
