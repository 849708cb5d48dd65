//! The stories of this crate, in one binary.

mod bad_input;
mod common;
mod decoding;
mod exact_resume;
mod formats;
mod generating;
mod lifelong;
mod metrics;
mod more_steps;
mod originals;
mod reasoning;
