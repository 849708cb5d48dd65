//! Memory at the peak of saves, loads, exports and imports: each in a process of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};
use clap::ValueEnum;

use crate::Settings;
use crate::measure::median;
use crate::states;
use crate::subject;
use crate::table::Table;

/// The state: MB.
const SIZE: f64 = 256.0;
/// What may be taken beyond the state: MiB.
const AIM: f64 = 32.0;
const MIB: f64 = (1 << 20) as f64;

/// What a process does while its memory is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Task {
    /// Save a state that is in memory.
    Save,
    /// Load a state.
    Load,
    /// Write a checkpoint into a file.
    Export,
    /// Make a run from a file.
    Import,
}

/// What the process is told.
#[derive(Debug, clap::Args)]
pub struct TaskArguments {
    task: Task,
    /// The directory of the run.
    run: PathBuf,
    /// The state that is saved: MB.
    #[arg(long, default_value_t = 0)]
    megabytes: usize,
    /// The file that is written or read.
    #[arg(long)]
    file: Option<PathBuf>,
}

/// Prints the figure.
pub fn run(settings: &Settings) -> anyhow::Result<()> {
    let size = ((SIZE * settings.scale) as usize).max(1);
    let about = format!(
        "The largest resident memory of a process (`VmHWM`) less what it had before it had a state, for a state of \
         {size} MB. A save begins with the state in memory, a load and an import end with it there. Aim: at most \
         {AIM} MiB beyond the state."
    );
    let columns = ["what", "peak, MiB", "state, MiB", "beyond the state, MiB", "within the aim"];
    let mut table = Table::begin("Memory", &about, columns);
    let state_mib = size as f64 * 1e6 / MIB;
    let scratch = settings.places().remove(0).scratch()?;
    let made = scratch.path().join("run");
    subject::save(&mut subject::create(&made)?, 1, &states::megabytes(size))?;

    let mut measure = |what: &str, task: &dyn Fn(usize) -> anyhow::Result<f64>| -> anyhow::Result<()> {
        let peaks: Vec<f64> = (0..settings.rounds.min(3)).map(task).collect::<anyhow::Result<_>>()?;
        let peak = median(&peaks);
        let beyond = peak - state_mib;
        let verdict = if beyond <= AIM { "yes" } else { "no" };
        table.row([
            &what,
            &format!("{peak:.0}"),
            &format!("{state_mib:.0}"),
            &format!("{beyond:.0}"),
            &verdict,
        ]);
        Ok(())
    };
    let megabytes = size.to_string();
    measure("save", &|round| {
        let run = scratch.path().join(format!("save-{round}"));
        let peak = in_child(Task::Save, &run, &["--megabytes", &megabytes])?;
        fs::remove_dir_all(&run)?;
        Ok(peak)
    })?;
    measure("load", &|_| in_child(Task::Load, &made, &[]))?;
    for ending in ["safetensors", "json", "rekindle"] {
        let file = scratch.path().join(format!("state.{ending}"));
        let file_argument = ["--file", file.to_str().context("a path that is not UTF-8")?];
        measure(&format!("export to .{ending}"), &|_| in_child(Task::Export, &made, &file_argument))?;
        measure(&format!("import of .{ending}"), &|round| {
            let run = scratch.path().join(format!("import-{round}"));
            let peak = in_child(Task::Import, &run, &file_argument)?;
            fs::remove_dir_all(&run)?;
            Ok(peak)
        })?;
        fs::remove_file(&file)?;
    }
    Ok(())
}

/// The peak of a process of its own that does `task`: MiB.
fn in_child(task: Task, run: &Path, more: &[&str]) -> anyhow::Result<f64> {
    let name = task.to_possible_value().context("a task without a name")?;
    let mut command = Command::new(std::env::current_exe()?);
    let output = command.args(["memory-of", name.get_name()]).arg(run).args(more).output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?.trim().parse()?)
}

/// Does the task in this process and prints how much memory it took at its peak: MiB.
pub fn run_task(arguments: &TaskArguments) -> anyhow::Result<()> {
    let TaskArguments { task, run, megabytes, file } = arguments;
    let file = || file.as_deref().context("no file was named");
    let before = resident("VmRSS:")?;
    match task {
        Task::Save => {
            let state = states::megabytes(*megabytes);
            forget_peak()?;
            subject::save(&mut subject::create(run)?, 1, &state)?;
        }
        Task::Load => drop(subject::load(&subject::open_path(run)?, None)?),
        Task::Export => subject::export(run, file()?)?,
        Task::Import => subject::import(file()?, run)?,
    }
    println!("{}", resident("VmHWM:")? - before);
    Ok(())
}

/// A line of `/proc/self/status`: MiB.
fn resident(field: &str) -> anyhow::Result<f64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(field)).context("no such field")?;
    let kibibytes: f64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kibibytes / 1024.0)
}

/// The peak begins again with what is resident now.
fn forget_peak() -> anyhow::Result<()> {
    Ok(fs::write("/proc/self/clear_refs", "5")?)
}
