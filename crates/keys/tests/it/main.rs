//! The stories of this crate, in one binary.

mod interoperability;
