//! The figures of the engine, each beside its peer: same data, same disk, same process, in turns.
//!
//! `bench all --dir DIR` prints every table of `docs/benchmarks.md` that this crate measures. A
//! ratio is the median over the rounds of ours divided by the peer's in the same round, so that a
//! machine that is slow for a while is slow for both. Every save ends durable, the peers' too.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "the peers know no storage seam: their files are opened here"
)]

mod counting;
mod figures;
mod language_model;
mod measure;
mod peer;
mod place;
mod population;
mod states;
mod subject;
mod table;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use figures::memory::TaskArguments;
use measure::Turns;
use place::Place;

/// Measure the engine beside its peers; prints Markdown.
#[derive(Debug, Parser)]
#[command(name = "bench", max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    settings: Settings,
}

/// What holds for every figure.
#[derive(Debug, clap::Args)]
pub struct Settings {
    /// A directory on the disk to measure.
    #[arg(long, value_name = "DIR", global = true, default_value = ".")]
    dir: PathBuf,
    /// A directory in memory; figures that need one are measured on the disk where it is absent.
    #[arg(long, value_name = "DIR", global = true)]
    tmpfs: Option<PathBuf>,
    /// Size of the states, as a share of the real one.
    #[arg(long, value_name = "SHARE", global = true, default_value_t = 1.0)]
    scale: f64,
    /// Rounds of each comparison.
    #[arg(long, value_name = "N", global = true, default_value_t = 5)]
    rounds: usize,
    /// Genomes of the population [default: 40, scaled].
    #[arg(long, value_name = "N", global = true)]
    genomes: Option<usize>,
    /// A text to train a language model on [default: a generated one].
    #[arg(long, value_name = "FILE", global = true)]
    text: Option<PathBuf>,
}

impl Settings {
    /// The disk, and the memory if there is some.
    fn places(&self) -> Vec<Place> {
        let tmpfs = self.tmpfs.as_ref().map(|path| Place::new("tmpfs", path));
        [Place::new("disk", &self.dir)].into_iter().chain(tmpfs).collect()
    }

    /// Turns of contenders that do not take long.
    fn turns(&self) -> Turns {
        Turns { rounds: self.rounds, warm: true }
    }

    /// Where the disk should not count.
    fn fastest_place(&self) -> Place {
        self.places().remove(self.places().len() - 1)
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Every figure, one after another.
    All,
    /// Save the 1.25 GB of weights and both moments of a language model.
    FullSave,
    /// Save 50,000 arrays of about 10 KB.
    SmallArrays,
    /// Load the whole state into memory.
    Load,
    /// Load one array of it.
    Partial,
    /// Save and load a population of genomes.
    Genomes,
    /// Save and load states of many sizes, and a small one many times.
    Scaling,
    /// Save weights compressed.
    Compressed,
    /// Save one checkpoint of a trained logic model.
    TrainedLogic,
    /// Save a training run, all checkpoints kept.
    TrainingRun,
    /// Save in the background.
    AsyncBlock,
    /// Save at every epoch of a training whose epochs take microseconds.
    EveryEpoch,
    /// Measure genomes of 50,257 clusters, in full and by what changed.
    Weightless,
    /// Memory at the peak of saves, loads, exports and imports.
    Memory,
    /// Do one thing and print the memory that it took.
    #[command(hide = true)]
    MemoryOf(TaskArguments),
}

fn main() -> anyhow::Result<()> {
    let Cli { command, settings } = Cli::parse();
    match command {
        Command::All => figures::all(&settings),
        Command::FullSave => figures::full_save::run(&settings),
        Command::SmallArrays => figures::small_arrays::run(&settings),
        Command::Load => figures::load::run(&settings),
        Command::Partial => figures::partial::run(&settings),
        Command::Genomes => figures::genomes::run(&settings),
        Command::Scaling => figures::scaling::run(&settings),
        Command::Compressed => figures::compressed::run(&settings),
        Command::TrainedLogic => figures::trained_logic::run(&settings),
        Command::TrainingRun => figures::training_run::run(&settings),
        Command::AsyncBlock => figures::async_block::run(&settings),
        Command::EveryEpoch => figures::every_epoch::run(&settings),
        Command::Weightless => figures::weightless::run(&settings),
        Command::Memory => figures::memory::run(&settings),
        Command::MemoryOf(arguments) => figures::memory::run_task(&arguments),
    }
}
