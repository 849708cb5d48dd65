//! The audit of a run: spans between its checkpoints are computed again, and what comes out is compared with what the
//! run holds. It shows that a training is what it says, on any machine, with any number of threads.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rekindle::diff::first_difference;
use rekindle::records::CommitRecord;
use rekindle::storage::FileStorage;
use rekindle::{Access, Hash, OpenError, ReadError, RunOptions, SaveError, Store};
use serde::Serialize;
use serde_json::Value;

use crate::processes::{Asked, Launcher, Process, ProcessError, ProgramLauncher, Subject, Training};
use crate::signals::Signals;

/// Who trains again.
#[derive(Debug, Clone, Copy)]
pub enum Trainer<'a> {
    /// A program that has the system of the run.
    System(&'a Launcher),
    /// The program that trained the run with the library: its command line.
    Program(&'a [OsString]),
}

/// What is audited.
#[derive(Debug, Clone, Default)]
pub struct AuditOptions {
    /// So many spans; all where there are no more.
    pub spans: u64,
    /// Seed of the choice.
    pub seed: u64,
    /// `path=value` on top of the recorded config, such as where the data lies now.
    pub settings: Vec<String>,
}

/// The outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Audit {
    /// True when each span ended with the recorded state.
    pub equal: bool,
    /// What was computed again, in order.
    pub audited: Vec<Audited>,
    /// Spans of the run that can be computed again.
    pub spans: u64,
    /// Those that cannot.
    pub skipped: Vec<SkippedSpan>,
}

/// A span that was computed again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Audited {
    /// Step of the checkpoint that it begins with.
    pub from: u64,
    /// Step of the checkpoint that it ends with.
    pub to: u64,
    /// State hash of the checkpoint.
    pub recorded: Hash,
    /// State hash of what was computed.
    pub computed: Hash,
    /// The first entry that differs, if one does.
    pub entry: Option<String>,
}

/// A span that no training can compute again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SkippedSpan {
    /// Step of the checkpoint that it begins with.
    pub from: u64,
    /// Step of the checkpoint that it ends with.
    pub to: u64,
    /// What happened in it.
    pub reason: String,
}

/// An audit could not be done; this says nothing about the run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuditError {
    /// A process did not do what it must.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// The run cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A checkpoint cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A checkpoint cannot be copied.
    #[error(transparent)]
    Save(#[from] SaveError),
    /// There are not two checkpoints between which something was computed.
    #[error(
        "{location} has {checkpoints} checkpoints, and no two between which a training could be computed again"
    )]
    NoSpans {
        /// The run.
        location: String,
        /// How many it has.
        checkpoints: usize,
    },
}

/// What lies between two checkpoints.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Span {
    from: u64,
    to: u64,
    recorded: Hash,
    /// What of the config was changed at its beginning.
    settings: Vec<String>,
}

/// Audits the run in a directory. `notify` is told what goes on.
///
/// # Errors
/// When the run cannot be read, has no two checkpoints, or a process does not do what it must.
pub fn audit(
    run: &Path,
    access: &Access,
    trainer: Trainer<'_>,
    options: &AuditOptions,
    notify: &mut dyn FnMut(&str),
) -> Result<Audit, AuditError> {
    let signals = Signals::listen(|_| {});
    let store = Store::open(access.clone())?;
    let (spans, skipped) = spans_of(&store);
    if spans.is_empty() {
        return Err(AuditError::NoSpans { location: store.location(), checkpoints: store.steps().len() });
    }
    let scratch = tempfile::tempdir().map_err(ProcessError::Io)?;
    let auditor =
        Auditor { run, access, store: &store, trainer, options, scratch: scratch.path(), signals: &signals };
    let mut audited = Vec::new();
    for span in choose(&spans, options) {
        notify(&format!("step {} to {}", span.from, span.to));
        audited.push(auditor.audit(span, notify)?);
    }
    let equal = audited.iter().all(|span| span.recorded == span.computed);
    Ok(Audit { equal, audited, spans: spans.len() as u64, skipped })
}

/// All spans of a run: those that can be computed again, and the others.
fn spans_of(store: &Store) -> (Vec<Span>, Vec<SkippedSpan>) {
    let records: Vec<&CommitRecord> = store.records().collect();
    let (mut spans, mut skipped) = (Vec::new(), Vec::new());
    for pair in records.windows(2) {
        let [before, after] = pair else { continue };
        let (from, to) = (before.step, after.step);
        match settings_between(before, after) {
            Ok(settings) => spans.push(Span { from, to, recorded: after.state_hash, settings }),
            Err(reason) => skipped.push(SkippedSpan { from, to, reason }),
        }
    }
    (spans, skipped)
}

/// The settings that lead from the config of a checkpoint to that of a later one, or what happened between them that is
/// no training from the first on.
fn settings_between(before: &CommitRecord, after: &CommitRecord) -> Result<Vec<String>, String> {
    let mut settings = Vec::new();
    changed(String::new(), &before.about.config, &after.about.config, &mut settings);
    let known = &before.about.changes;
    let new = after.about.changes.iter().skip(known.len());
    let at_its_beginning = format!("step {}: ", before.step);
    let mut others = new.filter(|change| settings.is_empty() || !change.starts_with(&at_its_beginning));
    match others.next() {
        Some(change) => Err(change.clone()),
        None => Ok(settings),
    }
}

/// Adds `path=value` for each value of `after` that `before` does not have.
fn changed(path: String, before: &Value, after: &Value, settings: &mut Vec<String>) {
    match (before, after) {
        (before, after) if before == after => {}
        (Value::Object(before), Value::Object(after)) => {
            let names: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
            for name in names {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                let of =
                    |object: &serde_json::Map<String, Value>| object.get(name).cloned().unwrap_or_default();
                changed(path, &of(before), &of(after), settings);
            }
        }
        _ => settings.push(format!("{path}={after}")),
    }
}

/// The spans with the smallest hashes, in order: a fair draw that needs no generator.
fn choose<'a>(spans: &'a [Span], options: &AuditOptions) -> Vec<&'a Span> {
    let mut chosen: Vec<&Span> = spans.iter().collect();
    let AuditOptions { seed, .. } = options;
    chosen.sort_by_cached_key(|span| Hash::of(format!("span {seed} {} {}", span.from, span.to).as_bytes()));
    chosen.truncate(usize::try_from(options.spans).unwrap_or(usize::MAX));
    chosen.sort_by_key(|span| span.from);
    chosen
}

struct Auditor<'a> {
    run: &'a Path,
    access: &'a Access,
    store: &'a Store,
    trainer: Trainer<'a>,
    options: &'a AuditOptions,
    scratch: &'a Path,
    signals: &'a Signals,
}

impl Auditor<'_> {
    fn audit(&self, span: &Span, notify: &mut dyn FnMut(&str)) -> Result<Audited, AuditError> {
        let place = self.scratch.join(format!("from-{}", span.from));
        let (computed, place) = match self.trainer {
            Trainer::System(launcher) => self.train(launcher, span, place, notify)?,
            Trainer::Program(command) => self.start(command, span, place, notify)?,
        };
        let entry = match (span.recorded == computed, &place) {
            (false, Some(place)) => self.first_difference(span.to, place)?,
            _ => None,
        };
        if let Some(place) = place {
            rekindle_formats::files::remove_directory(&place).map_err(ProcessError::Io)?;
        }
        let Span { from, to, recorded, .. } = *span;
        Ok(Audited { from, to, recorded, computed, entry })
    }

    /// A span of a system: nothing is saved unless it ends with another state.
    fn train(
        &self,
        launcher: &Launcher,
        span: &Span,
        place: PathBuf,
        notify: &mut dyn FnMut(&str),
    ) -> Result<(Hash, Option<PathBuf>), AuditError> {
        let subject = Subject::Checkpoint { run: self.run.to_owned(), step: span.from };
        let process = Process {
            training: Training::New { subject: subject.clone(), run: None },
            settings: span.settings.iter().chain(&self.options.settings).cloned().collect(),
            stop_at: Some(span.to),
            kill_at: None,
            trace: None,
        };
        let ended = launcher.run_to_end(&process, self.signals, notify)?;
        if ended.state_hash == span.recorded {
            return Ok((ended.state_hash, None));
        }
        notify("another state: once more, to see where it differs");
        let process = Process { training: Training::New { subject, run: Some(place.clone()) }, ..process };
        let ended = launcher.run_to_end(&process, self.signals, notify)?;
        Ok((ended.state_hash, (ended.step == span.to).then_some(place)))
    }

    /// A span of any program, in a run that holds the checkpoint at its beginning.
    fn start(
        &self,
        command: &[OsString],
        span: &Span,
        place: PathBuf,
        notify: &mut dyn FnMut(&str),
    ) -> Result<(Hash, Option<PathBuf>), AuditError> {
        let checkpoint = self.store.checkpoint(span.from)?;
        let options = RunOptions::new().system(&checkpoint.record().about.system);
        let mut copy = options.create_in(self.at(&place)?)?;
        copy.writer().copy_checkpoint(&checkpoint)?;
        drop(copy);
        let launcher = ProgramLauncher::new(command, self.scratch, self.signals);
        let asked =
            Asked { run: place.clone(), save_at: Some(span.to), kill_at: Some(span.to), ..Asked::default() };
        let told = launcher.launch(&asked, notify)?;
        if told.resumed()? != Some(span.from) {
            return Err(told
                .failed(format!("did not go on from the checkpoint at step {}", span.from))
                .into());
        }
        told.require_killed()?;
        let again = Store::open(self.at(&place)?)?;
        let hash = again.checkpoint(span.to)?.record().state_hash;
        Ok((hash, Some(place)))
    }

    /// A place for a run with the key of the one that is audited.
    fn at(&self, place: &Path) -> Result<Access, OpenError> {
        Ok(self.access.beside(Arc::new(FileStorage::new(place)))?)
    }

    /// The first entry in which what was computed differs from what is recorded.
    fn first_difference(&self, step: u64, place: &Path) -> Result<Option<String>, AuditError> {
        let again = Store::open(self.at(place)?)?;
        let (recorded, computed) = (self.store.checkpoint(step)?.tree()?, again.checkpoint(step)?.tree()?);
        Ok(first_difference(&recorded, &computed).map(|path| path.to_string()))
    }
}
