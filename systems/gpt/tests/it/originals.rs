//! The tokens of RustGPT and LoopOS, against files of those programs. These are not in the repository: set
//! `REKINDLE_SAMPLES` to their directory, or put it beside the checkout as `shared/samples`.
#![allow(clippy::disallowed_methods, reason = "a test reads its files")]

use std::path::PathBuf;

use rekindle_gpt::formats::{lopos, rustgpt};
use rekindle_tokenizer::Tokenizer;
use serde_json::Value;

fn samples(program: &str) -> Option<PathBuf> {
    let beside = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/samples"));
    let samples = std::env::var_os("REKINDLE_SAMPLES").map_or(beside, PathBuf::from).join(program);
    if !samples.is_dir() {
        eprintln!("SKIPPED: there are no files of the original program at {}", samples.display());
        return None;
    }
    Some(samples)
}

fn numbers(list: &Value) -> Vec<u32> {
    list.as_array().unwrap().iter().map(|number| number.as_u64().unwrap() as u32).collect()
}

#[test]
fn the_vocabulary_of_rustgpt() {
    let Some(samples) = samples("rustgpt") else { return };
    let mut lines: Vec<String> = Vec::new();
    for name in ["pretraining_data.json", "chat_training_data.json"] {
        let json = std::fs::read(samples.join(name)).unwrap();
        lines.extend(serde_json::from_slice::<Vec<String>>(&json).unwrap());
    }
    let tokenizer =
        Tokenizer::train_listed_words(lines.join("\n").as_bytes(), rustgpt::word_rules()).unwrap();
    assert_eq!(tokenizer.len(), 533);
    assert_eq!(tokenizer.token_of(b"</s>"), Some(17));
    assert_eq!(tokenizer.encode(b"User: How do mountains form?"), [92, 15, 57, 202, 350, 248, 19]);
    let first = [90, 448, 416, 291, 469, 215, 119, 427, 291, 469, 516, 17];
    assert_eq!(tokenizer.encode(lines[0].as_bytes()), first);
    assert_eq!(tokenizer.decode(&first).unwrap(), lines[0].as_bytes());
}

/// The small models of RustGPT name their words in the order of their numbers, not of their bytes.
#[test]
fn the_unknown_words_of_rustgpt_are_left_out() {
    let words = ["hello", "world", "this", "is", "rust", "</s>"];
    let tokenizer = Tokenizer::from_words(&words, rustgpt::word_rules()).unwrap();
    assert_eq!(tokenizer.encode(b"this, is? nothing"), [2, 3]);
    assert_eq!(tokenizer.encode(b"hello world this is rust </s>"), [0, 1, 2, 3, 4, 5]);
    assert_eq!(tokenizer.decode(&[1, 2, 3, 4, 5]).unwrap(), b"world this is rust </s>");
}

#[test]
fn the_tokens_of_loopos() {
    let Some(samples) = samples("loopos") else { return };
    let file = std::fs::read_to_string(samples.join("tokenizer.vocab")).unwrap();
    let words: Vec<&str> = file.lines().filter_map(|line| Some(line.split_once('\t')?.1)).collect();
    let tokenizer = Tokenizer::from_words(&words, lopos::word_rules()).unwrap();
    let json = std::fs::read(samples.join("tokenizer_expected.json")).unwrap();
    let expected: Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(tokenizer.len() as u64, expected["vocab_size"].as_u64().unwrap());
    for example in expected["examples"].as_array().unwrap() {
        let tokens = tokenizer.encode(example["text"].as_str().unwrap().as_bytes());
        assert_eq!(tokens, numbers(&example["encode_without_special"]), "{}", example["text"]);
        let whole = tokenizer.decode(&numbers(&example["encode"])).unwrap();
        assert_eq!(str::from_utf8(&whole).unwrap(), example["decode_keep_special"].as_str().unwrap());
    }
    // LoopOS leaves numbers out that are no tokens.
    let mut listed = numbers(&expected["decode_only"]["ids"]);
    listed.retain(|&token| tokenizer.token_bytes(token).is_some());
    let text = tokenizer.decode(&listed).unwrap();
    assert_eq!(str::from_utf8(&text).unwrap(), expected["decode_only"]["keep"].as_str().unwrap());
}
