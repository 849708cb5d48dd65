//! `tokenizer build`: a vocabulary that is learnt from texts.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, bail};
use rekindle_formats::files;
use rekindle_tokenizer::Tokenizer;
use serde_json::json;

use super::{TEXT_LIMIT, read, tokens_of};
use crate::args::{TokenKindArg, TokenizerBuildArgs};
use crate::output;

const USUAL_VOCABULARY: usize = 8192;
const BYTES: usize = 256;

pub fn build(args: &TokenizerBuildArgs, json: bool) -> anyhow::Result<u8> {
    let asked = size(args)?;
    args.replace.allow_beside(&args.out, args.files.iter().map(PathBuf::as_path))?;
    let text = joined(&args.files)?;
    if !json {
        let (tokens, bytes) = (asked, output::bytes(text.len() as u64));
        tell!("learning {tokens} tokens from {bytes}");
    }
    let started = Instant::now();
    let learnt = learn(args.kind, asked, &text)?;
    let has_all = learnt.len() == asked;
    let special: Vec<&str> = args.special.iter().map(String::as_str).collect();
    let tokenizer = learnt.with_special_tokens(&special)?;
    let seconds = started.elapsed().as_secs_f64();
    let written = write(&tokenizer, &args.out)?;
    let tokens = tokens_of(&tokenizer, &text).len();
    let bytes_per_token = text.len() as f64 / tokens.max(1) as f64;
    if json {
        output::print_json(&json!({
            "file": args.out, "bytes": written, "tokens": tokenizer.len(), "identity": tokenizer.identity(),
            "text_bytes": text.len(), "text_tokens": tokens, "bytes_per_token": bytes_per_token,
            "seconds": seconds,
        }))?;
        return Ok(0);
    }
    let (file, size) = (args.out.display(), output::bytes(written));
    output::print(&format!("wrote {} tokens to {file} ({size})", tokenizer.len()))?;
    if !has_all {
        output::print(&format!("{asked} were asked for, but the text has no more to learn"))?;
    }
    let learnt = output::bytes(text.len() as u64);
    output::print(&format!("learnt from {learnt} in {seconds:.1} s: {bytes_per_token:.2} bytes a token"))?;
    Ok(0)
}

/// Tokens to learn.
fn size(args: &TokenizerBuildArgs) -> anyhow::Result<usize> {
    match (args.kind, args.vocabulary) {
        (TokenKindArg::Bytes, None | Some(BYTES)) => Ok(BYTES),
        (TokenKindArg::Bytes, Some(other)) => {
            bail!("--kind bytes has {BYTES} tokens, not {other}; leave --vocabulary out")
        }
        (_, asked) => Ok(asked.unwrap_or(USUAL_VOCABULARY)),
    }
}

fn joined(files: &[PathBuf]) -> anyhow::Result<Vec<u8>> {
    let mut text = Vec::new();
    for file in files {
        text.append(&mut read(file, TEXT_LIMIT - text.len() as u64)?);
    }
    if text.is_empty() {
        let names: Vec<String> = files.iter().map(|file| format!("`{}`", file.display())).collect();
        bail!("there is nothing to learn from: {} {} empty", names.join(", "), are(names.len()));
    }
    Ok(text)
}

fn are(count: usize) -> &'static str {
    if count == 1 { "is" } else { "are" }
}

fn learn(kind: TokenKindArg, size: usize, text: &[u8]) -> anyhow::Result<Tokenizer> {
    Ok(match kind {
        TokenKindArg::BytePairs | TokenKindArg::Bytes => Tokenizer::train_byte_pair(text, size)?,
        TokenKindArg::Words => Tokenizer::train_words_and_bytes(text, size)?,
    })
}

/// Writes the file and gives its length: bytes.
fn write(tokenizer: &Tokenizer, file: &Path) -> anyhow::Result<u64> {
    let mut json = serde_json::to_vec(&tokenizer.to_hugging_face()?)?;
    json.push(b'\n');
    // One that is too long to be read would be of no use.
    Tokenizer::from_hugging_face(&json).context("nothing is written")?;
    files::write(file, &json).with_context(|| format!("cannot write `{}`", file.display()))?;
    Ok(json.len() as u64)
}
