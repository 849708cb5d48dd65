//! The stories of this crate, in one binary.

mod bad_input;
mod beginnings;
mod common;
mod exact_resume;
mod originals;
mod reporting;
mod round_trips;
