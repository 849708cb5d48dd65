//! How fast a text becomes tokens with a `tokenizer.json`, for programs to read:
//! `tools/tokenizer_beside_hugging_face.py` runs it.
//!
//! ```text
//! cargo run --release -p rekindle-tokenizer --example encode_speed -- TOKENIZER.json TEXT TOKENS [REPEATS]
//! ```
//!
//! The tokens go to the file TOKENS with spaces between them. A line of JSON has the seconds of each repeat,
//! for one thread and for two.
#![allow(clippy::disallowed_methods, reason = "a tool reads and writes its own files")]

use std::error::Error;
use std::num::NonZero;
use std::time::Instant;

use rekindle_tokenizer::Tokenizer;
use serde_json::json;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (vocabulary, text, tokens, repeats) = match &arguments[..] {
        [vocabulary, text, tokens] => (vocabulary, text, tokens, 5),
        [vocabulary, text, tokens, repeats] => (vocabulary, text, tokens, repeats.parse()?),
        _ => return Err("usage: encode_speed TOKENIZER.json TEXT TOKENS [REPEATS]".into()),
    };
    let tokenizer = Tokenizer::from_hugging_face(&std::fs::read(vocabulary)?)?;
    let text = std::fs::read(text)?;
    let found = tokenizer.encode(&text);
    let words: Vec<String> = found.iter().map(u32::to_string).collect();
    std::fs::write(tokens, words.join(" "))?;

    let one = seconds(repeats, &found, || tokenizer.encode(&text));
    let threads = NonZero::new(2).ok_or("no threads")?;
    let two = seconds(repeats, &found, || tokenizer.encode_parallel(&text, threads, &|_| {}));
    println!("{}", json!({ "one_thread": one, "two_threads": two }));
    Ok(())
}

/// What each repeat took.
fn seconds(repeats: usize, expected: &[u32], run: impl Fn() -> Vec<u32>) -> Vec<f64> {
    let time = |_| {
        let start = Instant::now();
        let tokens = run();
        let seconds = start.elapsed().as_secs_f64();
        assert!(tokens == expected, "the tokens are the same each time");
        seconds
    };
    (0..repeats).map(time).collect()
}
