//! `circuit`: the logic circuits of runs and files, made smaller, compared and counted.

mod args;
mod check;
mod info;
mod load;
mod simplify;

use std::path::Path;

use anyhow::bail;
use rekindle_gates::formats::{FORMATS, Writing};
use rekindle_train::Registry;

pub use args::CircuitCommand;

pub fn circuit(registry: &Registry, command: &CircuitCommand, json: bool) -> anyhow::Result<u8> {
    match command {
        CircuitCommand::Info { circuit } => info::info(registry, circuit, json),
        CircuitCommand::Simplify(args) => simplify::simplify(registry, args, json),
        CircuitCommand::Check { a, b } => check::check(registry, a, b.as_deref(), json),
    }
}

/// The format of circuits that a file is written in by its ending; none where no such format has it.
pub fn format_of(file: &Path) -> Option<&'static Writing> {
    let name = file.file_name()?.to_string_lossy().to_lowercase();
    FORMATS.iter().find(|format| name.ends_with(format.ending))
}

/// As [`format_of`], where there has to be one.
fn known_format_of(file: &Path) -> anyhow::Result<&'static Writing> {
    let Some(format) = format_of(file) else {
        let endings: Vec<&str> = FORMATS.iter().map(|format| format.ending).collect();
        bail!("`{}`: circuits are written as {}", file.display(), endings.join(", "));
    };
    Ok(format)
}
