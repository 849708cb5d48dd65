//! `rekindle.json`: what run this is and where it comes from.

use serde::{Deserialize, Serialize};

use crate::hash::Hash;

pub(crate) const OBJECT: &str = "rekindle.json";
pub(crate) const LIMIT: u64 = 64 << 10;

/// What run this is; written once, when the run is made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Identity {
    /// Version of the format.
    pub format: u32,
    /// Id of the run: 16 hexadecimal digits.
    pub run: String,
    /// The model family; empty for a state of a user's own.
    pub system: String,
    /// When the run was made: seconds since 1970 (UTC).
    pub created: u64,
    /// What the run was made from.
    pub lineage: Option<Lineage>,
}

/// The checkpoint or file that a run started from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lineage {
    /// Where it was, as the user wrote it.
    pub source: String,
    /// Id of the run it belonged to.
    pub run: Option<String>,
    /// Its step.
    pub step: Option<u64>,
    /// Its state hash.
    pub state_hash: Option<Hash>,
    /// The part that was taken; the whole state when absent.
    pub only: Option<String>,
}

/// An id for a new run. It only has to differ from the ids of other runs.
pub(crate) fn new_run_id(location: &str) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let nanoseconds = now.map_or(0, |now| now.as_nanos());
    let seed = format!("{nanoseconds} {} {location}", std::process::id());
    Hash::of(seed.as_bytes()).to_string()[..16].to_owned()
}
