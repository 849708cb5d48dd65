//! What the training loop knows of a model system.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

use rekindle::Versions;

use crate::config::RunConfig;
use crate::content::NamedFile;
use crate::events::{Event, Observer};
use crate::memory::MemoryNeed;

/// Metrics by name.
pub type Metrics = BTreeMap<String, f64>;

/// A family of models as the training loop sees it; what else such a family offers, its
/// [`Family`](crate::Family) says.
///
/// The value that implements the trait is the *runtime*: scratch buffers, data, thread pools;
/// everything that is rebuilt rather than saved. All that training needs to go on is in
/// [`State`](Self::State), and nothing else may influence it: no clock, no thread count, no
/// evaluation.
pub trait System: Sized {
    /// The name in a config's `system:`.
    const NAME: &'static str;

    /// The `model:` section of a config. Refuses unknown keys; the comments of its fields are what
    /// users read of them.
    type Model: Serialize + DeserializeOwned + Clone + JsonSchema;
    /// The `training:` section of a config. Refuses unknown keys.
    type Training: Serialize + DeserializeOwned + Clone + JsonSchema;
    /// All that training needs to go on.
    type State: Serialize + DeserializeOwned;

    /// Schema and migrations of the state.
    fn versions() -> Versions {
        Versions::new(Self::NAME, 1)
    }

    /// Paths of the config, beside the sections of the loop, that may change on resume.
    fn changeable() -> &'static [&'static str] {
        &[]
    }

    /// The files that a `training:` section names. A state holds what they contain in place of their
    /// names, so that they may lie elsewhere when a run goes on; that they are the same is checked.
    fn files(training: &mut Self::Training) -> Vec<NamedFile<'_>> {
        let _ = training;
        Vec::new()
    }

    /// The state before the first step.
    ///
    /// # Errors
    /// When the config contradicts itself.
    fn build(config: &ConfigOf<Self>) -> Result<Self::State, SystemError>;

    /// A state of the form that [`build`](Self::build) gives, to be loaded into: its numbers do not
    /// matter, nor how long growing arrays are. For systems whose first state takes long to make, or
    /// needs files: these must not be read here, as they may lie elsewhere when a run goes on.
    ///
    /// # Errors
    /// When the config contradicts itself.
    fn blank(config: &ConfigOf<Self>) -> Result<Self::State, SystemError> {
        Self::build(config)
    }

    /// Makes a state that was taken over from another run, or a part of it, the beginning of a new one.
    ///
    /// # Errors
    /// When it cannot be.
    fn adopt(config: &ConfigOf<Self>, state: &mut Self::State) -> Result<(), SystemError> {
        let _ = (config, state);
        Ok(())
    }

    /// Makes a state that goes on with a changed config fit it, such as one with another phase of training behind
    /// those that are over.
    ///
    /// # Errors
    /// When it cannot go on so.
    fn extend(config: &ConfigOf<Self>, state: &mut Self::State) -> Result<(), SystemError> {
        let _ = (config, state);
        Ok(())
    }

    /// Takes out of the `training:` section that a state is saved with what the state does not depend on: for
    /// systems in whose states it leaves no trace where the data came from, and in which order.
    fn drop_origin(training: &mut Self::Training, state: &Self::State) {
        let _ = (training, state);
    }

    /// How much memory a training takes: upper bounds. Without a state, which is not made yet, the
    /// least that it can be.
    fn memory(config: &ConfigOf<Self>, state: Option<&Self::State>) -> Option<MemoryNeed> {
        let _ = (config, state);
        None
    }

    /// Builds the runtime around a state, and checks that the state fits the config as a whole.
    ///
    /// # Errors
    /// When it does not, or the machine cannot do what is asked for.
    fn attach(
        config: &ConfigOf<Self>,
        state: &Self::State,
        resources: &Resources,
    ) -> Result<Self, SystemError>;

    /// What whoever trains should know of this training before it goes on, such as what of the data is
    /// not learnt.
    fn warnings(&self) -> Vec<String> {
        Vec::new()
    }

    /// The metrics that a training of this config measures, in the order in which they are shown; none
    /// where that is not known before. What chooses the best is looked for among them, so that a metric
    /// that is measured late is not taken for one that does not exist.
    fn measures(config: &ConfigOf<Self>) -> Vec<String> {
        let _ = config;
        Vec::new()
    }

    /// The unit of a metric, such as "nats per token", for the axes of pictures.
    fn unit(metric: &str) -> Option<&'static str> {
        let _ = metric;
        None
    }

    /// Metrics of a step that are told as the mean since the last line of the history.
    fn averaged() -> &'static [&'static str] {
        &[]
    }

    /// How far training is.
    fn progress(&self, state: &Self::State) -> Progress;

    /// Trains one step.
    ///
    /// # Errors
    /// When the step cannot be done. A metric that is not finite stops training too.
    fn step(&mut self, state: &mut Self::State) -> Result<Metrics, SystemError>;

    /// Measures the state without changing what training will do.
    ///
    /// # Errors
    /// When it cannot be measured. A metric that is not finite stops training too.
    fn evaluate(&mut self, state: &Self::State) -> Result<Metrics, SystemError>;

    /// What training ends with: final metrics, files, and something to look at.
    ///
    /// # Errors
    /// When the outcome cannot be made.
    fn conclude(&mut self, state: &Self::State) -> Result<Conclusion, SystemError>;

    /// How the runtime computes, for the record: kernel path and the like.
    fn environment(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }
}

/// The config of a system's runs.
pub type ConfigOf<S> = RunConfig<<S as System>::Model, <S as System>::Training>;

/// What a runtime may use.
#[derive(Clone)]
#[non_exhaustive]
pub struct Resources {
    /// Number of threads; at least 1.
    pub threads: usize,
    /// The step of the checkpoint that training goes on from: for systems whose states do not say it. 0 in a
    /// new training.
    pub step: u64,
    /// Told of long work.
    pub observer: Observer,
}

impl Resources {
    /// So many threads, and nobody is told of long work.
    pub fn new(threads: usize) -> Self {
        Self { threads: threads.max(1), step: 0, observer: Arc::new(|_| {}) }
    }

    /// Tells how far long work is that comes before the first step or between two of them.
    pub fn tell_work(&self, what: &str, percent: u64) {
        (self.observer)(&Event::Work { what, percent });
    }
}

impl fmt::Debug for Resources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Resources");
        debug.field("threads", &self.threads).field("step", &self.step).finish_non_exhaustive()
    }
}

/// How far training is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Steps done.
    pub step: u64,
    /// The step at which training ends, if that is known.
    pub total: Option<u64>,
    /// Training has ended.
    pub finished: bool,
}

/// What training ends with.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Conclusion {
    /// Final metrics.
    pub metrics: Metrics,
    /// Text to look at: a picture in characters, a summary.
    pub text: String,
    /// Files for the run's `artifacts/`, by name.
    pub artifacts: Vec<(String, Vec<u8>)>,
}

/// A system refused or failed; the message is for people.
#[derive(Debug)]
pub struct SystemError {
    error: Box<dyn std::error::Error + Send + Sync>,
    is_mismatch: bool,
}

impl SystemError {
    /// Wraps a system's own error.
    pub fn new(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { error: error.into(), is_mismatch: false }
    }

    /// Wraps a system's own error that says that a state does not fit the config.
    pub fn mismatch(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { error: error.into(), is_mismatch: true }
    }

    /// The system's own error.
    pub fn get_ref(&self) -> &(dyn std::error::Error + Send + Sync + 'static) {
        &*self.error
    }

    /// True when a state does not fit the config.
    pub fn is_mismatch(&self) -> bool {
        self.is_mismatch
    }
}

impl fmt::Display for SystemError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for SystemError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.error.source()
    }
}
