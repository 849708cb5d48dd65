//! Runs whose states are trees: for front ends in other languages, whose values serde does not know.
//!
//! What serde brings is shown to come back when it is first saved; a tree is what comes back.

use rekindle_store::{
    Array, ArrayDigest, ArrayRef, ArrayType, Checkpoint, Hash, Node, PartRecord, Save, SaveError, Saved,
    StoredTree, state_hash,
};

use crate::background::{Saving, Written};
use crate::capture::CaptureError;
use crate::compare::Mismatch;
use crate::run::{ResumeError, Resumed, Run};
use crate::saving::{Outcome, Stored, into_buffers};

/// An array whose bytes are in memory, whoever owns it.
pub trait ArrayBytes {
    /// Element type and shape.
    fn kind(&self) -> &ArrayType;
    /// The elements, little-endian, in row-major order.
    fn bytes(&self) -> &[u8];
}

impl ArrayBytes for Array {
    fn kind(&self) -> &ArrayType {
        Array::kind(self)
    }

    fn bytes(&self) -> &[u8] {
        self.data()
    }
}

/// The identity of a tree in memory: what a checkpoint of it would have as its state hash.
pub fn hash_of_tree<A: ArrayBytes>(tree: &Node<A>) -> Hash {
    let digests = tree.try_map_arrays(&mut |_, array: &A| {
        Ok::<_, std::convert::Infallible>(ArrayDigest::of(array.kind().clone(), array.bytes()))
    });
    state_hash(&digests.unwrap_or_else(|never| match never {}))
}

impl Run {
    /// As [`checkpoint`](Self::checkpoint), with a state that is a tree.
    ///
    /// # Errors
    /// As [`checkpoint`](Self::checkpoint).
    pub fn checkpoint_tree<A: ArrayBytes>(
        &mut self,
        step: u64,
        tree: &Node<A>,
    ) -> Result<Outcome, CaptureError> {
        let outcome = if self.is_due(step) {
            self.put_tree(step, tree)?
        } else {
            self.current = Some(step);
            self.engine.take_failure()?;
            Outcome::NotDue
        };
        self.reached(step, || Ok(Some(hash_of_tree(tree))))?;
        Ok(outcome)
    }

    /// As [`checkpoint_now`](Self::checkpoint_now), with a state that is a tree.
    ///
    /// # Errors
    /// As [`checkpoint`](Self::checkpoint).
    pub fn checkpoint_tree_now<A: ArrayBytes>(
        &mut self,
        step: u64,
        tree: &Node<A>,
    ) -> Result<Outcome, CaptureError> {
        let outcome = self.put_tree(step, tree)?;
        self.reached(step, || Ok(Some(hash_of_tree(tree))))?;
        Ok(outcome)
    }

    /// What [`checkpoint`](Self::checkpoint) does at a step that is not saved, for who does not capture a state
    /// in vain: see [`wants_state`](Self::wants_state).
    ///
    /// # Errors
    /// What the save before, in the background, failed with.
    pub fn pass(&mut self, step: u64) -> Result<Outcome, CaptureError> {
        self.current = Some(step);
        self.engine.take_failure()?;
        self.reached(step, || Ok(None))?;
        Ok(Outcome::NotDue)
    }

    /// As [`save`](Self::save), with a state that is a tree.
    ///
    /// # Errors
    /// As [`checkpoint`](Self::checkpoint).
    pub fn save_tree<A: ArrayBytes>(&mut self, step: u64, tree: &Node<A>) -> Result<Saved, CaptureError> {
        self.engine.writer();
        let before = self.engine.take_failure();
        let saved = self.save_tree_now(step, tree);
        before?;
        self.reached(step, || Ok(Some(hash_of_tree(tree))))?;
        saved
    }

    /// As [`finish`](Self::finish), with a state that is a tree.
    ///
    /// # Errors
    /// As [`finish`](Self::finish).
    pub fn finish_tree<A: ArrayBytes>(mut self, tree: &Node<A>) -> Result<(), CaptureError> {
        let before = self.wait();
        let step = self.current.unwrap_or(0);
        match self.save_tree_now(step, tree) {
            Ok(saved) => self.finished(step, saved.record.state_hash),
            Err(error) => before.and(Err(error)),
        }
    }

    /// Loads the newest valid checkpoint as `load` makes it, if it has the form that `differences` looks for;
    /// on a run without checkpoints there is nothing. Damaged ones are passed over, as
    /// [`resume`](Self::resume) does.
    ///
    /// # Errors
    /// As [`resume`](Self::resume), and those of `load`.
    pub fn resume_tree<T>(
        &mut self,
        differences: impl Fn(&StoredTree) -> Vec<Mismatch>,
        load: impl Fn(&Checkpoint<'_>, &StoredTree) -> Result<T, ResumeError>,
    ) -> Result<(Option<T>, Resumed), ResumeError> {
        let attempt = |checkpoint: &Checkpoint<'_>| {
            let tree = checkpoint.tree()?;
            let mismatches = differences(&tree);
            if mismatches.is_empty() {
                return load(checkpoint, &tree);
            }
            Err(ResumeError::DoesNotFit { step: checkpoint.record().step, mismatches })
        };
        let Some((step, value, skipped)) = self.newest_valid(attempt)? else {
            return Ok((None, Resumed::default()));
        };
        Ok((Some(value), Resumed { step: Some(step), skipped, migrated_from: None }))
    }

    /// Saves a state whose arrays other processes have stored as `parts`: `tree` is given them, in the order of the
    /// parts, and what stores arrays of this process.
    ///
    /// # Errors
    /// As [`save`](Self::save); and when a part is not whole.
    pub fn save_parts(
        &mut self,
        step: u64,
        parts: &[PartRecord],
        tree: impl FnOnce(&mut Save<'_>, &[Vec<ArrayRef>]) -> Result<StoredTree, SaveError>,
    ) -> Result<Saved, CaptureError> {
        self.wait()?;
        self.current = Some(step);
        let job = self.job_without_check(step);
        self.write(job, |writer| {
            let mut save = writer.save()?;
            let arrays = parts.iter().map(|part| save.take_part(part)).collect::<Result<Vec<_>, _>>()?;
            let tree = tree(&mut save, &arrays)?;
            Ok(Stored { save, tree, unordered: Vec::new() })
        })
    }

    fn put_tree<A: ArrayBytes>(&mut self, step: u64, tree: &Node<A>) -> Result<Outcome, CaptureError> {
        self.current = Some(step);
        self.engine.take_failure()?;
        if self.saving == Saving::Blocking {
            return self.save_tree_now(step, tree).map(|saved| Outcome::Saved(Box::new(saved)));
        }
        if self.leaves_out(step) {
            return Ok(Outcome::SkippedBusy);
        }
        self.wait()?;
        let job = self.job_without_check(step);
        let mut spare = self.engine.take_spare();
        let copy = tree.try_map_arrays(&mut |_, array: &A| {
            let mut data = spare.pop_front().unwrap_or_default();
            data.clear();
            data.extend_from_slice(array.bytes());
            Array::new(array.kind().dtype, array.kind().shape.clone(), data).map_err(SaveError::from)
        })?;
        self.start(&job.clone(), move |writer| {
            let (saved, pruned) = job.write(writer, |writer| Stored::of_tree(writer, &copy, Vec::new()));
            Written { saved, pruned, spare: into_buffers(copy) }
        });
        Ok(Outcome::InBackground)
    }

    fn save_tree_now<A: ArrayBytes>(&mut self, step: u64, tree: &Node<A>) -> Result<Saved, CaptureError> {
        self.current = Some(step);
        let job = self.job_without_check(step);
        self.write(job, |writer| Stored::of_tree(writer, tree, Vec::new()))
    }
}
