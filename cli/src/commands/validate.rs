//! `validate`: whether a language model is whole.

use anyhow::bail;
use rekindle_compute::KernelPath;
use rekindle_gpt::model::Layer;
use serde_json::json;

use crate::language_model;
use crate::output;

/// Tokens that are tried, at most.
const TRIED: usize = 64;

pub fn validate(address: &str, json: bool) -> anyhow::Result<u8> {
    // Loading checks that all parts agree and all numbers are finite.
    let model = language_model::load(address)?;
    let network = &model.network;
    let blocks = network.layers.iter().filter(|layer| matches!(layer, Layer::Attention(_))).count();
    let (vocabulary, context) = (network.vocabulary(), network.context());
    let tokens: Vec<u32> = (0..TRIED.min(context)).map(|place| (place * 7919 % vocabulary) as u32).collect();
    let logits = model.logits(KernelPath::from_environment()?, &tokens)?;
    if let Some(position) = logits.iter().position(|logit| !logit.is_finite()) {
        let (place, token) = (position / vocabulary, position % vocabulary);
        bail!(
            "`{address}` does not compute: behind {} tokens, the logit of token {token} is {}",
            place + 1,
            logits[position]
        );
    }
    if json {
        output::print_json(&json!({
            "parameters": network.parameters(),
            "layers": blocks,
            "width": network.width(),
            "context": context,
            "vocabulary": vocabulary,
            "tokenizer": model.tokenizer().identity(),
        }))?;
        return Ok(0);
    }
    let rows = [
        (
            "network",
            format!("{} parameters, {blocks} layers, {} wide", network.parameters(), network.width()),
        ),
        ("context", format!("{context} tokens")),
        ("vocabulary", format!("{vocabulary} tokens, a row of the network for each")),
        ("numbers", "all finite".to_owned()),
        ("forward", format!("{} tokens: every logit is finite", tokens.len())),
    ];
    let rows: Vec<Vec<String>> = rows.into_iter().map(|(name, what)| vec![name.to_owned(), what]).collect();
    output::print(&output::table(&["part", "found"], &rows))?;
    output::print(&format!("{address} is a whole language model"))?;
    Ok(0)
}
