//! What is damaged is moved out of the way, to `damaged/`, and never deleted: somebody may still get
//! something out of it.

use crate::annotations::notes;
use crate::annotations::signature;
use crate::checkpoint::commit;
use crate::error::SaveError;
use crate::hash::Hash;
use crate::storage::{StorageError, check_name};
use crate::writer::Writer;

/// Where damaged objects are kept, under the name that they had.
pub(crate) const PREFIX: &str = "damaged/";
/// Longer objects are renamed without a copy: bytes.
const COPIED_UP_TO: u64 = 64 << 10;

impl Writer {
    /// Takes a damaged checkpoint out of the books, so that its step can be saved anew. Its record, its
    /// note and its signatures are kept under `damaged/`.
    ///
    /// # Errors
    /// When the right to write was lost, or the storage fails.
    pub fn set_aside(&mut self, step: u64) -> Result<(), SaveError> {
        self.require_right()?;
        // What was said of the checkpoint goes first: after a crash in between, it would stand for the
        // next checkpoint of the step.
        for object in self.storage().list(&signature::prefix_of(step))? {
            self.move_aside(&object.name)?;
        }
        self.move_aside(&notes::object_name(Some(step)))?;
        self.move_aside(&commit::object_name(step))?;
        self.store.catalog_mut().remove(step);
        Ok(())
    }

    /// Moves an object to `damaged/`; one that is not there is no error.
    pub(crate) fn move_aside(&self, name: &str) -> Result<(), StorageError> {
        let there = self.storage().list(name)?;
        let Some(object) = there.iter().find(|object| object.name == name) else { return Ok(()) };
        let target = self.free_name_for(name)?;
        // After a power cut, a renaming from one directory to another may have happened in the first
        // alone. What is small is copied before it is deleted; what cannot be read is not.
        if object.len <= COPIED_UP_TO
            && let Ok(bytes) = self.storage().read(name, COPIED_UP_TO)
        {
            self.storage().put(&target, &bytes)?;
            return self.storage().delete(name);
        }
        self.storage().rename(name, &target)
    }

    /// A name under `damaged/` that no object has: what was moved there before stays.
    fn free_name_for(&self, name: &str) -> Result<String, StorageError> {
        // A name that no run gives is not one to write under.
        let name =
            check_name(name).map_or_else(|_| Hash::of(name.as_bytes()).to_string(), |()| name.to_owned());
        let name = format!("{PREFIX}{name}");
        let taken = self.storage().list(&name)?;
        let is_free = |name: &String| taken.iter().all(|object| object.name != *name);
        let numbered = (1u64..).map(|number| format!("{name}.{number}"));
        Ok(std::iter::once(name.clone()).chain(numbered).find(is_free).unwrap_or(name))
    }
}
