//! `tokenizer stats`: how a vocabulary suits texts.

use std::cmp::Reverse;
use std::path::{Path, PathBuf};
use std::time::Instant;

use rekindle_tokenizer::Tokenizer;
use serde::Serialize;
use serde_json::{Value, json};

use super::{Piece, TEXT_LIMIT, open, read, tokens_of, visible};
use crate::output;

/// So many of the longest and of the most frequent tokens are shown.
const SHOWN: usize = 10;
/// A token is shown with no more characters.
const SHOWN_CHARACTERS: usize = 40;

pub fn stats(tokenizer: &Path, files: &[PathBuf], json: bool) -> anyhow::Result<u8> {
    let tokenizer = open(tokenizer)?;
    let vocabulary = (0..tokenizer.len() as u32).filter(|&id| tokenizer.token_bytes(id).is_some()).count();
    let mut all = Use::new(&tokenizer);
    let mut measured: Vec<(String, Value)> = Vec::new();
    let mut rows = Vec::new();
    for file in files {
        let one = Use::measure(&tokenizer, &read(file, TEXT_LIMIT)?);
        let name = file.display().to_string();
        rows.push(one.row(&name, vocabulary));
        measured.push((name, json!(one.summary(vocabulary))));
        all.add(&one);
    }
    if files.len() > 1 {
        rows.push(all.row("together", vocabulary));
    }
    let (frequent, longest) = (all.most_frequent(), all.longest(&tokenizer));
    if json {
        let pieces = |ids: &[u32]| -> Vec<Value> {
            ids.iter()
                .map(|&id| json!({"token": Piece::new(&tokenizer, id), "count": all.count(id)}))
                .collect()
        };
        let files: Vec<Value> =
            measured.iter().map(|(file, summary)| json!({"file": file, "use": summary})).collect();
        output::print_json(&json!({
            "vocabulary": vocabulary, "identity": tokenizer.identity(), "files": files,
            "together": all.summary(vocabulary), "most_frequent": pieces(&frequent), "longest": pieces(&longest),
        }))?;
        return Ok(0);
    }
    let header = ["text", ">bytes", ">tokens", ">bytes/token", ">tokens/word", ">vocabulary in use", ">MB/s"];
    output::print(&output::table(&header, &rows))?;
    for (title, ids) in [("most frequent", frequent), ("longest", longest)] {
        let rows: Vec<Vec<String>> = ids.iter().map(|&id| all.token_row(&tokenizer, id)).collect();
        output::print(&format!(
            "\n{}",
            output::table(&[title, ">token", ">bytes", ">times", ">share"], &rows)
        ))?;
    }
    Ok(0)
}

/// How often each token stands in texts.
struct Use {
    counts: Vec<u64>,
    bytes: u64,
    words: u64,
    seconds: f64,
}

/// What a reader wants to know of it; none where there is nothing to divide by.
#[derive(Serialize)]
struct Summary {
    bytes: u64,
    tokens: u64,
    words: u64,
    bytes_per_token: Option<f64>,
    tokens_per_word: Option<f64>,
    used_tokens: u64,
    used_share: f64,
    bytes_per_second: Option<f64>,
}

impl Use {
    fn new(tokenizer: &Tokenizer) -> Self {
        Self { counts: vec![0; tokenizer.len()], bytes: 0, words: 0, seconds: 0.0 }
    }

    fn measure(tokenizer: &Tokenizer, text: &[u8]) -> Self {
        let mut found = Self::new(tokenizer);
        let started = Instant::now();
        let tokens = tokens_of(tokenizer, text);
        found.seconds = started.elapsed().as_secs_f64();
        found.bytes = text.len() as u64;
        found.words = text.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).count() as u64;
        for token in tokens {
            found.counts[token as usize] += 1;
        }
        found
    }

    fn add(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
        self.bytes += other.bytes;
        self.words += other.words;
        self.seconds += other.seconds;
    }

    fn count(&self, id: u32) -> u64 {
        self.counts[id as usize]
    }

    fn tokens(&self) -> u64 {
        self.counts.iter().sum()
    }

    fn used(&self) -> impl Iterator<Item = u32> {
        (0..self.counts.len() as u32).filter(|&id| self.count(id) > 0)
    }

    fn most_frequent(&self) -> Vec<u32> {
        let mut ids: Vec<u32> = self.used().collect();
        ids.sort_by_key(|&id| Reverse(self.count(id)));
        ids.truncate(SHOWN);
        ids
    }

    fn longest(&self, tokenizer: &Tokenizer) -> Vec<u32> {
        let mut ids: Vec<u32> = self.used().collect();
        ids.sort_by_key(|&id| Reverse(tokenizer.token_bytes(id).map(<[u8]>::len)));
        ids.truncate(SHOWN);
        ids
    }

    fn summary(&self, vocabulary: usize) -> Summary {
        let (tokens, used) = (self.tokens(), self.used().count() as u64);
        Summary {
            bytes: self.bytes,
            tokens,
            words: self.words,
            bytes_per_token: quotient(self.bytes as f64, tokens as f64),
            tokens_per_word: quotient(tokens as f64, self.words as f64),
            used_tokens: used,
            used_share: used as f64 / vocabulary as f64,
            bytes_per_second: quotient(self.bytes as f64, self.seconds),
        }
    }

    fn row(&self, name: &str, vocabulary: usize) -> Vec<String> {
        let summary = self.summary(vocabulary);
        let shown = |value: Option<f64>, digits: usize| {
            value.map_or("-".to_owned(), |value| format!("{value:.digits$}"))
        };
        vec![
            name.to_owned(),
            summary.bytes.to_string(),
            summary.tokens.to_string(),
            shown(summary.bytes_per_token, 2),
            shown(summary.tokens_per_word, 2),
            format!("{} of {vocabulary} ({:.1}%)", summary.used_tokens, summary.used_share * 100.0),
            shown(summary.bytes_per_second.map(|rate| rate / 1e6), 1),
        ]
    }

    fn token_row(&self, tokenizer: &Tokenizer, id: u32) -> Vec<String> {
        let bytes = tokenizer.token_bytes(id).unwrap_or_default();
        let count = self.count(id);
        let share = count as f64 / self.tokens() as f64;
        // Quotes show where spaces are.
        vec![
            format!("\"{}\"", shortened(&visible(bytes))),
            id.to_string(),
            bytes.len().to_string(),
            count.to_string(),
            format!("{:.2}%", share * 100.0),
        ]
    }
}

fn quotient(dividend: f64, divisor: f64) -> Option<f64> {
    (dividend > 0.0 && divisor > 0.0).then(|| dividend / divisor)
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHOWN_CHARACTERS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
