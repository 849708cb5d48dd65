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
//! - [`Tree`] is the state without serde, for tools: [`to_tree`], [`from_tree`], [`mod@diff`].
//! - [`Store`] reads a run, with tags and verification; [`Writer`] changes one: tags, pruning, repair.
//! - [`Address`] names a checkpoint as people write it: `runs/mine@latest~2`, `runs/mine@best`.
//!
//! # Features
//!
//! | feature | on by default | gives |
//! |---|---|---|
//! | `encryption` | yes | encrypted runs: an [`Access`] with a [`DataKey`] |
//! | `parallel` | yes | hashing, encoding and reading on all cores |
//! | `signals` | no | `signals`: stopping between two steps at Ctrl-C and its like |
//!
//! What is written is the same with and without them.

mod address;
pub mod array;
mod background;
mod capture;
mod compare;
pub mod diff;
mod engine;
mod graft;
mod migrate;
mod policy;
mod proof;
pub mod proving;
mod restore;
mod run;
mod saving;
#[cfg(feature = "signals")]
pub mod signals;
mod trees;

pub use half;

#[doc(inline)]
pub use rekindle_store::{
    Access, Best, Checkpoint, Compression, DataKey, EntryPath, Goal, Hash, Hint, Node, OpenError, ReadError,
    Retention, SaveError, Store, Tree, Writer, storage, time,
};

pub use address::{Address, AddressError, Which};
pub use array::{ArrayData, Element, Matrix, growing};
pub use background::{Saving, WhenBusy};
pub use capture::{CaptureError, hash_of, to_tree};
pub use migrate::{Migration, MigrationError, Versions};
pub use policy::Policy;
pub use restore::{RestoreError, from_tree};
pub use run::{ResumeError, Resumed, Run, RunOptions};
pub use saving::Outcome;

/// The state as a tree, for tools: its values, its arrays, its hash, and parts of it in the place of others.
pub mod tree {
    pub use crate::compare::{Mismatch, MismatchKind};
    pub use crate::graft::{GraftError, graft};
    pub use crate::trees::{ArrayBytes, hash_of_tree};
    #[doc(inline)]
    pub use rekindle_store::{
        Array, ArrayDigest, ArrayRef, ArrayType, DType, HashedArray, Node, Scalar, StoredTree, Tree,
        no_entry, state_hash,
    };
}

/// Checkpoints whose arrays several processes store, as the ranks of a distributed training do.
pub mod parts {
    #[doc(inline)]
    pub use rekindle_store::{Part, PartRecord, Save};
}

/// What a run says of itself and of its checkpoints, beside the states.
pub mod records {
    pub use crate::address::Resolved;
    #[doc(inline)]
    pub use rekindle_store::{
        About, CommitRecord, FORMAT, Identity, Lineage, Newest, Origins, Row, Saved, Schema, Skipped,
        StoredSignature, TagError,
    };
}

/// What is done to whole runs: verifying, repairing, pruning, copying, and the keys of encrypted ones.
pub mod upkeep {
    #[doc(inline)]
    pub use rekindle_store::{
        Copied, CopiedObjects, CopyError, Damage, Depth, Plan, Problem, PruneError, Pruned, Reason, Repaired,
        Salvaged, Unreadable, Verification, copy_objects, is_encrypted, put_wrapped_key, verify_without_key,
        wrapped_key,
    };
}

#[doc(hidden)]
pub use rekindle_store::similar;

/// The examples of the READMEs are compiled with the tests.
#[cfg(doctest)]
mod readme {
    #[doc = include_str!("../README.md")]
    struct OfTheCrate;
    #[doc = include_str!("../../../README.md")]
    struct OfTheProject;
}
