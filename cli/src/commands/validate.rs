//! `validate`: whether a language model is whole.

use anyhow::Context;
use rekindle_train::Registry;

use crate::language_model::{self, Asked};
use crate::output;

pub fn validate(registry: &Registry, address: &str, json: bool) -> anyhow::Result<u8> {
    // Loading checks that all parts agree and all numbers are finite.
    let model = language_model::load(registry, address, &Asked::default(), 1)?;
    let tried = model.try_out().with_context(|| format!("`{address}` does not compute"))?;
    let size = model.size();
    if json {
        output::print_json(&size)?;
        return Ok(0);
    }
    let network = format!("{} parameters, {} layers, {} wide", size.parameters, size.layers, size.width);
    let rows = [
        ("network", network),
        ("context", format!("{} tokens", size.context)),
        ("vocabulary", format!("{} tokens, a row of the network for each", size.vocabulary)),
        ("numbers", "all finite".to_owned()),
        ("forward", format!("{tried} tokens: every logit is finite")),
    ];
    let rows: Vec<Vec<String>> = rows.into_iter().map(|(name, what)| vec![name.to_owned(), what]).collect();
    output::print(&output::table(&["part", "found"], &rows))?;
    output::print(&format!("{address} is a whole language model"))?;
    Ok(0)
}
