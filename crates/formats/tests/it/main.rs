//! The stories of this crate, in one binary.

mod hostile_files;
mod json_reading;
mod round_trip;
