//! A config, a state and a runtime with their types hidden, so that the loop is compiled once and not
//! for each system. A config becomes a state, and a state a training.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use rekindle::records::{CommitRecord, Lineage};
use rekindle::tree::{GraftError, graft};
use rekindle::{CaptureError, EntryPath, Hash, ResumeError, Resumed, Run, Tree, Versions, hash_of};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::TrainError;
use crate::config::{ConfigError, ConfigText, LoopConfig, RunConfig, change_config};
use crate::content::{ContentError, check_content, make_absolute, name_by_content, teachers};
use crate::memory::MemoryNeed;
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

pub(crate) type StateOf<S> =
    TrainingState<<S as System>::Model, <S as System>::Training, <S as System>::State>;

/// A config.
pub trait AnyConfig {
    /// With all defaults, as YAML.
    ///
    /// # Errors
    /// When it cannot be written as YAML.
    fn yaml(&self) -> Result<String, ConfigError>;

    /// With all defaults, as JSON.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    fn json(&self) -> Result<Value, ConfigError>;
}

/// A config that a training can begin with.
pub(crate) trait Trainable: AnyConfig {
    fn loop_config(&self) -> LoopConfig;
    fn memory(&self) -> Option<MemoryNeed>;
    fn build(self: Box<Self>) -> Result<Box<dyn AnyState>, SystemError>;
    fn blank(self: Box<Self>) -> Result<Box<dyn AnyState>, SystemError>;
}

/// A config and a state that is trained with it.
pub(crate) trait AnyState {
    fn loop_config(&self) -> LoopConfig;
    fn memory(&self) -> Option<MemoryNeed>;
    /// Puts a part of another state in the place of its own.
    fn graft(&mut self, path: &EntryPath, part: Tree) -> Result<(), GraftError>;
    fn adopt(&mut self) -> Result<(), SystemError>;
    /// Loads a checkpoint: the newest valid one, or that of the step.
    fn resume(&mut self, run: &mut Run, step: Option<u64>) -> Result<Resumed, ResumeError>;
    /// The section in which the config that a checkpoint records differs from its state, if there is one.
    fn contradiction(&self, recorded: &Value) -> Option<&'static str>;
    /// Goes on with a recorded config and settings on top; gives the changes in words.
    fn change(&mut self, recorded: &Value, settings: &[String]) -> Result<Vec<String>, TrainError>;
    fn attach(self: Box<Self>, resources: &Resources) -> Result<Box<dyn AnyTraining>, SystemError>;
}

/// A state, and the runtime that trains it.
pub(crate) trait AnyTraining {
    /// In the state, names of files become what they contain.
    fn name_files_by_content(&mut self) -> Result<(), ContentError>;
    /// In the config, names of files become valid in every directory.
    fn make_files_absolute(&mut self);
    /// The checkpoints of other runs that it learns from.
    fn teachers(&mut self) -> Result<Vec<Lineage>, ContentError>;
    fn config(&self) -> &dyn AnyConfig;
    fn loop_config(&self) -> LoopConfig;
    fn memory(&self) -> Option<MemoryNeed>;
    fn measures(&self) -> Vec<String>;
    fn warnings(&self) -> Vec<String>;
    fn environment(&self) -> BTreeMap<String, String>;
    fn progress(&self) -> Progress;
    fn step(&mut self) -> Result<Metrics, SystemError>;
    fn evaluate(&mut self) -> Result<Metrics, SystemError>;
    fn conclude(&mut self) -> Result<Conclusion, SystemError>;
    fn state_hash(&self) -> Result<Hash, CaptureError>;
    /// Saves when the policy says so.
    fn checkpoint(&self, run: &mut Run, step: u64) -> Result<(), CaptureError>;
    /// Saves whatever the policy says, in the background if it may.
    fn checkpoint_now(&self, run: &mut Run, step: u64) -> Result<(), CaptureError>;
    /// Saves before this returns.
    fn save(&self, run: &mut Run, step: u64) -> Result<CommitRecord, CaptureError>;
}

struct Config<S: System>(ConfigOf<S>);

pub(super) struct State<S: System> {
    pub config: ConfigOf<S>,
    pub state: StateOf<S>,
}

struct Training<S: System> {
    config: Config<S>,
    state: StateOf<S>,
    system: S,
}

/// A system with its types hidden: how the loop gets at the configs that training begins and goes on
/// with.
pub(crate) trait Configs {
    fn system(&self) -> &'static str;
    fn versions(&self) -> Versions;
    fn averaged(&self) -> &'static [&'static str];
    /// From a text, with settings on top.
    fn parse(&self, text: &ConfigText, settings: &[String]) -> Result<Box<dyn Trainable>, ConfigError>;
    /// As a checkpoint records it, with settings on top that may change.
    fn recorded(&self, recorded: &Value, settings: &[String]) -> Result<Box<dyn Trainable>, ConfigError>;
}

/// The configs of a system.
pub(crate) struct ConfigsOf<S>(pub PhantomData<S>);

impl<S: System + 'static> Configs for ConfigsOf<S> {
    fn system(&self) -> &'static str {
        S::NAME
    }

    fn versions(&self) -> Versions {
        S::versions()
    }

    fn averaged(&self) -> &'static [&'static str] {
        S::averaged()
    }

    fn parse(&self, text: &ConfigText, settings: &[String]) -> Result<Box<dyn Trainable>, ConfigError> {
        Ok(Box::new(Config::<S>(text.config(settings)?)))
    }

    fn recorded(&self, recorded: &Value, settings: &[String]) -> Result<Box<dyn Trainable>, ConfigError> {
        Ok(Box::new(Config::<S>(change_config(recorded, settings, S::changeable())?.0)))
    }
}

impl<S: System> AnyConfig for Config<S> {
    fn yaml(&self) -> Result<String, ConfigError> {
        serde_saphyr::to_string(&self.0).map_err(|error| ConfigError::Unwritable(error.to_string()))
    }

    fn json(&self) -> Result<Value, ConfigError> {
        serde_json::to_value(&self.0).map_err(|error| ConfigError::Unwritable(error.to_string()))
    }
}

impl<S: System + 'static> Trainable for Config<S> {
    fn loop_config(&self) -> LoopConfig {
        self.0.loop_config()
    }

    fn memory(&self) -> Option<MemoryNeed> {
        S::memory(&self.0, None)
    }

    fn build(self: Box<Self>) -> Result<Box<dyn AnyState>, SystemError> {
        let state = S::build(&self.0)?;
        Ok(Box::new(State::<S>::new(self.0, state)))
    }

    fn blank(self: Box<Self>) -> Result<Box<dyn AnyState>, SystemError> {
        let state = S::blank(&self.0)?;
        Ok(Box::new(State::<S>::new(self.0, state)))
    }
}

impl<S: System> State<S> {
    pub fn new(config: ConfigOf<S>, state: S::State) -> Self {
        let RunConfig { seed, model, training, .. } = &config;
        let state = TrainingState { seed: *seed, model: model.clone(), training: training.clone(), state };
        Self { config, state }
    }

    /// The system's state changed: what it does not depend on any more goes.
    pub fn drop_origin(&mut self) {
        S::drop_origin(&mut self.state.training, &self.state.state);
    }
}

impl<S: System + 'static> AnyState for State<S> {
    fn loop_config(&self) -> LoopConfig {
        self.config.loop_config()
    }

    fn memory(&self) -> Option<MemoryNeed> {
        S::memory(&self.config, Some(&self.state.state))
    }

    fn graft(&mut self, path: &EntryPath, part: Tree) -> Result<(), GraftError> {
        self.state = graft(&self.state, path, part)?;
        self.state.model = self.config.model.clone();
        self.state.training = self.config.training.clone();
        Ok(())
    }

    fn adopt(&mut self) -> Result<(), SystemError> {
        S::adopt(&self.config, &mut self.state.state)
    }

    fn resume(&mut self, run: &mut Run, step: Option<u64>) -> Result<Resumed, ResumeError> {
        match step {
            None => run.resume(&mut self.state),
            Some(step) => run.resume_at(step, &mut self.state, |_| Ok(())),
        }
    }

    fn contradiction(&self, recorded: &Value) -> Option<&'static str> {
        let (mut recorded, mut training) = (recorded.clone(), self.state.training.clone());
        // Files are named in the one and identified in the other.
        for file in S::files(&mut training) {
            *file.place = None;
            if let Some(name) = recorded.pointer_mut(&format!("/{}", file.setting.replace('.', "/"))) {
                *name = Value::Null;
            }
        }
        if let Some(section) = recorded.get_mut("training")
            && let Ok(mut typed) = serde_json::from_value::<S::Training>(section.clone())
        {
            S::drop_origin(&mut typed, &self.state.state);
            *section = serde_json::to_value(&typed).unwrap_or_default();
        }
        let sections = [
            ("seed", serde_json::to_value(self.state.seed)),
            ("model", serde_json::to_value(&self.state.model)),
            ("training", serde_json::to_value(&training)),
        ];
        let differs =
            |value: &serde_json::Result<Value>, section: &str| recorded.get(section) != value.as_ref().ok();
        sections.into_iter().find(|(section, value)| differs(value, section)).map(|(section, _)| section)
    }

    fn change(&mut self, recorded: &Value, settings: &[String]) -> Result<Vec<String>, TrainError> {
        let (mut before, _): (ConfigOf<S>, _) = change_config(recorded, &[], S::changeable())?;
        let (config, changes): (ConfigOf<S>, _) = change_config(recorded, settings, S::changeable())?;
        // What may change on resume has changed; the rest is what it was.
        self.state.model = config.model.clone();
        let mut saved = std::mem::replace(&mut self.state.training, config.training.clone());
        self.drop_origin();
        let (saved, before) = (S::files(&mut saved), S::files(&mut before.training));
        check_content(S::files(&mut self.state.training), &saved, &before)?;
        self.config = config;
        S::extend(&self.config, &mut self.state.state)?;
        Ok(changes)
    }

    fn attach(self: Box<Self>, resources: &Resources) -> Result<Box<dyn AnyTraining>, SystemError> {
        let system = S::attach(&self.config, &self.state.state, resources)?;
        Ok(Box::new(Training { config: Config(self.config), state: self.state, system }))
    }
}

impl<S: System> AnyTraining for Training<S> {
    fn name_files_by_content(&mut self) -> Result<(), ContentError> {
        name_by_content(S::files(&mut self.state.training))
    }

    fn make_files_absolute(&mut self) {
        make_absolute(S::files(&mut self.config.0.training));
    }

    fn teachers(&mut self) -> Result<Vec<Lineage>, ContentError> {
        teachers(S::files(&mut self.config.0.training))
    }

    fn config(&self) -> &dyn AnyConfig {
        &self.config
    }

    fn loop_config(&self) -> LoopConfig {
        self.config.0.loop_config()
    }

    fn memory(&self) -> Option<MemoryNeed> {
        S::memory(&self.config.0, Some(&self.state.state))
    }

    fn measures(&self) -> Vec<String> {
        S::measures(&self.config.0)
    }

    fn warnings(&self) -> Vec<String> {
        self.system.warnings()
    }

    fn environment(&self) -> BTreeMap<String, String> {
        self.system.environment()
    }

    fn progress(&self) -> Progress {
        self.system.progress(&self.state.state)
    }

    fn step(&mut self) -> Result<Metrics, SystemError> {
        let metrics = self.system.step(&mut self.state.state)?;
        S::drop_origin(&mut self.state.training, &self.state.state);
        Ok(metrics)
    }

    fn evaluate(&mut self) -> Result<Metrics, SystemError> {
        self.system.evaluate(&self.state.state)
    }

    fn conclude(&mut self) -> Result<Conclusion, SystemError> {
        self.system.conclude(&self.state.state)
    }

    fn state_hash(&self) -> Result<Hash, CaptureError> {
        hash_of(&self.state)
    }

    fn checkpoint(&self, run: &mut Run, step: u64) -> Result<(), CaptureError> {
        run.checkpoint(step, &self.state).map(drop)
    }

    fn checkpoint_now(&self, run: &mut Run, step: u64) -> Result<(), CaptureError> {
        run.checkpoint_now(step, &self.state).map(drop)
    }

    fn save(&self, run: &mut Run, step: u64) -> Result<CommitRecord, CaptureError> {
        Ok(run.save(step, &self.state)?.record)
    }
}
