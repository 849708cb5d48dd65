//! `reliability`: runs the fault-injection proofs and writes what they found.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, bail};
use clap::{Parser, Subcommand};

use rekindle_reliability::allocation::Counting;
use rekindle_reliability::report::{self, Result as Found};
use rekindle_reliability::{PROOFS, Proof, Scale, random_configs, real_kills};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Proves by fault injection what a run survives.
#[derive(Debug, Parser)]
#[command(name = "reliability", args_conflicts_with_subcommands = true)]
struct Cli {
    /// The proofs to run [default: all].
    proofs: Vec<String>,
    /// A short form of each, in seconds.
    #[arg(long)]
    short: bool,
    /// The seed of everything random.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Write the report there; when all proofs run at full size, docs/reliability.md by default.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Print JSON instead of a table.
    #[arg(long)]
    json: bool,
    #[command(subcommand)]
    child: Option<Child>,
}

#[derive(Debug, Subcommand)]
enum Child {
    /// Plays the process that is killed.
    #[command(hide = true)]
    SaveUntilKilled { dir: PathBuf, way: real_kills::Way },
    /// Plays a process that trains and may be killed.
    #[command(hide = true)]
    TrainRandomConfig { life: String },
}

fn main() -> anyhow::Result<ExitCode> {
    let cli = Cli::parse();
    match cli.child {
        Some(Child::SaveUntilKilled { dir, way }) => {
            real_kills::save_until_killed(&dir, way).map_err(|error| anyhow::anyhow!("{error}"))?;
            return Ok(ExitCode::SUCCESS);
        }
        Some(Child::TrainRandomConfig { life }) => {
            random_configs::life::play(&life).map_err(anyhow::Error::msg)?;
            return Ok(ExitCode::SUCCESS);
        }
        None => {}
    }
    let program = std::env::current_exe()?;
    let mut scale = if cli.short { Scale::short(program) } else { Scale::full(program) };
    scale.progress = report::progress;
    let results: Vec<Found> =
        chosen(&cli.proofs)?.into_iter().map(|proof| run(proof, &scale, cli.seed)).collect();
    if cli.json {
        println!("{}", report::json(&results)?);
    } else {
        print!("{}", report::table(&results));
    }
    let complete = cli.proofs.is_empty() && !cli.short;
    if let Some(path) = cli.out.or(complete.then(|| "docs/reliability.md".into())) {
        let text = report::markdown(&results, cli.short);
        rekindle_formats::files::write(&path, text.as_bytes())
            .with_context(|| format!("cannot write `{}`", path.display()))?;
    }
    let failed = results.iter().any(|result| result.outcome.failed > 0);
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn chosen(names: &[String]) -> anyhow::Result<Vec<&'static Proof>> {
    if names.is_empty() {
        return Ok(PROOFS.iter().collect());
    }
    let find = |name: &String| PROOFS.iter().find(|proof| proof.name == name);
    let mut proofs = Vec::new();
    for name in names {
        let Some(proof) = find(name) else {
            let known: Vec<_> = PROOFS.iter().map(|proof| proof.name).collect();
            bail!("there is no proof `{name}`; there are: {}", known.join(", "));
        };
        proofs.push(proof);
    }
    Ok(proofs)
}

fn run(proof: &'static Proof, scale: &Scale, seed: u64) -> Found {
    eprintln!("{}: {}", proof.name, proof.what);
    let begin = Instant::now();
    let outcome = (proof.run)(scale, seed);
    let seconds = begin.elapsed().as_secs_f64();
    for failure in &outcome.failures {
        eprintln!("\n{}: FAILED: {failure}", proof.name);
    }
    eprintln!("\r{}: {} failures in {seconds:.1} s", proof.name, outcome.failed);
    Found { proof, seed, seconds, outcome }
}
