//! The training loop that every model system shares.
//!
//! A [`System`] says how its state is built, trained by a step, and measured; the loop gives it
//! configs with presets and `--set`, checkpoints by policy, progress, graceful stops, a stop on
//! divergence, resume, and [`prove`](mod@prove): the proof that a killed and resumed run ends with
//! the same bits as one never stopped. A [`Registry`] holds the systems of a binary.
//!
//! `docs/guide/new-system.md` of the project is a whole system, which is compiled with the tests.

pub mod audit;
mod capabilities;
mod config;
mod config_keys;
mod content;
mod early_stopping;
mod events;
mod family;
mod history;
mod means;
mod memory;
mod numbers;
mod other_run;
pub mod plain;
mod plain_words;
mod processes;
pub mod prove;
mod registry;
mod session;
mod setting_error;
mod signals;
mod simulation;
mod state_mismatch;
mod system;
mod text;

pub use capabilities::AskError;
pub use config::{Checkpoints, ConfigError, ConfigText, Evaluate, RunConfig, recorded_best};
pub use config_keys::{ConfigKey, config_keys};
pub use content::{Content, ContentError, FileContent, FileUse, NamedFile, ParseFileContentError};
pub use early_stopping::{EarlyStopping, Patience};
pub use events::{Event, Notice, Observer, Started};
pub use family::{
    Capabilities, Describe, Draw, Family, Forgetting, Knows, Learn, LearnByTraining, Learnt, NextPhase,
    Picture, Predict, Preset, SystemOption, TableFormat, list_setting, text_setting,
};
pub use history::History;
pub use memory::{LowMemory, MachineMemory, MemoryNeed, TooLittleMemory};
pub use numbers::{bytes, describe_in_order, duration, number};
pub use other_run::{OtherRun, OtherRunError};
pub use registry::{AnySystem, Registry, any_system};
pub use session::{
    AnyConfig, Change, Onto, Options, Origin, Report, Revised, Revision, Start, TrainError, TrainingState,
};
pub use setting_error::SettingError;
pub use signals::{Interrupt, LEFT_UNSAVED, Signal, Signals};
pub use simulation::{CellColour, Damage, Experiment, Frame, Simulation};
pub use state_mismatch::StateMismatch;
pub use system::{Conclusion, ConfigOf, Metrics, Progress, Resources, System, SystemError};
pub use text::{
    CompleteError, Completion, Conversation, ConversationError, Generated, Loaded, Message, Role, SetError,
    TextCapability, TextMeasure, TextModel, TextModelSize, TextOption, TextStop,
};

/// The page of the guide is a test.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/guide/new-system.md")]
mod guide {}
