//! Processes of any program that keeps its state with the library: [`rekindle::proving`] is how it is told what to do, and
//! tells what it did.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use rekindle::Hash;
use rekindle::proving::{self, Event};
use rekindle_formats::files;

use super::ProcessError;
use super::watch::{Whole, process_error, watch};
use crate::signals::Signals;

/// The longest log that is read: bytes.
const LOG_LIMIT: u64 = 1 << 30;

/// Starts a program.
pub(crate) struct ProgramLauncher<'a> {
    /// The command line.
    command: &'a [OsString],
    /// A directory for the logs.
    scratch: &'a Path,
    signals: &'a Signals,
    /// Processes so far.
    launches: Cell<u64>,
}

/// What a process is asked to do; see [`rekindle::proving`].
#[derive(Default, Clone)]
pub(crate) struct Asked {
    pub run: PathBuf,
    pub every: Option<u64>,
    pub save_at: Option<u64>,
    pub kill_at: Option<u64>,
    pub hashes: bool,
}

/// What a process did that went to its end.
pub(crate) struct Ended {
    /// The steps that it told of, ascending.
    pub steps: Vec<u64>,
    pub step: u64,
    pub state_hash: Hash,
}

/// What a process told.
pub(crate) struct Told {
    line: String,
    output: Output,
    events: Vec<Event>,
}

impl Told {
    pub fn failed(&self, what: impl Into<String>) -> ProcessError {
        process_error(&self.line, what.into(), &self.output)
    }

    /// Where it went on; `None` when it began anew.
    pub fn resumed(&self) -> Result<Option<u64>, ProcessError> {
        let resumed = self.events.iter().find_map(|event| match event {
            Event::Resumed { step } => Some(*step),
            _ => None,
        });
        resumed.ok_or_else(|| self.failed("did not ask for the state of its run: it must call `resume`"))
    }

    pub fn steps(&self) -> Vec<u64> {
        let step = |event: &Event| match event {
            Event::Step { step, .. } => Some(*step),
            _ => None,
        };
        self.events.iter().filter_map(step).collect::<BTreeSet<_>>().into_iter().collect()
    }

    pub fn hashes(&self) -> impl Iterator<Item = (u64, Hash)> {
        self.events.iter().filter_map(|event| match event {
            Event::Step { step, state_hash: Some(hash) } => Some((*step, *hash)),
            _ => None,
        })
    }

    pub fn ended(&self) -> Result<Ended, ProcessError> {
        if !self.output.status.success() {
            return Err(self.failed(format!("ended with {}", self.output.status)));
        }
        self.resumed()?;
        let finished = self.events.iter().find_map(|event| match event {
            Event::Finished { step, state_hash } => Some((*step, *state_hash)),
            _ => None,
        });
        let (step, state_hash) =
            finished.ok_or_else(|| self.failed("ended without its last state: it must call `finish`"))?;
        Ok(Ended { steps: self.steps(), step, state_hash })
    }

    pub fn require_killed(&self) -> Result<(), ProcessError> {
        match self.events.last() {
            Some(Event::Killed { .. }) => Ok(()),
            _ => Err(self.failed(format!("should have been killed, but ended with {}", self.output.status))),
        }
    }
}

impl<'a> ProgramLauncher<'a> {
    pub fn new(command: &'a [OsString], scratch: &'a Path, signals: &'a Signals) -> Self {
        Self { command, scratch, signals, launches: Cell::new(0) }
    }

    /// Starts a process, and waits for its end.
    ///
    /// # Errors
    /// When it cannot be started, a signal comes, or it does not open the run that it was asked to.
    pub fn launch(&self, asked: &Asked, notify: &mut dyn FnMut(&str)) -> Result<Told, ProcessError> {
        let [name, arguments @ ..] = self.command else {
            return Err(std::io::Error::other("no command was given").into());
        };
        self.launches.set(self.launches.get() + 1);
        let log = self.scratch.join(format!("log-{}", self.launches.get()));
        let mut command = Command::new(name);
        command.args(arguments).env(proving::RUN, &asked.run).env(proving::LOG, &log);
        let numbers = [
            (proving::EVERY, asked.every),
            (proving::SAVE_AT, asked.save_at),
            (proving::KILL_AT, asked.kill_at),
            (proving::HASHES, asked.hashes.then_some(1)),
        ];
        for (variable, number) in numbers {
            match number {
                Some(number) => command.env(variable, number.to_string()),
                None => command.env_remove(variable),
            };
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // What it starts itself ends with it; see [`Whole`].
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let line = self.command.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ");
        let child =
            command.spawn().map_err(|source| ProcessError::Start { command: line.clone(), source })?;
        let output = watch(child, Whole::Group, self.signals, notify)?;
        let told = Told { line, output, events: events(&log)? };
        match told.events.iter().filter(|event| **event == Event::Opened).count() {
            1 => Ok(told),
            0 => Err(told.failed(format!(
                "ended with {} and opened no run: it must open one in a directory, with the library",
                told.output.status
            ))),
            count => Err(told.failed(format!("opened {count} runs; it may open one"))),
        }
    }
}

/// The lines of a log. A last one that was cut off by the end of its process does not count.
fn events(log: &Path) -> Result<Vec<Event>, ProcessError> {
    let text = match files::exists(log) {
        true => files::read_text(log, LOG_LIMIT)?,
        false => String::new(),
    };
    Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
}
