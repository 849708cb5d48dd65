//! Differentiable logic-gate cellular automata.
//!
//! Every cell of a board runs the same small network of two-input gates on its 3x3 neighbourhood.
//! In training each gate is a soft mixture of all sixteen functions, so that the network can be
//! trained with gradients; afterwards each gate keeps its likeliest function, and what is left is a
//! circuit. The method is that of Google's DiffLogic CA (Miotti et al., "Differentiable logic
//! cellular automata: from Game of Life to pattern generation", 2025).
//!
//! - [`Model`] and [`Training`] are what a user chooses; [`presets`] has two that work.
//! - [`State`] is what a checkpoint holds, and all of it.
//! - [`Automaton`] trains a state. It is rebuilt, never saved.
//! - [`HardCircuit`] is the outcome: JSON in and out, [`check`](HardCircuit::check), and
//!   [`CompiledCircuit`] to run it on [`Boards`] of any size, 64 cells to a word.
//!
//! Training computes the same bits with any number of threads and on every kernel path: the random
//! draws of an epoch are keyed by the seed and the epoch, and sums are taken in a fixed order.
//!
//! ```
//! use rekindle_compute::KernelPath;
//! use rekindle_logic::{Automaton, HardCircuit, Model, State, Task, Training};
//!
//! let model =
//!     Model { channels: 1, kernels: 4, kernel_gates: vec![8, 4, 2], update_gates: vec![8, 4, 2, 1], pass_logit: 10.0, identity_start: false };
//! let training = Training { task: Task::Life, epochs: 50, ..Training::default() };
//! let mut state = State::new(&model, 1)?;
//! let path = KernelPath::best();
//! let mut automaton = Automaton::attach(&model, &training, 1, &state, 2, path)?;
//! while !automaton.is_finished(&state) {
//!     automaton.step(&mut state);
//! }
//! println!("{:?}", automaton.evaluate(&state));
//!
//! let circuit = HardCircuit::from_state(&model, &state)?;
//! println!("{:?}", circuit.check(&training, 1, path)?);
//! # Ok::<(), rekindle_logic::LogicError>(())
//! ```

mod automaton;
mod boards;
mod cell;
mod check;
mod circuit_run;
mod config;
mod error;
mod fire;
mod grid;
mod hard_circuit;
mod identity;
mod interchange;
mod kernels;
mod parameters;
pub mod presets;
mod recognition;
mod refine;
mod render;
mod rollout;
mod rule;
mod select;
mod show;
mod simulate;
mod state;
mod streams;
mod summary;
mod system;
mod target;
mod target_file;
mod task;
mod trial;
mod wiring;

pub use automaton::{Automaton, Evaluation, StepMetrics};
pub use boards::{Boards, Differences};
pub use check::Check;
pub use circuit_run::CompiledCircuit;
pub use config::{Boundary, Model, Refinement, Start, Task, Training};
pub use error::LogicError;
pub use grid::Grid;
pub use hard_circuit::{Gate, HardCircuit, HardLayer, Kernel, Perception, Update};
pub use refine::{Refined, Search};
pub use render::{render, side_by_side};
pub use rule::Rule;
pub use state::{Layer, Network, Optimizer, State};
pub use system::Logic;
pub use target::Target;

/// The system for a registry.
pub fn system() -> Box<dyn rekindle_train::AnySystem> {
    rekindle_train::any_system::<Logic>()
}
