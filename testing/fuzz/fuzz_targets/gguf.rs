//! A GGUF file. What is read answers, and is the same when it is written and read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rekindle_fuzz::{ask_file, with_file};
use rekindle_gpt::formats::ImportedVocabulary;
use rekindle_gpt::formats::gguf::{Quantization, read, write};

fuzz_target!(|data: &[u8]| {
    with_file(data, |path| {
        ask_file(path);
        let Ok(imported) = read(path) else { return };
        let Some(ImportedVocabulary::Tokenizer(tokenizer)) = &imported.vocabulary else { return };
        if write(path, &imported.network, tokenizer, Quantization::F32).is_ok() {
            let again = read(path).expect("what was written can be read");
            assert_eq!(again.network.token_embedding, imported.network.token_embedding);
        }
    });
});
