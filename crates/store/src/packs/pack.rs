//! Packs: files of chunks, written once and named by their content.
//!
//! A pack's index holds a hash for every stored byte, and the pack's name is the hash of its
//! index. The layout is described in `docs/format.md`, section "Pack".

use crate::codec::Codec;
use crate::encryption::cipher::OVERHEAD;
use crate::error::{Damage, Problem};
use crate::hash::Hash;
use crate::storage::{Storage, StorageError};

pub(crate) const PREFIX: &str = "packs/";
pub(crate) const SUFFIX: &str = ".pack";
pub(super) const MAGIC: &[u8; 8] = b"RKPACK\x00\x01";
const ENTRY_LEN: usize = Hash::LEN + 4 + 4 + 1;
pub(super) const TRAILER_LEN: usize = 8 + Hash::LEN;
/// Added to the code of the codec when the stored bytes are encrypted.
const ENCRYPTED: u8 = 0x80;
/// No chunk is longer, so that a hostile pack cannot ask for much memory: bytes.
pub(crate) const CHUNK_MAX: usize = 4 << 20;

/// A chunk in a pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PackEntry {
    /// Name of the chunk: the hash of its raw bytes, keyed in an encrypted run.
    pub id: Hash,
    pub offset: u64,
    pub stored_len: u32,
    pub raw_len: u32,
    pub codec: Codec,
    pub encrypted: bool,
    /// Hash of the stored bytes; for bytes stored as they are, that is the name.
    pub stored_hash: Hash,
    /// The chunk that decoding takes.
    pub base: Option<Hash>,
}

impl PackEntry {
    /// True when the stored bytes are the raw ones.
    pub fn is_raw(&self) -> bool {
        self.codec == Codec::Raw && !self.encrypted
    }
}

/// A chunk in its stored form, on the way into a pack.
#[derive(Debug)]
pub(crate) struct StoredChunk<B> {
    pub id: Hash,
    pub raw_len: usize,
    pub codec: Codec,
    pub encrypted: bool,
    pub stored_hash: Hash,
    pub base: Option<Hash>,
    pub stored: B,
}

impl StoredChunk<Vec<u8>> {
    /// A chunk that is stored already, on the way into another pack.
    pub fn of(entry: &PackEntry, stored: Vec<u8>) -> Self {
        let PackEntry { id, raw_len, codec, encrypted, stored_hash, base, .. } = *entry;
        Self { id, raw_len: raw_len as usize, codec, encrypted, stored_hash, base, stored }
    }
}

/// The object name of the pack whose index has the hash `id`.
pub(crate) fn object_name(id: &Hash) -> String {
    format!("{PREFIX}{id}{SUFFIX}")
}

/// The id of the pack with that object name.
pub(crate) fn parse_object_name(name: &str) -> Option<Hash> {
    name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?.parse().ok()
}

pub(super) fn index_len(entries: &[PackEntry]) -> usize {
    let hashes = |entry: &PackEntry| usize::from(!entry.is_raw()) + usize::from(entry.base.is_some());
    entries.iter().map(|entry| ENTRY_LEN + hashes(entry) * Hash::LEN).sum()
}

pub(super) fn encode_index(entries: &[PackEntry]) -> Vec<u8> {
    let mut index = Vec::with_capacity(index_len(entries));
    for entry in entries {
        index.extend_from_slice(&entry.id.0);
        index.extend_from_slice(&entry.raw_len.to_le_bytes());
        index.extend_from_slice(&entry.stored_len.to_le_bytes());
        index.push(entry.codec.code() | if entry.encrypted { ENCRYPTED } else { 0 });
        if !entry.is_raw() {
            index.extend_from_slice(&entry.stored_hash.0);
        }
        if let Some(base) = &entry.base {
            index.extend_from_slice(&base.0);
        }
    }
    index
}

/// What the index of a pack says, and what is wrong with the file outside its chunks.
///
/// Chunks are verified one by one when they are read, so that entries of a damaged index can be
/// used for what they are still good for.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct PackIndex {
    pub entries: Vec<PackEntry>,
    pub damage: Option<Damage>,
}

/// Reads and checks every byte of the pack `id` that is not a chunk's.
pub(crate) fn read_index(storage: &dyn Storage, id: &Hash) -> PackIndex {
    let mut damage = None;
    let entries = try_read_index(storage, id, &mut damage).unwrap_or_else(|fatal| {
        damage.get_or_insert(fatal);
        Vec::new()
    });
    PackIndex { entries, damage }
}

fn try_read_index(
    storage: &dyn Storage,
    id: &Hash,
    damage: &mut Option<Damage>,
) -> Result<Vec<PackEntry>, Damage> {
    let name = object_name(id);
    let unreadable = |error: StorageError| unreadable(&name, error);
    let malformed = |what| Damage::malformed(&name, what);
    let len = storage.len(&name).map_err(unreadable)?;
    if len < (MAGIC.len() + TRAILER_LEN) as u64 {
        return Err(malformed("the file is too short for a pack"));
    }
    let mut magic = [0; MAGIC.len()];
    storage.read_range(&name, 0, &mut magic).map_err(unreadable)?;
    if magic != *MAGIC {
        damage.get_or_insert(malformed("it does not begin as a pack does").at(0));
    }
    let trailer_at = len - TRAILER_LEN as u64;
    let mut trailer = [0; TRAILER_LEN];
    storage.read_range(&name, trailer_at, &mut trailer).map_err(unreadable)?;
    if trailer[8..] != id.0 {
        damage.get_or_insert(malformed("its end does not hold its name").at(trailer_at + 8));
    }
    let index_len = u64::from_le_bytes(trailer[..8].try_into().expect("eight bytes"));
    let index_at = trailer_at.checked_sub(index_len).filter(|&end| end >= MAGIC.len() as u64);
    let Some(index_at) = index_at else {
        return Err(malformed("the stated length of its index is longer than the file").at(trailer_at));
    };
    let mut index = vec![0; index_len as usize];
    storage.read_range(&name, index_at, &mut index).map_err(unreadable)?;
    if Hash::of(&index) != *id {
        damage.get_or_insert(Damage::new(&name, Problem::HashMismatch).at(index_at));
    }
    let entries =
        decode_index(&index).ok_or_else(|| malformed("its index is not well formed").at(index_at))?;
    let end = entries.last().map_or(MAGIC.len() as u64, |last| last.offset + u64::from(last.stored_len));
    if end != index_at {
        damage.get_or_insert(malformed("its chunks do not fill the file").at(end.min(index_at)));
    }
    Ok(entries)
}

pub(super) fn decode_index(mut index: &[u8]) -> Option<Vec<PackEntry>> {
    let mut entries = Vec::new();
    let mut offset = MAGIC.len() as u64;
    while !index.is_empty() {
        let mut entry = take_entry(&mut index)?;
        entry.offset = offset;
        offset += u64::from(entry.stored_len);
        entries.push(entry);
    }
    Some(entries)
}

/// The first entry of `index`, which is taken off it; its offset is left open.
pub(super) fn take_entry(index: &mut &[u8]) -> Option<PackEntry> {
    let id = take_hash(index)?;
    let (lengths, rest) = index.split_first_chunk::<{ ENTRY_LEN - Hash::LEN }>()?;
    *index = rest;
    let [a, b, c, d, e, f, g, h, code] = *lengths;
    let (raw_len, stored_len) = (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h]));
    let (codec, encrypted) = (Codec::from_code(code & !ENCRYPTED)?, code & ENCRYPTED != 0);
    let is_raw = codec == Codec::Raw && !encrypted;
    let stored_hash = if is_raw { id } else { take_hash(index)? };
    let base = if codec.has_base() { Some(take_hash(index)?) } else { None };
    let longest = raw_len as usize + if encrypted { OVERHEAD } else { 0 };
    let fits = raw_len as usize <= CHUNK_MAX && stored_len as usize <= longest;
    if !fits || (is_raw && stored_len != raw_len) || base == Some(id) {
        return None;
    }
    Some(PackEntry { id, offset: 0, stored_len, raw_len, codec, encrypted, stored_hash, base })
}

fn take_hash(index: &mut &[u8]) -> Option<Hash> {
    let (hash, rest) = index.split_first_chunk()?;
    *index = rest;
    Some(Hash(*hash))
}

/// A failed read of an object of the run, as damage.
pub(crate) fn unreadable(name: &str, error: StorageError) -> Damage {
    let problem = match error {
        StorageError::Missing { .. } => Problem::Missing,
        StorageError::Truncated { .. } => Problem::Malformed("the file is too short"),
        StorageError::TooLarge { .. } => Problem::Malformed("the file is longer than its kind may be"),
        StorageError::Io { source, .. } => Problem::Unreadable(source.to_string()),
        other => Problem::Unreadable(other.to_string()),
    };
    Damage::new(name, problem)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::pack_writer::PackWriter;
    use super::*;
    use crate::storage::MemoryStorage;

    fn sample() -> (Arc<dyn Storage>, MemoryStorage, Hash, Vec<PackEntry>) {
        let memory = MemoryStorage::new();
        let storage: Arc<dyn Storage> = Arc::new(memory.clone());
        let chunk = |raw: &[u8], codec, stored: &'static str| StoredChunk {
            id: Hash::of(raw),
            raw_len: raw.len(),
            codec,
            encrypted: false,
            stored_hash: Hash::of(stored.as_bytes()),
            base: (codec == Codec::Delta).then(|| Hash::of(b"abc")),
            stored,
        };
        let writer = PackWriter::new(&storage).unwrap();
        let writer = writer.push(&chunk(b"abc", Codec::Raw, "abc")).unwrap();
        let writer = writer.push(&chunk(b"long", Codec::Zstd, "x")).unwrap();
        let writer = writer.push(&chunk(b"more", Codec::Delta, "yz")).unwrap();
        let (id, entries, len) = writer.finish().unwrap();
        assert_eq!(storage.len(&object_name(&id)).unwrap(), len);
        (storage, memory, id, entries)
    }

    #[test]
    fn the_index_reads_back() {
        let (storage, _, id, entries) = sample();
        assert_eq!(read_index(&*storage, &id), PackIndex { entries, damage: None });
    }

    #[test]
    fn any_changed_byte_outside_the_chunks_is_found_and_no_length_panics() {
        let (_, memory, id, _) = sample();
        let name = object_name(&id);
        let good = memory.to_objects()[&name].clone();
        let chunk_bytes = 8..14;
        for position in 0..good.len() {
            let mut bad = good.clone();
            bad[position] ^= 0x40;
            let storage = MemoryStorage::from_objects([(name.clone(), bad)].into());
            let found = read_index(&storage, &id).damage.is_some();
            assert_eq!(found, !chunk_bytes.contains(&position), "byte {position}");
            let storage = MemoryStorage::from_objects([(name.clone(), good[..position].to_vec())].into());
            assert!(read_index(&storage, &id).damage.is_some(), "length {position}");
        }
    }

    #[test]
    fn a_stated_length_beyond_the_limit_is_refused() {
        let entry = PackEntry {
            id: Hash::of(b""),
            offset: 8,
            stored_len: 0,
            raw_len: u32::MAX,
            codec: Codec::Zstd,
            encrypted: false,
            stored_hash: Hash::of(b""),
            base: None,
        };
        assert_eq!(decode_index(&encode_index(&[entry])), None);
    }
}
