//! The numbers of the random streams, one for each use. Changing one breaks exact resume.

/// Connections that are not learnt; keyed by the layer.
pub(crate) const WIRES: u64 = 1;
/// Entries to begin with; keyed by the layer.
pub(crate) const ENTRIES: u64 = 2;
/// Order of the rows; keyed by the epoch.
pub(crate) const ORDER: u64 = 3;
/// How far pictures are shifted; keyed by the step.
pub(crate) const SHIFT: u64 = 4;
/// Made glyphs; keyed by the row.
pub(crate) const GLYPH: u64 = 5;
/// Order of the bits that are read.
pub(crate) const COLUMNS: u64 = 6;
/// Candidates of each table of the first layer; keyed by the table.
pub(crate) const CANDIDATES: u64 = 7;
/// Weights of candidates to begin with.
pub(crate) const WEIGHTS: u64 = 8;
