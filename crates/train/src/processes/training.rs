//! Processes of a program that has the systems of a [`Registry`](crate::Registry).

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use rekindle::Hash;
use serde_json::Value;

use super::ProcessError;
use super::watch::{Whole, process_error, watch};
use crate::signals::Signals;

/// Starts processes that train.
#[derive(Debug, Clone)]
pub struct Launcher {
    /// The program.
    pub program: PathBuf,
    /// Its arguments for what a process is to do.
    pub arguments: fn(&Process) -> Vec<OsString>,
    /// Arguments for every process: number of threads and the like.
    pub common: Vec<OsString>,
}

/// What a process is to do. When it begins it prints a line of JSON with `resumed_from`, and at its end
/// one with `step`, `steps_run` and `state_hash`.
#[derive(Debug, Clone)]
pub struct Process {
    /// What it trains.
    pub training: Training,
    /// `path=value` on top of the config.
    pub settings: Vec<String>,
    /// Stop, after saving, when this step is reached.
    pub stop_at: Option<u64>,
    /// End as if by a power cut when this step is done.
    pub kill_at: Option<u64>,
    /// Write the state hash of every step to this file.
    pub trace: Option<PathBuf>,
}

/// What a process trains.
#[derive(Debug, Clone)]
pub enum Training {
    /// A new training, in a new run or without any.
    New {
        /// What is trained.
        subject: Subject,
        /// The directory of the new run.
        run: Option<PathBuf>,
    },
    /// A run, from its newest checkpoint on.
    Resumed {
        /// The directory of the run.
        run: PathBuf,
    },
}

/// What is trained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A preset or config file.
    Config(String),
    /// A run, from one of its checkpoints on.
    Checkpoint {
        /// The directory of the run.
        run: PathBuf,
        /// The step.
        step: u64,
    },
}

/// The end of a process that was not killed.
pub(crate) struct Ended {
    pub step: u64,
    pub steps_run: u64,
    pub state_hash: Hash,
    /// The step of the checkpoint that it began from, if it went on.
    pub resumed_from: Option<u64>,
}

impl Launcher {
    /// Runs a process to its end.
    ///
    /// # Errors
    /// When it fails.
    pub(crate) fn run_to_end(
        &self,
        process: &Process,
        signals: &Signals,
        notify: &mut dyn FnMut(&str),
    ) -> Result<Ended, ProcessError> {
        let (line, output) = self.launch(process, signals, notify)?;
        let failed = |what: String| process_error(&line, what, &output);
        if !output.status.success() {
            return Err(failed(format!("ended with {}", output.status)));
        }
        let lines = json_lines(&output);
        let last = lines.last().ok_or_else(|| failed("printed no result".to_owned()))?;
        let field = |name: &str| last.get(name).and_then(Value::as_u64);
        let hash = last.get("state_hash").and_then(Value::as_str).and_then(|text| text.parse().ok());
        match (field("step"), field("steps_run"), hash) {
            (Some(step), Some(steps_run), Some(state_hash)) => {
                Ok(Ended { step, steps_run, state_hash, resumed_from: resumed_from(&lines) })
            }
            _ => Err(failed("printed no result".to_owned())),
        }
    }

    /// Runs a process that kills itself; gives the step that it resumed from.
    pub(crate) fn run_until_killed(
        &self,
        process: &Process,
        signals: &Signals,
        notify: &mut dyn FnMut(&str),
    ) -> Result<Option<u64>, ProcessError> {
        let (line, output) = self.launch(process, signals, notify)?;
        if !was_killed(&output) {
            let what = format!("should have been killed, but ended with {}", output.status);
            return Err(process_error(&line, what, &output));
        }
        Ok(resumed_from(&json_lines(&output)))
    }

    fn launch(
        &self,
        process: &Process,
        signals: &Signals,
        notify: &mut dyn FnMut(&str),
    ) -> Result<(String, Output), ProcessError> {
        let mut command = Command::new(&self.program);
        command.args((self.arguments)(process)).args(&self.common);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let output = watch(command.spawn()?, Whole::Process, signals, notify)?;
        Ok((format!("{command:?}"), output))
    }
}

#[cfg(unix)]
fn was_killed(output: &Output) -> bool {
    std::os::unix::process::ExitStatusExt::signal(&output.status) == Some(9)
}

#[cfg(not(unix))]
fn was_killed(output: &Output) -> bool {
    !output.status.success() && json_lines(output).iter().all(|line| line.get("steps_run").is_none())
}

fn json_lines(output: &Output) -> Vec<Value> {
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// Every process says where it began before it says anything else of that name.
fn resumed_from(lines: &[Value]) -> Option<u64> {
    lines.iter().find_map(|line| line.get("resumed_from"))?.as_u64()
}
