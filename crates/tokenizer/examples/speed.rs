//! How fast a text becomes tokens: `speed TEXT`, with a vocabulary of 2,000 byte pairs learnt from it.
#![allow(clippy::disallowed_methods, reason = "a tool reads its own file")]

use std::error::Error;
use std::time::Instant;

use rekindle_tokenizer::Tokenizer;

const REPEATS: usize = 15;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("usage: speed TEXT")?;
    let text = std::fs::read(path)?;
    let tokenizer = Tokenizer::train_byte_pair(&text, 2000)?;
    report("encode", text.len(), || tokenizer.encode(&text));
    Ok(())
}

/// Prints the best of several repeats: other work on the machine only ever slows one down.
fn report(name: &str, bytes: usize, mut run: impl FnMut() -> Vec<u32>) -> f64 {
    let mut best = f64::INFINITY;
    for _ in 0..REPEATS {
        let start = Instant::now();
        let tokens = run();
        best = best.min(start.elapsed().as_secs_f64());
        assert!(!tokens.is_empty());
    }
    println!("{name:<24} {:>8.1} MB/s {:>8.2} ms", bytes as f64 / best / 1e6, best * 1e3);
    best
}
