//! The streams of random numbers, one for each use. Numbers are never given twice.

/// Fresh weights; the step is the array.
pub(crate) const WEIGHTS: u64 = 1;
/// Which windows of the text a step learns; the step is the training step.
pub(crate) const WINDOWS: u64 = 2;
/// What dropout leaves out; the step is training step, layer and sequence.
pub(crate) const DROPOUT: u64 = 3;
/// Rows of new tokens; the step is the generation of the vocabulary.
pub(crate) const NEW_ROWS: u64 = 4;
/// What is sampled in generation; the step is the position.
pub(crate) const SAMPLING: u64 = 7;
/// The order of lines or dialogues; the step is the epoch.
pub(crate) const ORDER: u64 = 8;
/// Where examples begin in the context; the step is the batch.
pub(crate) const POSITIONS: u64 = 9;
/// Which examples of a phase are kept; the step is the number of phases before it.
pub(crate) const RESERVOIR: u64 = 10;
/// What of earlier phases is learnt again; the step is the batch.
pub(crate) const REPLAY: u64 = 11;
/// What a model makes to learn it again; the step is the number of the text.
pub(crate) const SELF_REPLAY: u64 = 12;
/// A generated paragraph; the step is its number, so that the first of many are the same as of few.
pub(crate) const PARAGRAPHS: u64 = 71;
/// A generated dialogue; the step is its number.
pub(crate) const DIALOGUES: u64 = 72;
/// A question of the exam; the step is a number that is tried.
pub(crate) const EXAM: u64 = 73;
/// A made picture; the step is its number.
pub(crate) const SHAPES: u64 = 74;
/// Problems of reasoning: this and the 31 numbers behind it, one for each suite and split; the step is the number of a
/// problem that is tried.
pub(crate) const REASONING: u64 = 100;
