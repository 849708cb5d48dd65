//! The stories of this crate, in one binary.

mod metrics;
mod prove;
