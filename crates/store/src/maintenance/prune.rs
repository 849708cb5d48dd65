//! Pruning: deleting checkpoints that a [`Retention`] lets go, then packs that none needs.
//!
//! Commit records go first, so that a crash in between leaves packs too many, never too few. A
//! pack that no checkpoint needs is condemned, and deleted once the grace period is over.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use crate::annotations::history;
use crate::error::{Damage, ReadError, SaveError};
use crate::hash::Hash;
use crate::maintenance::compact::Thoroughness;
use crate::maintenance::live::Live;
use crate::maintenance::retention::{Best, Candidate, Plan, Retention};
use crate::packs::pack;
use crate::reader::Store;
use crate::storage::StorageError;
use crate::time::now_seconds;
use crate::writer::Writer;

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
    /// A tag cannot be read, and may point to a checkpoint that was to be deleted.
    #[error("a tag cannot be read, so that it is not known what it protects; nothing was deleted: {damage}")]
    TagUnknown {
        /// What is wrong with it.
        damage: Box<Damage>,
    },
    /// What no checkpoint needs may still be there.
    #[error("what no checkpoint needs could not be erased: {reason}")]
    NotErased {
        /// Why.
        reason: String,
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

impl PruneError {
    /// What cannot be read, so that it is not known what it needs or protects.
    fn unknown(&self) -> Option<&Damage> {
        match self {
            Self::TagUnknown { damage } | Self::Save(SaveError::Read(ReadError::Unreadable(damage))) => {
                Some(damage)
            }
            _ => None,
        }
    }
}

/// What a prune did, or would do.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Pruned {
    /// The checkpoints that were kept and deleted.
    pub plan: Plan,
    /// Bytes of the packs that were deleted.
    pub freed_bytes: u64,
    /// Bytes of the packs that wait for the end of their grace period.
    pub condemned_bytes: u64,
    /// Bytes of the chunks that were written anew, out of packs that were mostly not needed.
    pub rewritten_bytes: u64,
    /// Why nothing was deleted that could have been, if something cannot be read: a checkpoint that may
    /// need any pack, or a tag that may protect any checkpoint.
    pub kept_because: Option<Damage>,
    /// Why packs that are mostly not needed were not written anew, if the disk is too full for that.
    pub not_rewritten: Option<String>,
}

impl Store {
    /// What `retention` would keep and delete now. A checkpoint counts as valid when its index can be
    /// read and all its chunks can be found; and before any is deleted, the newest that counts is read
    /// as a whole.
    ///
    /// # Errors
    /// When the tags cannot be listed, or something cannot be read.
    pub fn prune_plan(&self, retention: &Retention, best: Option<&Best>) -> Result<Plan, PruneError> {
        let plan = self.plan(retention, best, &BTreeSet::new())?;
        if plan.delete.is_empty() {
            return Ok(plan);
        }
        let damaged = self.newest_whole()?.1.into_iter().map(|skipped| skipped.step).collect();
        self.plan(retention, best, &damaged)
    }

    /// The plan without the checkpoints at the steps `damaged`, and those whose structure is.
    fn plan(
        &self,
        retention: &Retention,
        best: Option<&Best>,
        damaged: &BTreeSet<u64>,
    ) -> Result<Plan, PruneError> {
        let mut tags: BTreeMap<u64, Vec<String>> = BTreeMap::new();
        for (name, step) in self.tags()? {
            let step = step.map_err(|damage| PruneError::TagUnknown { damage: Box::new(damage) })?;
            tags.entry(step).or_default().push(name);
        }
        let mut candidates = Vec::new();
        for (step, record) in self.catalog().iter() {
            let valid = match self.chunks_of(step) {
                Err(damage) if damage.is_unreadable() => return Err(ReadError::from(damage).into()),
                result => result.is_ok() && !damaged.contains(&step),
            };
            let metrics = record.as_ref().map(|record| record.about.metrics.clone()).unwrap_or_default();
            candidates.push(Candidate { step, metrics, valid, tags: tags.remove(&step).unwrap_or_default() });
        }
        Ok(retention.plan(&candidates, best))
    }

    /// Names of the chunks that the checkpoint at `step` needs; the damage if a part of it is missing.
    pub(crate) fn chunks_of(&self, step: u64) -> Result<Arc<Vec<Hash>>, Damage> {
        self.catalog().chunks_of(step, self.chunks())
    }

    /// All chunks that any checkpoint needs, bases included, and where they are taken from.
    fn live_chunks(&self) -> Result<Live, Damage> {
        let mut needed = HashSet::new();
        for step in self.steps() {
            needed.extend(self.chunks_of(step)?.iter().copied());
        }
        Ok(Live::of(self.chunks(), needed))
    }
}

impl Writer {
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

    /// Erases every chunk that no checkpoint needs, at once, whoever still reads: deletes no checkpoint.
    ///
    /// # Errors
    /// When the run cannot be written, or something cannot be read, so that it is not known what is needed.
    pub fn erase_unneeded(&mut self) -> Result<Pruned, PruneError> {
        let pruned = self.prune_and_sweep(&Retention::default(), None, 0, Thoroughness::Complete)?;
        match pruned.kept_because {
            Some(damage) => Err(PruneError::NotErased { reason: damage.to_string() }),
            None => match pruned.not_rewritten {
                Some(reason) => Err(PruneError::NotErased { reason }),
                None => Ok(pruned),
            },
        }
    }

    fn prune_and_sweep(
        &mut self,
        retention: &Retention,
        best: Option<&Best>,
        grace_seconds: u64,
        thoroughness: Thoroughness,
    ) -> Result<Pruned, PruneError> {
        self.require_right()?;
        let between_saves = thoroughness == Thoroughness::BetweenSaves;
        let plan = if between_saves {
            // The newest was written, or found good, by this process.
            self.plan(retention, best, &BTreeSet::new())
        } else {
            self.prune_plan(retention, best)
        };
        let mut pruned = Pruned::default();
        match plan {
            Ok(plan) => pruned.plan = plan,
            // A training goes on: it only keeps more than it would have to.
            Err(error) if between_saves && error.unknown().is_some() => {
                pruned.kept_because = error.unknown().cloned();
                return Ok(pruned);
            }
            Err(error) => return Err(error),
        }
        for step in pruned.plan.delete.clone() {
            self.delete_commit(step)?;
        }
        match self.live_chunks() {
            Ok(live) => self.free(live, grace_seconds, thoroughness, &mut pruned)?,
            Err(damage) => pruned.kept_because = Some(damage),
        }
        Ok(pruned)
    }

    /// Frees what no checkpoint needs. Deleting comes before writing anew, for which there may be no space
    /// otherwise.
    fn free(
        &mut self,
        live: Live,
        grace: u64,
        thoroughness: Thoroughness,
        pruned: &mut Pruned,
    ) -> Result<(), PruneError> {
        let between_saves = thoroughness == Thoroughness::BetweenSaves;
        self.sweep_packs(&live.packs(), grace, between_saves, pruned)?;
        self.prunings += u64::from(between_saves);
        if !between_saves || self.prunings.is_multiple_of(COMPACT_EVERY) {
            match self.compact(&live, thoroughness) {
                Ok(0) => {}
                Ok(bytes) => {
                    pruned.rewritten_bytes = bytes;
                    match self.live_chunks() {
                        Ok(live) => self.sweep_packs(&live.packs(), grace, between_saves, pruned)?,
                        Err(damage) => pruned.kept_because = Some(damage),
                    }
                }
                Err(SaveError::Read(error)) => match error.into_problem() {
                    Ok(damage) => pruned.kept_because = Some(damage),
                    Err(error) => return Err(error.into()),
                },
                Err(error) if error.is_no_space() => pruned.not_rewritten = Some(error.to_string()),
                Err(error) => return Err(error.into()),
            }
        }
        if !between_saves {
            // A checkpoint that goes leaves no segment behind: the newer ones continue it.
            self.sweep_history()?;
        }
        Ok(())
    }

    /// Deletes the packs that are not needed and whose grace period is over; the others wait for it.
    fn sweep_packs(
        &mut self,
        needed: &BTreeSet<Hash>,
        grace: u64,
        between_saves: bool,
        pruned: &mut Pruned,
    ) -> Result<(), StorageError> {
        let now = now_seconds();
        pruned.condemned_bytes = 0;
        for (id, len) in self.packs_there(between_saves)? {
            if needed.contains(&id) {
                continue;
            }
            let since = self.condemned.since(&id);
            if grace > 0 && since.is_none_or(|since| now.saturating_sub(since) < grace) {
                if since.is_none() {
                    self.condemn(&id, now, between_saves)?;
                }
                pruned.condemned_bytes += len;
                continue;
            }
            self.store.chunks_mut().remove_pack(&id);
            self.storage().delete(&pack::object_name(&id))?;
            self.condemned.remove(&**self.store.storage(), &id)?;
            pruned.freed_bytes += len;
        }
        Ok(())
    }

    /// Begins the grace period of a pack. Between saves only this process knows of it, and so it is
    /// when the disk is too full for a mark.
    fn condemn(&mut self, pack: &Hash, now: u64, between_saves: bool) -> Result<(), StorageError> {
        // First in the books: a mark whose writing failed may be there all the same.
        self.set_waiting(pack);
        if between_saves {
            return Ok(());
        }
        match self.condemned.mark(&**self.store.storage(), pack, now) {
            Err(error) if error.is_no_space() => Ok(()),
            marked => marked,
        }
    }

    /// Notes that nothing needs a pack from now on.
    fn set_waiting(&mut self, pack: &Hash) {
        let len = self.chunks().packs().get(pack).copied().unwrap_or(0);
        self.store.chunks_mut().remove_pack(pack);
        self.condemned.add(pack, len);
    }

    /// The packs with their lengths: as listed, or as this process knows them.
    fn packs_there(&self, known: bool) -> Result<Vec<(Hash, u64)>, StorageError> {
        if known {
            let known = self.chunks().packs().iter().map(|(&id, &len)| (id, len));
            let len = |id: Hash| (id, self.storage().len(&pack::object_name(&id)).unwrap_or(0));
            return Ok(known
                .chain(self.condemned.unmarked())
                .chain(self.condemned.marked().map(len))
                .collect());
        }
        let objects = self.storage().list(pack::PREFIX)?;
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
        for object in self.storage().list(history::PREFIX)? {
            if history::parse_object_name(&object.name).is_some() && !self.chained.contains(&object.name) {
                self.storage().delete(&object.name)?;
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
                next = history::read(&**self.storage(), &name, &self.sealer())?.0;
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
