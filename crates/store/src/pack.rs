//! Packs: files of chunks, written once and named by their content.
//!
//! A pack's index holds a hash for every stored byte, and the pack's name is the hash of its
//! index. The layout is described in `docs/format.md`, section "Pack".

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::JoinHandle;

use crate::cipher::OVERHEAD;
use crate::codec::Codec;
use crate::error::{Damage, Problem};
use crate::hash::Hash;
use crate::storage::{Storage, StorageError, Upload};

pub(crate) const PREFIX: &str = "packs/";
pub(crate) const SUFFIX: &str = ".pack";
const MAGIC: &[u8; 8] = b"RKPACK\x00\x01";
const ENTRY_LEN: usize = Hash::LEN + 4 + 4 + 1;
const TRAILER_LEN: usize = 8 + Hash::LEN;
/// Added to the code of the codec when the stored bytes are encrypted.
const ENCRYPTED: u8 = 0x80;
/// No chunk is longer, so that a hostile pack cannot ask for much memory: bytes.
pub(crate) const CHUNK_MAX: usize = 4 << 20;
/// Stored bytes are handed to the storage in pieces of at least this length: bytes.
const WRITE_BUFFER: usize = 1 << 20;
/// Chunks from this length on are not copied on their way: bytes.
const WRITTEN_THROUGH: usize = 256 << 10;
/// So many pieces wait to be written, at most.
const WRITE_QUEUE: usize = 8;

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

/// Writes one pack. What is longer than a few buffers is written by a thread of its own, while the
/// next chunks are hashed and encoded.
pub(crate) struct PackWriter {
    upload: Sink,
    buffer: Vec<u8>,
    entries: Vec<PackEntry>,
    position: u64,
}

enum Sink {
    Direct(Box<dyn Upload>),
    Thread(WriterThread),
}

/// Writes the buffers that it is sent, in their order, and sends them back.
struct WriterThread {
    full: Option<SyncSender<Vec<u8>>>,
    empty: Receiver<Vec<u8>>,
    thread: Option<JoinHandle<Result<Box<dyn Upload>, StorageError>>>,
}

impl WriterThread {
    fn spawn(mut upload: Box<dyn Upload>) -> Self {
        let (full, incoming) = sync_channel::<Vec<u8>>(WRITE_QUEUE);
        let (outgoing, empty): (Sender<Vec<u8>>, _) = channel();
        let thread = std::thread::spawn(move || {
            for mut buffer in incoming {
                upload.write(&buffer)?;
                buffer.clear();
                // The other side may have ended: then nobody needs the buffer.
                let _ = outgoing.send(buffer);
            }
            Ok(upload)
        });
        Self { full: Some(full), empty, thread: Some(thread) }
    }

    /// False when the thread has stopped at an error.
    fn send(&self, buffer: Vec<u8>) -> bool {
        self.full.as_ref().is_some_and(|full| full.send(buffer).is_ok())
    }

    /// Waits until all is written; gives the upload back, or the error at which the thread stopped.
    fn finish(mut self) -> Result<Box<dyn Upload>, StorageError> {
        self.full = None;
        let joined = self.thread.take().map(JoinHandle::join);
        joined.expect("it is joined once").unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

impl Drop for WriterThread {
    /// A pack that is given up is gone when this returns.
    fn drop(&mut self) {
        self.full = None;
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

impl PackWriter {
    pub fn new(storage: &Arc<dyn Storage>) -> Result<Self, StorageError> {
        Ok(Self {
            upload: Sink::Direct(Arc::clone(storage).upload()?),
            buffer: MAGIC.to_vec(),
            entries: Vec::new(),
            position: MAGIC.len() as u64,
        })
    }

    /// Appends a chunk. It is copied, and written by another thread.
    pub fn push<B: AsRef<[u8]>>(mut self, chunk: &StoredChunk<B>) -> Result<Self, StorageError> {
        let stored = self.enter(chunk);
        self.buffer.extend_from_slice(stored);
        if self.buffer.len() >= WRITE_BUFFER { self.write_buffer() } else { Ok(self) }
    }

    /// Appends a chunk. A long one is written at once by this thread, while it is in the processor's cache.
    pub fn push_through<B: AsRef<[u8]>>(mut self, chunk: &StoredChunk<B>) -> Result<Self, StorageError> {
        let stored = self.enter(chunk);
        if stored.len() < WRITTEN_THROUGH {
            self.buffer.extend_from_slice(stored);
            return if self.buffer.len() >= WRITE_BUFFER { self.write_buffer() } else { Ok(self) };
        }
        let mut upload = match self.upload {
            Sink::Direct(upload) => upload,
            Sink::Thread(writer) => writer.finish()?,
        };
        upload.write(&self.buffer)?;
        self.buffer.clear();
        upload.write(stored)?;
        Ok(Self { upload: Sink::Direct(upload), ..self })
    }

    /// Enters a chunk into the index; gives its stored bytes.
    fn enter<'b, B: AsRef<[u8]>>(&mut self, chunk: &'b StoredChunk<B>) -> &'b [u8] {
        let stored = chunk.stored.as_ref();
        self.entries.push(PackEntry {
            id: chunk.id,
            offset: self.position,
            stored_len: stored.len() as u32,
            raw_len: chunk.raw_len as u32,
            codec: chunk.codec,
            encrypted: chunk.encrypted,
            stored_hash: chunk.stored_hash,
            base: chunk.base,
        });
        self.position += stored.len() as u64;
        stored
    }

    fn write_buffer(mut self) -> Result<Self, StorageError> {
        let writer = match self.upload {
            Sink::Direct(upload) => WriterThread::spawn(upload),
            Sink::Thread(writer) => writer,
        };
        let next = writer.empty.try_recv().unwrap_or_default();
        let full = std::mem::replace(&mut self.buffer, next);
        self.upload = if writer.send(full) { Sink::Thread(writer) } else { Sink::Direct(writer.finish()?) };
        Ok(self)
    }

    /// Bytes so far.
    pub fn len(&self) -> u64 {
        self.position
    }

    /// Bytes that the pack will have when it is finished.
    pub fn final_len(&self) -> u64 {
        self.position + (index_len(&self.entries) + TRAILER_LEN) as u64
    }

    /// Makes the pack durable; gives its id, its entries and its length.
    pub fn finish(mut self) -> Result<(Hash, Vec<PackEntry>, u64), StorageError> {
        let len = self.final_len();
        let index = encode_index(&self.entries);
        let id = Hash::of(&index);
        self.buffer.extend_from_slice(&index);
        self.buffer.extend_from_slice(&(index.len() as u64).to_le_bytes());
        self.buffer.extend_from_slice(&id.0);
        let mut upload = match self.upload {
            Sink::Direct(upload) => upload,
            Sink::Thread(writer) => writer.finish()?,
        };
        upload.write(&self.buffer)?;
        upload.finish(&object_name(&id))?;
        Ok((id, self.entries, len))
    }
}

fn index_len(entries: &[PackEntry]) -> usize {
    let hashes = |entry: &PackEntry| usize::from(!entry.is_raw()) + usize::from(entry.base.is_some());
    entries.iter().map(|entry| ENTRY_LEN + hashes(entry) * Hash::LEN).sum()
}

fn encode_index(entries: &[PackEntry]) -> Vec<u8> {
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

/// The chunks that can still be told in a pack whose index or whose end is damaged, each at every
/// place where it may lie: whoever reads them checks their hashes.
///
/// A damaged length moves all chunks behind it, so that their places are also counted from the
/// end; and when the length of the index itself is damaged, the index is searched for.
pub(crate) fn salvage_index(storage: &dyn Storage, id: &Hash) -> Vec<PackEntry> {
    let name = object_name(id);
    let len = storage.len(&name).unwrap_or(0);
    let tail = readable_tail(storage, &name, len);
    let tail_len = tail.len();
    let Some(index_end) = tail_len.checked_sub(TRAILER_LEN) else { return Vec::new() };
    let mut found = Vec::new();
    for start in candidate_starts(&tail, index_end) {
        let mut index = &tail[start..index_end];
        let mut entries = Vec::new();
        while let Some(entry) = take_entry(&mut index) {
            entries.push(entry);
        }
        // Where the index began before a part of it became unreadable, the chunks end.
        let stated = tail[index_end..].first_chunk().map(|bytes| u64::from_le_bytes(*bytes));
        let stated = stated.and_then(|index_len| (len - TRAILER_LEN as u64).checked_sub(index_len));
        let ends = [Some(len - (tail_len - start) as u64), stated];
        place_from_both_ends(&mut entries, ends.into_iter().flatten());
        found.extend(entries);
    }
    found
}

/// The end of an object as far back as it can be read without a gap, and as an index may reach. It is
/// read in small pieces, so that a sector that cannot be read costs no more than what lies before it.
fn readable_tail(storage: &dyn Storage, name: &str, len: u64) -> Vec<u8> {
    let mut tail = vec![0; len.min(SALVAGE_TAIL) as usize];
    let mut readable_from = tail.len();
    while readable_from > 0 {
        let start = readable_from.saturating_sub(SALVAGE_PIECE);
        let offset = len - (tail.len() - start) as u64;
        if storage.read_range(name, offset, &mut tail[start..readable_from]).is_err() {
            break;
        }
        readable_from = start;
    }
    tail.split_off(readable_from)
}

/// No more than this much of a damaged pack is searched for its index: bytes.
const SALVAGE_TAIL: u64 = 32 << 20;
/// It is read in pieces of this length: bytes.
const SALVAGE_PIECE: usize = 4 << 10;

/// Where the index may begin within `tail`: where its length says, and, when what is there does
/// not reach the end, also the first place from which an index does.
fn candidate_starts(tail: &[u8], index_end: usize) -> Vec<usize> {
    let stated = tail[index_end..].first_chunk().map(|bytes| u64::from_le_bytes(*bytes));
    let stated = stated.and_then(|len| index_end.checked_sub(usize::try_from(len).ok()?));
    let whole = |start: usize| decode_index(&tail[start..index_end]).is_some_and(|all| !all.is_empty());
    if let Some(start) = stated.filter(|&start| whole(start)) {
        return vec![start];
    }
    stated.into_iter().chain(first_start_of_entries(&tail[..index_end])).collect()
}

/// The first place from which entries reach the end of `bytes`. Every place is looked at once, from
/// the last to the first, as hostile bytes could otherwise take the square of their number.
fn first_start_of_entries(bytes: &[u8]) -> Option<usize> {
    let mut reaches_end = vec![false; bytes.len() + 1];
    reaches_end[bytes.len()] = true;
    for start in (0..bytes.len()).rev() {
        let mut rest = &bytes[start..];
        reaches_end[start] = take_entry(&mut rest).is_some() && reaches_end[bytes.len() - rest.len()];
    }
    reaches_end[..bytes.len()].iter().position(|&reaches| reaches)
}

/// Gives every entry its place as counted from the beginning, and adds it as counted from each of the
/// places where the chunks may end, where that is another.
fn place_from_both_ends(entries: &mut Vec<PackEntry>, chunks_ends: impl Iterator<Item = u64>) {
    let mut offset = MAGIC.len() as u64;
    for entry in entries.iter_mut() {
        entry.offset = offset;
        offset += u64::from(entry.stored_len);
    }
    let mut from_end = Vec::new();
    for chunks_end in chunks_ends {
        let mut end = Some(chunks_end);
        for entry in entries.iter().rev() {
            end = end.and_then(|end| end.checked_sub(u64::from(entry.stored_len)));
            match end {
                Some(offset) if offset != entry.offset => {
                    from_end.push(PackEntry { offset, ..entry.clone() });
                }
                Some(_) => {}
                None => break,
            }
        }
    }
    entries.extend(from_end);
}

fn decode_index(mut index: &[u8]) -> Option<Vec<PackEntry>> {
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
fn take_entry(index: &mut &[u8]) -> Option<PackEntry> {
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

    /// The square of its length would be minutes.
    #[test]
    fn an_index_is_searched_for_in_time_that_grows_with_the_pack() {
        let (id, entries) = (Hash([0; 32]), vec![0; 4 << 20]);
        let bytes = [entries, vec![0xff; 100 + TRAILER_LEN]].concat();
        let storage = MemoryStorage::from_objects([(object_name(&id), bytes)].into());
        assert_eq!(salvage_index(&storage, &id), []);
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
