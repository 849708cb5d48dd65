//! Copying checkpoints from run to run: whole runs, to encrypt them or to move them to another
//! storage, and single checkpoints.

use crate::annotations::history::Row;
use crate::annotations::tags::TagError;
use crate::checkpoint::Checkpoint;
use crate::error::SaveError;
use crate::reader::{Skipped, Store};
use crate::saving::save::Saved;
use crate::state::tree::ArrayRef;
use crate::writer::Writer;

/// What a copy of a run took over.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Copied {
    /// The checkpoints.
    pub steps: Vec<u64>,
    /// Checkpoints that are damaged and were left out.
    pub skipped: Vec<Skipped>,
    /// The tags.
    pub tags: Vec<String>,
}

impl Writer {
    /// Saves a checkpoint of another run in this one, with its metrics history: array by array,
    /// so that it takes no more memory than the largest of them.
    ///
    /// # Errors
    /// When the checkpoint cannot be read, or this run cannot be written.
    pub fn copy_checkpoint(&mut self, from: &Checkpoint<'_>) -> Result<Saved, SaveError> {
        let rows = from.history().0;
        self.copy_with_rows(from, &rows)
    }

    fn copy_with_rows(&mut self, from: &Checkpoint<'_>, rows: &[Row]) -> Result<Saved, SaveError> {
        let tree = from.tree()?;
        let mut save = self.save()?;
        let stored = tree.try_map_arrays(&mut |path, array: &ArrayRef| {
            save.array(path, array.kind().clone(), &from.read_array(path, array)?)
        })?;
        save.commit(from.record().step, &stored, from.record().about.clone(), rows)
    }

    /// Copies all checkpoints of another run that are whole, their history and their tags.
    /// `progress` is told every step that is done.
    ///
    /// # Errors
    /// When the other run cannot be read for another reason than damage, or this one cannot be
    /// written.
    pub fn copy_run(&mut self, from: &Store, mut progress: impl FnMut(u64)) -> Result<Copied, SaveError> {
        let mut copied = Copied { skipped: from.damaged_records().collect(), ..Copied::default() };
        let mut before: Vec<Row> = Vec::new();
        for record in from.records() {
            let checkpoint = from.checkpoint(record.step)?;
            let rows = checkpoint.history().0;
            // Of a history that goes on, only the new rows are sealed again.
            let new = rows.strip_prefix(before.as_slice()).unwrap_or(&rows);
            match self.copy_with_rows(&checkpoint, new) {
                Ok(_) => copied.steps.push(record.step),
                Err(SaveError::Read(crate::error::ReadError::Damaged(damage))) => {
                    copied.skipped.push(Skipped { step: record.step, damage: *damage });
                    continue;
                }
                Err(error) => return Err(error),
            }
            before = rows;
            progress(record.step);
        }
        self.copy_tags(from, &mut copied)?;
        Ok(copied)
    }

    fn copy_tags(&mut self, from: &Store, copied: &mut Copied) -> Result<(), SaveError> {
        for (name, tag) in from.tags()? {
            let Ok(step) = tag else { continue };
            if copied.steps.contains(&step) {
                match self.set_tag(&name, step, true) {
                    Ok(()) => copied.tags.push(name),
                    Err(TagError::Save(error)) => return Err(error),
                    Err(_) => {}
                }
            }
        }
        Ok(())
    }
}
