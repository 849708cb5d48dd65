//! `tokenizer encode` and `decode`: text into tokens, and tokens into text.

use std::io::{self, IsTerminal, Read, Write};
use std::path::Path;

use anyhow::{Context, bail};
use rekindle_tokenizer::Tokenizer;
use serde::{Serialize, Serializer};

use super::{Piece, TEXT_LIMIT, Text, open, read, tokens_of, visible};
use crate::args::TokenizerEncodeArgs;
use crate::output;

/// An error quotes no more characters of what is not a number.
const QUOTED: usize = 30;

pub fn encode(args: &TokenizerEncodeArgs, json: bool) -> anyhow::Result<u8> {
    let tokenizer = open(&args.tokenizer)?;
    let text = match (&args.text, &args.file) {
        (Some(text), _) => text.clone().into_bytes(),
        (None, Some(file)) => read(file, TEXT_LIMIT)?,
        (None, None) => standard_input("the text")?,
    };
    // A text as a whole, as the library encodes it when nothing else is said.
    let tokens = tokenizer.framed(tokens_of(&tokenizer, &text));
    output::print_with(|out| {
        match (json, args.show) {
            (true, _) => serde_json::to_writer(
                &mut *out,
                &Encoded { schema_version: output::SCHEMA_VERSION, tokens: Pieces(&tokenizer, &tokens) },
            )?,
            (false, true) => write_between(out, "|", &tokens, |&token| shown(&tokenizer, token))?,
            (false, false) => write_between(out, " ", &tokens, u32::to_string)?,
        }
        writeln!(out)
    })?;
    Ok(0)
}

pub fn decode(tokenizer: &Path, ids: &[String], json: bool) -> anyhow::Result<u8> {
    let tokenizer = open(tokenizer)?;
    let listed = match ids.is_empty() {
        true => standard_input("the numbers of tokens")?,
        false => ids.join(" ").into_bytes(),
    };
    let text = tokenizer.decode(&numbers(&listed)?)?;
    if json {
        output::print_json(&Text::new(&text))?;
    } else {
        output::print_with(|out| out.write_all(&text))?;
    }
    Ok(0)
}

/// A token where others follow behind a `|`: one of its own is escaped, but for special tokens such as
/// `<|end|>`, which are known.
fn shown(tokenizer: &Tokenizer, token: u32) -> String {
    let visible = visible(tokenizer.token_bytes(token).unwrap_or_default());
    if tokenizer.is_special(token) { visible } else { visible.replace('|', "\\|") }
}

/// Everything up to the end of standard input.
fn standard_input(what: &str) -> anyhow::Result<Vec<u8>> {
    let input = io::stdin().lock();
    if input.is_terminal() {
        tell!("type {what}; Ctrl-D ends it");
    }
    let mut bytes = Vec::new();
    input.take(TEXT_LIMIT + 1).read_to_end(&mut bytes).context("cannot read standard input")?;
    if bytes.len() as u64 > TEXT_LIMIT {
        bail!("standard input has more than {TEXT_LIMIT} bytes");
    }
    Ok(bytes)
}

/// Numbers with white space or commas between them.
fn numbers(text: &[u8]) -> anyhow::Result<Vec<u32>> {
    let words = text.split(|byte| byte.is_ascii_whitespace() || *byte == b',');
    words.filter(|word| !word.is_empty()).map(number).collect()
}

fn number(word: &[u8]) -> anyhow::Result<u32> {
    let parsed = str::from_utf8(word).ok().and_then(|word| word.parse().ok());
    parsed.with_context(|| {
        let quoted: String = visible(word).chars().take(QUOTED).collect();
        format!("`{quoted}` is not the number of a token")
    })
}

fn write_between<T>(
    out: &mut dyn Write,
    between: &str,
    items: &[T],
    shown: impl Fn(&T) -> String,
) -> io::Result<()> {
    for (position, item) in items.iter().enumerate() {
        if position > 0 {
            out.write_all(between.as_bytes())?;
        }
        out.write_all(shown(item).as_bytes())?;
    }
    Ok(())
}

#[derive(Serialize)]
struct Encoded<'a> {
    schema_version: u64,
    tokens: Pieces<'a>,
}

/// Tokens as a list for scripts, made while it is written.
struct Pieces<'a>(&'a Tokenizer, &'a [u32]);

impl Serialize for Pieces<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.1.iter().map(|&token| Piece::new(self.0, token)))
    }
}
