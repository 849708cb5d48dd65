//! The `rekindle` command: a thin layer over the libraries. It turns arguments into calls, and
//! outcomes into text and exit codes.

mod address;
mod args;
mod commands;
mod curve;
mod exit;
mod language_model;
mod output;
mod unlock;

use std::process::ExitCode;

use clap::Parser;

use args::{Cli, Command};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let json = cli.json;
    let code = match run(cli) {
        Ok(code) => code,
        Err(error) => exit::report(&error, json),
    };
    ExitCode::from(code)
}

fn run(cli: Cli) -> anyhow::Result<u8> {
    let registry = rekindle_systems::registry();
    let json = cli.json;
    unlock::set(cli.unlock);
    match cli.command {
        Command::Train(args) => commands::train::train(&registry, args, json),
        Command::Resume(args) => commands::train::resume(&registry, args, json),
        Command::Status { run } => commands::status::status(&run, json),
        Command::Presets => commands::presets::presets(&registry, json),
        Command::ShowConfig { config, set } => commands::presets::show_config(&registry, &config, &set, json),
        Command::Ls { run } => commands::ls::ls(run.as_deref(), json),
        Command::Inspect(args) => commands::inspect::inspect(&registry, &args, json),
        Command::Verify(args) => commands::verify::verify(&args, json),
        Command::Diff { a, b } => commands::diff::diff(&registry, &a, &b, json),
        Command::Predict(args) => commands::predict::predict(&registry, &args, json),
        Command::Generate(args) => commands::generate::generate(&args, json),
        Command::Chat(args) => commands::chat::chat(args, json),
        Command::Validate { model } => commands::validate::validate(&model, json),
        Command::Plot(args) => commands::plot::plot(&registry, &args, json),
        Command::Describe { checkpoint } => commands::describe::describe(&registry, &checkpoint, json),
        Command::Prove(args) => commands::prove::prove(args, json),
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
        Command::Export { checkpoint, file } => {
            commands::convert::export(&registry, &checkpoint, &file, json)
        }
        Command::Import { file, run } => commands::convert::import(&registry, &file, &run, json),
        Command::Completions { shell } => commands::completions(shell),
    }
}
