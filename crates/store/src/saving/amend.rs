//! What is measured of a checkpoint once it is saved.

use std::collections::BTreeMap;

use crate::annotations::history::{self, Row};
use crate::checkpoint::commit::{self, CommitRecord};
use crate::error::SaveError;
use crate::writer::Writer;

impl Writer {
    /// Adds metrics to the record of a checkpoint, and rows to the history that ends there. The state
    /// is not written again: the record is replaced as a whole, so that after a crash the checkpoint
    /// has all of it or is as it was. A checkpoint that somebody has signed stays as it is.
    ///
    /// # Errors
    /// When the right to write was lost, there is no such checkpoint or a later one, a metric is not
    /// finite, or the storage fails.
    pub fn amend(
        &mut self,
        step: u64,
        metrics: &BTreeMap<String, f64>,
        rows: &[Row],
    ) -> Result<CommitRecord, SaveError> {
        self.require_right()?;
        let mut record = self.checkpoint(step)?.record().clone();
        if let Some(&newest) = self.steps().last().filter(|&&newest| newest > step) {
            return Err(SaveError::StepBehind { step, newest });
        }
        if !self.signatures(step)?.is_empty() {
            return Ok(record);
        }
        record.about.metrics.extend(metrics.iter().map(|(name, &value)| (name.clone(), value)));
        let segment = (!rows.is_empty())
            .then(|| history::encode(step, record.history.as_deref(), rows, &self.sealer()));
        record.history = segment.as_ref().map(|segment| segment.0.clone()).or(record.history);
        // What cannot be a record is refused before anything is written.
        let bytes = record.encode(self.chunks().cipher())?;
        if let Some((name, bytes)) = segment {
            // Named by its content: it may be there from a save that was cut short, or be damaged.
            self.storage().put(&name, &bytes)?;
        }
        self.storage().put(&commit::object_name(step), &bytes)?;
        self.accept(record.clone(), Vec::new());
        Ok(record)
    }
}
