//! The streams of random numbers, one for each use. Numbers are never given twice.

use crate::phase::Phase;

/// Connections of fresh genomes; the step is the genome.
pub(crate) const FRESH: u64 = 1;
/// The order of the parts of the training tokens; the step is the cycle.
pub(crate) const ROTATION: u64 = 2;
/// A child of the genetic algorithm; the step is phase, generation and child.
pub(crate) const CHILD: u64 = 3;
/// A neighbour of the tabu search; the step is phase, iteration and neighbour.
pub(crate) const NEIGHBOUR: u64 = 4;
/// Genomes that fill up a population; the step is phase and genome.
pub(crate) const FILL: u64 = 5;
/// Generated text; the step is the sentence or the part.
pub(crate) const TEXT: u64 = 6;

/// The step of a candidate's stream: each (phase, round, index) has its own.
pub(crate) fn candidate(phase: Phase, round: u32, index: u32) -> u64 {
    (phase as u64) << 56 | u64::from(round) << 24 | u64::from(index)
}
