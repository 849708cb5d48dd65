//! Bytes that survive: the storage engine beneath Rekindle.
//!
//! A [`Store`] reads, and a [`Writer`] writes, the checkpoints of one training run in a
//! [`storage::Storage`]: arrays as content-named chunks in packs that are written once, the state
//! tree as content-named index nodes, and one small commit record per checkpoint whose writing is
//! the commit. Every byte is covered by a hash that is checked when it is read. The engine knows
//! arrays as element type and shape; it knows no model, no serde and no training loop.
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
//! # Features
//!
//! Both are on unless they are switched off; what is written is the same with and without them.
//!
//! - `encryption`: encrypted runs, see [`DataKey`]. Without it they are refused.
//! - `parallel`: hashing, encoding and reading on all cores.
//!
//! The bytes on disk are described in `docs/format.md` of the project.

#[cfg(target_endian = "big")]
compile_error!("arrays are captured in little-endian order; big-endian machines are not supported");

mod access;
mod annotations;
mod checkpoint;
mod codec;
mod encryption;
mod error;
mod hash;
mod hint;
mod identity;
mod maintenance;
pub mod memory;
mod packs;
mod parallel;
mod reader;
mod saving;
mod sealed;
pub mod similar;
mod state;
pub mod storage;
pub mod time;
mod writer;

pub use access::{Access, put_wrapped_key, wrapped_key};
pub use annotations::history::Row;
pub use annotations::signature::StoredSignature;
pub use annotations::tags::TagError;
pub use checkpoint::commit::{About, CommitRecord, FORMAT, Schema};
pub use checkpoint::{Checkpoint, no_entry};
pub use codec::Compression;
pub use encryption::data_key::DataKey;
pub use error::{Damage, OpenError, Problem, ReadError, SaveError};
pub use hash::{Hash, ParseHashError};
pub use hint::Hint;
pub use identity::{Identity, Lineage, Origins};
pub use maintenance::copy::Copied;
pub use maintenance::prune::{PruneError, Pruned};
pub use maintenance::repair::{Repaired, Salvaged, Unreadable};
pub use maintenance::retention::{Best, Candidate, Goal, Plan, Reason, Retention};
pub use maintenance::transfer::{CopiedObjects, CopyError, copy_objects};
pub use maintenance::verify::{Depth, Verification, verify_without_key};
pub use reader::{Newest, Skipped, Store, is_encrypted};
pub use saving::part::{Part, PartRecord};
pub use saving::save::{Save, Saved};
pub use state::dtype::{DType, UnknownDType};
pub use state::path::{EntryPath, ParsePathError};
pub use state::state_hash::{ArrayDigest, HashedArray, state_hash};
pub use state::tree::{Array, ArrayLengthError, ArrayRef, ArrayType, Node, Scalar, StoredTree, Tree};
pub use writer::Writer;
