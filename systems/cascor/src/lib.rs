//! Cascade-correlation networks: they grow hidden units as they learn.

pub mod snapshot;
