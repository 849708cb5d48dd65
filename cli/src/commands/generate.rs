//! `generate`: a language model goes on with a text.

use std::io::Read;

use anyhow::Context;
use rekindle_train::{Completion, Generated, Registry, TextStop};
use serde_json::{Value, json};

use crate::args::GenerateArgs;
use crate::checked_answer::{Checked, NO_QUESTION, Question};
use crate::language_model::{self, Asked};
use crate::output;

/// A prompt from standard input is never longer: bytes.
const PROMPT_LIMIT: u64 = 64 << 20;

pub fn generate(registry: &Registry, args: &GenerateArgs, asked: &Asked, json: bool) -> anyhow::Result<u8> {
    let mut model = language_model::load(registry, &args.model, asked, args.threads.count())?;
    let request = Completion { stop: args.stop.clone(), slide: args.slide };
    let (mut text, mut printed) = (String::new(), Ok(true));
    let prompt = prompt(&args.prompt)?;
    let generated = model.complete(&prompt, &request, &mut |piece| {
        text += piece;
        if !json {
            printed = output::print_piece(piece);
        }
        matches!(printed, Ok(true))
    })?;
    if !printed? {
        return Ok(0);
    }
    let question = args.reasoner.then(|| Question::of(&String::from_utf8_lossy(&prompt), std::iter::empty()));
    let mut facts = model.facts().cloned().unwrap_or_default();
    let checked = question.flatten().map(|question| question.check(&mut facts, &text)).transpose()?;
    if json {
        let mut answer = json!({
            "text": text,
            "tokens": generated.tokens,
            "stopped_by": reason(&generated.stop),
            "tokens_per_second": generated.rate,
            "prompt_tokens_per_second": generated.prompt_rate,
        });
        if args.reasoner {
            answer["reasoner"] = checked.as_ref().map_or(Value::Null, Checked::in_json);
        }
        output::print_json(&answer)?;
        return Ok(0);
    }
    output::print("")?;
    if args.reasoner {
        output::print(&checked.as_ref().map_or_else(|| NO_QUESTION.to_owned(), Checked::text))?;
    }
    if args.proof {
        checked.iter().flat_map(Checked::proof).try_for_each(|line| output::print(&line).map(drop))?;
    }
    tell!("{}", output::dim(&summary(&generated)));
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
pub fn summary(generated: &Generated) -> String {
    let note = match generated.stop {
        TextStop::MaxTokens => "; as many as were asked for",
        TextStop::ContextFull => "; the model cannot see more",
        TextStop::Interrupted => "; interrupted",
        _ => "",
    };
    format!("{} tokens, {:.0} a second{note}", generated.tokens.len(), generated.rate)
}

fn reason(stop: &TextStop) -> String {
    match stop {
        TextStop::MaxTokens => "max_tokens".to_owned(),
        TextStop::Text(text) => format!("stop: {text}"),
        TextStop::Token(token) => format!("token {token}"),
        TextStop::ContextFull => "context_full".to_owned(),
        _ => "interrupted".to_owned(),
    }
}
