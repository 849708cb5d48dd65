//! The numbers of the random streams, one for each use. Changing one breaks exact resume.

/// Order of the pairs of a kernel layer; keyed by the attempt and the layer.
pub(crate) const PERCEPTION_WIRES: u64 = 1;
/// Order of the pairs of an update layer; keyed by the attempt and the layer.
pub(crate) const UPDATE_WIRES: u64 = 2;
/// Boards to train on; keyed by the epoch.
pub(crate) const BATCH: u64 = 3;
/// Boards for the soft loss; keyed by the epoch.
pub(crate) const EVALUATION: u64 = 4;
/// Boards of the final check, which nothing is chosen by.
pub(crate) const CHECK: u64 = 5;
/// Boards that everything is chosen by; keyed by their group.
pub(crate) const SELECT: u64 = 6;
/// Which cells are updated in training; keyed by the epoch.
pub(crate) const FIRE: u64 = 7;
/// Which cells are updated on the boards for the soft loss; keyed by the epoch.
pub(crate) const EVALUATION_FIRE: u64 = 8;
/// Changes of gates in refinement: this number for the first search and the next for the second; keyed by the
/// step.
pub(crate) const REFINEMENT: u64 = 9;
/// The board of a simulation, and what happens to it.
pub(crate) const SIMULATION: u64 = 16;
/// Noise on the logits: this number and, for each further layer, the next; keyed by the epoch.
pub(crate) const NOISE: u64 = 1 << 32;
