//! The `rekindle` command: a thin layer over the libraries. It turns arguments into calls, and
//! outcomes into text and exit codes.

/// Tells people something on standard error. Nobody may be listening, as after `2>&1 | head`: that
/// is no reason to stop.
macro_rules! tell {
    ($($text:tt)*) => {{
        let _ = ::std::io::Write::write_fmt(&mut ::std::io::stderr(), ::core::format_args!("{}\n", ::core::format_args!($($text)*)));
    }};
}

mod address;
mod args;
mod checked_answer;
mod commands;
mod complete;
mod curve;
mod exit;
mod help;
mod json_events;
mod language_model;
mod launcher;
mod output;
mod picture_file;
mod progress;
mod replace;
mod run_state;
mod system_options;
mod terminal_picture;
mod unlock;

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches};
use clap_complete::CompleteEnv;

use rekindle_train::Registry;

use args::{Cli, Command};
use commands::presets::Shown;
use language_model::Asked;
use system_options::Given;

fn main() -> ExitCode {
    let registry = rekindle_systems::registry();
    let complete = CompleteEnv::with_factory(|| command(&registry)).var(commands::man::COMPLETE);
    complete.complete();
    let matches = match command(&registry).try_get_matches() {
        Ok(matches) => matches,
        Err(error) => return exit::usage(&error, std::env::args_os().any(|word| word == "--json")).into(),
    };
    let given = Declared { systems: Given::of(&matches, &registry), text: Asked::of(&matches, &registry) };
    // The arguments were read by the same rules.
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let json = cli.json;
    let code = match run(&registry, cli, &given) {
        Ok(code) => code,
        Err(error) => exit::report(&error, json),
    };
    ExitCode::from(code)
}

/// The command line, with what the systems add to it.
fn command(registry: &Registry) -> clap::Command {
    let command = system_options::declare(Cli::command(), registry);
    help::arrange(complete::declare(language_model::declare(command, registry)))
}

/// The options that systems declare, as far as they were given.
struct Declared {
    systems: Given,
    text: Asked,
}

fn run(registry: &Registry, cli: Cli, given: &Declared) -> anyhow::Result<u8> {
    let json = cli.json;
    unlock::set(cli.unlock);
    match cli.command {
        Command::Train(args) => commands::train::train(registry, args, &given.systems, json),
        Command::Resume(args) => commands::train::resume(registry, args, &given.systems, json),
        Command::Learn(args) => commands::learn::learn(registry, args, json),
        Command::Forget(args) => commands::learn::forget(registry, args, json),
        Command::Status { run } => commands::status::status(registry, &run, json),
        Command::Presets => commands::presets::presets(registry, json),
        Command::ShowConfig { config, set, explain, schema } => {
            let shown = match (explain, schema) {
                (true, _) => Shown::Meanings,
                (_, true) => Shown::Schema,
                _ => Shown::Values,
            };
            commands::presets::show_config(registry, &config, &set, shown, json)
        }
        Command::Ls(args) => commands::ls::ls(registry, &args, json),
        Command::Inspect(args) => commands::inspect::inspect(registry, &args, json),
        Command::Verify(args) => commands::verify::verify(&args, json),
        Command::Diff { a, b } => commands::diff::diff(registry, &a, &b, json),
        Command::Predict(args) => commands::predict::predict(registry, &args, json),
        Command::Evaluate(args) => commands::evaluate::evaluate(registry, &args, json),
        Command::Generate(args) => commands::generate::generate(registry, &args, &given.text, json),
        Command::Ask(args) => commands::ask::ask(registry, &args, &given.text, json),
        Command::Chat(args) => commands::chat::chat(registry, args, &given.text, json),
        Command::Validate { model } => commands::validate::validate(registry, &model, json),
        Command::Simulate(args) => commands::simulate::simulate(registry, &args, json),
        Command::Report(args) => commands::report::report(registry, &args, json),
        Command::Plot(args) => commands::plot::plot(registry, &args, json),
        Command::Describe { checkpoint } => commands::describe::describe(registry, &checkpoint, json),
        Command::Circuit { command } => commands::circuit::circuit(registry, &command, json),
        Command::Reason(args) => commands::reason::reason(&args, json),
        Command::Problems(args) => commands::problems::problems(&args, json),
        Command::Prove(args) => commands::prove::prove(args, json),
        Command::Audit(args) => commands::audit::audit(registry, args, json),
        Command::Prune(args) => commands::prune::prune(&args, json),
        Command::Gc(args) => commands::repair::gc(&args, json),
        Command::Repair(args) => commands::repair::repair(&args, json),
        Command::Note(args) => commands::runs::note(&args, json),
        Command::Cp { run, copy } => commands::runs::cp(&run, &copy, json),
        Command::Mv { run, place } => commands::runs::mv(&run, &place, json),
        Command::Rm(args) => commands::runs::rm(&args, json),
        Command::Encrypt(args) => commands::encrypt::encrypt(&args, json),
        Command::Rekey(args) => commands::encrypt::rekey(&args, json),
        Command::Keygen(args) => commands::encrypt::keygen(&args, json),
        Command::Sign(args) => commands::sign::sign(&args, json),
        Command::Tag(args) => commands::tag::tag(&args, json),
        Command::Tokenizer { command } => commands::tokenizer::tokenizer(&command, json),
        Command::Export(args) => commands::convert::export(registry, &args, json),
        Command::Import { file, run } => commands::convert::import(registry, &file, &run, json),
        Command::Doctor { directory } => commands::doctor::doctor(&directory, json),
        Command::Man { command: name, out } => {
            commands::man::man(command(registry), &name, out.as_deref(), json)
        }
        Command::Completions { shell } => commands::man::completions(shell),
    }
}
