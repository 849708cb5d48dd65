//! The numbers of the random streams, one for each use. Changing one breaks exact resume.

/// Wires; keyed by the layer.
pub(crate) const WIRES: u64 = 1;
/// Logits to begin with; keyed by the layer.
pub(crate) const LOGITS: u64 = 2;
/// Order of the rows; keyed by the epoch.
pub(crate) const ORDER: u64 = 3;
/// How far pictures are shifted; keyed by the step.
pub(crate) const SHIFT: u64 = 4;
/// Made glyphs; keyed by the row.
pub(crate) const GLYPH: u64 = 5;
