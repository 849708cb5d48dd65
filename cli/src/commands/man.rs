//! `man` and `completions`: what a shell and a reader of manuals are given.

use std::path::Path;

use anyhow::{Context, bail};
use clap::Command;
use clap_complete::Shell;
use clap_complete::env::Shells;
use clap_mangen::Man;
use rekindle_formats::files;
use serde_json::json;

use crate::output;

/// The variable by which a shell asks this program for completions.
pub const COMPLETE: &str = "COMPLETE";

/// Prints the script by which a shell asks this program what comes next.
pub fn completions(shell: Shell) -> anyhow::Result<u8> {
    let name = shell.to_string();
    let shells = Shells::builtins();
    let shell = shells.completer(&name).with_context(|| format!("there are no completions for {name}"))?;
    let mut script = Vec::new();
    shell.write_registration(COMPLETE, "rekindle", "rekindle", "rekindle", &mut script)?;
    output::print(String::from_utf8_lossy(&script).trim_end())?;
    Ok(0)
}

/// Prints the manual page of a command, or writes the pages of all into a directory.
pub fn man(root: Command, name: &[String], out: Option<&Path>, json: bool) -> anyhow::Result<u8> {
    let mut root = root;
    root.build();
    let Some(directory) = out else {
        let mut command = &root;
        for word in name {
            let Some(found) = command.find_subcommand(word) else { bail!("there is no command `{word}`") };
            command = found;
        }
        output::print(String::from_utf8_lossy(&page(command)?).trim_end())?;
        return Ok(0);
    };
    files::create_directory(directory).with_context(|| directory.display().to_string())?;
    let mut written = Vec::new();
    write_pages(&root, "rekindle", directory, &mut written)?;
    if json {
        output::print_json(&json!({"directory": directory, "files": written}))?;
    } else {
        output::print(&format!("wrote {} pages to {}", written.len(), directory.display()))?;
    }
    Ok(0)
}

fn write_pages(
    command: &Command,
    name: &str,
    directory: &Path,
    written: &mut Vec<String>,
) -> anyhow::Result<()> {
    let file = format!("{name}.1");
    let path = directory.join(&file);
    files::write(&path, &page(command)?).with_context(|| format!("cannot write `{}`", path.display()))?;
    written.push(file);
    for child in command.get_subcommands().filter(|child| child.get_name() != "help") {
        write_pages(child, &format!("{name}-{}", child.get_name()), directory, written)?;
    }
    Ok(())
}

fn page(command: &Command) -> anyhow::Result<Vec<u8>> {
    let mut page = Vec::new();
    Man::new(command.clone()).render(&mut page)?;
    Ok(page)
}
