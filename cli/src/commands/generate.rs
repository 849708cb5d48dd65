//! `generate`: a language model goes on with a text.

use std::io::Read;

use anyhow::{Context, anyhow, bail};
use rekindle_gpt::GptError;
use rekindle_gpt::inference::{Generation, GenerationSettings, StopReason, WhenFull, forbidden_tokens};
use serde_json::json;

use crate::args::GenerateArgs;
use crate::language_model;
use crate::output;

/// A prompt from standard input is never longer: bytes.
const PROMPT_LIMIT: u64 = 64 << 20;

/// Tokens that end a text, in the models that there are.
const ENDS: [&str; 3] = ["</s>", "<|end|>", "<|endoftext|>"];

pub fn generate(args: &GenerateArgs, json: bool) -> anyhow::Result<u8> {
    let model = language_model::load(&args.model)?;
    let tokenizer = model.tokenizer();
    // What somebody types is its characters, never a mark.
    let prompt = tokenizer.encode_ordinary(&prompt(&args.prompt)?);
    if prompt.is_empty() {
        bail!("the prompt has no token that the model knows; give it a text to go on with");
    }
    let stop_tokens: Vec<u32> = ENDS.iter().filter_map(|end| tokenizer.token_of(end.as_bytes())).collect();
    let settings = GenerationSettings {
        max_tokens: args.how.max_tokens(),
        stop_strings: args.stop.clone(),
        forbidden_tokens: forbidden_tokens(tokenizer, &stop_tokens),
        stop_tokens,
        when_full: if args.slide { WhenFull::Slide } else { WhenFull::Stop },
        sampling: args.how.sampling(&model),
    };
    let mut decoder = args.how.decoder(&model)?;
    let mut generation =
        Generation::start(&mut decoder, tokenizer, &settings, &prompt).map_err(|error| match error {
            GptError::TooLong { .. } => anyhow!("{error} (with --slide it loses its beginning)"),
            error => error.into(),
        })?;
    let mut text = String::new();
    for piece in &mut generation {
        let piece = piece?;
        if json {
            text += &piece;
        } else if !output::print_piece(&piece)? {
            return Ok(0);
        }
    }
    let outcome = generation.outcome();
    if json {
        output::print_json(&json!({
            "text": text,
            "tokens": outcome.tokens,
            "stopped_by": reason(&outcome.stop),
            "tokens_per_second": outcome.rate,
            "prompt_tokens_per_second": outcome.prompt_rate,
        }))?;
        return Ok(0);
    }
    output::print("")?;
    rekindle_train::tell!("{}", output::dim(&summary(outcome.tokens.len(), outcome.rate, &outcome.stop)));
    Ok(0)
}

fn prompt(argument: &str) -> anyhow::Result<Vec<u8>> {
    if argument != "-" {
        return Ok(argument.as_bytes().to_vec());
    }
    let mut text = Vec::new();
    std::io::stdin().lock().take(PROMPT_LIMIT).read_to_end(&mut text).context("standard input")?;
    Ok(text)
}

/// What an answer came to, in a line.
pub fn summary(tokens: usize, rate: f64, stop: &StopReason) -> String {
    let note = match stop {
        StopReason::MaxTokens => "; as many as were asked for",
        StopReason::ContextFull => "; the model cannot see more",
        StopReason::Interrupted => "; interrupted",
        _ => "",
    };
    format!("{tokens} tokens, {rate:.0} a second{note}")
}

fn reason(stop: &StopReason) -> String {
    match stop {
        StopReason::MaxTokens => "max_tokens".to_owned(),
        StopReason::StopString(text) => format!("stop: {text}"),
        StopReason::StopToken(token) => format!("token {token}"),
        StopReason::ContextFull => "context_full".to_owned(),
        _ => "interrupted".to_owned(),
    }
}
