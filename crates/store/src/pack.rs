//! Packs: files of chunks, written once and named by their content.
//!
//! A pack's index holds a hash for every stored byte, and the pack's name is the hash of its
//! index. The layout is described in `docs/format.md`, section "Pack".

use std::sync::Arc;

use crate::codec::Codec;
use crate::error::{Damage, Problem};
use crate::hash::Hash;
use crate::storage::{Storage, StorageError, Upload};

pub(crate) const PREFIX: &str = "packs/";
pub(crate) const SUFFIX: &str = ".pack";
const MAGIC: &[u8; 8] = b"RKPACK\x00\x01";
const ENTRY_LEN: usize = Hash::LEN + 4 + 4 + 1;
const TRAILER_LEN: usize = 8 + Hash::LEN;
/// No chunk is longer, so that a hostile pack cannot ask for much memory: bytes.
pub(crate) const CHUNK_MAX: usize = 4 << 20;
/// Stored bytes are handed to the storage in pieces of at least this length: bytes.
const WRITE_BUFFER: usize = 1 << 20;

/// A chunk in a pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PackEntry {
    pub hash: Hash,
    pub offset: u64,
    pub stored_len: u32,
    pub raw_len: u32,
    pub codec: Codec,
    /// Hash of the stored bytes: that of the chunk itself when it is stored raw.
    pub stored_hash: Hash,
}

/// The object name of the pack whose index has the hash `id`.
pub(crate) fn object_name(id: &Hash) -> String {
    format!("{PREFIX}{id}{SUFFIX}")
}

/// The id of the pack with that object name.
pub(crate) fn parse_object_name(name: &str) -> Option<Hash> {
    name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?.parse().ok()
}

/// Writes one pack.
pub(crate) struct PackWriter {
    upload: Box<dyn Upload>,
    buffer: Vec<u8>,
    entries: Vec<PackEntry>,
    position: u64,
}

impl PackWriter {
    pub fn new(storage: &Arc<dyn Storage>) -> Result<Self, StorageError> {
        Ok(Self {
            upload: Arc::clone(storage).upload()?,
            buffer: MAGIC.to_vec(),
            entries: Vec::new(),
            position: MAGIC.len() as u64,
        })
    }

    /// Appends a chunk of `raw_len` bytes in its stored form.
    pub fn push(
        &mut self,
        hash: Hash,
        raw_len: usize,
        codec: Codec,
        stored: &[u8],
    ) -> Result<(), StorageError> {
        self.entries.push(PackEntry {
            hash,
            offset: self.position,
            stored_len: stored.len() as u32,
            raw_len: raw_len as u32,
            codec,
            stored_hash: if codec == Codec::Raw { hash } else { Hash::of(stored) },
        });
        self.position += stored.len() as u64;
        self.buffer.extend_from_slice(stored);
        if self.buffer.len() >= WRITE_BUFFER {
            self.upload.write(&self.buffer)?;
            self.buffer.clear();
        }
        Ok(())
    }

    /// Bytes so far.
    pub fn len(&self) -> u64 {
        self.position
    }

    /// Makes the pack durable; gives its id, its entries and its length.
    pub fn finish(mut self) -> Result<(Hash, Vec<PackEntry>, u64), StorageError> {
        let index = encode_index(&self.entries);
        let id = Hash::of(&index);
        self.buffer.extend_from_slice(&index);
        self.buffer.extend_from_slice(&(index.len() as u64).to_le_bytes());
        self.buffer.extend_from_slice(&id.0);
        self.upload.write(&self.buffer)?;
        self.upload.finish(&object_name(&id))?;
        let len = self.position + (index.len() + TRAILER_LEN) as u64;
        Ok((id, self.entries, len))
    }
}

fn encode_index(entries: &[PackEntry]) -> Vec<u8> {
    let mut index = Vec::with_capacity(entries.len() * ENTRY_LEN);
    for entry in entries {
        index.extend_from_slice(&entry.hash.0);
        index.extend_from_slice(&entry.raw_len.to_le_bytes());
        index.extend_from_slice(&entry.stored_len.to_le_bytes());
        index.push(entry.codec.code());
        if entry.codec != Codec::Raw {
            index.extend_from_slice(&entry.stored_hash.0);
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

fn decode_index(mut index: &[u8]) -> Option<Vec<PackEntry>> {
    let mut entries = Vec::new();
    let mut offset = MAGIC.len() as u64;
    while !index.is_empty() {
        let hash = Hash(*index.split_first_chunk()?.0);
        let raw_len = u32::from_le_bytes(*index.get(32..)?.first_chunk()?);
        let stored_len = u32::from_le_bytes(*index.get(36..)?.first_chunk()?);
        let codec = Codec::from_code(*index.get(40)?)?;
        index = &index[ENTRY_LEN..];
        let stored_hash = if codec == Codec::Raw {
            hash
        } else {
            let (stored_hash, rest) = index.split_first_chunk()?;
            index = rest;
            Hash(*stored_hash)
        };
        if raw_len as usize > CHUNK_MAX
            || stored_len > raw_len
            || (codec == Codec::Raw && stored_len != raw_len)
        {
            return None;
        }
        entries.push(PackEntry { hash, offset, stored_len, raw_len, codec, stored_hash });
        offset += u64::from(stored_len);
    }
    Some(entries)
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
    use super::*;
    use crate::storage::MemoryStorage;

    fn sample() -> (Arc<dyn Storage>, MemoryStorage, Hash, Vec<PackEntry>) {
        let memory = MemoryStorage::new();
        let storage: Arc<dyn Storage> = Arc::new(memory.clone());
        let mut writer = PackWriter::new(&storage).unwrap();
        writer.push(Hash::of(b"abc"), 3, Codec::Raw, b"abc").unwrap();
        writer.push(Hash::of(b"long"), 4, Codec::Zstd, b"x").unwrap();
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
        let chunk_bytes = 8..12;
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
            hash: Hash::of(b""),
            offset: 8,
            stored_len: 0,
            raw_len: u32::MAX,
            codec: Codec::Zstd,
            stored_hash: Hash::of(b""),
        };
        assert_eq!(decode_index(&encode_index(&[entry])), None);
    }
}
