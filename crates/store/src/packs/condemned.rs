//! Condemned packs: no checkpoint needs them, and they are deleted after a grace period, so that
//! readers that began before can end.

use std::collections::{BTreeMap, BTreeSet};

use crate::hash::Hash;
use crate::storage::{Storage, StorageError};
use crate::time::now_seconds;

const PREFIX: &str = "trash/";

fn object_name(pack: &Hash) -> String {
    format!("{PREFIX}{pack}")
}

/// True for the object that marks a pack as condemned.
pub(crate) fn is_marker(name: &str) -> bool {
    name.strip_prefix(PREFIX).is_some_and(|rest| rest.parse::<Hash>().is_ok())
}

/// The packs that wait for their end.
#[derive(Debug, Default)]
pub(crate) struct Condemned {
    /// The time of their condemnation: seconds since 1970.
    since: BTreeMap<Hash, u64>,
    /// Those of them that only this process knows of, with their lengths in bytes.
    unmarked: BTreeMap<Hash, u64>,
}

impl Condemned {
    /// Reads the marks. One that cannot be read counts from now on.
    pub fn read(storage: &dyn Storage) -> Result<Self, StorageError> {
        let mut condemned = Self::default();
        for object in storage.list(PREFIX)? {
            let Some(pack) = object.name.strip_prefix(PREFIX).and_then(|rest| rest.parse().ok()) else {
                continue;
            };
            let text = storage.read(&object.name, 64).ok();
            let since = text.and_then(|text| String::from_utf8(text).ok()?.trim().parse().ok());
            condemned.since.insert(pack, since.unwrap_or_else(now_seconds));
        }
        Ok(condemned)
    }

    pub fn contains(&self, pack: &Hash) -> bool {
        self.since.contains_key(pack)
    }

    /// Since when the pack is not needed: seconds since 1970.
    pub fn since(&self, pack: &Hash) -> Option<u64> {
        self.since.get(pack).copied()
    }

    pub fn packs(&self) -> BTreeSet<Hash> {
        self.since.keys().copied().collect()
    }

    /// Those that only this process knows of, with their lengths in bytes.
    pub fn unmarked(&self) -> impl Iterator<Item = (Hash, u64)> {
        self.unmarked.iter().map(|(&pack, &len)| (pack, len))
    }

    /// Those that have a mark.
    pub fn marked(&self) -> impl Iterator<Item = Hash> {
        self.since.keys().copied().filter(|pack| !self.unmarked.contains_key(pack))
    }

    /// Notes, for this process only, that nothing needs a pack of `len` bytes from now on.
    pub fn add(&mut self, pack: &Hash, len: u64) {
        self.since.insert(*pack, now_seconds());
        self.unmarked.insert(*pack, len);
    }

    /// Marks a pack for every process.
    pub fn mark(&mut self, storage: &dyn Storage, pack: &Hash, now: u64) -> Result<(), StorageError> {
        storage.put(&object_name(pack), format!("{now}\n").as_bytes())?;
        self.unmarked.remove(pack);
        Ok(())
    }

    /// The pack does not wait any more: it is deleted, or has been written again, as the same content has
    /// the same name.
    pub fn remove(&mut self, storage: &dyn Storage, pack: &Hash) -> Result<(), StorageError> {
        let only_here = self.unmarked.remove(pack).is_some();
        if self.since.remove(pack).is_some() && !only_here {
            storage.delete(&object_name(pack))?;
        }
        Ok(())
    }
}
