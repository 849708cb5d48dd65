//! The native half of the Python package `rekindle`: Python values as state trees, and runs.
//!
//! A Python value becomes a tree whose arrays borrow the memory of the value ([`capture`]); the engine hashes
//! and writes it without the interpreter lock ([`run`]); a tree becomes a value again ([`restore`]). What is
//! asked of arrays of each library is in `rekindle/_arrays.py`, the exceptions are in `rekindle/_errors.py`.

mod capture;
mod errors;
mod fit;
mod markers;
mod memory;
mod parts;
mod policy;
mod reading;
mod restore;
mod run;

use pyo3::prelude::*;

/// The native half of `rekindle`.
#[pymodule]
mod _rekindle {
    #[pymodule_export]
    use crate::parts::{Part, Reader};
    #[pymodule_export]
    use crate::reading::{checkpoints, diff, load, state_hash, tags, verify};
    #[pymodule_export]
    use crate::run::Run;
}
