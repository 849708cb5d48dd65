//! The stories of this crate, in one binary.

mod agreement;
mod facts;
#[cfg(unix)]
mod other_programs;
mod pelletier;
mod round_trip;
