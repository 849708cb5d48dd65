//! Logic-gate networks that classify: circuits that are learnt by gradients.
//!
//! The inputs of an example become bits by [thermometers](rekindle_data::Thermometers). Layers of gates with
//! two inputs each, whose wires are drawn at random, turn them into other bits, and the last layer's are
//! summed, class by class: the class with the largest sum is the answer. While it is learnt, a gate is a
//! mixture of the sixteen functions of two inputs, with shares that are the softmax of its sixteen logits; in
//! the end it is the likeliest (F. Petersen et al., "Deep differentiable logic gate networks", 2022). Before
//! the layers there may be convolutions, whose kernels are trees of gates, with `or` over neighbouring places
//! (F. Petersen et al., "Convolutional differentiable logic gate networks", 2024).
//!
//! - [`Model`], [`Training`] and its [`Data`] are what a user chooses; [`presets`] has some that work.
//! - [`State`] is what a checkpoint holds, after any number of steps; [`State::circuit`] is the network as a
//!   circuit.
//! - [`Lgn`] is the system of the training loop.
//!
//! What is learnt depends neither on the number of threads nor on the kernels: a batch is cut into parts that
//! depend on its size alone, and what they give is added up in their order.
//!
//! ```
//! use rekindle_lgn::{Lgn, Says, presets};
//! use rekindle_train::{ConfigOf, ConfigText, Resources, System};
//!
//! let text = ConfigText { origin: "preset".into(), yaml: presets::DIGITS.into() };
//! let settings = ["training.epochs=4", "training.learning_rate=0.2"].map(str::to_owned);
//! let config: ConfigOf<Lgn> = text.config(&settings)?;
//! let mut state = Lgn::build(&config)?;
//! let mut lgn = Lgn::attach(&config, &state, &Resources::new(1))?;
//! while !lgn.progress(&state).finished {
//!     lgn.step(&mut state)?;
//! }
//! assert!(lgn.conclude(&state)?.metrics["test_accuracy"] > 0.7);
//! assert_eq!(state.circuit(&config.model, Says::Class)?.outputs().len(), 4);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod circuit;
mod config;
mod error;
mod kernels;
mod memory_need;
mod network;
mod parameters;
pub mod presets;
mod shape;
mod state;
mod streams;
mod system;
mod trainer;
mod wiring;

pub use config::{Convolution, MOST_GATES, Model, Start, Training};
pub use error::LgnError;
pub use state::{Layer, State};
pub use system::Lgn;

pub use rekindle_classify::{Data, Preparation, Says, Schedule, Source};

/// The system for a registry.
pub fn system() -> Box<dyn rekindle_train::AnySystem> {
    rekindle_train::any_system::<Lgn>()
}
