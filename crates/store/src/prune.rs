//! Pruning: deleting checkpoints that a [`Retention`] lets go, then packs that none needs.
//!
//! Commit records go first, so that a crash in between leaves packs too many, never too few. A
//! pack that no checkpoint needs is condemned, and deleted once the grace period is over.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use crate::compact::Thoroughness;
use crate::error::{Damage, ReadError, SaveError};
use crate::hash::Hash;
use crate::history;
use crate::index;
use crate::pack;
use crate::retention::{Best, Candidate, Plan, Retention};
use crate::storage::StorageError;
use crate::store::Store;
use crate::time::now_seconds;
use crate::trash;

/// Between saves, packs are compacted once in so many prunings.
const COMPACT_EVERY: u64 = 16;

/// Pruning failed; every checkpoint that was to be kept is still there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PruneError {
    /// A checkpoint that was to be deleted has a tag.
    #[error("tag `{name}` points to a checkpoint that would be discarded; delete the tag first")]
    Tagged {
        /// The tag.
        name: String,
    },
    /// The run cannot be written.
    #[error(transparent)]
    Save(#[from] SaveError),
}

impl From<StorageError> for PruneError {
    fn from(error: StorageError) -> Self {
        Self::Save(error.into())
    }
}

/// What a prune did, or would do.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Pruned {
    /// The checkpoints that were kept and deleted.
    pub plan: Plan,
    /// Bytes of the packs that were deleted.
    pub freed_bytes: u64,
    /// Bytes of the packs that wait for the end of their grace period.
    pub condemned_bytes: u64,
    /// Bytes of the chunks that were written anew, out of packs that were mostly not needed.
    pub rewritten_bytes: u64,
    /// Why no pack was deleted, if a damaged checkpoint forbids it.
    pub kept_because: Option<Damage>,
}

impl Store {
    /// What `retention` would keep and delete now. A checkpoint counts as valid when its index
    /// can be read and all its chunks can be found.
    ///
    /// # Errors
    /// When the tags cannot be listed.
    pub fn prune_plan(&mut self, retention: &Retention, best: Option<&Best>) -> Result<Plan, PruneError> {
        let mut tags: BTreeMap<u64, Vec<String>> = BTreeMap::new();
        for (name, step) in self.tags()? {
            if let Ok(step) = step {
                tags.entry(step).or_default().push(name);
            }
        }
        let candidates = self.steps().into_iter().map(|step| Candidate {
            step,
            metrics: self.commits[&step]
                .as_ref()
                .map(|record| record.about.metrics.clone())
                .unwrap_or_default(),
            valid: self.chunks_of(step).is_ok(),
            tags: tags.remove(&step).unwrap_or_default(),
        });
        let candidates: Vec<Candidate> = candidates.collect();
        Ok(retention.plan(&candidates, best))
    }

    /// Deletes the checkpoints that `retention` lets go, and the packs that none needs once they
    /// are condemned for `grace_seconds`. Where more than half of the bytes of the run are not
    /// needed, but lie in packs with others that are, those are written anew.
    ///
    /// # Errors
    /// When the run cannot be written.
    pub fn prune(
        &mut self,
        retention: &Retention,
        best: Option<&Best>,
        grace_seconds: u64,
    ) -> Result<Pruned, PruneError> {
        self.prune_and_sweep(retention, best, grace_seconds, Thoroughness::Usual)
    }

    /// As [`prune`](Self::prune), for after every save of a training: nothing is listed, and the time
    /// since when a pack is not needed is kept by this process only.
    ///
    /// # Errors
    /// When the run cannot be written.
    pub fn prune_between_saves(
        &mut self,
        retention: &Retention,
        best: Option<&Best>,
        grace_seconds: u64,
    ) -> Result<Pruned, PruneError> {
        self.prune_and_sweep(retention, best, grace_seconds, Thoroughness::BetweenSaves)
    }

    /// Frees all that can be freed without deleting a checkpoint: packs that none needs are
    /// deleted, once they are condemned for `grace_seconds`, and packs of which a quarter is not
    /// needed, or that are small, are written anew.
    ///
    /// # Errors
    /// When the run cannot be written.
    pub fn gc(&mut self, grace_seconds: u64) -> Result<Pruned, PruneError> {
        self.prune_and_sweep(&Retention::default(), None, grace_seconds, Thoroughness::Full)
    }

    fn prune_and_sweep(
        &mut self,
        retention: &Retention,
        best: Option<&Best>,
        grace_seconds: u64,
        thoroughness: Thoroughness,
    ) -> Result<Pruned, PruneError> {
        self.require_writer()?;
        let plan = self.prune_plan(retention, best)?;
        for &step in &plan.delete {
            self.delete_commit(step)?;
        }
        let mut pruned = Pruned { plan, ..Pruned::default() };
        match self.live_chunks() {
            Ok(live) => {
                let between_saves = thoroughness == Thoroughness::BetweenSaves;
                self.prunings += u64::from(between_saves);
                if !between_saves || self.prunings.is_multiple_of(COMPACT_EVERY) {
                    match self.compact(&live, thoroughness) {
                        Err(SaveError::Read(ReadError::Damaged(damage))) => {
                            pruned.kept_because = Some(*damage);
                            return Ok(pruned);
                        }
                        result => pruned.rewritten_bytes = result?,
                    }
                }
                let needed = self.packs_of(&live);
                self.sweep_packs(&needed, grace_seconds, between_saves, &mut pruned)?;
                if !between_saves {
                    // A checkpoint that goes leaves no segment behind: the newer ones continue it.
                    self.sweep_history()?;
                }
            }
            Err(damage) => pruned.kept_because = Some(damage),
        }
        Ok(pruned)
    }

    /// Names of the chunks that the checkpoint at `step` needs, without the bases of those; the
    /// damage if a part of it is missing.
    fn chunks_of(&mut self, step: u64) -> Result<Arc<Vec<Hash>>, Damage> {
        if !self.needs.contains_key(&step) {
            let chunks = self.find_chunks_of(step)?;
            self.needs.insert(step, Arc::new(chunks));
        }
        Ok(Arc::clone(&self.needs[&step]))
    }

    fn find_chunks_of(&self, step: u64) -> Result<Vec<Hash>, Damage> {
        let record = match &self.commits[&step] {
            Ok(record) => record,
            Err(damage) => return Err(damage.clone()),
        };
        let mut ids = Vec::new();
        for (chunk, entry) in index::reachable(&self.chunks, &record.index_root())? {
            let id = self.chunks.id(&chunk);
            if !self.chunks.is_complete(&id) {
                let missing = self.chunks.read(&chunk).err().unwrap_or_else(|| self.chunks.missing(&id));
                return Err(missing.in_entry(&entry));
            }
            ids.push(id);
        }
        ids.sort_unstable();
        ids.dedup();
        Ok(ids)
    }

    /// Names of all chunks that any checkpoint needs, bases included.
    fn live_chunks(&mut self) -> Result<HashSet<Hash>, Damage> {
        let mut live = HashSet::new();
        for step in self.steps() {
            live.extend(self.chunks_of(step)?.iter().copied());
        }
        let places = live.iter().flat_map(|id| self.chunks.places_of(id));
        let bases: Vec<Hash> = places.filter_map(|place| place.entry.base).collect();
        live.extend(bases);
        Ok(live)
    }

    fn packs_of(&self, live: &HashSet<Hash>) -> BTreeSet<Hash> {
        live.iter().flat_map(|id| self.chunks.places_of(id)).map(|place| place.pack).collect()
    }

    fn sweep_packs(
        &mut self,
        needed: &BTreeSet<Hash>,
        grace: u64,
        between_saves: bool,
        pruned: &mut Pruned,
    ) -> Result<(), StorageError> {
        let now = now_seconds();
        for (id, len) in self.packs_there(between_saves)? {
            if needed.contains(&id) {
                continue;
            }
            let since = self.condemned.get(&id).copied();
            if grace > 0 && since.is_none_or(|since| now.saturating_sub(since) < grace) {
                if since.is_none() {
                    // First in the books: a mark whose writing failed may be there all the same.
                    self.set_waiting(&id);
                    if !between_saves {
                        self.waiting.remove(&id);
                        trash::mark(&*self.storage, &id, now)?;
                    }
                }
                pruned.condemned_bytes += len;
                continue;
            }
            self.chunks.remove_pack(&id);
            self.storage.delete(&pack::object_name(&id))?;
            if self.waiting.remove(&id).is_some() {
                self.condemned.remove(&id);
            } else {
                self.revive(&id)?;
            }
            pruned.freed_bytes += len;
        }
        Ok(())
    }

    /// Notes that nothing needs a pack from now on.
    pub(crate) fn set_waiting(&mut self, pack: &Hash) {
        let len = self.chunks.packs().get(pack).copied().unwrap_or(0);
        self.chunks.remove_pack(pack);
        self.condemned.insert(*pack, now_seconds());
        self.waiting.insert(*pack, len);
    }

    /// The packs with their lengths: as listed, or as this process knows them.
    fn packs_there(&self, known: bool) -> Result<Vec<(Hash, u64)>, StorageError> {
        if known {
            let known = self.chunks.packs().iter().chain(&self.waiting).map(|(&id, &len)| (id, len));
            let marked = self.condemned.keys().filter(|id| !self.waiting.contains_key(id));
            let len = |id: &Hash| self.storage.len(&pack::object_name(id)).unwrap_or(0);
            return Ok(known.chain(marked.map(|id| (*id, len(id)))).collect());
        }
        let objects = self.storage.list(pack::PREFIX)?;
        Ok(objects
            .into_iter()
            .filter_map(|object| Some((pack::parse_object_name(&object.name)?, object.len)))
            .collect())
    }

    /// Deletes the history segments that no checkpoint's history contains.
    fn sweep_history(&mut self) -> Result<(), StorageError> {
        if self.chain_history().is_err() {
            // What lies behind a damaged segment is not known, so nothing is deleted.
            self.chained.clear();
            return Ok(());
        }
        for object in self.storage.list(history::PREFIX)? {
            if history::parse_object_name(&object.name).is_some() && !self.chained.contains(&object.name) {
                self.storage.delete(&object.name)?;
            }
        }
        Ok(())
    }

    /// Notes the segments of all histories. A segment names the one before it, so that a known one
    /// ends the walk.
    fn chain_history(&mut self) -> Result<(), Damage> {
        let lasts: Vec<String> = self.records().rev().filter_map(|record| record.history.clone()).collect();
        for last in lasts {
            let mut next = Some(last);
            while let Some(name) = next.filter(|name| !self.chained.contains(name)) {
                next = history::read(&*self.storage, &name, self.chunks.cipher())?.0;
                self.chained.insert(name);
            }
        }
        Ok(())
    }
}

impl From<ReadError> for PruneError {
    fn from(error: ReadError) -> Self {
        Self::Save(error.into())
    }
}
