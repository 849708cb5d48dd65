//! Notes: what people say of a run or of a checkpoint. No checkpoint depends on them.

use serde::{Deserialize, Serialize};

use crate::cipher::SealedText;
use crate::error::{ReadError, SaveError};
use crate::sealed;
use crate::storage::StorageError;
use crate::store::Store;

pub(crate) const PREFIX: &str = "notes/";
/// A note is never longer: bytes of its object.
const LIMIT: u64 = 64 << 10;
const WHAT: &str = "note";

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Note {
    Text(String),
    Sealed(SealedText),
}

fn object_name(step: Option<u64>) -> String {
    step.map_or(format!("{PREFIX}run.json"), |step| format!("{PREFIX}{step:012}.json"))
}

impl Store {
    /// Writes a note on the checkpoint at `step`, or on the run; an empty one takes it away.
    ///
    /// # Errors
    /// When there is no such checkpoint, the note is longer than 32 KiB, or the run cannot be
    /// written.
    pub fn set_note(&self, step: Option<u64>, text: &str) -> Result<(), SaveError> {
        self.require_writer()?;
        if let Some(step) = step {
            self.checkpoint(step)?;
        }
        let (len, limit) = (text.len(), LIMIT as usize / 2);
        if len > limit {
            return Err(SaveError::NoteTooLong { len, limit });
        }
        if text.is_empty() {
            return Ok(self.storage.delete(&object_name(step))?);
        }
        let note = match self.chunks.cipher() {
            None => Note::Text(text.to_owned()),
            Some(cipher) => Note::Sealed(SealedText::seal(cipher, WHAT, text.as_bytes())),
        };
        Ok(self.storage.put(&object_name(step), &sealed::seal(&note).unwrap_or_default())?)
    }

    pub(crate) fn delete_note(&self, step: u64) -> Result<(), StorageError> {
        self.storage.delete(&object_name(Some(step)))
    }

    /// The note on the checkpoint at `step`, or on the run, if there is one.
    ///
    /// # Errors
    /// When it is damaged, or the storage fails.
    pub fn note(&self, step: Option<u64>) -> Result<Option<String>, ReadError> {
        let name = object_name(step);
        let bytes = match self.storage.read(&name, LIMIT) {
            Ok(bytes) => bytes,
            Err(StorageError::Missing { .. }) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let malformed = || crate::error::Damage::malformed(&name, "it is no note of this run");
        match (sealed::unseal(&name, &bytes)?, self.chunks.cipher()) {
            (Note::Text(text), None) => Ok(Some(text)),
            (Note::Sealed(sealed), Some(cipher)) => {
                let opened = sealed.open(cipher, WHAT).and_then(|bytes| String::from_utf8(bytes).ok());
                Ok(Some(opened.ok_or_else(malformed)?))
            }
            _ => Err(malformed().into()),
        }
    }
}
