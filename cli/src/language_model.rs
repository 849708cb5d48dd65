//! Language models as the user names them, and the options of how they are asked.

use std::path::Path;

use anyhow::Context;
use clap::{Arg, ArgAction, ArgMatches, Command};
use rekindle_train::{AnySystem, Registry, TextCapability, TextModel, TextOption};

use crate::address::Source;
use crate::commands::train::system_of;

const HEADING: &str = "Sampling";

/// Loads the model of a run, a checkpoint, or a file or directory of another program.
pub fn load(
    registry: &Registry,
    address: &str,
    asked: &Asked,
    threads: usize,
) -> anyhow::Result<Box<dyn TextModel>> {
    let mut model = open(registry, address, threads)?;
    model.notes().iter().for_each(|note| tell!("note: {note}"));
    for (name, value) in &asked.0 {
        model.set(name, value).with_context(|| format!("--{}", dashed(name)))?;
    }
    Ok(model)
}

fn open(registry: &Registry, address: &str, threads: usize) -> anyhow::Result<Box<dyn TextModel>> {
    match of_another_program(registry, address, threads)? {
        Some(model) => Ok(model),
        None => of_checkpoint(registry, Source::open(address)?, address, threads),
    }
}

/// The model of a file or directory of another program, if it is one of those.
pub fn of_another_program(
    registry: &Registry,
    address: &str,
    threads: usize,
) -> anyhow::Result<Option<Box<dyn TextModel>>> {
    let path = Path::new(address);
    let text = capabilities(registry).find(|text| (text.recognises)(path));
    Ok(text.map(|text| (text.read)(path, threads)).transpose()?)
}

/// The model of a checkpoint; `address` is what it was called.
pub fn of_checkpoint(
    registry: &Registry,
    source: Source,
    address: &str,
    threads: usize,
) -> anyhow::Result<Box<dyn TextModel>> {
    let load = |source: &Source| {
        let system = registry.system(&system_of(&source.store), address)?;
        let text = system.text().with_context(|| {
            let system = system.name();
            format!("it is not a language model: `{system}` models do not go on with texts")
        })?;
        Ok((text.load)(&source.checkpoint()?, threads)?)
    };
    source.read(load).with_context(|| format!("`{address}`"))
}

fn capabilities(registry: &Registry) -> impl Iterator<Item = TextCapability> {
    registry.systems().filter_map(AnySystem::text)
}

/// `command` with the options that language models declare.
pub fn declare(mut command: Command, registry: &Registry) -> Command {
    for name in ["generate", "chat", "ask"] {
        command = command.mut_subcommand(name, |command| command.args(options(registry).map(argument)));
    }
    command
}

/// Those of all systems; of two of the same name the first.
fn options(registry: &Registry) -> impl Iterator<Item = &'static TextOption> {
    let mut options: Vec<&'static TextOption> = Vec::new();
    for option in capabilities(registry).flat_map(|text| text.options) {
        if options.iter().all(|known| known.name != option.name) {
            options.push(option);
        }
    }
    options.into_iter()
}

fn argument(option: &TextOption) -> Arg {
    let argument = Arg::new(option.name).long(dashed(option.name)).help(option.help).help_heading(HEADING);
    match option.value {
        Some(value) => argument.value_name(value).allow_negative_numbers(true),
        None => argument.action(ArgAction::SetTrue),
    }
}

fn dashed(name: &str) -> String {
    name.replace('_', "-")
}

/// The options that were given, with their values.
#[derive(Debug, Default)]
pub struct Asked(Vec<(&'static str, String)>);

impl Asked {
    /// Those among the arguments of a command.
    pub fn of(matches: &ArgMatches, registry: &Registry) -> Self {
        let Some((_, matches)) = matches.subcommand() else { return Self::default() };
        let given = options(registry).filter_map(|option| {
            let value = match option.value {
                Some(_) => matches.try_get_one::<String>(option.name).ok().flatten().cloned(),
                None => {
                    let is_set = matches.try_get_one::<bool>(option.name).ok().flatten() == Some(&true);
                    is_set.then(|| "true".to_owned())
                }
            };
            Some((option.name, value?))
        });
        Self(given.collect())
    }
}
