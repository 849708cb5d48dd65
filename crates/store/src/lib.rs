//! Bytes that survive: the storage engine beneath Rekindle.
//!
//! A [`Store`] reads, and a [`Writer`] writes, the checkpoints of one training run in a [`storage::Storage`]: arrays as
//! content-named chunks in packs that are written once, the state tree as content-named index
//! nodes, and one small commit record per checkpoint whose writing is the commit. Every byte is
//! covered by a hash that is checked when it is read. The engine knows arrays as element type and
//! shape; it knows no model, no serde and no training loop.
//!
//! ```
//! use std::sync::Arc;
//! use rekindle_store::{About, ArrayType, DType, EntryPath, Node, Writer, storage::MemoryStorage};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut run = Writer::create(Arc::new(MemoryStorage::new()), "", None, "example")?;
//! let mut save = run.save()?;
//! let kind = ArrayType { dtype: DType::F32, shape: vec![2] };
//! let weights = save.array(&"weights".parse()?, kind, bytemuck::bytes_of(&[1.0f32, 2.0]))?;
//! let tree = Node::Struct(vec![("weights".to_owned(), Node::Array(weights))]);
//! save.commit(100, &tree, About::default(), &[])?;
//!
//! let state = run.checkpoint(100)?.load(&EntryPath::root())?;
//! assert_eq!(state.children()[0].0, "weights");
//! # Ok(())
//! # }
//! ```
//!
//! The bytes on disk are described in `docs/format.md` of the project.

#[cfg(target_endian = "big")]
compile_error!("arrays are captured in little-endian order; big-endian machines are not supported");

mod access;
mod amend;
mod aside;
mod bases;
mod catalog;
mod checkpoint;
mod chunks;
mod cipher;
mod codec;
mod commit;
mod compact;
mod condemned;
mod copy;
mod data_key;
mod discard;
mod dtype;
mod error;
mod files;
mod hash;
mod history;
mod identity;
mod index;
mod live;
pub mod memory;
mod notes;
mod pack;
mod path;
mod prune;
mod reader;
mod repair;
mod retention;
mod save;
mod sealed;
mod signature;
pub mod similar;
mod state_hash;
pub mod storage;
mod tags;
pub mod time;
mod transfer;
mod tree;
mod verify;
mod writer;

pub use access::{Access, put_wrapped_key, wrapped_key};
pub use checkpoint::{Checkpoint, no_entry};
pub use codec::Compression;
pub use commit::{About, CommitRecord, FORMAT, Schema};
pub use copy::Copied;
pub use data_key::DataKey;
pub use dtype::{DType, UnknownDType};
pub use error::{Damage, OpenError, Problem, ReadError, SaveError};
pub use hash::{Hash, ParseHashError};
pub use history::Row;
pub use identity::{Identity, Lineage};
pub use path::{EntryPath, ParsePathError};
pub use prune::{PruneError, Pruned};
pub use reader::{Newest, Skipped, Store, is_encrypted};
pub use repair::{Repaired, Salvaged, Unreadable};
pub use retention::{Best, Candidate, Goal, Plan, Reason, Retention};
pub use save::{Save, Saved};
pub use signature::StoredSignature;
pub use state_hash::{ArrayDigest, HashedArray, state_hash};
pub use tags::TagError;
pub use transfer::{CopiedObjects, CopyError, copy_objects};
pub use tree::{Array, ArrayLengthError, ArrayRef, ArrayType, Node, Scalar, StoredTree, Tree};
pub use verify::{Depth, Verification, verify_without_key};
pub use writer::Writer;
