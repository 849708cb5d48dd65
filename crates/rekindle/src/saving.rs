//! How a run saves: what is written and when, by the caller or in the background.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use serde::Serialize;
use serde::de::DeserializeOwned;

use rekindle_store::{
    About, EntryPath, Node, ReadError, Row, Save, SaveError, Saved, Store, StoredTree, Tree, Writer,
};

use crate::background::{Saving, WhenBusy, Written};
use crate::capture::{CaptureError, CopySink, SaveSink, capture_with_order, hash_of};
use crate::compare::Form;
use crate::policy::Policy;
use crate::proof::{Proof, prove};
use crate::run::Run;
use crate::trees::ArrayBytes;

/// What came of a call to [`Run::checkpoint`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Outcome {
    /// By the policy, no checkpoint was due.
    NotDue,
    /// The checkpoint is durable.
    Saved(Box<Saved>),
    /// The state was captured and is being written.
    InBackground,
    /// The checkpoint was left out, as the one before is still being written.
    SkippedBusy,
}

impl Run {
    /// Adds a row to the metrics history, which the next checkpoint seals, and
    /// [sets the metrics](Self::set_metrics) of `step`.
    pub fn log(&mut self, step: u64, metrics: &BTreeMap<String, f64>) {
        let mut row = Row::new();
        row.insert("step".to_owned(), step.into());
        // JSON has no word for NaN and infinity: they become null.
        row.extend(metrics.iter().map(|(name, &value)| (name.clone(), value.into())));
        // A step that is measured again is one row.
        if self.rows.last().is_some_and(|last| last.get("step") == row.get("step")) {
            self.rows.pop();
        }
        self.rows.push(row);
        self.set_metrics(step, metrics);
    }

    /// Adds a row of any form to the metrics history, which the next checkpoint seals.
    pub fn log_row(&mut self, row: Row) {
        self.rows.push(row);
    }

    /// Says what is known of the state at `step`: a checkpoint of that step keeps the finite
    /// values, and they decide which checkpoint is the best.
    pub fn set_metrics(&mut self, step: u64, metrics: &BTreeMap<String, f64>) {
        let finite = metrics.iter().filter(|(_, value)| value.is_finite());
        self.measured = Some((step, finite.map(|(name, &value)| (name.clone(), value)).collect()));
    }

    /// True when, by the policy's `best`, these metrics are better than those of every checkpoint.
    pub fn is_new_best(&mut self, metrics: &BTreeMap<String, f64>) -> bool {
        let Some(best) = &self.policy.best else { return false };
        // Among equals the earlier is the best, so that only a better one comes out as `MAX`.
        let saved = self.engine.metrics().iter().map(|(&step, metrics)| (step, metrics));
        best.choose(saved.chain([(u64::MAX, metrics)])) == Some(u64::MAX)
    }

    /// Takes over the metrics history of another run; the next checkpoint seals it.
    pub fn take_history(&mut self, rows: Vec<Row>) {
        self.rows = rows;
    }

    /// The newest step whose checkpoint is durable: what a crash now would leave. It does not
    /// wait.
    pub fn durable_step(&mut self) -> Option<u64> {
        self.engine.durable()
    }

    /// Saves `state` if the policy says so: always on the first call of a new run.
    ///
    /// # Errors
    /// When the state cannot be captured or written, or the save before, in the background, could
    /// not be written; the checkpoints before are intact.
    pub fn checkpoint<T: Serialize + DeserializeOwned>(
        &mut self,
        step: u64,
        state: &T,
    ) -> Result<Outcome, CaptureError> {
        if self.is_due(step) {
            return self.checkpoint_now(step, state);
        }
        self.current = Some(step);
        self.engine.take_failure()?;
        self.reached(step, || hash_of(state).map(Some))?;
        Ok(Outcome::NotDue)
    }

    /// As [`checkpoint`](Self::checkpoint), whatever the policy says.
    ///
    /// # Errors
    /// As [`checkpoint`](Self::checkpoint).
    pub fn checkpoint_now<T: Serialize + DeserializeOwned>(
        &mut self,
        step: u64,
        state: &T,
    ) -> Result<Outcome, CaptureError> {
        let outcome = self.put(step, state)?;
        self.reached(step, || hash_of(state).map(Some))?;
        Ok(outcome)
    }

    fn put<T: Serialize + DeserializeOwned>(
        &mut self,
        step: u64,
        state: &T,
    ) -> Result<Outcome, CaptureError> {
        if !self.goes_to_background(step)? {
            return self.save_now(step, state).map(|saved| Outcome::Saved(Box::new(saved)));
        }
        if self.leaves_out(step) {
            return Ok(Outcome::SkippedBusy);
        }
        self.wait()?;
        let job = self.job(step, state)?;
        let mut sink = CopySink::new(self.engine.take_spare());
        let (tree, unordered) = capture_with_order(state, &mut sink)?;
        self.start(&job.clone(), move |writer| {
            let (saved, pruned) = job.write(writer, |writer| Stored::of_tree(writer, &tree, unordered));
            Written { saved, pruned, spare: into_buffers(tree) }
        });
        Ok(Outcome::InBackground)
    }

    /// As [`checkpoint`](Self::checkpoint), but nothing is copied: the writer shares the state.
    /// Whoever goes on training changes a copy, as [`Arc::make_mut`] makes one while the state is
    /// shared. With [`Saving::Blocking`] the state is saved at once.
    ///
    /// # Errors
    /// As [`checkpoint`](Self::checkpoint).
    pub fn checkpoint_shared<T>(&mut self, step: u64, state: &Arc<T>) -> Result<Outcome, CaptureError>
    where
        T: Serialize + DeserializeOwned + Send + Sync + 'static,
    {
        let outcome = if self.is_due(step) {
            self.put_shared(step, state)?
        } else {
            self.current = Some(step);
            self.engine.take_failure()?;
            Outcome::NotDue
        };
        self.reached(step, || hash_of(&**state).map(Some))?;
        Ok(outcome)
    }

    fn put_shared<T>(&mut self, step: u64, state: &Arc<T>) -> Result<Outcome, CaptureError>
    where
        T: Serialize + DeserializeOwned + Send + Sync + 'static,
    {
        if !self.goes_to_background(step)? {
            return self.save_now(step, &**state).map(|saved| Outcome::Saved(Box::new(saved)));
        }
        if self.leaves_out(step) {
            return Ok(Outcome::SkippedBusy);
        }
        self.wait()?;
        let job = self.job(step, &**state)?;
        let state = Arc::clone(state);
        self.start(&job.clone(), move |writer| {
            let (saved, pruned) = job.write(writer, |writer| Stored::of(writer, &*state));
            Written { saved, pruned, spare: Vec::new() }
        });
        Ok(Outcome::InBackground)
    }

    /// The first checkpoint of a run is never written in the background: whether the state comes back is
    /// told at once.
    fn goes_to_background(&mut self, step: u64) -> Result<bool, CaptureError> {
        self.current = Some(step);
        self.engine.take_failure()?;
        Ok(self.saving != Saving::Blocking && self.engine.durable().is_some())
    }

    /// While the writer is busy, training does not wait for it, unless the state is the best so far.
    pub(crate) fn leaves_out(&mut self, step: u64) -> bool {
        if self.saving != Saving::Background(WhenBusy::Skip) || !self.engine.is_busy() {
            return false;
        }
        let metrics = self.about_step(step).metrics;
        !self.is_new_best(&metrics)
    }

    /// Waits until the checkpoint on its way is written, and tells what it failed with.
    ///
    /// # Errors
    /// What the save in the background failed with, unless that was told before.
    pub fn wait(&mut self) -> Result<(), CaptureError> {
        self.engine.writer();
        self.engine.take_failure()
    }

    /// Hands a checkpoint to the writer, which does `work`.
    pub(crate) fn start(&mut self, job: &Job, work: impl FnOnce(&mut Writer) -> Written + Send + 'static) {
        self.engine.start(job.step, job.about.metrics.clone(), Arc::clone(&job.rows), work);
        self.note_saved(job.step);
    }

    /// Saves `state` at `step`, whatever the policy says, and prunes by the policy's retention. It
    /// is durable when this returns.
    ///
    /// # Errors
    /// As [`checkpoint`](Self::checkpoint).
    pub fn save<T: Serialize + DeserializeOwned>(
        &mut self,
        step: u64,
        state: &T,
    ) -> Result<Saved, CaptureError> {
        self.engine.writer();
        let before = self.engine.take_failure();
        let saved = self.save_now(step, state);
        before?;
        self.reached(step, || hash_of(state).map(Some))?;
        saved
    }

    /// Adds what was measured of the newest checkpoint after it was saved: the metrics of its step, and
    /// the rows that were logged since. The state is not written again. Prunes by the policy's
    /// retention, as another checkpoint may be the best now.
    ///
    /// # Errors
    /// When there is no checkpoint of that step, or it cannot be written.
    pub fn amend(&mut self, step: u64) -> Result<(), CaptureError> {
        let metrics = self.about_step(step).metrics;
        let writer = self.engine.writer();
        writer.amend(step, &metrics, &self.rows)?;
        self.rows.clear();
        prune_by_policy(writer, &self.policy)
    }

    fn save_now<T: Serialize + DeserializeOwned>(
        &mut self,
        step: u64,
        state: &T,
    ) -> Result<Saved, CaptureError> {
        self.current = Some(step);
        let job = self.job(step, state)?;
        self.write(job, |writer| Stored::of(writer, state))
    }

    /// Writes a checkpoint, here and now.
    pub(crate) fn write(
        &mut self,
        job: Job,
        state: impl FnOnce(&mut Writer) -> Result<Stored<'_>, CaptureError>,
    ) -> Result<Saved, CaptureError> {
        let (saved, pruned) = job.write(self.engine.writer(), state);
        let saved = match saved {
            Ok(saved) => saved,
            Err(error) => {
                self.rows = Arc::unwrap_or_clone(job.rows);
                return Err(error);
            }
        };
        self.note_saved(job.step);
        pruned.map(|()| saved)
    }

    fn note_saved(&mut self, step: u64) {
        self.last_save = Some(Instant::now());
        if let Some(proving) = &mut self.proving {
            proving.note_saved(step);
        }
    }

    /// All that a save takes beside the state. The rows so far are in it from now on.
    fn job<T: Serialize + DeserializeOwned>(&mut self, step: u64, state: &T) -> Result<Job, CaptureError> {
        let form = match &self.form {
            Some(form) => Arc::clone(form),
            None => Arc::clone(self.form.insert(Arc::new(Form::of(state)?))),
        };
        let check = Check { form, proof: Arc::clone(&self.proof), prove: prove::<T> };
        Ok(Job { check: Some(check), ..self.job_without_check(step) })
    }

    /// The same for a state that needs not be shown to come back.
    pub(crate) fn job_without_check(&mut self, step: u64) -> Job {
        let mut rows = self.engine.take_unsealed();
        rows.append(&mut self.rows);
        Job {
            step,
            about: self.about_step(step),
            rows: Arc::new(rows),
            policy: self.policy.clone(),
            check: None,
        }
    }

    fn about_step(&mut self, step: u64) -> About {
        let measured = self.measured.as_ref().filter(|(measured, _)| *measured == step);
        self.about.metrics = measured.map(|(_, metrics)| metrics.clone()).unwrap_or_default();
        self.about.clone()
    }

    /// Saves the state of the last step that `checkpoint` was called with, unless it is saved already,
    /// and gives up the right to write. When a save in the background has failed, this one is tried all
    /// the same; when it succeeds, nothing is lost.
    ///
    /// # Errors
    /// As [`checkpoint`](Self::checkpoint).
    pub fn finish<T: Serialize + DeserializeOwned>(mut self, state: &T) -> Result<(), CaptureError> {
        let before = self.wait();
        let step = self.current.unwrap_or(0);
        match self.save_now(step, state) {
            Ok(saved) => self.finished(step, saved.record.state_hash),
            Err(error) => before.and(Err(error)),
        }
    }
}

/// A save: what it takes beside the state.
#[derive(Clone)]
pub(crate) struct Job {
    step: u64,
    about: About,
    rows: Arc<Vec<Row>>,
    policy: Policy,
    check: Option<Check>,
}

/// How it is checked that a state comes back.
#[derive(Clone)]
struct Check {
    /// The form that the state had at first.
    form: Arc<Form>,
    proof: Arc<Mutex<Proof>>,
    prove: fn(&Store, u64, &StoredTree, Vec<EntryPath>) -> Result<(), CaptureError>,
}

/// A state whose arrays are stored.
pub(crate) struct Stored<'a> {
    pub save: Save<'a>,
    pub tree: StoredTree,
    /// Maps whose keys did not come in their order.
    pub unordered: Vec<EntryPath>,
}

impl<'a> Stored<'a> {
    fn of<T: Serialize>(writer: &'a mut Writer, state: &T) -> Result<Self, CaptureError> {
        let mut save = writer.save()?;
        let (tree, unordered) = capture_with_order(state, &mut SaveSink(&mut save))?;
        Ok(Self { save, tree, unordered })
    }

    pub fn of_tree<A: ArrayBytes>(
        writer: &'a mut Writer,
        tree: &Node<A>,
        unordered: Vec<EntryPath>,
    ) -> Result<Self, CaptureError> {
        let mut save = writer.save()?;
        let tree = tree
            .try_map_arrays(&mut |path, array: &A| save.array(path, array.kind().clone(), array.bytes()))?;
        Ok(Self { save, tree, unordered })
    }
}

impl Job {
    /// Stores the state, commits it, and prunes by the policy.
    pub fn write(
        &self,
        writer: &mut Writer,
        state: impl FnOnce(&mut Writer) -> Result<Stored<'_>, CaptureError>,
    ) -> (Result<Saved, CaptureError>, Result<(), CaptureError>) {
        let saved = self.commit(writer, state);
        let pruned = match &saved {
            Ok(saved) if saved.written => prune_by_policy(writer, &self.policy),
            _ => Ok(()),
        };
        (saved, pruned)
    }

    fn commit(
        &self,
        writer: &mut Writer,
        state: impl FnOnce(&mut Writer) -> Result<Stored<'_>, CaptureError>,
    ) -> Result<Saved, CaptureError> {
        let Stored { save, tree, unordered } = state(writer)?;
        let Some(check) = &self.check else {
            return Ok(save.commit(self.step, &tree, self.about.clone(), &self.rows)?);
        };
        let mut mismatches = check.form.mismatches(&tree);
        // Fields that serde leaves out now and then are looked at when they come back.
        mismatches.retain(|mismatch| !mismatch.is_absence());
        if !mismatches.is_empty() {
            return Err(CaptureError::WouldNotFit { mismatches });
        }
        let not_shown = check.proof().not_shown(&tree);
        let saved = save.commit(self.step, &tree, self.about.clone(), &self.rows)?;
        if saved.written && !not_shown.is_empty() {
            check.show(writer, self.step, &tree, unordered)?;
            check.proof().note(not_shown);
        }
        Ok(saved)
    }
}

impl Check {
    /// Shows that the checkpoint comes back; it is withdrawn when it does not.
    fn show(
        &self,
        writer: &mut Writer,
        step: u64,
        tree: &StoredTree,
        unordered: Vec<EntryPath>,
    ) -> Result<(), CaptureError> {
        match (self.prove)(writer, step, tree, unordered) {
            // That it cannot be read just now tells nothing of the state.
            Ok(()) | Err(CaptureError::Save(SaveError::Read(ReadError::Unreadable(_)))) => Ok(()),
            Err(error) => {
                writer.discard_checkpoint(step)?;
                Err(error)
            }
        }
    }

    fn proof(&self) -> MutexGuard<'_, Proof> {
        self.proof.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The buffers of a captured state, in the order of its arrays.
pub(crate) fn into_buffers(tree: Tree) -> Vec<Vec<u8>> {
    fn collect(node: Tree, buffers: &mut Vec<Vec<u8>>) {
        match node {
            Node::Null | Node::Scalar(_) => {}
            Node::Array(array) => buffers.push(array.into_data()),
            Node::Some(content) | Node::Variant(_, content) => collect(*content, buffers),
            Node::List(items) => items.into_iter().for_each(|item| collect(item, buffers)),
            Node::Struct(fields) => fields.into_iter().for_each(|field| collect(field.1, buffers)),
            Node::Map(entries) => entries.into_iter().for_each(|entry| collect(entry.1, buffers)),
        }
    }
    let mut buffers = Vec::new();
    collect(tree, &mut buffers);
    buffers
}

fn prune_by_policy(writer: &mut Writer, policy: &Policy) -> Result<(), CaptureError> {
    if policy.retention == Default::default() {
        return Ok(());
    }
    let Policy { retention, best, grace_seconds, .. } = policy;
    writer.prune_between_saves(retention, best.as_ref(), *grace_seconds)?;
    Ok(())
}
