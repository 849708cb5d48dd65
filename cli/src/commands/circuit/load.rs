//! Circuits as they are named: of runs, checkpoints and files.

use std::path::Path;

use anyhow::Context;
use rekindle_formats::files;
use rekindle_gates::Circuit;
use rekindle_gates::formats::aiger;
use rekindle_train::Registry;

use crate::address::Source;
use crate::commands::train::system_of;

/// A file is never longer: bytes.
pub const LIMIT: u64 = 1 << 30;

/// The circuit of a run or checkpoint, or of a file.
pub fn load(registry: &Registry, text: &str) -> anyhow::Result<Circuit> {
    let path = Path::new(text);
    if path.is_file() {
        let head = files::head(path, 4).with_context(|| format!("cannot read `{text}`"))?;
        if aiger::BEGINNINGS.contains(&head.as_slice()) {
            let file = files::read(path, LIMIT).with_context(|| format!("cannot read `{text}`"))?;
            return aiger::read(&file).with_context(|| format!("`{text}` is damaged"));
        }
    }
    Source::open_any(registry, text)?.read(|source| {
        let system = registry.system(&system_of(&source.store), text)?;
        Ok(system.circuit(&source.checkpoint()?)?)
    })
}
