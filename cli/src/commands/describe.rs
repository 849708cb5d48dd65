//! `describe`: a trained model in words.

use rekindle_train::Registry;
use serde_json::json;

use crate::address::Source;
use crate::commands::train::system_of;
use crate::output;

pub fn describe(registry: &Registry, checkpoint: &str, json: bool) -> anyhow::Result<u8> {
    let source = Source::open(checkpoint)?;
    let system = registry.system(&system_of(&source.store), checkpoint)?;
    let (step, text) = source.read(|source| Ok((source.step, system.describe(&source.checkpoint()?)?)))?;
    if json {
        output::print_json(&json!({"step": step, "system": system.name(), "description": text}))?;
    } else {
        output::print(&format!("{}\n{text}", output::bold(&format!("step {step}"))))?;
    }
    Ok(0)
}
