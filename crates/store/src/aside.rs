//! What is damaged is moved out of the way, to `damaged/`, and never deleted: somebody may still get
//! something out of it.

use crate::commit;
use crate::error::SaveError;
use crate::notes;
use crate::signature;
use crate::storage::StorageError;
use crate::store::Store;

/// Where damaged objects are kept, under the name that they had.
pub(crate) const PREFIX: &str = "damaged/";

impl Store {
    /// Takes a damaged checkpoint out of the books, so that its step can be saved anew. Its record, its
    /// note and its signatures are kept under `damaged/`.
    ///
    /// # Errors
    /// When the run was opened for reading, or the storage fails.
    pub fn set_aside(&mut self, step: u64) -> Result<(), SaveError> {
        self.require_writer()?;
        // What was said of the checkpoint goes first: after a crash in between, it would stand for the
        // next checkpoint of the step.
        for object in self.storage.list(&signature::prefix_of(step))? {
            self.move_aside(&object.name)?;
        }
        self.move_aside(&notes::object_name(Some(step)))?;
        self.move_aside(&commit::object_name(step))?;
        self.forget_commit(step);
        Ok(())
    }

    /// Moves an object to `damaged/`; one that is not there is no error.
    pub(crate) fn move_aside(&self, name: &str) -> Result<(), StorageError> {
        let there = self.storage.list(name)?;
        if !there.iter().any(|object| object.name == name) {
            return Ok(());
        }
        self.storage.rename(name, &self.free_name_for(name)?)
    }

    /// A name under `damaged/` that no object has: what was moved there before stays.
    fn free_name_for(&self, name: &str) -> Result<String, StorageError> {
        let name = format!("{PREFIX}{name}");
        let taken = self.storage.list(&name)?;
        let is_free = |name: &String| taken.iter().all(|object| object.name != *name);
        let numbered = (1u64..).map(|number| format!("{name}.{number}"));
        Ok(std::iter::once(name.clone()).chain(numbered).find(is_free).unwrap_or(name))
    }
}
