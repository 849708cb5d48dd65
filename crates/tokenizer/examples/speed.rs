//! How fast a text becomes tokens: `speed TEXT`, with a vocabulary of 2,000 byte pairs learnt from it.
#![allow(clippy::disallowed_methods, reason = "a tool reads its own file")]

use std::error::Error;
use std::num::NonZero;
use std::time::Instant;

use rekindle_tokenizer::{Adaptive, Policy, Tokenizer};

const REPEATS: usize = 15;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("usage: speed TEXT")?;
    let text = std::fs::read(path)?;
    let tokenizer = Tokenizer::train_byte_pair(&text, 2000)?;
    let encode = report("encode", text.len(), || tokenizer.encode(&text));
    let fresh = Adaptive::new(tokenizer.clone(), Policy::default())?;
    // Each repeat has a vocabulary of its own, made before the clock is started.
    let mut all = vec![fresh.clone(); REPEATS].into_iter();
    let mut keep = Vec::new();
    let first = report("observe, the first time", text.len(), || {
        let mut adaptive = all.next().unwrap_or_else(|| fresh.clone());
        let tokens = adaptive.observe(&text);
        keep.push(adaptive);
        tokens
    });
    let mut adaptive = fresh;
    adaptive.observe(&text);
    let again = report("observe, the same again", text.len(), || adaptive.observe(&text));
    println!("observe / encode: {:.2} the first time, {:.2} later", first / encode, again / encode);
    let start = Instant::now();
    let change = adaptive.propose().ok_or("nothing to learn")?;
    println!("propose: {} tokens in {:.1} ms", change.added(), start.elapsed().as_secs_f64() * 1e3);
    let start = Instant::now();
    adaptive.apply(&change)?;
    println!("apply: {:.1} ms", start.elapsed().as_secs_f64() * 1e3);
    for threads in [1, 2] {
        let threads = NonZero::new(threads).ok_or("no threads")?;
        report(&format!("{threads} threads"), text.len(), || {
            tokenizer.encode_parallel(&text, threads, &|_| {})
        });
    }
    let large = text.repeat(8);
    report("8 times the text", large.len(), || tokenizer.encode(&large));
    let threads = NonZero::new(2).ok_or("no threads")?;
    report("the same, 2 threads", large.len(), || tokenizer.encode_parallel(&large, threads, &|_| {}));
    Ok(())
}

/// Prints the best of several repeats: other work on the machine only ever slows one down. Seconds.
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
