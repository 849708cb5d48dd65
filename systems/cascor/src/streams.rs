//! The streams of random numbers, one for each use. Numbers are never given twice.

/// The initial weights of the output layer.
pub(crate) const OUTPUT_WEIGHTS: u64 = 1;
/// The initial weights of a candidate; the step is made of cycle and candidate.
pub(crate) const CANDIDATE: u64 = 2;
/// The output weights of a new hidden unit; the step is the cycle.
pub(crate) const NEW_ROW: u64 = 3;
/// Which rows are kept back, where they are split as of old.
pub(crate) const SPLIT: u64 = 4;
/// Points of generated examples; the step is the spiral.
pub(crate) const POINTS: u64 = 5;

/// The step of a candidate's stream: each (cycle, candidate) has its own.
pub(crate) fn candidate(cycle: u64, candidate: u64) -> u64 {
    cycle << 32 | candidate
}
