//! How a run saves: what is written and when, by the caller or in the background.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use serde::Serialize;
use serde::de::DeserializeOwned;

use rekindle_store::{About, EntryPath, Node, PruneError, Row, SaveError, Saved, Store, StoredTree, Tree};

use crate::background::{Saving, WhenBusy};
use crate::capture::{CaptureError, CopySink, DigestSink, SaveSink, capture};
use crate::diff::first_difference;
use crate::policy::Policy;
use crate::restore::{RestoreError, from_checkpoint};
use crate::run::Run;

/// What came of a call to [`Run::checkpoint`].
#[derive(Debug, Clone, PartialEq)]
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

/// States whose arrays are larger are not decoded again after their first checkpoint, as that
/// takes as much memory once more: bytes.
const PROVE_UP_TO: u64 = 32 << 20;

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
        self.current = Some(step);
        if !self.policy.is_due(step, self.last_save) {
            self.engine.take_failure()?;
            return Ok(Outcome::NotDue);
        }
        self.checkpoint_now(step, state)
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
        if !self.goes_to_background(step)? {
            return self.save(step, state).map(|saved| Outcome::Saved(Box::new(saved)));
        }
        if self.leaves_out() {
            return Ok(Outcome::SkippedBusy);
        }
        self.wait_for_the_writer()?;
        let mut sink = CopySink::new(self.engine.take_spare());
        let tree = capture(state, &mut sink)?;
        self.start(step, move |save| {
            let saved = save(&|store| store_tree(store, &tree));
            (saved, into_buffers(tree))
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
        self.current = Some(step);
        if !self.policy.is_due(step, self.last_save) {
            self.engine.take_failure()?;
            return Ok(Outcome::NotDue);
        }
        if !self.goes_to_background(step)? {
            return self.save(step, &**state).map(|saved| Outcome::Saved(Box::new(saved)));
        }
        if self.leaves_out() {
            return Ok(Outcome::SkippedBusy);
        }
        self.wait_for_the_writer()?;
        let state = Arc::clone(state);
        self.start(step, move |save| {
            let saved = save(&|store| {
                let mut save = store.save()?;
                let tree = capture(&*state, &mut SaveSink(&mut save))?;
                Ok((save, tree))
            });
            (saved, Vec::new())
        });
        Ok(Outcome::InBackground)
    }

    /// The first checkpoint of a run is never written in the background: it is the one that shows
    /// whether the state comes back.
    fn goes_to_background(&mut self, step: u64) -> Result<bool, CaptureError> {
        self.current = Some(step);
        self.engine.take_failure()?;
        Ok(self.saving != Saving::Blocking && self.engine.durable().is_some())
    }

    fn leaves_out(&mut self) -> bool {
        self.saving == Saving::Background(WhenBusy::Skip) && self.engine.is_busy()
    }

    /// Waits until the checkpoint before is written: nothing is captured after one that failed.
    fn wait_for_the_writer(&mut self) -> Result<(), CaptureError> {
        self.engine.store();
        self.engine.take_failure()
    }

    /// Hands the checkpoint of `step` to the writer. `work` is given a function that saves what
    /// another function stores, and prunes.
    fn start(
        &mut self,
        step: u64,
        work: impl FnOnce(&mut SaveWith<'_>) -> (Result<Saved, CaptureError>, Vec<Vec<u8>>) + Send + 'static,
    ) {
        let about = self.about_step(step);
        let (rows, policy) = (std::mem::take(&mut self.rows), self.policy.clone());
        let metrics = about.metrics.clone();
        self.engine.start(step, metrics, move |store| {
            work(&mut |store_arrays| {
                let (save, tree) = store_arrays(store)?;
                let saved = save.commit(step, &tree, about.clone(), &rows)?;
                prune_by_policy(store, &policy, &saved)?;
                Ok(saved)
            })
        });
        self.last_save = Some(Instant::now());
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
        self.current = Some(step);
        let about = self.about_step(step);
        let store = self.engine.store();
        let mut save = store.save()?;
        let tree = capture(state, &mut SaveSink(&mut save))?;
        let saved = save.commit(step, &tree, about, &self.rows)?;
        self.engine.take_failure()?;
        if saved.written {
            self.rows.clear();
        }
        self.prove_it_comes_back::<T>(&saved)?;
        self.last_save = Some(Instant::now());
        prune_by_policy(self.engine.store(), &self.policy, &saved)?;
        Ok(saved)
    }

    fn about_step(&mut self, step: u64) -> About {
        let measured = self.measured.as_ref().filter(|(measured, _)| *measured == step);
        self.about.metrics = measured.map(|(_, metrics)| metrics.clone()).unwrap_or_default();
        self.about.clone()
    }

    /// Saves a state that is a tree already, such as one that was read from a foreign file.
    ///
    /// # Errors
    /// As [`checkpoint`](Self::checkpoint).
    pub fn save_tree(&mut self, step: u64, tree: &Tree) -> Result<Saved, CaptureError> {
        self.current = Some(step);
        let (save, stored) = store_tree(self.engine.store(), tree)?;
        Ok(save.commit(step, &stored, self.about.clone(), &self.rows)?)
    }

    /// Decodes the first checkpoint of a run and hashes it again: a type that cannot come back is
    /// found before training goes on. The checkpoint is withdrawn if it does not. A state so large
    /// that a copy of it might not fit the memory is not checked.
    fn prove_it_comes_back<T: Serialize + DeserializeOwned>(
        &mut self,
        saved: &Saved,
    ) -> Result<(), CaptureError> {
        let record = &saved.record;
        if self.proven || !saved.written || record.previous.is_some() || record.payload_bytes > PROVE_UP_TO {
            return Ok(());
        }
        let store = self.engine.store();
        let lost = match entry_that_is_lost::<T>(store, record.step) {
            Ok(None) => {
                self.proven = true;
                return Ok(());
            }
            Ok(Some(path)) => CaptureError::DoesNotComeBack { path },
            Err(error) => error,
        };
        match store.discard_checkpoint(record.step) {
            Ok(()) => Err(lost),
            Err(error) => Err(error.into()),
        }
    }

    /// Saves the state of the last step that `checkpoint` was called with, unless it is saved
    /// already, and gives up the right to write.
    ///
    /// # Errors
    /// As [`checkpoint`](Self::checkpoint).
    pub fn finish<T: Serialize + DeserializeOwned>(mut self, state: &T) -> Result<(), CaptureError> {
        self.wait_for_the_writer()?;
        let step = self.current.unwrap_or(0);
        self.save(step, state).map(drop)
    }
}

/// Stores the arrays of a state in a new save.
type StoreArrays<'a> =
    dyn Fn(&mut Store) -> Result<(rekindle_store::Save<'_>, StoredTree), CaptureError> + 'a;
type SaveWith<'a> = dyn FnMut(&StoreArrays<'_>) -> Result<Saved, CaptureError> + 'a;

fn store_tree<'a>(
    store: &'a mut Store,
    tree: &Tree,
) -> Result<(rekindle_store::Save<'a>, StoredTree), CaptureError> {
    let mut save = store.save()?;
    let stored =
        tree.try_map_arrays(&mut |path, array| save.array(path, array.kind().clone(), array.data()))?;
    Ok((save, stored))
}

/// The buffers of a captured state, in the order of its arrays.
fn into_buffers(tree: Tree) -> Vec<Vec<u8>> {
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

fn entry_that_is_lost<T: Serialize + DeserializeOwned>(
    store: &Store,
    step: u64,
) -> Result<Option<EntryPath>, CaptureError> {
    let checkpoint = store.checkpoint(step).map_err(SaveError::from)?;
    let tree = checkpoint.tree().map_err(SaveError::from)?;
    let value: T = match from_checkpoint(&checkpoint, &tree) {
        Ok(value) => value,
        Err(RestoreError::Refused { path, message }) => {
            return Err(CaptureError::Unsupported {
                path,
                message: format!("it cannot be read back: {message}"),
            });
        }
        Err(RestoreError::Read(error)) => return Err(SaveError::from(error).into()),
    };
    let again = capture(&value, &mut DigestSink)?;
    Ok(first_difference(&tree, &again))
}

fn prune_by_policy(store: &mut Store, policy: &Policy, saved: &Saved) -> Result<(), CaptureError> {
    if !saved.written || policy.retention == Default::default() {
        return Ok(());
    }
    let Policy { retention, best, grace_seconds, .. } = policy;
    match store.prune_between_saves(retention, best.as_ref(), *grace_seconds) {
        Ok(_) => Ok(()),
        Err(PruneError::Save(error)) => Err(error.into()),
        Err(error) => Err(CaptureError::Unsupported { path: EntryPath::root(), message: error.to_string() }),
    }
}
