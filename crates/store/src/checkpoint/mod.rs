//! Checkpoints as they lie in a run: commit records, index nodes, and reading both.

pub(crate) mod bases;
pub(crate) mod catalog;
pub(crate) mod commit;
pub(crate) mod index;
pub(crate) mod loading;

pub use loading::{Checkpoint, no_entry};
