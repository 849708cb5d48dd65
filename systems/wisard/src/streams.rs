//! The streams of random numbers, one for each use. Numbers are never given twice.

/// Which bits make up which tuple; the step is the order.
pub(super) const MAPPING: u64 = 1;
/// Which rows are kept for validation, where they are not divided by what they contain.
pub(super) const SPLIT: u64 = 2;
/// Made glyphs; the step is the row.
pub(super) const GLYPH: u64 = 3;
/// Made glyphs that are reported on; the step is the row.
pub(super) const TEST_GLYPH: u64 = 4;
/// Which bits make up which tuple of an exact classifier; the step is the RAM, or the order.
pub(super) const EXACT_TUPLES: u64 = 5;
/// The hash functions of an exact classifier; the step is the RAM.
pub(super) const EXACT_HASHES: u64 = 6;
