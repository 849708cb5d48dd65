//! Commit records: the small sealed JSON files whose writing commits a checkpoint.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::checkpoint::index::Root;
use crate::encryption::cipher::Cipher;
use crate::encryption::sealer::SealedText;
use crate::error::{Damage, ReadError, SaveError};
use crate::hash::Hash;
use crate::sealed;

/// The newest format that this version reads, and the one that it writes.
pub const FORMAT: u32 = 3;
/// A commit record is never longer: bytes.
pub(crate) const RECORD_LIMIT: usize = 64 << 10;
pub(crate) const PREFIX: &str = "commits/";
const SUFFIX: &str = ".json";

/// What a checkpoint is, beside its state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CommitRecord {
    /// Version of the format.
    pub format: u32,
    /// Id of the run.
    pub run: String,
    /// The step whose state was saved.
    pub step: u64,
    /// The checkpoint that was the newest when this one was saved.
    pub previous: Option<u64>,
    /// When it was saved: seconds since 1970 (UTC).
    pub created: u64,
    /// Identity of the state.
    pub state_hash: Hash,
    /// The root node of the index.
    pub root: Hash,
    /// Values of the state, chunks of its arrays and pieces of its strings included: what a reader
    /// has to be ready for. 0 in format 1.
    #[serde(default)]
    pub values: u64,
    /// Bytes of all arrays of the state.
    pub payload_bytes: u64,
    /// Bytes that this save added to the packs.
    pub new_bytes: u64,
    /// Segment of the metrics history that ends here; it names the one before.
    pub history: Option<String>,
    /// What the caller says of the state.
    #[serde(flatten)]
    pub about: About,
}

/// What the caller of a save says of the state. None of it enters the state hash.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct About {
    /// The model family; empty for a state of a user's own.
    pub system: String,
    /// Name and version of the state's structure.
    pub schema: Option<Schema>,
    /// Metrics at this step; only finite values.
    pub metrics: BTreeMap<String, f64>,
    /// The config in force.
    pub config: serde_json::Value,
    /// How it was computed: threads, kernels, versions ...
    pub environment: BTreeMap<String, String>,
    /// Changes of the config since the run began, in words.
    pub changes: Vec<String>,
}

/// Name and version of the structure of a state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schema {
    /// Name, such as `logic`.
    pub name: String,
    /// Version, counted from 1.
    pub version: u32,
}

pub(crate) fn object_name(step: u64) -> String {
    format!("{PREFIX}{step:012}{SUFFIX}")
}

pub(crate) fn parse_object_name(name: &str) -> Option<u64> {
    let digits = name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?;
    let step = digits.parse().ok()?;
    (object_name(step) == name).then_some(step)
}

/// A commit record as it is stored in an encrypted run.
#[derive(Serialize, Deserialize)]
struct SealedRecord {
    format: u32,
    run: String,
    step: u64,
    /// The whole record, encrypted.
    sealed: SealedText,
}

/// What a sealed record is, so that it opens only at its place.
fn what(run: &str, step: u64) -> String {
    format!("commit {run} {step}")
}

impl CommitRecord {
    pub(crate) fn index_root(&self) -> Root {
        Root { node: self.root, values: self.values }
    }

    /// The bytes of the record, encrypted if the run is; they can be decoded again.
    pub(crate) fn encode(&self, cipher: Option<&Cipher>) -> Result<Vec<u8>, SaveError> {
        if let Some((name, &value)) = self.about.metrics.iter().find(|metric| !metric.1.is_finite()) {
            return Err(SaveError::MetricNotFinite { name: name.clone(), value });
        }
        let bytes = self.encode_any(cipher)?;
        match Self::decode(self.step, &bytes, cipher, None) {
            Ok(decoded) if decoded == *self => Ok(bytes),
            _ => Err(SaveError::RecordDoesNotComeBack),
        }
    }

    fn encode_any(&self, cipher: Option<&Cipher>) -> Result<Vec<u8>, SaveError> {
        let encoded = match cipher {
            None => sealed::seal(self),
            Some(cipher) => serde_json::to_vec(self).and_then(|bytes| {
                let sealed = SealedText::seal(cipher, &what(&self.run, self.step), &bytes);
                let (format, run, step) = (self.format, self.run.clone(), self.step);
                sealed::seal(&SealedRecord { format, run, step, sealed })
            }),
        };
        let bytes = encoded.map_err(|_| SaveError::RecordDoesNotComeBack)?;
        if bytes.len() > RECORD_LIMIT {
            return Err(SaveError::RecordTooLarge { len: bytes.len(), limit: RECORD_LIMIT });
        }
        Ok(bytes)
    }

    /// The record in `bytes`, which were read as the object of `step`; of the run with the id `run`,
    /// where that is known.
    pub(crate) fn decode(
        step: u64,
        bytes: &[u8],
        cipher: Option<&Cipher>,
        run: Option<&str>,
    ) -> Result<Self, ReadError> {
        #[derive(Deserialize)]
        struct Version {
            format: u32,
        }
        let name = object_name(step);
        let version: Version = sealed::unseal(&name, bytes)?;
        if version.format > FORMAT {
            return Err(ReadError::NewerFormat { found: version.format, supported: FORMAT });
        }
        let record: Self = match cipher {
            None => sealed::unseal(&name, bytes)?,
            Some(cipher) => {
                let stored: SealedRecord = sealed::unseal(&name, bytes)?;
                let opened = stored.sealed.open(cipher, &what(&stored.run, step));
                let opened = opened.and_then(|opened| serde_json::from_slice(&opened).ok());
                opened.ok_or_else(|| Damage::malformed(&name, "it does not open with the key of the run"))?
            }
        };
        if record.step != step {
            return Err(Damage::malformed(name, "it is the record of another step").into());
        }
        if run.is_some_and(|run| run != record.run) {
            return Err(Damage::malformed(name, "it is the record of another run").into());
        }
        Ok(record)
    }
}

#[cfg(all(test, feature = "encryption"))]
mod tests {
    use super::*;
    use crate::encryption::data_key::DataKey;

    #[test]
    fn a_sealed_record_opens_only_at_its_run_and_step() {
        let cipher = Cipher::new(&DataKey::from_bytes([7; 32]));
        let record = CommitRecord {
            format: FORMAT,
            run: "run".to_owned(),
            step: 3,
            previous: None,
            created: 1,
            state_hash: Hash::of(b"state"),
            root: Hash::of(b"root"),
            values: 1,
            payload_bytes: 0,
            new_bytes: 0,
            history: None,
            about: About::default(),
        };
        let bytes = record.encode(Some(&cipher)).unwrap();
        let stored: SealedRecord = sealed::unseal("record", &bytes).unwrap();
        assert!(stored.sealed.open(&cipher, &what("run", 3)).is_some());
        for other in [what("run", 4), what("fork", 3)] {
            assert!(stored.sealed.open(&cipher, &other).is_none(), "{other}");
        }
    }
}
