//! Training that survives anything: stop a run anywhere, light it again, and get the same bits.
//!
//! Any value that derives serde's [`Serialize`](serde::Serialize) and
//! [`Deserialize`](serde::Deserialize) is training state. A [`Run`] keeps its checkpoints in a
//! directory: committed as a whole or not at all, every byte verified when it is read, nothing
//! unchanged written twice, and one [state hash](hash_of) that tells whether two states are equal.
//!
//! ```
//! # let dir = tempfile::tempdir()?;
//! # let path = dir.path().join("mine");
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Serialize, Deserialize)]
//! struct State {
//!     step: u64,
//!     #[serde(with = "rekindle::array")]
//!     weights: Vec<f32>,
//! }
//!
//! let mut state = State { step: 0, weights: vec![0.5; 1000] };
//! let mut run = rekindle::Run::open_or_create(&path)?;
//! run.resume(&mut state)?; // does nothing on a new run; all or nothing on an old one
//! while state.step < 50 {
//!     state.weights.iter_mut().for_each(|weight| *weight *= 0.9);
//!     state.step += 1;
//!     run.checkpoint(state.step, &state)?; // keeps to the run's policy
//! }
//! run.finish(&state)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! - Arrays: a sequence of one number type is an array. `#[serde(with = "rekindle::array")]`
//!   makes it fast and keeps its shape, see [`mod@array`].
//! - [`RunOptions`] sets policy, schema and lineage; [`Versions`] migrates older states.
//! - [`Tree`] is the state without serde, for tools: [`to_tree`], [`from_tree`], [`diff`](fn@diff).
//! - [`Store`] reads a run, with tags and verification; [`Writer`] changes one: tags, pruning, repair.

mod address;
pub mod array;
mod background;
mod capture;
mod compare;
mod diff;
mod engine;
mod graft;
mod migrate;
mod policy;
mod proof;
mod restore;
mod run;
mod saving;

pub use half;
pub use rekindle_store::{
    About, Access, Array, ArrayDigest, ArrayRef, ArrayType, Best, Checkpoint, CommitRecord, Compression,
    Copied, CopiedObjects, CopyError, DType, Damage, DataKey, Depth, EntryPath, Goal, Hash, HashedArray,
    Hint, Identity, Lineage, Newest, Node, OpenError, Plan, Problem, PruneError, Pruned, ReadError, Reason,
    Repaired, Retention, Row, Salvaged, SaveError, Saved, Scalar, Schema, Skipped, Store, StoredSignature,
    StoredTree, TagError, Tree, Unreadable, Verification, Writer, copy_objects, is_encrypted, no_entry,
    put_wrapped_key, similar, state_hash, storage, time, verify_without_key, wrapped_key,
};

pub use address::{Address, AddressError, Resolved, Which};
pub use array::{ArrayData, Element, Matrix, growing};
pub use background::{Saving, WhenBusy};
pub use capture::{CaptureError, hash_of, to_tree};
pub use compare::{Mismatch, MismatchKind};
pub use diff::{Change, Diff, Difference, Fetch, Side, diff, first_difference};
pub use graft::{GraftError, graft};
pub use migrate::{Migration, MigrationError, Versions};
pub use policy::Policy;
pub use restore::{RestoreError, from_tree};
pub use run::{ResumeError, Resumed, Run, RunOptions};
pub use saving::Outcome;

/// The example of the README is compiled with the tests.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
