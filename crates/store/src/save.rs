//! Saving a checkpoint: chunks into packs, the index, the commit record, in that order.

use std::borrow::Cow;
use std::collections::HashSet;

use rayon::prelude::*;

use crate::bases::{self, ArrayBases, Bases, Before, Sizes};
use crate::codec::{self, Base, Compression, Content};
use crate::commit::{self, About, CommitRecord};
use crate::error::SaveError;
use crate::hash::Hash;
use crate::history::{self, Row};
use crate::index::{self, ChunkSink, Root};
use crate::pack::{CHUNK_MAX, PackWriter, StoredChunk};
use crate::path::EntryPath;
use crate::state_hash::state_hash;
use crate::store::{NewPack, Store};
use crate::time::now_seconds;
use crate::tree::{ArrayPlace, ArrayRef, ArrayType, INLINE_LIMIT, StoredTree};

/// A pack that has grown to this length is closed and another begun: bytes.
const PACK_TARGET: u64 = 256 << 20;
/// States up to this size are made as small as they can be: bytes of their arrays.
const SMALL_STATE: u64 = 32 << 20;
/// So many chunks are hashed and encoded side by side.
const WINDOW: usize = 8;

/// A checkpoint being saved: takes arrays as they come, and becomes visible with
/// [`commit`](Self::commit). Dropped before, it leaves nothing.
#[derive(Debug)]
pub struct Save<'a> {
    store: &'a mut Store,
    compression: Compression,
    pack: Option<PackWriter>,
    /// Names of the chunks of packs that are not yet part of the store's index.
    fresh: HashSet<Hash>,
    finished: Vec<NewPack>,
    /// Arrays as this save stores them: noted in the books when it is committed.
    notes: Vec<Note>,
    payload_bytes: u64,
}

#[derive(Debug)]
struct Note {
    path: EntryPath,
    boxes: Vec<Hash>,
    /// Some chunk was new.
    changed: bool,
    /// Bases were at hand for new chunks.
    tried: bool,
    /// Some new chunk was stored as a difference.
    used: bool,
    /// Of the new chunks.
    sizes: Sizes,
    features: Vec<(Vec<u64>, Hash)>,
}

impl std::fmt::Debug for PackWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PackWriter").field("len", &self.len()).finish()
    }
}

/// The outcome of a save.
#[derive(Debug, Clone, PartialEq)]
pub struct Saved {
    /// The record of the checkpoint.
    pub record: CommitRecord,
    /// False when the same state was saved at that step before, and nothing was written.
    pub written: bool,
}

/// A chunk that has been hashed, and encoded if it is new.
struct Prepared<'a> {
    hash: Hash,
    id: Hash,
    features: Vec<u64>,
    new: Option<StoredChunk<Cow<'a, [u8]>>>,
}

impl<'a> Save<'a> {
    pub(crate) fn new(store: &'a mut Store) -> Self {
        if store.bases.is_none() {
            store.bases = Some(Bases::of_newest(store));
        }
        // A state that is small is small in no time.
        let is_small = store.newest_readable().is_some_and(|record| record.payload_bytes <= SMALL_STATE);
        let compression = if is_small { Compression::Small } else { store.compression };
        Self {
            store,
            compression,
            pack: None,
            fresh: HashSet::new(),
            finished: Vec::new(),
            notes: Vec::new(),
            payload_bytes: 0,
        }
    }

    /// Stores the array at `path` of the state; `bytes` are its elements, little-endian, in
    /// row-major order. Chunks that the run holds already are not written again, and changed ones
    /// as differences from the array's earlier ones where that is smaller.
    ///
    /// # Errors
    /// When the number of bytes does not match, or the storage fails.
    pub fn array(&mut self, path: &EntryPath, kind: ArrayType, bytes: &[u8]) -> Result<ArrayRef, SaveError> {
        kind.check_len(bytes.len())?;
        let len = bytes.len() as u64;
        self.payload_bytes += len;
        if self.store.newest_readable().is_none() && self.payload_bytes <= SMALL_STATE {
            self.compression = Compression::Small;
        } else if self.payload_bytes > SMALL_STATE {
            self.compression = self.store.compression;
        }
        if len < INLINE_LIMIT {
            let place = ArrayPlace::Inline(bytes.to_vec());
            return Ok(ArrayRef { kind, place });
        }
        let content = Content::of(&kind);
        let mut bases = self.store.bases.as_mut().and_then(|bases| bases.of_array(path)).unwrap_or_default();
        let mut note = Note {
            path: path.clone(),
            boxes: Vec::new(),
            changed: false,
            tried: !bases.boxes.is_empty(),
            used: false,
            sizes: Sizes::default(),
            features: Vec::new(),
        };
        let pieces: Vec<&[u8]> =
            kind.boxes().map(|range| &bytes[range.start as usize..range.end as usize]).collect();
        let mut hashes = Vec::with_capacity(pieces.len());
        for window in pieces.chunks(WINDOW) {
            for prepared in self.encoder().prepare(window, content, &bases, hashes.len()) {
                hashes.push(prepared.hash);
                self.put(prepared, &mut note)?;
            }
            if note.changed && !note.used {
                // The first boxes tell for all: the bases of the others are not even read.
                bases = ArrayBases::default();
            }
        }
        self.notes.push(note);
        let place = ArrayPlace::Chunks(hashes);
        Ok(ArrayRef { kind, place })
    }

    fn encoder(&self) -> Encoder<'_> {
        Encoder { store: self.store, compression: self.compression, fresh: &self.fresh }
    }

    /// Writes a chunk if it is new, and notes what can serve as its base from now on.
    fn put(&mut self, prepared: Prepared<'_>, note: &mut Note) -> Result<(), SaveError> {
        let Prepared { hash, id, features, new } = prepared;
        let base = match &new {
            Some(chunk) => chunk.base.unwrap_or(id),
            None => self.store.chunks.base_in_place_of(&hash).unwrap_or(id),
        };
        note.boxes.push(base);
        note.changed |= new.is_some();
        note.used |= new.is_some() && base != id;
        if let Some(chunk) = &new {
            note.sizes.add(chunk.raw_len, chunk.stored.len());
        }
        if base == id && !features.is_empty() {
            note.features.push((features, id));
        }
        match new {
            Some(chunk) if !self.fresh.contains(&id) => self.push(&chunk),
            _ => Ok(()),
        }
    }

    fn push<B: AsRef<[u8]>>(&mut self, chunk: &StoredChunk<B>) -> Result<(), SaveError> {
        let result = self.try_push(chunk);
        if result.is_err() {
            self.store.poisoned = true;
        }
        result
    }

    fn try_push<B: AsRef<[u8]>>(&mut self, chunk: &StoredChunk<B>) -> Result<(), SaveError> {
        if self.pack.as_ref().is_some_and(|pack| pack.len() >= PACK_TARGET) {
            self.finish_pack()?;
        }
        let pack = match self.pack.take() {
            Some(pack) => pack,
            None => PackWriter::new(&self.store.storage)?,
        };
        self.pack = Some(pack.push(chunk)?);
        self.fresh.insert(chunk.id);
        Ok(())
    }

    fn finish_pack(&mut self) -> Result<(), SaveError> {
        if let Some(pack) = self.pack.take() {
            let (id, entries, len) = pack.finish()?;
            self.store.revive(&id)?;
            self.finished.push(NewPack { id, entries, len });
        }
        Ok(())
    }

    /// Makes the checkpoint of `tree`, whose arrays this save has stored, durable and visible.
    /// `rows` are the metrics since the checkpoint before.
    ///
    /// The same state at the same step again is no error and writes nothing.
    ///
    /// # Errors
    /// When the step has another state or lies before the newest checkpoint, when the record is
    /// too large, or when the storage fails: then the store writes nothing more until reopened.
    pub fn commit(
        mut self,
        step: u64,
        tree: &StoredTree,
        about: About,
        rows: &[Row],
    ) -> Result<Saved, SaveError> {
        let state_hash = state_hash(tree);
        if let Some(record) = self.store.check_step(step, state_hash)? {
            return Ok(Saved { record, written: false });
        }
        let root = index::write(tree, &mut self)?;
        let root = Root { node: root, values: tree.value_count() };
        let result = self.publish(step, state_hash, root, about, rows);
        if matches!(result, Err(SaveError::Storage(_))) {
            self.store.poisoned = true;
        }
        let record = result?;
        Ok(Saved { record, written: true })
    }

    fn note_bases(&mut self) {
        let Some(bases) = &mut self.store.bases else { return };
        for note in self.notes.drain(..) {
            if note.changed {
                bases.note(&note.path, note.boxes, note.tried, note.used, note.sizes);
            }
            for (features, chunk) in note.features {
                bases.remember(features, chunk);
            }
        }
    }

    fn publish(
        &mut self,
        step: u64,
        state_hash: Hash,
        root: Root,
        about: About,
        rows: &[Row],
    ) -> Result<CommitRecord, SaveError> {
        let previous = self.store.newest_readable();
        let last_segment = previous.and_then(|record| record.history.clone());
        let cipher = self.store.chunks.cipher();
        let segment =
            (!rows.is_empty()).then(|| history::encode(step, last_segment.as_deref(), rows, cipher));
        let mut record = CommitRecord {
            format: commit::FORMAT,
            run: self.store.identity.run.clone(),
            step,
            previous: previous.map(|record| record.step),
            created: now_seconds(),
            state_hash,
            root: root.node,
            values: root.values,
            payload_bytes: self.payload_bytes,
            new_bytes: u64::MAX,
            history: segment.as_ref().map(|segment| segment.0.clone()).or(last_segment),
            about,
        };
        // A record that is too large is refused before anything becomes visible.
        record.encode(self.store.chunks.cipher())?;
        self.finish_pack()?;
        record.new_bytes = self.finished.iter().map(|pack| pack.len).sum();
        if let Some((name, bytes)) = segment {
            history::put(&*self.store.storage, &name, &bytes)?;
        }
        let bytes = record.encode(self.store.chunks.cipher())?;
        self.store.storage.put_new(&commit::object_name(step), &bytes)?;
        self.store.accept(record.clone(), std::mem::take(&mut self.finished));
        self.note_bases();
        Ok(record)
    }
}

/// Hashes and encodes chunks, on several threads.
struct Encoder<'s> {
    store: &'s Store,
    compression: Compression,
    fresh: &'s HashSet<Hash>,
}

impl Encoder<'_> {
    /// Hashes the chunks of a window, and encodes those that are new; `first` is the number of its
    /// first box.
    fn prepare<'b>(
        &self,
        window: &[&'b [u8]],
        content: Content,
        bases: &ArrayBases,
        first: usize,
    ) -> Vec<Prepared<'b>> {
        let prepare =
            |(i, piece): (usize, &&'b [u8])| self.prepare_chunk(piece, content, bases.of_box(first + i));
        match window {
            [_] => window.iter().enumerate().map(prepare).collect(),
            _ => window.par_iter().enumerate().map(prepare).collect(),
        }
    }

    fn prepare_chunk<'b>(&self, raw: &'b [u8], content: Content, before: Option<Before>) -> Prepared<'b> {
        let hash = Hash::of(raw);
        let id = self.store.chunks.id(&hash);
        let features = if content.takes_patches() { bases::features(raw) } else { Vec::new() };
        let new = (!self.is_known(&hash, &id)).then(|| self.encode(raw, id, content, before, &features));
        Prepared { hash, id, features, new }
    }

    fn encode<'b>(
        &self,
        raw: &'b [u8],
        id: Hash,
        content: Content,
        before: Option<Before>,
        features: &[u64],
    ) -> StoredChunk<Cow<'b, [u8]>> {
        let similar = self.store.bases.as_ref().and_then(|bases| bases.most_similar(features));
        let base = similar.or(before.map(|before| before.chunk));
        // A base that cannot be read is none: the chunk is stored in full.
        let base_bytes = base.and_then(|base| self.store.chunks.read_base(&base).ok());
        let how = base_bytes.as_deref().map(|bytes| match similar {
            Some(_) => Base::Similar(bytes),
            None => Base::Before { bytes, worth: before.map_or(1.0, |before| before.worth) },
        });
        let (codec, mut stored) = codec::encode(raw, content, how, self.compression);
        let cipher = self.store.chunks.cipher();
        if let Some(cipher) = cipher {
            stored = Cow::Owned(cipher.seal(&id.0, &stored));
        }
        let encrypted = cipher.is_some();
        let is_raw = codec == codec::Codec::Raw && !encrypted;
        StoredChunk {
            id,
            raw_len: raw.len(),
            codec,
            encrypted,
            stored_hash: if is_raw { id } else { Hash::of(&stored) },
            base: base.filter(|_| codec.has_base()),
            stored,
        }
    }

    fn is_known(&self, hash: &Hash, id: &Hash) -> bool {
        self.fresh.contains(id) || self.store.chunks.is_good(hash)
    }
}

impl ChunkSink for Save<'_> {
    fn put_chunk(&mut self, bytes: &[u8]) -> Result<Hash, SaveError> {
        if bytes.len() > CHUNK_MAX {
            return Err(SaveError::RecordTooLarge { len: bytes.len(), limit: CHUNK_MAX });
        }
        let prepared = self.encoder().prepare_chunk(bytes, Content::Bytes, None);
        if let Some(chunk) = &prepared.new {
            self.push(chunk)?;
        }
        Ok(prepared.hash)
    }
}
