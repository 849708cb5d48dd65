//! Notes: what people say of a run or of a checkpoint. No checkpoint depends on them.

use serde::{Deserialize, Serialize};

use crate::encryption::sealer::SealedText;
use crate::error::{ReadError, SaveError};
use crate::reader::Store;
use crate::sealed;
use crate::storage::StorageError;
use crate::writer::Writer;

pub(crate) const PREFIX: &str = "notes/";
/// A note is never longer: bytes of its object.
const LIMIT: u64 = 64 << 10;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Note {
    Text(String),
    Sealed(SealedText),
}

pub(crate) fn object_name(step: Option<u64>) -> String {
    step.map_or(format!("{PREFIX}run.json"), |step| format!("{PREFIX}{step:012}.json"))
}

/// What the note is, so that it opens only at its place.
fn what(step: Option<u64>) -> String {
    step.map_or("note run".to_owned(), |step| format!("note {step}"))
}

impl Writer {
    /// Writes a note on the checkpoint at `step`, or on the run; an empty one takes it away.
    ///
    /// # Errors
    /// When there is no such checkpoint, the note is longer than 32 KiB, or the run cannot be
    /// written.
    pub fn set_note(&self, step: Option<u64>, text: &str) -> Result<(), SaveError> {
        self.require_right()?;
        if let Some(step) = step {
            self.checkpoint(step)?;
        }
        let (len, limit) = (text.len(), LIMIT as usize / 2);
        if len > limit {
            return Err(SaveError::NoteTooLong { len, limit });
        }
        if text.is_empty() {
            return Ok(self.storage().delete(&object_name(step))?);
        }
        let sealed = self.sealer().seal(&what(step), text.as_bytes());
        let note = sealed.map_or_else(|| Note::Text(text.to_owned()), Note::Sealed);
        Ok(self.storage().put(&object_name(step), &sealed::seal(&note).unwrap_or_default())?)
    }

    pub(crate) fn delete_note(&self, step: u64) -> Result<(), StorageError> {
        self.storage().delete(&object_name(Some(step)))
    }
}

impl Store {
    /// The note on the checkpoint at `step`, or on the run, if there is one.
    ///
    /// # Errors
    /// When it is damaged, or the storage fails.
    pub fn note(&self, step: Option<u64>) -> Result<Option<String>, ReadError> {
        let name = object_name(step);
        let bytes = match self.storage().read(&name, LIMIT) {
            Ok(bytes) => bytes,
            Err(StorageError::Missing { .. }) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let malformed = || crate::error::Damage::malformed(&name, "it is not a note of this run");
        let text = match sealed::unseal(&name, &bytes)? {
            Note::Text(text) => self.chunks().cipher().is_none().then_some(text),
            Note::Sealed(sealed) => {
                let opened = self.sealer().open(&what(step), &sealed);
                opened.and_then(|bytes| String::from_utf8(bytes).ok())
            }
        };
        Ok(Some(text.ok_or_else(malformed)?))
    }
}
