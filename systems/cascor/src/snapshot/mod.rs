//! HDF5 snapshots of the original cascade-correlation program, read and written.
//!
//! The original (Juniper CasCor, in Python over PyTorch and h5py) saves its network as an HDF5 file.
//! [`read`] takes every generation of those files, and [`write()`] makes one of the newest that the
//! original loads.
//!
//! | group | holds | read | written |
//! |---|---|---|---|
//! | `/` | format, version, time | yes | yes |
//! | `meta` | uuid and counters | yes | yes |
//! | `config` | settings, as attributes and as JSON | yes, without secrets | yes |
//! | `arch` | sizes and activation | yes | yes |
//! | `params` | output layer, its checksums, its optimiser | not the optimiser | not the optimiser |
//! | `hidden_units` | a group for each unit | yes | yes |
//! | `random` | seed, states of four generators | only the seed | only the seed |
//! | `mp` | addresses and a secret of worker processes | no | no |
//! | `history` | losses, accuracies, correlations and weights of added units | weights of the network's units only | yes |
//! | `data` | training tensors | no | no |
//!
//! What a file holds beyond that is named in [`ReadSnapshot::warnings`], in words for a user.
//!
//! # Trust
//!
//! A snapshot may come from anywhere. Sizes are checked before anything of that size is allocated,
//! checksums are enforced where there are any, every array must have the shape that the network
//! asks for, and every number must be finite. The pickle in `random/python_state` is never opened.
//! A file that fails any of this is refused as a whole; see [`SnapshotError`].
//!
//! ```
//! # let dir = tempfile::tempdir()?;
//! # let path = dir.path().join("network.h5");
//! use rekindle_cascor::snapshot::{self, Identity, OutputLayer, Settings, Snapshot};
//!
//! let network = Snapshot {
//!     identity: Identity::default(),
//!     config: serde_json::Map::new(),
//!     activation: "tanh".to_owned(),
//!     settings: Settings::default(),
//!     inputs: 2,
//!     outputs: 1,
//!     output: OutputLayer { weights: vec![0.5, -0.25], bias: vec![0.125] },
//!     hidden: Vec::new(),
//!     history: Default::default(),
//! };
//! snapshot::write(&network, &path)?;
//! assert_eq!(snapshot::read(&path)?.snapshot.output, network.output);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod activation;
mod checksum;
mod error;
#[cfg(test)]
mod hostile;
mod isolation;
mod limits;
mod model;
mod objects;
mod read;
mod source;
mod warnings;
mod write;

pub use error::{Problem, SnapshotError};
pub use limits::{MAX_ARRAY_BYTES, MAX_FILE_BYTES, MAX_HIDDEN, MAX_WIDTH};
pub use model::{HiddenUnit, History, Identity, OutputLayer, ReadSnapshot, Settings, Snapshot};
pub use read::read;
pub use write::write;

/// The first bytes of an HDF5 file.
const SIGNATURE: [u8; 8] = *b"\x89HDF\r\n\x1a\n";

/// The name that the original gives its format.
const FORMAT: &str = "juniper.cascor";

/// The name that its first versions gave it.
const FORMAT_BEFORE: &str = "cascor_hdf5_v1";

/// The version of the format that is written, and the newest that is read.
const FORMAT_VERSION: u64 = 2;

/// The groups without which the original loads nothing.
const REQUIRED_GROUPS: [&str; 5] = ["meta", "config", "params", "arch", "random"];

/// True for the first bytes of an HDF5 file, of which a snapshot is one kind.
#[must_use]
pub fn matches(head: &[u8]) -> bool {
    head.starts_with(&SIGNATURE)
}
