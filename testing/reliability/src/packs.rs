//! How the chunks of a run are stored: read from the indexes of its packs, as `docs/format.md`
//! describes them, so that a proof can tell that it covers every codec.

use std::collections::BTreeMap;

use rekindle::storage::{Storage, StorageError};

/// Names of the codecs, by their codes.
pub const CODECS: [&str; 8] =
    ["raw", "zstd", "planes", "packed", "delta", "patch", "residual", "relative residual"];
/// Length and name at the end of a pack: bytes.
pub const END: usize = 40;
/// Added to the code of a codec when the stored bytes are encrypted.
const ENCRYPTED: u8 = 0x80;
const HASH: usize = 32;

/// How many chunks of the run are stored with which codec.
///
/// # Errors
/// When the storage fails.
pub fn codecs(storage: &dyn Storage) -> Result<BTreeMap<&'static str, u64>, StorageError> {
    let mut counts = BTreeMap::new();
    for object in storage.list("packs/")? {
        let pack = storage.read(&object.name, u64::MAX)?;
        for entry in entries(&pack).unwrap_or_default() {
            let name = CODECS.get(usize::from(entry.code & !ENCRYPTED)).unwrap_or(&"unknown");
            *counts.entry(*name).or_default() += 1;
        }
    }
    Ok(counts)
}

/// How many of the chunks that [`codecs`] counts are differences from others at the same place.
pub fn differences(codecs: &BTreeMap<&'static str, u64>) -> u64 {
    ["delta", "relative residual"].iter().filter_map(|name| codecs.get(name)).sum()
}

/// A chunk of a pack, as its index tells of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// The name of the chunk.
    pub id: [u8; HASH],
    /// The code of its codec.
    pub code: u8,
    /// The name of the chunk that it is stored as a difference from.
    pub base: Option<[u8; HASH]>,
}

/// The chunks of a pack, in their order; `None` when its index cannot be read.
pub fn entries(pack: &[u8]) -> Option<Vec<Entry>> {
    let end = pack.len().checked_sub(END)?;
    let len = u64::from_le_bytes(*pack[end..].first_chunk()?);
    let mut index = pack[..end].get(end.checked_sub(usize::try_from(len).ok()?)?..)?;
    let mut entries = Vec::new();
    while !index.is_empty() {
        let (id, code) = (*index.first_chunk()?, *index.get(HASH + 8)?);
        let has_base = matches!(code & !ENCRYPTED, 4 | 5 | 7);
        let base_at = HASH + 9 + if code == 0 { 0 } else { HASH };
        let base = if has_base { Some(*index.get(base_at..)?.first_chunk()?) } else { None };
        index = index.get(base_at + if has_base { HASH } else { 0 }..)?;
        entries.push(Entry { id, code, base });
    }
    Some(entries)
}
