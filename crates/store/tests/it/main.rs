//! The stories of this crate, in one binary.

mod common;
mod crash_points;
mod damage;
mod encryption;
mod format;
mod large_trees;
mod many_small_arrays;
mod nothing_lost;
mod pruning;
mod system_calls;
