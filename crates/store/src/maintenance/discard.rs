//! Deleting single checkpoints.

use crate::checkpoint::commit;
use crate::error::SaveError;
use crate::maintenance::prune::PruneError;
use crate::storage::StorageError;
use crate::writer::Writer;

impl Writer {
    /// Deletes the checkpoints after `step`, newest first.
    ///
    /// # Errors
    /// When the right to write was lost, one of them is tagged, or the storage fails.
    pub fn discard_after(&mut self, step: u64) -> Result<Vec<u64>, PruneError> {
        self.require_right()?;
        let later: Vec<u64> = self.catalog().steps_after(step).collect();
        for (name, tagged) in self.tags()? {
            let tagged = tagged.map_err(|damage| PruneError::TagUnknown { damage: Box::new(damage) })?;
            if later.contains(&tagged) {
                return Err(PruneError::Tagged { name });
            }
        }
        for &step in later.iter().rev() {
            self.delete_commit(step)?;
        }
        Ok(later)
    }

    /// Deletes the checkpoint at `step`, whatever it is; its packs go with the next prune.
    ///
    /// # Errors
    /// When the right to write was lost, or the storage fails.
    pub fn discard_checkpoint(&mut self, step: u64) -> Result<(), SaveError> {
        self.require_right()?;
        Ok(self.delete_commit(step)?)
    }

    /// What was said of the checkpoint goes first: after a crash in between, it would stand for the
    /// next checkpoint of the step.
    pub(crate) fn delete_commit(&mut self, step: u64) -> Result<(), StorageError> {
        self.delete_signatures(step)?;
        self.delete_note(step)?;
        self.storage().delete(&commit::object_name(step))?;
        self.store.catalog_mut().remove(step);
        Ok(())
    }
}
