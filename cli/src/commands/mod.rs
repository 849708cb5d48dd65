//! One file per command, or per family of commands.

pub mod chat;
pub mod convert;
pub mod describe;
pub mod diff;
pub mod doctor;
pub mod encrypt;
pub mod evaluate;
pub mod explain;
pub mod generate;
pub mod inspect;
pub mod ls;
pub mod plot;
pub mod predict;
pub mod presets;
pub mod prove;
pub mod prune;
pub mod repair;
pub mod runs;
pub mod sign;
pub mod status;
pub mod tag;
pub mod tokenizer;
pub mod train;
pub mod validate;
pub mod verify;

use clap_complete::Shell;

use crate::output;

/// Prints the completion script of a shell.
pub fn completions(mut command: clap::Command, shell: Shell) -> anyhow::Result<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, "rekindle", &mut script);
    output::print(String::from_utf8_lossy(&script).trim_end())?;
    Ok(0)
}
