//! Signatures of checkpoints. The store keeps them beside the commit records and says what they
//! cover; making and checking them is the caller's.
//!
//! A commit record holds the state hash and the root of the index, so that whoever signs it signs
//! all of the checkpoint.

use serde::{Deserialize, Serialize};

use crate::checkpoint::commit;
use crate::error::{ReadError, SaveError};
use crate::hash::Hash;
use crate::reader::Store;
use crate::sealed;
use crate::storage::StorageError;
use crate::writer::Writer;

pub(crate) const PREFIX: &str = "signatures/";
const LIMIT: u64 = 16 << 10;

/// A signature as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredSignature {
    /// The signer's public key, as text.
    pub public_key: String,
    /// The signature, as text.
    pub signature: String,
}

pub(crate) fn prefix_of(step: u64) -> String {
    format!("{PREFIX}{step:012}-")
}

/// True for the object of a signature.
pub(crate) fn is_signature(name: &str) -> bool {
    name.strip_prefix(PREFIX).is_some_and(|rest| rest.ends_with(".json"))
}

impl Store {
    /// What a signature of the checkpoint at `step` covers: a line that says what it is, with the
    /// run and the step, and the bytes of the commit record as they are stored.
    ///
    /// # Errors
    /// When there is no such checkpoint, or its record is damaged.
    pub fn signed_message(&self, step: u64) -> Result<Vec<u8>, ReadError> {
        let run = &self.checkpoint(step)?.record().run;
        let mut message = format!("rekindle checkpoint {run} {step}\n").into_bytes();
        message.extend(self.storage().read(&commit::object_name(step), commit::RECORD_LIMIT as u64)?);
        Ok(message)
    }

    /// The signatures of the checkpoint at `step`. One that is damaged is left out: it proves
    /// nothing.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn signatures(&self, step: u64) -> Result<Vec<StoredSignature>, StorageError> {
        let objects = self.storage().list(&prefix_of(step))?;
        let read = |name: &str| sealed::unseal(name, &self.storage().read(name, LIMIT).ok()?).ok();
        Ok(objects.iter().filter_map(|object| read(&object.name)).collect())
    }
}

impl Writer {
    /// Keeps a signature of the checkpoint at `step`; one by the same key is replaced.
    ///
    /// # Errors
    /// When there is no such checkpoint, or the run cannot be written.
    pub fn put_signature(&self, step: u64, signature: &StoredSignature) -> Result<(), SaveError> {
        self.require_right()?;
        self.checkpoint(step)?;
        let signer = Hash::of(signature.public_key.as_bytes()).short();
        let name = format!("{}{signer}.json", prefix_of(step));
        Ok(self.storage().put(&name, &sealed::seal(signature).unwrap_or_default())?)
    }

    pub(crate) fn delete_signatures(&self, step: u64) -> Result<(), StorageError> {
        for object in self.storage().list(&prefix_of(step))? {
            self.storage().delete(&object.name)?;
        }
        Ok(())
    }
}
