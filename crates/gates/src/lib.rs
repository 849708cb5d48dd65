//! Two-input logic gates.
//!
//! - [`gate`]: the sixteen functions, by number, name and coefficients;
//! - [`soft`]: mixtures of them, which gradients can train;
//! - [`Circuit`]: gates that are wired; [`xag`]: circuits in the form they are worked on;
//! - [`Program`]: a circuit in the form it is run in, on 64 settings of the inputs a word; [`Automaton`]: a circuit
//!   as the rule of a cellular automaton, run on a [`Lattice`];
//! - [`simplify()`]: a smaller circuit, and a proof; [`prove`] and [`Certificate`]: proofs that circuits are equal;
//! - [`formats`]: circuits as files of other programs.
//!
//! ```
//! use rekindle_gates::{Circuit, Gate, Limits, Verdict, simplify};
//!
//! // Not (not a and not b), and the same once more.
//! let gate = |op, a, b| Gate { op, a, b };
//! let gates = vec![gate(12, 0, 0), gate(12, 1, 1), gate(14, 2, 3), gate(7, 0, 1), gate(1, 4, 5)];
//! let circuit = Circuit::new(2, gates, vec![6])?;
//! let simplified = simplify(&circuit, Limits::default())?;
//! assert_eq!(simplified.circuit.gates(), [gate(7, 0, 1)]);
//! assert!(matches!(simplified.verdict, Verdict::Equal { .. }));
//! # Ok::<(), rekindle_gates::CircuitError>(())
//! ```

mod automaton;
mod certificate;
mod circuit;
mod cover;
mod error;
pub mod formats;
pub mod gate;
mod lattice;
mod lut;
mod net;
mod program;
mod proof;
mod schedule;
mod search;
mod simplify;
pub mod soft;
mod sweep;
mod symmetric;
#[cfg(test)]
mod testing;
pub mod xag;

pub use automaton::Automaton;
pub use certificate::{Certificate, CertificateError, Stored, digest};
pub use circuit::{Circuit, Gate, MOST_GATES, MOST_INPUTS};
pub use error::CircuitError;
pub use lattice::{Boundary, Lattice};
pub use program::Program;
pub use proof::{MOST_EXHAUSTIVE, Method, Verdict, prove};
pub use simplify::{Simplified, simplify};
pub use sweep::Limits;
