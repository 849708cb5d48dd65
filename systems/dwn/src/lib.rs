//! Differentiable weightless networks: layers of lookup tables that are learnt by gradients, with their connections.
//!
//! The inputs of an example become bits by [thermometers](rekindle_data::Thermometers). Layers of lookup tables,
//! each with a few inputs and an entry for each of their settings, turn them into other bits, and the last
//! layer's are summed, class by class: the class with the largest sum is the answer. While they are learnt,
//! entries are numbers of which those above 0 stand for 1; their gradients go straight through. An input learns by
//! extended finite differences: what the table would say if the input were another, with entries nearby asked as
//! well. What the inputs of the first layer read is learnt too: each reads the candidate with the largest weight,
//! and all candidates learn how they would have done (A. T. L. Bacellar et al., "Differentiable weightless neural
//! networks", 2024).
//!
//! - [`Model`], [`Training`] and its [`Data`] are what a user chooses; [`presets`] has some that work.
//! - [`State`] is what a checkpoint holds, after any number of steps; [`State::circuit`] is the network as a
//!   circuit.
//! - [`Dwn`] is the system of the training loop.
//!
//! What is learnt depends neither on the number of threads nor on the kernels: tables are learnt apart from each
//! other, each from all examples of a batch in their order.
//!
//! ```
//! use rekindle_dwn::{Dwn, Says, presets};
//! use rekindle_train::{ConfigOf, ConfigText, Resources, System};
//!
//! let text = ConfigText { origin: "preset".into(), yaml: presets::DWN.into() };
//! let config: ConfigOf<Dwn> = text.config(&["training.epochs=2".to_owned()])?;
//! let mut state = Dwn::build(&config)?;
//! let mut dwn = Dwn::attach(&config, &state, &Resources::new(1))?;
//! while !dwn.progress(&state).finished {
//!     dwn.step(&mut state)?;
//! }
//! assert!(dwn.conclude(&state)?.metrics["test_accuracy"] > 0.7);
//! assert_eq!(state.circuit(&config.model, Says::Class)?.outputs().len(), 4);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod circuit;
mod config;
mod connections;
mod error;
mod kernels;
mod learning;
mod memory_need;
mod network;
pub mod presets;
mod shape;
mod state;
mod streams;
mod summary;
mod system;
mod trainer;

pub use config::{MOST_TABLES, Model, TABLE_INPUTS, Training};
pub use error::DwnError;
pub use rekindle_classify::{Data, Preparation, Says, Schedule, Source};
pub use state::{Layer, Mapping, State};
pub use system::Dwn;

/// The system for a registry.
pub fn system() -> Box<dyn rekindle_train::AnySystem> {
    rekindle_train::any_system::<Dwn>()
}
