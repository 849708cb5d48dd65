//! Logic-gate networks that classify.

mod circuit;
mod classifier;
mod config;
mod data;
mod error;
mod kernels;
mod network;
mod parameters;
pub mod presets;
mod rows;
mod shape;
mod state;
mod streams;
mod summary;
mod system;
mod trainer;
mod wiring;

pub use config::{Convolution, Data, MOST_GATES, Model, Schedule, Source, Start, Training};
pub use data::Preparation;
pub use error::LgnError;
pub use state::{Layer, State};
pub use system::Lgn;

/// The system for a registry.
pub fn system() -> Box<dyn rekindle_train::AnySystem> {
    rekindle_train::any_system::<Lgn>()
}
