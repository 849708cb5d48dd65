//! The stories of this crate, in one binary.

mod interchange;
mod logicars;
