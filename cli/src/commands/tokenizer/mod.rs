//! `tokenizer`: vocabularies of tokens that are made, used and measured.

mod build;
mod encode;
mod stats;

use std::num::NonZero;
use std::path::Path;
use std::sync::Mutex;

use anyhow::{Context, bail};
use rekindle_formats::files;
use rekindle_tokenizer::Tokenizer;
use serde::Serialize;

use crate::args::TokenizerCommand;
use crate::output::Progress;

/// No `tokenizer.json` is longer: bytes. The library reads no more.
const TOKENIZER_LIMIT: u64 = 64 << 20;
/// No text is longer: bytes. The library learns from no more.
const TEXT_LIMIT: u64 = u32::MAX as u64;
/// A text of fewer bytes is done before progress could be read.
const PROGRESS_FROM: usize = 4 << 20;

pub fn tokenizer(command: &TokenizerCommand, json: bool) -> anyhow::Result<u8> {
    match command {
        TokenizerCommand::Build(args) => build::build(args, json),
        TokenizerCommand::Encode(args) => encode::encode(args, json),
        TokenizerCommand::Decode { tokenizer, ids } => encode::decode(tokenizer, ids, json),
        TokenizerCommand::Stats { tokenizer, files } => stats::stats(tokenizer, files, json),
    }
}

/// The tokenizer at an address: a `tokenizer.json`.
fn open(address: &Path) -> anyhow::Result<Tokenizer> {
    let json = read(address, TOKENIZER_LIMIT)?;
    Tokenizer::from_hugging_face(&json).with_context(|| format!("`{}`", address.display()))
}

/// A file of at most `limit` bytes.
fn read(file: &Path, limit: u64) -> anyhow::Result<Vec<u8>> {
    if file.is_dir() {
        bail!("`{}` is a directory; name a file", file.display());
    }
    files::read(file, limit).with_context(|| format!("cannot read `{}`", file.display()))
}

/// The tokens of a text, made by all cores, with progress on a terminal if it takes a while.
fn tokens_of(tokenizer: &Tokenizer, text: &[u8]) -> Vec<u32> {
    let threads = std::thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN);
    let total = text.len() as u64;
    let progress = (text.len() >= PROGRESS_FROM).then(|| Mutex::new(Progress::new("bytes", total)));
    tokenizer.encode_parallel(text, threads, &|done| {
        // When another thread is just showing, the next one shows where all are.
        if let Some(mut progress) = progress.as_ref().and_then(|progress| progress.try_lock().ok()) {
            progress.set(done as u64, total);
        }
    })
}

/// A token as scripts see it.
#[derive(Serialize)]
struct Piece {
    id: u32,
    #[serde(flatten)]
    text: Text,
}

/// Bytes as text. Those that are not UTF-8, such as a part of a character, are listed too.
#[derive(Serialize)]
struct Text {
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<Vec<u8>>,
}

impl Text {
    fn new(bytes: &[u8]) -> Self {
        let is_text = str::from_utf8(bytes).is_ok();
        Self { text: String::from_utf8_lossy(bytes).into_owned(), bytes: (!is_text).then(|| bytes.to_vec()) }
    }
}

impl Piece {
    fn new(tokenizer: &Tokenizer, id: u32) -> Self {
        Self { id, text: Text::new(tokenizer.token_bytes(id).unwrap_or_default()) }
    }
}

/// Bytes as one line on a terminal: what would not be seen, or do something there, is escaped, as is `\`.
fn visible(bytes: &[u8]) -> String {
    let mut shown = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\'' | '"' => shown.push(character),
                _ => shown.extend(character.escape_debug()),
            }
        }
        for byte in chunk.invalid() {
            shown.push_str(&format!("\\x{byte:02x}"));
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_act_on_is_escaped() {
        assert_eq!(visible("a \"b\"'é漢".as_bytes()), "a \"b\"'é漢");
        assert_eq!(visible(b"\\\n\t\x1b[1m\xe2\x82"), "\\\\\\n\\t\\u{1b}[1m\\xe2\\x82");
        assert_eq!(visible("\u{202e}".as_bytes()), "\\u{202e}");
    }
}
