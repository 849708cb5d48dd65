//! What is said of checkpoints beside their state: metrics history, tags, notes, signatures, files for people.

pub(crate) mod files;
pub(crate) mod history;
pub(crate) mod notes;
pub(crate) mod signature;
pub(crate) mod tags;
