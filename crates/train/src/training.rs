//! The training loop that every system shares.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use rekindle::storage::{FileStorage, MemoryStorage};
use rekindle::{
    Access, CaptureError, EntryPath, GraftError, Hash, Lineage, OpenError, PruneError, ReadError,
    ResumeError, Retention, Run, RunOptions, Skipped, Store, Versions, graft, hash_of, no_entry,
};
use rekindle_formats::files;

use crate::config::{ConfigError, ConfigText, change_config};
use crate::content::{ContentError, check_content, make_absolute, name_by_content};
use crate::means::{self, Means};
use crate::memory::{self, MachineMemory, TooLittleMemory};
use crate::progress::{Display, ProgressView, Voice};
use crate::signals::{Signal, Signals, die};
use crate::system::{Conclusion, ConfigOf, Metrics, Progress, Resources, System, SystemError};

/// What is saved: the config as far as it determines the state, and the system's state. Files that
/// the config names are in it as what they contain (see [`System::files`]).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TrainingState<M, T, S> {
    /// The seed of all random streams.
    pub seed: u64,
    /// What is trained.
    pub model: M,
    /// How it is trained, and on what.
    pub training: T,
    /// All that the system needs to go on.
    pub state: S,
}

type StateOf<S> = TrainingState<<S as System>::Model, <S as System>::Training, <S as System>::State>;

/// Where a training begins.
#[derive(Debug)]
pub enum Start {
    /// From a config.
    New {
        /// The config.
        text: ConfigText,
        /// `path=value` on top.
        settings: Vec<String>,
        /// The directory of the new run; nothing is saved when absent.
        run: Option<PathBuf>,
        /// Another run's state to begin with.
        from: Option<Box<Origin>>,
    },
    /// From a run's newest valid checkpoint, or from the one that is named.
    Resume {
        /// The directory of the run.
        run: PathBuf,
        /// The run itself; of an encrypted one, with its key.
        access: Access,
        /// The step to go on from; the newest valid one when absent.
        step: Option<u64>,
        /// `path=value` for what may change.
        settings: Vec<String>,
        /// What happens to the run.
        onto: Onto,
    },
}

/// What a resume does to the run that it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Onto {
    /// Goes on in it; later checkpoints are in the way.
    Same,
    /// Goes on in it after deleting later checkpoints.
    DiscardLater,
    /// Goes on in a new run in this directory.
    Fork(PathBuf),
    /// Saves nothing.
    Nothing,
}

/// A checkpoint to begin from.
#[derive(Debug)]
pub struct Origin {
    /// As the user wrote it.
    pub source: String,
    /// Its run.
    pub store: Store,
    /// Its step.
    pub step: u64,
    /// The part to take; the whole state when absent.
    pub only: Option<EntryPath>,
}

/// How a training is done: nothing of this influences the state.
#[derive(Debug, Clone)]
pub struct Options {
    /// Number of threads.
    pub threads: usize,
    /// How progress is shown.
    pub display: Display,
    /// Stop, after saving, when this step is reached.
    pub stop_at: Option<u64>,
    /// End this process as if by a power cut when this step is done, before it is saved.
    pub kill_at: Option<u64>,
    /// Write the state hash of every step to this file.
    pub trace: Option<PathBuf>,
    /// Called when the state is ready and the first step is about to be done.
    pub on_start: fn(&Started),
}

/// What is known when training begins.
#[derive(Debug, Clone, Serialize)]
pub struct Started {
    /// The directory of the run.
    pub run: Option<String>,
    /// The step of the checkpoint that training goes on from.
    pub resumed_from: Option<u64>,
    /// Steps done so far.
    pub step: u64,
    /// Memory that training takes at most, if it is known: bytes.
    pub memory_bytes: Option<u64>,
}

/// The outcome of a training.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The directory of the run.
    pub run: Option<String>,
    /// The model family.
    pub system: &'static str,
    /// The seed of all random streams.
    pub seed: u64,
    /// Steps done in all.
    pub step: u64,
    /// Steps done by this process.
    pub steps_run: u64,
    /// The step of the checkpoint that training went on from.
    pub resumed_from: Option<u64>,
    /// Identity of the final state.
    pub state_hash: Hash,
    /// True when training has ended, not only this process.
    pub finished: bool,
    /// The files that training ended with.
    pub artifacts: Vec<String>,
    /// Metrics of the final state.
    #[serde(flatten)]
    pub metrics: Metrics,
    /// Names of metrics in the order in which they are shown; others follow.
    #[serde(skip)]
    pub order: Vec<String>,
    /// The signal that ended this process.
    #[serde(skip)]
    pub stopped_by: Option<Signal>,
    /// Something to look at.
    #[serde(skip)]
    pub text: String,
}

/// A training could not be done, or not to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// The config cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A file that is learnt cannot be read, or is not the one that the run was trained on.
    #[error(transparent)]
    Content(#[from] ContentError),
    /// It can never fit into memory.
    #[error(transparent)]
    TooLittleMemory(#[from] TooLittleMemory),
    /// The run cannot be opened or made.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The run cannot be resumed.
    #[error(transparent)]
    Resume(#[from] ResumeError),
    /// The other run's state cannot be taken over.
    #[error("cannot start from {source_address}: {error}")]
    Graft {
        /// The other run.
        source_address: String,
        /// Why.
        error: GraftError,
    },
    /// The config and the state of a checkpoint contradict each other.
    #[error(
        "the config and the state of the checkpoint in {location} differ in `{section}`: one of them was edited; \
         start a new run from the state with `train CONFIG --from`"
    )]
    Contradiction {
        /// The run.
        location: String,
        /// The section that differs.
        section: &'static str,
    },
    /// The run has no checkpoint to go on from.
    #[error("{location} has no checkpoint yet, so there is nothing to resume; start anew with another --run")]
    NothingSaved {
        /// The run.
        location: String,
    },
    /// There are later checkpoints than the one to go on from.
    #[error(
        "{location} has later checkpoints (up to step {newest}) than step {step}; \
         use --fork DIR to go on in a new run, or --discard-later to delete them"
    )]
    LaterCheckpoints {
        /// The run.
        location: String,
        /// The step to go on from.
        step: u64,
        /// The newest checkpoint.
        newest: u64,
    },
    /// The run belongs to another system.
    #[error("{location} is a run of system `{found}`, not `{expected}`")]
    OtherSystem {
        /// The run.
        location: String,
        /// Its system.
        found: String,
        /// The expected system.
        expected: &'static str,
    },
    /// Training has diverged.
    #[error("`{metric}` is {value} at step {step}: training has diverged, so it was stopped and {}", what_is_left(*saved, last_checkpoint))]
    Diverged {
        /// The step.
        step: u64,
        /// The metric.
        metric: String,
        /// Its value.
        value: f64,
        /// The state is saved: it was the last one, which is saved before it is measured.
        saved: bool,
        /// The newest checkpoint from before.
        last_checkpoint: Option<u64>,
    },
    /// The other run's state is of a version that cannot be brought to the present one.
    #[error(transparent)]
    Migration(#[from] rekindle::MigrationError),
    /// Saving failed.
    #[error(transparent)]
    Capture(#[from] CaptureError),
    /// Deleting later checkpoints failed.
    #[error(transparent)]
    Prune(#[from] PruneError),
    /// A checkpoint cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Writing a file beside the checkpoints failed.
    #[error(transparent)]
    Save(#[from] rekindle::SaveError),
    /// The system refused or failed.
    #[error(transparent)]
    System(#[from] SystemError),
    /// The trace cannot be written.
    #[error("cannot write the trace `{}`: {source}", path.display())]
    Trace {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

fn what_is_left(saved: bool, before: &Option<u64>) -> String {
    match (saved, before) {
        (false, Some(step)) => {
            format!("this state was not saved; the last good checkpoint is at step {step}")
        }
        (false, None) => "this state was not saved; nothing was saved".to_owned(),
        (true, Some(step)) => {
            format!(
                "this state is saved, as it was before it was measured; the checkpoint before it is at step {step}"
            )
        }
        (true, None) => "this state is saved, as it was before it was measured".to_owned(),
    }
}

/// Trains a system from `start` until it ends, is stopped, or fails.
pub(crate) fn train<S: System>(start: Start, options: &Options) -> Result<Report, TrainError> {
    let resources = Resources { threads: options.threads.max(1) };
    let session = match start {
        Start::New { text, settings, run, from } => {
            Session::<S>::begin(&text, &settings, run, from, &resources)?
        }
        Start::Resume { run, access, step, settings, onto } => {
            Session::<S>::resume(run, access, step, &settings, onto, &resources)?
        }
    };
    session.train(options)
}

/// A training in progress.
struct Session<S: System> {
    config: ConfigOf<S>,
    state: StateOf<S>,
    system: S,
    threads: usize,
    run: Option<Run>,
    directory: Option<String>,
    resumed_from: Option<u64>,
    /// Metrics of the checkpoint that training goes on from.
    metrics: Metrics,
    means: Means,
    notices: Vec<String>,
    /// The metrics that the system says it measures, in the order in which they are shown.
    declared: Vec<String>,
    /// Names of the metrics that there are: what was declared or measured.
    known: BTreeSet<String>,
    /// Metrics that were told to be unknown.
    told_unknown: Vec<String>,
}

impl<S: System> Session<S> {
    fn begin(
        text: &ConfigText,
        settings: &[String],
        directory: Option<PathBuf>,
        from: Option<Box<Origin>>,
        resources: &Resources,
    ) -> Result<Self, TrainError> {
        let mut config: ConfigOf<S> = text.config(settings)?;
        require_memory::<S>(&config, None)?;
        let mut state = with_config::<S>(&config, S::build(&config)?);
        let lineage = from.as_ref().map(|origin| lineage(origin)).transpose()?;
        let like = from.as_ref().map(|origin| origin.store.access().clone());
        if let Some(origin) = from {
            require_same_system::<S>(&origin)?;
            state = take_over(state, &origin, &config, &S::versions())?;
            S::adopt(&config, &mut state.state)?;
        }
        // What cannot be trained leaves no run behind.
        let notices = require_memory::<S>(&config, Some(&state.state))?;
        let system = S::attach(&config, &state.state, resources)?;
        let declared = S::measures(&config);
        name_by_content(S::files(&mut state.training))?;
        make_absolute(S::files(&mut config.training));
        let run = match &directory {
            Some(path) => {
                let mut options = options_for::<S>(&config);
                if let Some(lineage) = lineage {
                    options = options.lineage(lineage);
                }
                Some(options.create_in(place_of_new(path, like.as_ref())?)?)
            }
            None => None,
        };
        Ok(Self {
            config,
            state,
            system,
            threads: resources.threads,
            run,
            directory: directory.map(|path| path.display().to_string()),
            resumed_from: None,
            metrics: Metrics::new(),
            means: Means::of(S::averaged()),
            notices: notices.into_iter().collect(),
            known: declared.iter().cloned().collect(),
            declared,
            told_unknown: Vec::new(),
        })
    }

    fn resume(
        directory: PathBuf,
        access: Access,
        step: Option<u64>,
        settings: &[String],
        onto: Onto,
        resources: &Resources,
    ) -> Result<Self, TrainError> {
        let new = match &onto {
            Onto::Fork(path) if !files::exists(path) => Some(path.clone()),
            _ => None,
        };
        let run = match &onto {
            Onto::Same | Onto::DiscardLater => {
                RunOptions::new().system(S::NAME).versions(S::versions()).open_in(access)?
            }
            Onto::Fork(path) => fork::<S>(&directory, access, step, path)?,
            Onto::Nothing => copy_in_memory::<S>(access, step)?,
        };
        Self::go_on(run, directory, step, settings, onto, resources).inspect_err(|_| {
            // What cannot go on leaves no fork behind. That it cannot is told; that a directory is
            // left over is not worth another word.
            let _ = new.map(|path| files::remove_directory(&path));
        })
    }

    fn go_on(
        mut run: Run,
        directory: PathBuf,
        step: Option<u64>,
        settings: &[String],
        onto: Onto,
        resources: &Resources,
    ) -> Result<Self, TrainError> {
        let location = run.store().location();
        let newest = run.store().records().next_back();
        let Some(record) = newest else {
            if let Some(skipped) = run.store().damaged_records().next() {
                return Err(ResumeError::NothingValid { location, skipped: vec![skipped] }.into());
            }
            return Err(TrainError::NothingSaved { location });
        };
        if record.about.system != S::NAME {
            let found = record.about.system.clone();
            return Err(TrainError::OtherSystem { location, found, expected: S::NAME });
        }
        let newest: (ConfigOf<S>, _) = change_config(&record.about.config, &[], S::changeable())?;
        require_memory::<S>(&newest.0, None)?;
        let mut state = with_config::<S>(&newest.0, S::blank(&newest.0)?);
        let resumed = match step {
            None => run.resume(&mut state)?,
            Some(step) => run.resume_at(step, &mut state, |_| Ok(()))?,
        };
        let from = resumed.step.unwrap_or(0);
        let store = run.store();
        let mut known: BTreeSet<String> =
            store.records().flat_map(|record| record.about.metrics.keys().cloned()).collect();
        let checkpoint = store.checkpoint(from)?;
        let (metrics, recorded) =
            (checkpoint.record().about.metrics.clone(), &checkpoint.record().about.config);
        let history_damage = checkpoint.history().1;
        let mut means = Means::of(S::averaged());
        means.resume(&metrics, checkpoint.record().about.environment.get(means::NOTE));
        if resumed.migrated_from.is_none() {
            require_agreement::<S>(recorded, &state, &location)?;
        }
        let (mut before, _): (ConfigOf<S>, _) = change_config(recorded, &[], S::changeable())?;
        let (mut config, changes): (ConfigOf<S>, _) = change_config(recorded, settings, S::changeable())?;
        // What may change on resume has changed; the rest is what it was.
        state.model = config.model.clone();
        let mut saved = std::mem::replace(&mut state.training, config.training.clone());
        let (saved, before) = (S::files(&mut saved), S::files(&mut before.training));
        check_content(S::files(&mut state.training), &saved, &before)?;
        let memory_warning = require_memory::<S>(&config, Some(&state.state))?;
        let system = S::attach(&config, &state.state, resources)?;
        let declared = S::measures(&config);
        known.extend(declared.iter().cloned());
        make_absolute(S::files(&mut config.training));
        clear_the_way(&mut run, from, &onto)?;
        run.set_saving(config.saving());
        run.writer().set_compression(config.checkpoint.compression);
        run.about_mut().changes.extend(changes.iter().map(|change| format!("step {from}: {change}")));
        let mut notices: Vec<String> = resumed.skipped.iter().map(skip_notice).collect();
        if let Some(version) = resumed.migrated_from {
            notices.push(format!("the state was migrated from version {version} of `{}`", S::NAME));
        }
        if let Some(damage) = history_damage {
            notices.push(format!("warning: the metrics history is not complete: {damage}"));
        }
        notices.extend(memory_warning);
        if !changes.is_empty() {
            notices.push(format!("changed: {}", changes.join(", ")));
        }
        let directory = match onto {
            Onto::Nothing => None,
            Onto::Fork(path) => Some(path),
            Onto::Same | Onto::DiscardLater => Some(directory),
        };
        Ok(Self {
            config,
            state,
            system,
            threads: resources.threads,
            run: directory.is_some().then_some(run),
            directory: directory.map(|path| path.display().to_string()),
            resumed_from: Some(from),
            metrics,
            means,
            notices,
            declared,
            known,
            told_unknown: Vec::new(),
        })
    }

    fn train(mut self, options: &Options) -> Result<Report, TrainError> {
        let mut progress = self.system.progress(&self.state.state);
        let first_step = progress.step;
        self.describe_run();
        if self.resumed_from.is_none() {
            self.copy_config()?;
        }
        let voice = Voice::default();
        self.note_unknown(&voice);
        let signals = self.listen(&voice);
        let pace = Pace { begun: Instant::now(), first_step };
        self.note_pace(&pace, progress);
        if self.resumed_from.is_none() {
            self.checkpoint_or_best(progress.step, &Metrics::new())?;
        }
        let need = S::memory(&self.config, Some(&self.state.state));
        (options.on_start)(&Started {
            run: self.directory.clone(),
            resumed_from: self.resumed_from,
            step: first_step,
            memory_bytes: need.map(|need| need.total(self.config.checkpoint.background)),
        });
        self.notices.extend(self.system.notices());
        self.notices.iter().for_each(|notice| crate::tell!("{notice}"));
        let mut view = ProgressView::new(options.display, progress, &voice, self.declared.clone());
        let mut metrics = std::mem::take(&mut self.metrics);
        while !progress.finished
            && signals.received().is_none()
            && options.stop_at.is_none_or(|at| progress.step < at)
        {
            let mut step_metrics = self.system.step(&mut self.state.state)?;
            progress = self.system.progress(&self.state.state);
            self.refuse_divergence(progress.step, &step_metrics)?;
            self.trace(progress.step, options)?;
            if options.kill_at == Some(progress.step) {
                die();
            }
            self.means.observe(&mut step_metrics);
            view.step(progress, &step_metrics);
            metrics = step_metrics;
            let every = self.config.evaluate.every;
            if every > 0 && progress.step.is_multiple_of(every) && !progress.finished {
                metrics.extend(self.measure(progress.step, &metrics)?);
                view.evaluated(&metrics);
                self.log(progress.step, &metrics);
                self.means.begin_line();
                self.note_metrics(&metrics, &voice);
            }
            if !progress.finished {
                self.note_pace(&pace, progress);
                self.checkpoint_or_best(progress.step, &metrics)?;
            }
        }
        self.note_pace(&pace, progress);
        let (state_hash, known) = self.save_last(progress.step, &metrics)?;
        metrics.extend(self.system.evaluate(&self.state.state)?);
        self.refuse_divergence(progress.step, &metrics)?;
        let conclusion =
            if progress.finished { self.system.conclude(&self.state.state)? } else { Conclusion::default() };
        metrics.extend(conclusion.metrics);
        view.evaluated(&metrics);
        self.note_metrics(&metrics, &voice);
        view.finish(progress);
        let encrypted = self.run.as_mut().is_some_and(|run| run.store().identity().encrypted);
        // A file for people would tell what the run keeps secret.
        let artifacts = if encrypted { Vec::new() } else { conclusion.artifacts };
        self.complete_last(progress.step, &metrics, &known, &artifacts)?;
        Ok(Report {
            run: self.directory,
            system: S::NAME,
            seed: self.config.seed,
            step: progress.step,
            steps_run: progress.step - first_step,
            resumed_from: self.resumed_from,
            state_hash,
            finished: progress.finished,
            artifacts: artifacts.into_iter().map(|(name, _)| format!("artifacts/{name}")).collect(),
            metrics,
            order: self.declared,
            stopped_by: if progress.finished { None } else { signals.received() },
            text: conclusion.text,
        })
    }

    /// Listens to signals; the first is told at once, however long the step at hand takes.
    fn listen(&self, voice: &Voice) -> Signals {
        let does = if self.run.is_some() { "saving" } else { "stopping" };
        let voice = voice.clone();
        Signals::listen(move |signal| match signal {
            Signal::Interrupt => voice.tell(&format!("{does}; press again to leave without saving")),
            Signal::Terminate | Signal::HangUp => voice.tell(does),
        })
    }

    /// Notes for the commit records: the config, and how it is computed.
    fn describe_run(&mut self) {
        let Some(run) = &mut self.run else { return };
        let mut environment = BTreeMap::from([
            ("threads".to_owned(), self.threads.to_string()),
            ("rekindle".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
            ("target".to_owned(), format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS)),
        ]);
        environment.extend(self.system.environment());
        let about = run.about_mut();
        about.environment = environment;
        about.config = serde_json::to_value(&self.config).unwrap_or_default();
    }

    /// Writes a copy of the config for people.
    fn copy_config(&mut self) -> Result<(), TrainError> {
        const HEAD: &str = "# A copy for people. Editing it changes nothing: use\n\
                            # `rekindle resume RUN --set PATH=VALUE`.\n";
        let Some(run) = &mut self.run else { return Ok(()) };
        let yaml = serde_saphyr::to_string(&self.config).unwrap_or_default();
        run.writer().put_note("config.yaml", format!("{HEAD}{yaml}").as_bytes())?;
        Ok(())
    }

    /// Saves when the policy says so, or when the state is the best so far.
    fn checkpoint_or_best(&mut self, step: u64, metrics: &Metrics) -> Result<(), TrainError> {
        self.note_means();
        let Some(run) = &mut self.run else { return Ok(()) };
        run.set_metrics(step, metrics);
        if run.is_new_best(metrics) {
            run.checkpoint_now(step, &self.state)?;
        } else {
            run.checkpoint(step, &self.state)?;
        }
        Ok(())
    }

    /// Measures between two steps. When that fails, the steps before it are not lost.
    fn measure(&mut self, step: u64, metrics: &Metrics) -> Result<Metrics, TrainError> {
        match self.system.evaluate(&self.state.state) {
            Ok(measured) => {
                self.refuse_divergence(step, &measured)?;
                Ok(measured)
            }
            Err(error) => {
                self.save_last(step, metrics)?;
                Err(error.into())
            }
        }
    }

    /// Notes for `status`: how fast training is, and where it ends.
    fn note_pace(&mut self, pace: &Pace, progress: Progress) {
        let Some(run) = &mut self.run else { return };
        let environment = &mut run.about_mut().environment;
        if let Some(total) = progress.total {
            environment.insert("total_steps".to_owned(), total.to_string());
        }
        let seconds = pace.begun.elapsed().as_secs_f64();
        let done = progress.step - pace.first_step;
        if done > 0 && seconds > 0.0 {
            environment.insert("steps_per_second".to_owned(), format!("{:.3}", done as f64 / seconds));
        }
    }

    /// A note for whoever goes on: over how many steps the means among the metrics go.
    fn note_means(&mut self) {
        let Some(run) = &mut self.run else { return };
        let environment = &mut run.about_mut().environment;
        match self.means.note() {
            Some(note) => drop(environment.insert(means::NOTE.to_owned(), note)),
            None => drop(environment.remove(means::NOTE)),
        }
    }

    /// While a metric that chooses what is kept is unknown, nothing is deleted: what it would keep is
    /// not known either. Where nothing is measured before the end, it cannot be waited for.
    fn set_policy(&mut self) {
        let mut policy = self.config.policy();
        let is_measured = self.config.evaluate.every > 0 || !self.known.is_empty();
        if is_measured && !self.unknown_metrics().is_empty() {
            policy.retention = Retention::default();
        }
        if let Some(run) = &mut self.run {
            run.set_policy(policy);
        }
    }

    /// Metrics that choose what is kept and that there are not, with the settings that name them.
    fn unknown_metrics(&self) -> Vec<String> {
        let best = self.config.best.iter().map(|best| ("best.metric", best));
        let keep = self.config.checkpoint.keep_best.iter().map(|best| ("checkpoint.keep_best", best));
        let unknown = best.chain(keep).filter(|(_, best)| !self.known.contains(&best.metric));
        unknown.map(|(setting, best)| format!("`{}` ({setting})", best.metric)).collect()
    }

    /// A misspelt metric shows at the beginning where the system says what it measures, and else at the
    /// first evaluation.
    fn note_metrics(&mut self, metrics: &Metrics, voice: &Voice) {
        self.known.extend(metrics.keys().cloned());
        self.note_unknown(voice);
    }

    fn note_unknown(&mut self, voice: &Voice) {
        let unknown = self.unknown_metrics();
        // Before anything was measured nothing is known to be missing.
        if !self.known.is_empty() && unknown != self.told_unknown {
            if !unknown.is_empty() {
                let known: Vec<&str> = self.known.iter().map(String::as_str).collect();
                voice.tell(&format!(
                    "warning: there is no metric {}, so no checkpoint is deleted; there are: {}",
                    unknown.join(", "),
                    known.join(", ")
                ));
            }
            self.told_unknown = unknown;
        }
        self.set_policy();
    }

    fn log(&mut self, step: u64, metrics: &Metrics) {
        if let Some(run) = &mut self.run {
            run.log(step, metrics);
        }
    }

    fn refuse_divergence(&mut self, step: u64, metrics: &Metrics) -> Result<(), TrainError> {
        let Some((metric, &value)) = metrics.iter().find(|(_, value)| !value.is_finite()) else {
            return Ok(());
        };
        let steps = self.run.as_mut().map(|run| run.store().steps()).unwrap_or_default();
        let saved = steps.contains(&step);
        let last_checkpoint = steps.into_iter().rfind(|&saved| saved < step);
        Err(TrainError::Diverged { step, metric: metric.clone(), value, saved, last_checkpoint })
    }

    fn trace(&self, step: u64, options: &Options) -> Result<(), TrainError> {
        let Some(path) = &options.trace else { return Ok(()) };
        let line = format!("{step} {}", hash_of(&self.state)?);
        files::append_line(path, &line).map_err(|source| TrainError::Trace { path: path.clone(), source })
    }

    /// Saves the state with which this process ends, unless it is saved already: before anything that
    /// may fail. Gives the state hash, and the metrics that its checkpoint has.
    fn save_last(&mut self, step: u64, metrics: &Metrics) -> Result<(Hash, Metrics), TrainError> {
        self.note_means();
        let resumed_from = self.resumed_from;
        let Some(run) = &mut self.run else { return Ok((hash_of(&self.state)?, Metrics::new())) };
        let record = if resumed_from == Some(step) {
            // No step was done: what is saved is what it was, and a change of the config is not.
            run.store().checkpoint(step)?.record().clone()
        } else {
            run.set_metrics(step, metrics);
            run.save(step, &self.state)?.record
        };
        Ok((record.state_hash, record.about.metrics))
    }

    /// Adds what was measured of the last state to its checkpoint, unless it is there, and the files for
    /// people.
    fn complete_last(
        &mut self,
        step: u64,
        metrics: &Metrics,
        known: &Metrics,
        artifacts: &[(String, Vec<u8>)],
    ) -> Result<(), TrainError> {
        let resumed_from = self.resumed_from;
        let Some(run) = &mut self.run else { return Ok(()) };
        let finite = metrics.iter().filter(|(_, value)| value.is_finite());
        let is_new = finite.into_iter().any(|(name, _)| !known.contains_key(name));
        if is_new {
            run.log(step, metrics);
            run.amend(step)?;
        } else if resumed_from == Some(step) {
            return Ok(());
        }
        for (name, bytes) in artifacts {
            run.writer().put_note(&format!("artifacts/{name}"), bytes)?;
        }
        let record = run.store().checkpoint(step)?.record().clone();
        let rows = run.store().history(&record).0;
        let lines = rows.into_iter().map(|row| serde_json::Value::Object(row).to_string() + "\n");
        run.writer().put_note("metrics.jsonl", lines.collect::<String>().as_bytes())?;
        self.copy_config()
    }
}

/// Refuses a training that can never fit into memory, and warns of one that does not fit now.
fn require_memory<S: System>(
    config: &ConfigOf<S>,
    state: Option<&S::State>,
) -> Result<Option<String>, TrainError> {
    let Some(need) = S::memory(config, state) else { return Ok(None) };
    let held = if state.is_some() { need.state } else { 0 };
    Ok(memory::check(&need, config.checkpoint.background, held, MachineMemory::read())?)
}

/// When this process began, and where.
struct Pace {
    begun: Instant,
    first_step: u64,
}

fn with_config<S: System>(config: &ConfigOf<S>, state: S::State) -> StateOf<S> {
    TrainingState { seed: config.seed, model: config.model.clone(), training: config.training.clone(), state }
}

fn options_for<S: System>(config: &ConfigOf<S>) -> RunOptions {
    RunOptions::new()
        .system(S::NAME)
        .versions(S::versions())
        .policy(config.policy())
        .saving(config.saving())
        .compression(config.checkpoint.compression)
}

fn skip_notice(skipped: &Skipped) -> String {
    format!(
        "warning: the checkpoint at step {} is damaged and was passed over: {}",
        skipped.step, skipped.damage
    )
}

fn lineage(origin: &Origin) -> Result<Lineage, ReadError> {
    let record = origin.store.checkpoint(origin.step)?.record();
    Ok(Lineage {
        source: origin.source.clone(),
        run: Some(record.run.clone()),
        step: Some(record.step),
        state_hash: Some(record.state_hash),
        only: origin.only.as_ref().map(EntryPath::to_string),
    })
}

/// `fresh` with the origin's state, or the part of it that was asked for, in its place.
fn take_over<M, T, St>(
    fresh: TrainingState<M, T, St>,
    origin: &Origin,
    config: &crate::config::RunConfig<M, T>,
    versions: &Versions,
) -> Result<TrainingState<M, T, St>, TrainError>
where
    M: Serialize + serde::de::DeserializeOwned + Clone,
    T: Serialize + serde::de::DeserializeOwned + Clone,
    St: Serialize + serde::de::DeserializeOwned,
{
    // Without --only, the system's whole state is taken; the config stays that of the new run.
    let path = match &origin.only {
        Some(path) if path.segments().first().is_some_and(|first| first == "state") => path.clone(),
        // What is only named by its place in the system's state is looked for there.
        only => {
            let segments = only.iter().flat_map(EntryPath::segments);
            segments.fold(EntryPath::root().child("state"), |path, segment| path.child(segment))
        }
    };
    let checkpoint = origin.store.checkpoint(origin.step)?;
    let about = &checkpoint.record().about;
    let part = match &about.schema {
        // Of an older version of the same system, what is taken may have another form.
        Some(schema) if schema.name == versions.schema().name && schema != versions.schema() => {
            let tree = versions.migrated(checkpoint.load(&EntryPath::root())?, Some(schema))?;
            tree.at(&path).cloned().ok_or_else(|| no_entry(&tree, &path))?
        }
        _ => checkpoint.load(&path)?,
    };
    let grafted = graft(&fresh, &path, part);
    let mut state =
        grafted.map_err(|error| TrainError::Graft { source_address: origin.source.clone(), error })?;
    state.model = config.model.clone();
    state.training = config.training.clone();
    Ok(state)
}

/// The config that a checkpoint records must be the one that its state was trained with, but for the
/// names of files: the state has what they contain.
fn require_agreement<S: System>(
    recorded: &serde_json::Value,
    state: &StateOf<S>,
    location: &str,
) -> Result<(), TrainError> {
    let (mut recorded, mut training) = (recorded.clone(), state.training.clone());
    for file in S::files(&mut training) {
        *file.place = None;
        if let Some(name) = recorded.pointer_mut(&format!("/{}", file.setting.replace('.', "/"))) {
            *name = serde_json::Value::Null;
        }
    }
    let agrees = |section: &str, value: serde_json::Result<serde_json::Value>| {
        recorded.get(section) == value.ok().as_ref()
    };
    let sections = [
        ("seed", serde_json::to_value(state.seed)),
        ("model", serde_json::to_value(&state.model)),
        ("training", serde_json::to_value(&training)),
    ];
    for (section, value) in sections {
        if !agrees(section, value) {
            return Err(TrainError::Contradiction { location: location.to_owned(), section });
        }
    }
    Ok(())
}

/// A whole state can only be taken over from a run of the same system; a part from any.
fn require_same_system<S: System>(origin: &Origin) -> Result<(), TrainError> {
    let found = &origin.store.checkpoint(origin.step)?.record().about.system;
    if origin.only.is_some() || found == S::NAME {
        return Ok(());
    }
    Err(TrainError::OtherSystem {
        location: origin.store.location(),
        found: found.clone(),
        expected: S::NAME,
    })
}

/// Later checkpoints than the one to go on from are in the way of new ones.
fn clear_the_way(run: &mut Run, from: u64, onto: &Onto) -> Result<(), TrainError> {
    let newest = run.store().steps().last().copied().unwrap_or(from);
    if newest <= from {
        return Ok(());
    }
    match onto {
        Onto::DiscardLater => drop(run.writer().discard_after(from)?),
        _ => {
            let location = run.store().location();
            return Err(TrainError::LaterCheckpoints { location, step: from, newest });
        }
    }
    Ok(())
}

/// A new run in `path` that holds one checkpoint of the run in `directory`.
fn fork<S: System>(
    directory: &Path,
    access: Access,
    step: Option<u64>,
    path: &Path,
) -> Result<Run, TrainError> {
    let new = place_of_new(path, Some(&access))?;
    let (store, step) = open_valid(access, step)?;
    let source = format!("{}@{step}", directory.display());
    let origin = Origin { source, store, step, only: None };
    let options = RunOptions::new().system(S::NAME).versions(S::versions()).lineage(lineage(&origin)?);
    let mut run = options.create_in(new)?;
    run.writer().copy_checkpoint(&origin.store.checkpoint(step)?)?;
    Ok(run)
}

/// The place of a new run. One that begins with the state of an encrypted run has the same key.
fn place_of_new(path: &Path, like: Option<&Access>) -> Result<Access, OpenError> {
    let storage = Arc::new(FileStorage::new(path));
    Ok(like.map_or(Ok(storage.clone().into()), |like| like.beside(storage))?)
}

fn copy_in_memory<S: System>(access: Access, step: Option<u64>) -> Result<Run, TrainError> {
    let (store, step) = open_valid(access, step)?;
    let options = RunOptions::new().system(S::NAME).versions(S::versions());
    let mut run = options.create_in(Arc::new(MemoryStorage::new()))?;
    run.writer().copy_checkpoint(&store.checkpoint(step)?)?;
    Ok(run)
}

/// A run, opened for reading, and the step that was asked for or its newest valid one.
fn open_valid(access: Access, step: Option<u64>) -> Result<(Store, u64), TrainError> {
    let store = Store::open(access)?;
    let step = match step {
        Some(step) => step,
        None => match store.newest_whole()? {
            (Some(step), _) => step,
            (None, skipped) if skipped.is_empty() => {
                return Err(TrainError::NothingSaved { location: store.location() });
            }
            (None, skipped) => {
                return Err(ResumeError::NothingValid { location: store.location(), skipped }.into());
            }
        },
    };
    Ok((store, step))
}
