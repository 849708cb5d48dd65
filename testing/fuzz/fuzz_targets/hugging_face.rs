//! A directory of the Hugging Face library: its config, its tokenizer and its parameters. What is read
//! answers, and is the same when it is written and read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rekindle_fuzz::{ask_file, take_u8, take_u16, with_directory};
use rekindle_gpt::formats::ImportedVocabulary;
use rekindle_gpt::formats::hugging_face::{read, read_partial, write};
use serde_json::Value;

/// Larger extents are not made up at random: that takes as long as the config says.
const EXTENT_LIMIT: u64 = 64;

fuzz_target!(|data: &[u8]| {
    let mut input = data;
    let kind = take_u8(&mut input);
    let mut piece = || {
        let len = take_u16(&mut input).min(input.len());
        let (piece, rest) = input.split_at(len);
        input = rest;
        piece
    };
    let (config, tokenizer) = (piece(), piece());
    let header = piece();
    let mut files = vec![("config.json", config.to_vec())];
    let parameters = match kind & 1 {
        0 => [&(header.len() as u64).to_le_bytes()[..], header, input].concat(),
        _ => [header, input].concat(),
    };
    files.push(("model.safetensors", parameters));
    if !tokenizer.is_empty() {
        files.push(("tokenizer.json", tokenizer.to_vec()));
    }
    with_directory(&files, |path| {
        ask_file(path);
        if is_small(config) {
            let _ = read_partial(path, 7);
        }
        let Ok(imported) = read(path) else { return };
        let Some(ImportedVocabulary::Tokenizer(tokenizer)) = &imported.vocabulary else { return };
        let again = path.join("again");
        if write(&again, &imported.network, tokenizer).is_ok() {
            let again = read(&again).expect("what was written can be read");
            assert_eq!(again.network.token_embedding, imported.network.token_embedding);
            let Some(ImportedVocabulary::Tokenizer(back)) = &again.vocabulary else {
                panic!("a tokenizer was written")
            };
            assert_eq!(back.to_hugging_face().ok(), tokenizer.to_hugging_face().ok());
        }
    });
});

fn is_small(config: &[u8]) -> bool {
    let Ok(Value::Object(members)) = serde_json::from_slice(config) else { return false };
    ["vocab_size", "n_positions", "n_embd", "n_layer", "n_inner"]
        .iter()
        .all(|name| members.get(*name).and_then(Value::as_u64).is_some_and(|extent| extent <= EXTENT_LIMIT))
}
