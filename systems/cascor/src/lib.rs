//! Cascade-correlation networks: they grow hidden units as they learn.
//!
//! A network begins with inputs and outputs alone. When its output layer learns no more, a pool of
//! candidate units is trained to explain the errors that are left; the best becomes a hidden unit
//! whose weights are frozen, and the output layer is trained again (S. E. Fahlman and C. Lebiere,
//! "The cascade-correlation learning architecture", 1990). [`Method`] chooses between their
//! algorithm and the variant of the Juniper project.
//!
//! - [`Model`], [`Training`] and its [`Data`] are what a user chooses; [`presets`] has four that work.
//! - [`State`] is what a checkpoint holds, after any epoch of any phase.
//! - [`Trainer`] trains a state. It is rebuilt, never saved.
//! - [`Network`] is the outcome; [`Preparation`] turns tables into its inputs, and its outputs into
//!   answers.
//! - [`mod@snapshot`] reads and writes the HDF5 files of the original program.
//!
//! Candidates are computed eight side by side, cases in columns; large data is split into parts whose
//! bounds do not depend on the threads. Training computes the same bits with any number of threads and
//! on every kernel path.
//!
//! ```
//! use rekindle_cascor::{Cascor, Dataset, State, Trainer, presets};
//! use rekindle_compute::KernelPath;
//! use rekindle_train::{ConfigOf, ConfigText};
//!
//! let text = ConfigText { origin: "preset".into(), yaml: presets::SPIRALS.into() };
//! let config: ConfigOf<Cascor> = text.config(&[])?;
//! let (model, training, seed) = (config.model, config.training, 1);
//!
//! let preparation = Dataset::load(&training.data, model.output, seed)?.preparation;
//! let mut state = State::new(&model, &training, preparation, seed)?;
//! let mut trainer = Trainer::attach(&model, &training, seed, &state, 1, KernelPath::best())?;
//! while !trainer.is_finished(&state) {
//!     trainer.step(&mut state);
//! }
//! assert_eq!(trainer.evaluate(&state).error_bits, 0);
//! println!("{} hidden units", state.network.hidden.len());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod activation;
mod boundary;
mod candidate_kernels;
mod candidates;
mod columns;
mod config;
mod data;
mod error;
mod fahlman;
mod interchange;
mod juniper;
mod memory;
mod network;
mod output_kernels;
mod outputs;
mod parts;
pub mod presets;
mod quickprop;
mod runtime;
mod schema;
pub mod snapshot;
mod state;
mod streams;
mod system;
mod topology;
mod trainer;

pub use activation::{Activation, OutputActivation};
pub use columns::Columns;
pub use config::{Data, Fahlman, Juniper, Method, Model, Quickprop, Source, Task, Training};
pub use data::{Dataset, Examples, Input, Preparation, Target};
pub use error::CascorError;
pub use network::{HiddenUnit, Network};
pub use runtime::{Evaluation, StepMetrics};
pub use state::{Ending, Growth, State, TrainerState};
pub use system::Cascor;
pub use trainer::Trainer;

/// The system for a registry.
pub fn system() -> Box<dyn rekindle_train::AnySystem> {
    rekindle_train::any_system::<Cascor>()
}
