//! Options that the systems declare, such as `--data`: as arguments of `train` and `resume`, and as the
//! settings that they stand for.

use anyhow::{Context, bail};
use clap::{Arg, ArgAction, ArgMatches, Command};
use rekindle_train::{AnySystem, Registry, SystemOption};

const HEADING: &str = "Options of some systems";

/// `command` with the options of all systems on `train` and `resume`.
pub fn declare(command: Command, registry: &Registry) -> Command {
    let add = |command: Command, resumes: bool| command.args(arguments(registry, resumes));
    command
        .mut_subcommand("train", |train| add(train, false))
        .mut_subcommand("resume", |resume| add(resume, true))
}

/// The systems that declare an option of one name, and what it is to them.
struct Named {
    option: &'static SystemOption,
    systems: Vec<&'static str>,
}

/// An argument for each name that a system declares.
fn arguments(registry: &Registry, resumes: bool) -> Vec<Arg> {
    let mut names: Vec<Vec<Named>> = Vec::new();
    for (system, option) in options(registry).filter(|(_, option)| option.resumes || !resumes) {
        let index = names.iter().position(|named| named[0].option.name == option.name);
        let index = index.unwrap_or_else(|| {
            names.push(Vec::new());
            names.len() - 1
        });
        match names[index].iter_mut().find(|named| named.option.help == option.help) {
            Some(named) => named.systems.push(system),
            None => names[index].push(Named { option, systems: vec![system] }),
        }
    }
    // What most systems have comes first.
    let systems = |named: &Named| named.systems.len();
    names.iter_mut().for_each(|named| named.sort_by_key(|named| std::cmp::Reverse(systems(named))));
    names.sort_by_key(|named| std::cmp::Reverse(named.iter().map(systems).sum::<usize>()));
    names.iter().map(|named| argument(named)).collect()
}

fn options(registry: &Registry) -> impl Iterator<Item = (&'static str, &'static SystemOption)> {
    let systems: Vec<_> = registry.systems().map(|system| (system.name(), system.options())).collect();
    systems.into_iter().flat_map(|(name, options)| options.iter().map(move |option| (name, option)))
}

/// An argument, which may be something else to other systems.
fn argument(named: &[Named]) -> Arg {
    let Named { option, .. } = named[0];
    let help =
        named.iter().map(|Named { option, systems }| format!("{} [{}]", option.help, systems.join(", ")));
    Arg::new(option.name)
        .long(option.name)
        .value_name(option.value)
        .help(help.collect::<Vec<_>>().join("; "))
        .help_heading(HEADING)
        .action(ArgAction::Append)
}

/// The options of systems that were given, with their values.
#[derive(Debug, Default)]
pub struct Given(Vec<(&'static str, Vec<String>)>);

impl Given {
    /// Those among the arguments of a command.
    pub fn of(matches: &ArgMatches, registry: &Registry) -> Self {
        let mut given: Vec<(&'static str, Vec<String>)> = Vec::new();
        let Some((_, matches)) = matches.subcommand() else { return Self::default() };
        for (_, option) in options(registry) {
            let values = matches.try_get_many::<String>(option.name).ok().flatten();
            if let Some(values) = values.filter(|_| given.iter().all(|(name, _)| *name != option.name)) {
                given.push((option.name, values.cloned().collect()));
            }
        }
        Self(given)
    }

    /// What they stand for, in the order in which the system declares them, and behind it what was set.
    pub fn settings(&self, system: &dyn AnySystem, set: Vec<String>) -> anyhow::Result<Vec<String>> {
        for (name, values) in &self.0 {
            if system.options().iter().all(|option| option.name != *name) {
                bail!("--{name} {}: `{}` has no such option", values.join(" "), system.name());
            }
        }
        let mut settings = Vec::new();
        for option in system.options() {
            let Some((name, values)) = self.0.iter().find(|(name, _)| *name == option.name) else { continue };
            settings.extend(option.settings(values).with_context(|| format!("--{name}"))?);
        }
        settings.extend(set);
        Ok(settings)
    }
}
