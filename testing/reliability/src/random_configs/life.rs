//! One process of a training: it begins it or goes on with it, and ends at its end, at a step, or by a
//! kill.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use rekindle::Store;
use rekindle::storage::{FileStorage, Storage};
use rekindle_compute::{KERNELS_VARIABLE, KernelPath};
use rekindle_formats::files;
use rekindle_train::{ConfigText, Event, Onto, Options, Registry, Start, Started, TrainError};
use serde::{Deserialize, Serialize};

/// A config is never longer: bytes.
const CONFIG_LIMIT: u64 = 1 << 20;

/// What a process does.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Life {
    /// The system.
    pub system: String,
    /// The file of the config.
    pub config: PathBuf,
    /// The directory of the run; nothing is saved when absent.
    pub run: Option<PathBuf>,
    /// The step to go on from; the newest checkpoint when absent.
    pub from: Option<u64>,
    /// Goes on in a new run.
    pub fork: Option<PathBuf>,
    /// `path=value` on top of the config.
    pub settings: Vec<String>,
    /// Number of threads.
    pub threads: usize,
    /// The step at which the process kills itself.
    pub kill_at: Option<u64>,
    /// The step at which it stops.
    pub stop_at: Option<u64>,
    /// The file for the state hash of every step.
    pub trace: Option<PathBuf>,
}

/// How a training ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// Its last step.
    pub step: u64,
    /// How.
    pub end: End,
}

/// How a training ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum End {
    /// By itself or at the step at which it was to stop.
    Done {
        /// The state hash of its last state.
        state_hash: String,
        /// The training ended, not only the process.
        finished: bool,
    },
    /// A metric was not finite.
    Diverged {
        /// Which.
        metric: String,
    },
}

/// What became of a process.
#[derive(Debug)]
pub struct Lived {
    /// The step of the checkpoint that it went on from.
    pub resumed_from: Option<u64>,
    /// How the training ended; absent when the process was killed.
    pub ended: Option<Ended>,
}

/// A training that did not come to an end.
#[derive(Debug)]
pub enum Failed {
    /// It did not begin: the config cannot be trained.
    Refused(String),
    /// It broke off.
    Broken(String),
}

impl Failed {
    fn broken(error: impl std::fmt::Display) -> Self {
        Self::Broken(error.to_string())
    }
}

/// Trains in this process. `on_start` is told where it begins.
///
/// # Errors
/// When it cannot begin, or breaks off in another way than by diverging.
pub fn train(registry: &Registry, life: &Life, on_start: fn(&Started)) -> Result<Ended, Failed> {
    let system = registry.system(&life.system, "the life").map_err(Failed::broken)?;
    let (start, is_new) = start(life)?;
    let options = Options {
        threads: life.threads,
        stop_at: life.stop_at,
        kill_at: life.kill_at,
        trace: life.trace.clone(),
        observer: Arc::new(move |event| {
            if let Event::Started(started) = event {
                on_start(started);
            }
        }),
    };
    match system.train(start, &options) {
        Ok(report) if report.stopped_by.is_some() => Err(Failed::broken("a signal stopped it")),
        Ok(report) => {
            let end = End::Done { state_hash: report.state_hash.to_string(), finished: report.finished };
            Ok(Ended { step: report.step, end })
        }
        Err(TrainError::Diverged { step, metric, .. }) => Ok(Ended { step, end: End::Diverged { metric } }),
        // What a training says before its first step is about the config.
        Err(error @ (TrainError::Config(_) | TrainError::System(_) | TrainError::Content(_)))
            if is_new && !life.trace.as_deref().is_some_and(files::exists) =>
        {
            Err(Failed::Refused(error.to_string()))
        }
        Err(error) => Err(Failed::broken(error)),
    }
}

/// Where a life begins, and whether at the very beginning.
fn start(life: &Life) -> Result<(Start, bool), Failed> {
    if let Some(run) = &life.run {
        let storage: Arc<dyn Storage> = Arc::new(FileStorage::new(run));
        let is_saved = Store::open(Arc::clone(&storage)).is_ok_and(|store| !store.steps().is_empty());
        if is_saved {
            let onto = life.fork.clone().map_or(Onto::Same, Onto::Fork);
            let (run, step, settings) = (run.clone(), life.from, life.settings.clone());
            return Ok((Start::Resume { run, access: storage.into(), step, settings, onto }, false));
        }
        // A process that died before its first checkpoint leaves a run that holds nothing.
        if files::exists(run) {
            files::remove_directory(run).map_err(Failed::broken)?;
        }
    }
    let yaml = files::read_text(&life.config, CONFIG_LIMIT).map_err(Failed::broken)?;
    let text = ConfigText { origin: "random config".to_owned(), yaml };
    Ok((Start::New { text, settings: life.settings.clone(), run: life.run.clone(), from: None }, true))
}

/// Plays a process that may be killed: tells on its standard output where it begins and how it ends.
///
/// # Errors
/// Whatever keeps it from training.
pub fn play(life: &str) -> Result<(), String> {
    let life: Life = serde_json::from_str(life).map_err(|error| error.to_string())?;
    let ended = train(&rekindle_systems::registry(), &life, |started| tell(&started.resumed_from));
    tell(&ended.map_err(|error| format!("{error:?}"))?);
    Ok(())
}

/// Tells a line. Whoever does not hear it takes that for an end that was not told.
fn tell(what: &impl Serialize) {
    let line = serde_json::to_string(what).unwrap_or_default();
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

/// Lives in a process of its own, on these kernels.
///
/// # Errors
/// When the process ends in another way than by being killed or with its training.
pub fn in_child(program: &Path, life: &Life, kernels: KernelPath) -> Result<Lived, String> {
    let told = serde_json::to_string(life).map_err(|error| error.to_string())?;
    let mut command = Command::new(program);
    command.arg("train-random-config").arg(told).env(KERNELS_VARIABLE, kernels.name());
    command.stdin(Stdio::null());
    let output = command.output().map_err(|error| format!("cannot start a process: {error}"))?;
    let said = String::from_utf8_lossy(&output.stdout);
    let mut lines = said.lines();
    let began: Option<Option<u64>> = lines.next().and_then(|line| serde_json::from_str(line).ok());
    let ended: Option<Ended> = lines.next().and_then(|line| serde_json::from_str(line).ok());
    match began {
        Some(resumed_from)
            if output.status.success() == ended.is_some() && was_killed(&output) == ended.is_none() =>
        {
            Ok(Lived { resumed_from, ended })
        }
        _ => {
            let why = String::from_utf8_lossy(&output.stderr);
            Err(format!("the process ended with {}: {}", output.status, why.trim()))
        }
    }
}

#[cfg(unix)]
fn was_killed(output: &std::process::Output) -> bool {
    std::os::unix::process::ExitStatusExt::signal(&output.status) == Some(9)
}

#[cfg(not(unix))]
fn was_killed(output: &std::process::Output) -> bool {
    !output.status.success()
}
