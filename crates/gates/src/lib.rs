//! Two-input logic gates.
//!
//! - [`gate`]: the sixteen functions, by number, name and coefficients;
//! - [`soft`]: mixtures of them, which gradients can train;
//! - [`Circuit`]: gates that are wired; [`Program`]: a circuit in the form it is run in, on 64 settings of the
//!   inputs a word; [`Automaton`]: a circuit as the rule of
//!   a cellular automaton, run on a [`Lattice`]; [`xag`]: circuits in the form they are worked on.

mod automaton;
mod circuit;
mod cover;
mod error;
pub mod gate;
mod lattice;
mod lut;
mod net;
mod program;
mod schedule;
pub mod soft;
#[cfg(test)]
mod testing;
pub mod xag;

pub use automaton::Automaton;
pub use circuit::{Circuit, Gate, MOST_GATES, MOST_INPUTS};
pub use error::CircuitError;
pub use lattice::{Boundary, Lattice};
pub use program::Program;
