//! Condemned packs: no checkpoint needs them, and they are deleted after a grace period, so that
//! readers that began before can end.

use std::collections::BTreeMap;

use crate::hash::Hash;
use crate::storage::{Storage, StorageError};

const PREFIX: &str = "trash/";

fn object_name(pack: &Hash) -> String {
    format!("{PREFIX}{pack}")
}

pub(crate) fn is_marker(name: &str) -> bool {
    name.strip_prefix(PREFIX).is_some_and(|rest| rest.parse::<Hash>().is_ok())
}

/// The condemned packs with the time of their condemnation: seconds since 1970. A marker that
/// cannot be read counts from now on.
pub(crate) fn list(storage: &dyn Storage) -> Result<BTreeMap<Hash, u64>, StorageError> {
    let mut condemned = BTreeMap::new();
    for object in storage.list(PREFIX)? {
        let Some(pack) = object.name.strip_prefix(PREFIX).and_then(|rest| rest.parse().ok()) else {
            continue;
        };
        let text = storage.read(&object.name, 64).ok();
        let since = text.and_then(|text| String::from_utf8(text).ok()?.trim().parse().ok());
        condemned.insert(pack, since.unwrap_or_else(crate::time::now_seconds));
    }
    Ok(condemned)
}

pub(crate) fn mark(storage: &dyn Storage, pack: &Hash, now: u64) -> Result<(), StorageError> {
    storage.put(&object_name(pack), format!("{now}\n").as_bytes())
}

pub(crate) fn unmark(storage: &dyn Storage, pack: &Hash) -> Result<(), StorageError> {
    storage.delete(&object_name(pack))
}
