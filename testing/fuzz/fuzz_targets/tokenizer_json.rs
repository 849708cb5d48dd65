//! A `tokenizer.json`. What is read cuts text into tokens of its vocabulary, and is the same when it is
//! written and read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rekindle_tokenizer::Tokenizer;

fuzz_target!(|data: &[u8]| {
    let Ok(tokenizer) = Tokenizer::from_hugging_face(data) else { return };
    let tokens = tokenizer.encode(data);
    assert!(tokens.iter().all(|&token| (token as usize) < tokenizer.len()));
    let text = tokenizer.to_hugging_face().unwrap().to_string();
    let again = Tokenizer::from_hugging_face(text.as_bytes()).expect("what was written can be read");
    assert_eq!(again.encode(data), tokens);
});
