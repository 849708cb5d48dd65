//! The stories of this crate, in one binary.

mod addresses;
mod background;
mod resume;
mod traps;
mod trees;
mod types_survive;
