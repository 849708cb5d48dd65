//! How the chunks of a run are stored: read from the indexes of its packs, as `docs/format.md`
//! describes them, so that a proof can tell that it covers every codec.

use std::collections::BTreeMap;

use rekindle::storage::{Storage, StorageError};

/// Names of the codecs, by their codes.
pub const CODECS: [&str; 6] = ["raw", "zstd", "planes", "packed", "delta", "patch"];
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
        for code in codes(&pack).unwrap_or_default() {
            let name = CODECS.get(usize::from(code & !ENCRYPTED)).unwrap_or(&"unknown");
            *counts.entry(*name).or_default() += 1;
        }
    }
    Ok(counts)
}

/// The codes of the chunks of a pack, in their order; `None` when its index cannot be read.
fn codes(pack: &[u8]) -> Option<Vec<u8>> {
    let end = pack.len().checked_sub(END)?;
    let len = u64::from_le_bytes(*pack[end..].first_chunk()?);
    let mut index = pack[..end].get(end.checked_sub(usize::try_from(len).ok()?)?..)?;
    let mut codes = Vec::new();
    while !index.is_empty() {
        let code = *index.get(HASH + 8)?;
        let has_base = matches!(code & !ENCRYPTED, 4 | 5);
        let entry_len = HASH + 9 + if code == 0 { 0 } else { HASH } + if has_base { HASH } else { 0 };
        index = index.get(entry_len..)?;
        codes.push(code);
    }
    Some(codes)
}
