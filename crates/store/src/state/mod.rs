//! The state as a tree without serde: its values, its arrays, their paths and their identity.

pub(crate) mod dtype;
pub(crate) mod path;
pub(crate) mod state_hash;
pub(crate) mod tree;
