//! WiSARD, a weightless classifier, with bleaching.
//!
//! The inputs of a row become bits by [thermometers](Encoding), and the bits, in random order, are
//! cut into tuples. For each class and each tuple there is a RAM, whose address is the bits of the
//! tuple, and which counts the rows of the class that show the address. Asked for a row's class,
//! each RAM votes whose counter exceeds a threshold; where classes are tied, the threshold is raised
//! (I. Aleksander, W. V. Thomas and P. A. Bowden, "WISARD: a radical step forward in image
//! recognition", 1984; B. P. A. Grieco et al., "Producing pattern examples from 'mental' images",
//! 2010).
//!
//! - [`Model`], [`Training`] and its [`Data`] are what a user chooses; [`presets`] has two that work.
//! - [`State`] is what a checkpoint holds, after any number of rows: [`Preparation`] turns tables
//!   into bits, [`Mapping`] bits into addresses, [`Memory`] holds the counters.
//! - [`Wisard`] is the system of the training loop.
//! - [`exact`] has a classifier that learns and forgets exactly, in any order.
//!
//! Rows are divided by what they contain, class by class: those that are learnt, those that the best
//! checkpoint is chosen by, and those that are reported on. One pass over the first learns all there is
//! to learn; there is no early stopping, as more rows are no overfitting: counters only grow, and
//! bleaching makes up for what was seen often. What is learnt depends neither on the number
//! of threads nor on how many rows a step learns.
//!
//! ```
//! use rekindle_train::{ConfigOf, ConfigText, Resources, System};
//! use rekindle_wisard::{Wisard, presets};
//!
//! let text = ConfigText { origin: "preset".into(), yaml: presets::GLYPHS.into() };
//! let config: ConfigOf<Wisard> = text.config(&[])?;
//! let mut state = Wisard::build(&config)?;
//! let mut wisard = Wisard::attach(&config, &state, &Resources::new(1))?;
//! while !wisard.progress(&state).finished {
//!     wisard.step(&mut state)?;
//! }
//! assert!(wisard.conclude(&state)?.metrics["test_accuracy"] > 0.9);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod config;
mod data;
mod encoding;
mod error;
pub mod exact;
mod mapping;
mod memory;
mod memory_need;
mod mental_images;
mod planes;
pub mod presets;
mod query;
mod state;
mod streams;
mod summary;
mod system;
mod trainer;

pub use config::{Data, Model, Source, Training};
pub use data::Preparation;
pub use error::WisardError;
pub use mapping::Mapping;
pub use memory::Memory;
pub use rekindle_data::{Encoding, EncodingKind, Thermometers};
pub use state::State;
pub use system::Wisard;

/// The system for a registry.
pub fn system() -> Box<dyn rekindle_train::AnySystem> {
    rekindle_train::any_system::<Wisard>()
}
