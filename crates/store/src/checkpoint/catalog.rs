//! The checkpoints of a run by step: their records, and which chunks each of them needs.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::checkpoint::commit::{self, CommitRecord, RECORD_LIMIT};
use crate::checkpoint::index;
use crate::encryption::cipher::Cipher;
use crate::error::{Damage, OpenError, ReadError};
use crate::hash::Hash;
use crate::packs::chunks::Chunks;
use crate::packs::pack::unreadable;
use crate::storage::{Storage, StorageError};

type Needs = HashMap<u64, Arc<Vec<Hash>>>;

/// The commit records of a run, damaged ones included.
#[derive(Debug)]
pub(crate) struct Catalog {
    records: BTreeMap<u64, Result<CommitRecord, Damage>>,
    /// Names of the chunks that each checkpoint needs, as far as it was asked for.
    needs: Mutex<Needs>,
}

impl Catalog {
    /// Reads all records; of the run with the id `run`, where that is known.
    pub fn read(
        storage: &dyn Storage,
        cipher: Option<&Cipher>,
        run: Option<&str>,
    ) -> Result<Self, OpenError> {
        let mut records = BTreeMap::new();
        for object in storage.list(commit::PREFIX)? {
            let Some(step) = commit::parse_object_name(&object.name) else {
                continue;
            };
            let record = match storage.read(&object.name, RECORD_LIMIT as u64) {
                // Pruned between the listing and now.
                Err(StorageError::Missing { .. }) => continue,
                Err(error) => Err(unreadable(&object.name, error)),
                Ok(bytes) => match CommitRecord::decode(step, &bytes, cipher, run) {
                    Ok(record) => Ok(record),
                    Err(ReadError::Damaged(damage)) => Err(*damage),
                    Err(ReadError::NewerFormat { found, supported }) => {
                        let location = storage.location();
                        return Err(OpenError::NewerFormat { location, found, supported });
                    }
                    Err(ReadError::Storage(error)) => return Err(error.into()),
                    Err(_) => continue,
                },
            };
            records.insert(step, record);
        }
        Ok(Self { records, needs: Mutex::default() })
    }

    /// All steps with their records, in ascending order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (u64, &Result<CommitRecord, Damage>)> {
        self.records.iter().map(|(&step, record)| (step, record))
    }

    /// All steps, in ascending order.
    pub fn steps(&self) -> impl DoubleEndedIterator<Item = u64> {
        self.records.keys().copied()
    }

    /// The steps after `step`, in ascending order.
    pub fn steps_after(&self, step: u64) -> impl DoubleEndedIterator<Item = u64> {
        self.records.range((Bound::Excluded(step), Bound::Unbounded)).map(|(&step, _)| step)
    }

    /// The records that can be read, in ascending order of their steps.
    pub fn records(&self) -> impl DoubleEndedIterator<Item = &CommitRecord> {
        self.records.values().flatten()
    }

    pub fn get(&self, step: u64) -> Option<&Result<CommitRecord, Damage>> {
        self.records.get(&step)
    }

    pub fn contains(&self, step: u64) -> bool {
        self.records.contains_key(&step)
    }

    /// Takes in a record that was written.
    pub fn insert(&mut self, record: CommitRecord) {
        self.records.insert(record.step, Ok(record));
    }

    /// Forgets a checkpoint that is no longer there.
    pub fn remove(&mut self, step: u64) {
        self.records.remove(&step);
        self.needs().remove(&step);
    }

    /// Names of the chunks that the checkpoint at `step` needs, without the bases of those; the damage if
    /// a part of it is missing. They are found once.
    pub fn chunks_of(&self, step: u64, chunks: &Chunks) -> Result<Arc<Vec<Hash>>, Damage> {
        if let Some(known) = self.needs().get(&step) {
            return Ok(Arc::clone(known));
        }
        let found = match self.get(step) {
            Some(Ok(record)) => Arc::new(find_chunks(record, chunks)?),
            Some(Err(damage)) => return Err(damage.clone()),
            None => Arc::default(),
        };
        self.needs().insert(step, Arc::clone(&found));
        Ok(found)
    }

    /// Forgets which chunks are needed: what can be found has changed.
    pub fn forget_needs(&mut self) {
        self.needs().clear();
    }

    fn needs(&self) -> MutexGuard<'_, Needs> {
        self.needs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn find_chunks(record: &CommitRecord, chunks: &Chunks) -> Result<Vec<Hash>, Damage> {
    let mut ids = Vec::new();
    for (chunk, entry) in index::reachable(chunks, &record.index_root())? {
        let id = chunks.id(&chunk);
        if !chunks.is_complete(&id) {
            let missing = chunks.read(&chunk).err().unwrap_or_else(|| chunks.missing(&id));
            return Err(missing.in_entry(&entry));
        }
        ids.push(id);
    }
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}
