//! Files for people beside the checkpoints, which nothing depends on and no hash covers.

use crate::error::SaveError;
use crate::storage::StorageError;
use crate::writer::Writer;

/// Where a system's own files are: a circuit, a picture.
pub(crate) const ARTIFACTS: &str = "artifacts/";

impl Writer {
    /// Writes a file for people, such as `config.yaml`, that no checkpoint depends on: one of the run's
    /// own, or any under `artifacts/`. In an encrypted run there are none.
    ///
    /// # Errors
    /// When the right to write was lost, the name is another's, or the storage fails.
    pub fn put_note(&self, name: &str, bytes: &[u8]) -> Result<(), SaveError> {
        self.require_right()?;
        if !is_for_people(name) {
            return Err(StorageError::BadName { name: name.chars().take(255).collect() }.into());
        }
        if self.identity().encrypted {
            return Ok(());
        }
        Ok(self.storage().put(name, bytes)?)
    }
}

/// True for the files beside the checkpoints that a program may write as it likes.
fn is_for_people(name: &str) -> bool {
    ["config.yaml", "metrics.jsonl"].contains(&name) || name.starts_with(ARTIFACTS)
}
