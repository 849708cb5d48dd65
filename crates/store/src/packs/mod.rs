//! Packs: files of chunks, the index over all of them, and those that wait for their end.

pub(crate) mod chunks;
pub(crate) mod condemned;
pub(crate) mod pack;
pub(crate) mod pack_writer;
pub(crate) mod salvage;
