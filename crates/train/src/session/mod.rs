//! The training loop that every system shares.

mod begin;
mod error;
mod report;
mod resume;
mod revise;
mod training;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use rekindle::{Hash, Retention, Run};
use rekindle_formats::files;

use crate::config::LoopConfig;
use crate::events::{Event, Notice, Started};
use crate::history::{self, History, Window};
use crate::means::{self, Means};
use crate::memory::{self, LowMemory, MachineMemory, MemoryNeed};
use crate::signals::{Signals, die};
use crate::system::{Conclusion, Metrics, Progress, Resources};

pub use error::TrainError;
pub use report::{Onto, Options, Origin, Report, Start};
pub(crate) use revise::revise;
pub use revise::{Change, Revised, Revision};
use training::AnyTraining;
pub use training::{AnyConfig, TrainingState};
pub(crate) use training::{Configs, ConfigsOf};

/// Trains a system from `start` until it ends, is stopped, or fails.
pub(crate) fn train(configs: &dyn Configs, start: Start, options: &Options) -> Result<Report, TrainError> {
    let resources = Resources { observer: Arc::clone(&options.observer), ..Resources::new(options.threads) };
    let begun = match start {
        Start::New { text, settings, run, from } => {
            begin::begin(configs, &text, &settings, run, from, &resources)?
        }
        Start::Resume { run, access, step, settings, onto } => {
            resume::resume(configs, run, access, step, &settings, onto, &resources)?
        }
    };
    Session::new(configs, begun, options).train()
}

/// A training that has not yet done a step.
struct Begun {
    training: Box<dyn AnyTraining>,
    run: Option<Run>,
    directory: Option<PathBuf>,
    notices: Vec<Notice>,
    resumed: Option<ResumedFrom>,
}

/// A checkpoint that training goes on from.
struct ResumedFrom {
    step: u64,
    metrics: Metrics,
    means: Means,
    window: Window,
    /// Metrics that the run has measured.
    known: BTreeSet<String>,
}

/// A training in progress.
struct Session<'a> {
    system: &'static str,
    config: LoopConfig,
    training: Box<dyn AnyTraining>,
    options: &'a Options,
    run: Option<Run>,
    directory: Option<String>,
    resumed_from: Option<u64>,
    /// Metrics of the checkpoint that training goes on from.
    metrics: Metrics,
    means: Means,
    window: Window,
    notices: Vec<Notice>,
    /// The metrics that the system says it measures, in the order in which they are shown.
    declared: Vec<String>,
    /// Names of the metrics that there are: what was declared or measured.
    known: BTreeSet<String>,
    /// Metrics that were told to be unknown.
    told_unknown: Vec<String>,
}

impl<'a> Session<'a> {
    fn new(configs: &dyn Configs, begun: Begun, options: &'a Options) -> Self {
        let Begun { training, run, directory, notices, resumed } = begun;
        let declared = training.measures();
        let resumed_from = resumed.as_ref().map(|resumed| resumed.step);
        let (metrics, means, window, mut known) = match resumed {
            Some(ResumedFrom { metrics, means, window, known, .. }) => (metrics, means, window, known),
            None => (Metrics::new(), Means::of(configs.averaged()), Window::default(), BTreeSet::new()),
        };
        known.extend(declared.iter().cloned());
        Self {
            system: configs.system(),
            config: training.loop_config(),
            training,
            options,
            run,
            directory: directory.map(|path| path.display().to_string()),
            resumed_from,
            metrics,
            means,
            window,
            notices,
            declared,
            known,
            told_unknown: Vec::new(),
        }
    }

    fn train(mut self) -> Result<Report, TrainError> {
        let mut progress = self.training.progress();
        let pace = Pace { begun: Instant::now(), first_step: progress.step };
        let signals = self.start(progress, &pace)?;
        let mut metrics = std::mem::take(&mut self.metrics);
        while !progress.finished
            && signals.received().is_none()
            && self.options.stop_at.is_none_or(|at| progress.step < at)
        {
            metrics = self.training.step()?;
            progress = self.training.progress();
            self.refuse_divergence(progress.step, &metrics)?;
            self.trace(progress.step)?;
            if self.options.kill_at == Some(progress.step) {
                die();
            }
            self.log_training(progress, &metrics);
            self.means.observe(&mut metrics);
            self.tell(&Event::Step { progress, metrics: &metrics });
            let every = self.config.evaluate.every;
            if every > 0 && progress.step.is_multiple_of(every) && !progress.finished {
                self.evaluate(progress, &mut metrics)?;
            }
            if !progress.finished {
                self.note_pace(&pace, progress);
                self.checkpoint_or_best(progress.step, &metrics)?;
            }
        }
        self.note_pace(&pace, progress);
        let stopped_by = if progress.finished { None } else { signals.received() };
        let mut report = self.end(progress, metrics)?;
        report.steps_run = progress.step - pace.first_step;
        report.stopped_by = stopped_by;
        Ok(report)
    }

    /// Tells that training begins, begins to listen to signals, and saves what a new run begins with.
    fn start(&mut self, progress: Progress, pace: &Pace) -> Result<Signals, TrainError> {
        self.describe_run()?;
        if self.resumed_from.is_none() {
            self.copy_config()?;
        }
        self.note_unknown();
        let signals = self.listen();
        self.note_pace(pace, progress);
        if self.resumed_from.is_none() {
            self.checkpoint_or_best(progress.step, &Metrics::new())?;
        }
        let need = self.training.memory();
        self.tell(&Event::Started(&Started {
            run: self.directory.clone(),
            resumed_from: self.resumed_from,
            step: progress.step,
            memory_bytes: need.map(|need| need.total(self.config.checkpoint.background)),
            progress,
            order: self.declared.clone(),
        }));
        self.notices.extend(self.training.warnings().into_iter().map(Notice::OfSystem));
        self.notices.iter().for_each(|notice| self.tell(&Event::Notice(notice)));
        Ok(signals)
    }

    /// Takes what training told at a step into the history.
    fn log_training(&mut self, progress: Progress, metrics: &Metrics) {
        let Some(run) = &mut self.run else { return };
        if let Some(row) = self.window.observe(progress.step, metrics, progress.finished) {
            run.log_row(row);
        }
    }

    /// Measures between two steps, and logs it.
    fn evaluate(&mut self, progress: Progress, metrics: &mut Metrics) -> Result<(), TrainError> {
        let measured = self.measure(progress.step, metrics)?;
        metrics.extend(measured);
        self.tell(&Event::Evaluated { progress, metrics });
        if let Some(run) = &mut self.run {
            run.log(progress.step, metrics);
        }
        self.means.begin_line();
        self.note_metrics(metrics);
        Ok(())
    }

    /// Saves, measures and concludes.
    fn end(mut self, progress: Progress, mut metrics: Metrics) -> Result<Report, TrainError> {
        let (state_hash, known) = self.save_last(progress.step, &metrics)?;
        metrics.extend(self.training.evaluate()?);
        self.refuse_divergence(progress.step, &metrics)?;
        let conclusion = if progress.finished { self.training.conclude()? } else { Conclusion::default() };
        metrics.extend(conclusion.metrics);
        self.tell(&Event::Evaluated { progress, metrics: &metrics });
        self.note_metrics(&metrics);
        self.tell(&Event::Ended { progress });
        let encrypted = self.run.as_mut().is_some_and(|run| run.store().identity().encrypted);
        // A file for people would tell what the run keeps secret.
        let artifacts = if encrypted { Vec::new() } else { conclusion.artifacts };
        self.complete_last(progress.step, &metrics, &known, &artifacts)?;
        Ok(Report {
            run: self.directory,
            system: self.system,
            seed: self.config.seed,
            step: progress.step,
            steps_run: 0,
            resumed_from: self.resumed_from,
            state_hash,
            finished: progress.finished,
            artifacts: artifacts.into_iter().map(|(name, _)| format!("artifacts/{name}")).collect(),
            metrics,
            order: self.declared,
            stopped_by: None,
            text: conclusion.text,
        })
    }

    fn tell(&self, event: &Event<'_>) {
        (self.options.observer)(event);
    }

    /// Listens to signals; the first is told at once, however long the step at hand takes.
    fn listen(&self) -> Signals {
        let saves = self.run.is_some();
        let observer = Arc::clone(&self.options.observer);
        Signals::listen(move |signal| observer(&Event::Signal { signal, saves }))
    }

    /// Notes for the commit records: the config, and how it is computed.
    fn describe_run(&mut self) -> Result<(), TrainError> {
        let Some(run) = &mut self.run else { return Ok(()) };
        let mut environment = environment(self.options.threads);
        environment.extend(self.training.environment());
        let about = run.about_mut();
        about.environment = environment;
        about.config = self.training.config().json()?;
        Ok(())
    }

    /// Writes a copy of the config for people.
    fn copy_config(&mut self) -> Result<(), TrainError> {
        const HEAD: &str = "# A copy for people. Editing it changes nothing: what may change does so when the run\n\
                            # goes on (`rekindle resume`).\n";
        let Some(run) = &mut self.run else { return Ok(()) };
        let yaml = self.training.config().yaml()?;
        run.writer().put_note("config.yaml", format!("{HEAD}{yaml}").as_bytes())?;
        Ok(())
    }

    /// Saves when the policy says so, or when the state is the best so far.
    fn checkpoint_or_best(&mut self, step: u64, metrics: &Metrics) -> Result<(), TrainError> {
        self.note_means();
        let Some(run) = &mut self.run else { return Ok(()) };
        run.set_metrics(step, metrics);
        let save = match run.is_new_best(metrics) {
            true => AnyTraining::checkpoint_now,
            false => AnyTraining::checkpoint,
        };
        Ok(save(&*self.training, run, step)?)
    }

    /// Measures the state. When that fails, the steps before it are not lost.
    fn measure(&mut self, step: u64, metrics: &Metrics) -> Result<Metrics, TrainError> {
        match self.training.evaluate() {
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
        // Where it ends may be known only when it has ended.
        if let Some(total) = progress.total.or(progress.finished.then_some(progress.step)) {
            environment.insert("total_steps".to_owned(), total.to_string());
        }
        let seconds = pace.begun.elapsed().as_secs_f64();
        let done = progress.step - pace.first_step;
        if done > 0 && seconds > 0.0 {
            environment.insert("steps_per_second".to_owned(), format!("{:.3}", done as f64 / seconds));
        }
    }

    /// Notes for whoever goes on: over how many steps the means among the metrics go, and the window of the
    /// history that is not at its end.
    fn note_means(&mut self) {
        let Some(run) = &mut self.run else { return };
        let environment = &mut run.about_mut().environment;
        for (name, note) in [(means::NOTE, self.means.note()), (history::NOTE, self.window.note())] {
            match note {
                Some(note) => drop(environment.insert(name.to_owned(), note)),
                None => drop(environment.remove(name)),
            }
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
    fn note_metrics(&mut self, metrics: &Metrics) {
        self.known.extend(metrics.keys().cloned());
        self.note_unknown();
    }

    fn note_unknown(&mut self) {
        let unknown = self.unknown_metrics();
        // Before anything was measured nothing is known to be missing.
        if !self.known.is_empty() && unknown != self.told_unknown {
            if !unknown.is_empty() {
                let known = self.known.iter().cloned().collect();
                self.tell(&Event::Notice(&Notice::UnknownMetrics { unknown: unknown.clone(), known }));
            }
            self.told_unknown = unknown;
        }
        self.set_policy();
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

    fn trace(&self, step: u64) -> Result<(), TrainError> {
        let Some(path) = &self.options.trace else { return Ok(()) };
        let line = format!("{step} {}", self.training.state_hash()?);
        files::append_line(path, &line).map_err(|source| TrainError::Trace { path: path.clone(), source })
    }

    /// Saves the state with which this process ends, unless it is saved already: before anything that
    /// may fail. Gives the state hash, and the metrics that its checkpoint has.
    fn save_last(&mut self, step: u64, metrics: &Metrics) -> Result<(Hash, Metrics), TrainError> {
        self.note_means();
        let resumed_from = self.resumed_from;
        let Some(run) = &mut self.run else { return Ok((self.training.state_hash()?, Metrics::new())) };
        let record = if resumed_from == Some(step) {
            // No step was done: what is saved is what it was, and a change of the config is not.
            run.store().checkpoint(step)?.record().clone()
        } else {
            run.set_metrics(step, metrics);
            self.training.save(run, step)?
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
        copy_metrics(run, step)?;
        self.copy_config()
    }
}

/// How this process computes, for commit records.
fn environment(threads: usize) -> BTreeMap<String, String> {
    BTreeMap::from([
        ("threads".to_owned(), threads.max(1).to_string()),
        ("rekindle".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
        ("target".to_owned(), format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS)),
    ])
}

/// Writes a copy of the metrics for people.
fn copy_metrics(run: &mut Run, step: u64) -> Result<(), TrainError> {
    let record = run.store().checkpoint(step)?.record().clone();
    let rows = History::of(run.store().history(&record).0).evaluations;
    let lines = rows.into_iter().map(|row| serde_json::Value::Object(row).to_string() + "\n");
    Ok(run.writer().put_note("metrics.jsonl", lines.collect::<String>().as_bytes())?)
}

/// Refuses a training that can never fit into memory, and warns of one that does not fit now. `held` says
/// whether the state is there already.
fn require_memory(
    need: Option<MemoryNeed>,
    config: &LoopConfig,
    held: bool,
) -> Result<Option<LowMemory>, TrainError> {
    let Some(need) = need else { return Ok(None) };
    let held = if held { need.state } else { 0 };
    Ok(memory::check(&need, config.checkpoint.background, held, MachineMemory::read())?)
}

/// When this process began, and where.
struct Pace {
    begun: Instant,
    first_step: u64,
}
