//! The stories of this crate, in one binary.

mod common;
mod exact_resume;
mod interchange;
mod published;
mod snapshots;
mod tables;
