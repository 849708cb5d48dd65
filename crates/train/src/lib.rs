//! The training loop that every model system shares.
//!
//! A [`System`] says how its state is built, trained by a step, and measured; the loop gives it
//! configs with presets and `--set`, checkpoints by policy, progress, graceful stops, a stop on
//! divergence, resume, and [`prove`](fn@prove): the proof that a killed and resumed run ends with
//! the same bits as one never stopped. A [`Registry`] holds the systems of a binary.
//!
//! See `tests/` for a whole system of forty lines.

mod config;
mod content;
mod early_stopping;
mod means;
mod memory;
pub mod plain;
mod progress;
mod prove;
mod registry;
mod setting_error;
mod signals;
mod state_mismatch;
mod system;
mod trained;
mod training;

pub use config::{Checkpoints, ConfigError, ConfigText, Evaluate, RunConfig};
pub use content::{ContentError, FileContent, FileUse, NamedFile, ParseFileContentError};
pub use early_stopping::{EarlyStopping, Patience};
pub use memory::{MachineMemory, MemoryNeed, TooLittleMemory};
pub use progress::{Display, ProgressView, Voice, bytes, describe, describe_in_order, duration, number};
pub use prove::{Difference, Killed, Launcher, Proof, ProveError, ProveOptions, Subject, prove};
pub use registry::{AnySystem, Registry};
pub use setting_error::SettingError;
pub use signals::{Interrupt, LEFT_UNSAVED, Signal, Signals};
pub use state_mismatch::StateMismatch;
pub use system::{Conclusion, ConfigOf, Metrics, Picture, Preset, Progress, Resources, System, SystemError};
pub use trained::AskError;
pub use training::{Onto, Options, Origin, Report, Start, Started, TrainError, TrainingState};
