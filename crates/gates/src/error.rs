//! What can be wrong with a circuit.

use thiserror::Error;

/// A circuit that cannot be used, or that does not fit what it is used for. Nothing was changed.
#[derive(Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum CircuitError {
    /// There are more inputs or gates than a circuit can have.
    #[error("the circuit has {found} {what}; circuits of {most} at most can be used")]
    TooLarge {
        /// What there are too many of.
        what: &'static str,
        /// How many there are.
        found: u64,
        /// How many there may be.
        most: u64,
    },
    /// A gate's function is none of the sixteen.
    #[error("gate {gate} has the function {op}, which is not one of the 16")]
    Function {
        /// The gate.
        gate: usize,
        /// Its function.
        op: u8,
    },
    /// A gate depends on itself, or on one that stands after it.
    #[error(
        "gate {gate} reads signal {signal}, which is not known before it: gates stand in an order in which each reads only what is before it, and none depends on itself"
    )]
    Order {
        /// The gate.
        gate: usize,
        /// What it reads: an input, or the number of inputs and the number of a gate.
        signal: u32,
    },
    /// A wire of a gate begins nowhere.
    #[error("gate {gate} reads signal {signal}, and there are {signals}")]
    Dangling {
        /// The gate.
        gate: usize,
        /// What it reads.
        signal: u32,
        /// Inputs and gates.
        signals: usize,
    },
    /// An output is no signal.
    #[error("output {output} is signal {signal}, and there are {signals}")]
    DanglingOutput {
        /// The output.
        output: usize,
        /// What it should be.
        signal: u32,
        /// Inputs and gates.
        signals: usize,
    },
    /// What it is used for has another number of inputs or outputs.
    #[error("the circuit has {found} {what}, and {expected} are needed")]
    Arity {
        /// `inputs` or `outputs`.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many are needed.
        expected: usize,
    },
    /// Planes that do not all have the length that is needed.
    #[error("a plane of bits has {found} words, and {expected} are needed")]
    PlaneLength {
        /// Words of the first one that differs.
        found: usize,
        /// Words that are needed.
        expected: usize,
    },
}
