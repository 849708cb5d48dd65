//! Saving a checkpoint: chunks into packs, the index, the commit record, in that order.

use std::collections::HashSet;

use rayon::prelude::*;

use crate::checkpoint::Checkpoint;
use crate::codec;
use crate::commit::{self, About, CommitRecord, FORMAT};
use crate::error::SaveError;
use crate::hash::Hash;
use crate::history::{self, Row};
use crate::index::{self, ChunkSink};
use crate::pack::{CHUNK_MAX, PackWriter};
use crate::state_hash::state_hash;
use crate::store::Store;
use crate::time::now_seconds;
use crate::tree::{ArrayPlace, ArrayRef, ArrayType, INLINE_LIMIT, StoredTree};

/// A pack that has grown to this length is closed and another begun: bytes.
const PACK_TARGET: u64 = 256 << 20;
/// So many chunks are hashed and compressed side by side.
const WINDOW: usize = 16;

/// A checkpoint being saved: takes arrays as they come, and becomes visible with
/// [`commit`](Self::commit). Dropped before, it leaves nothing.
#[derive(Debug)]
pub struct Save<'a> {
    store: &'a mut Store,
    pack: Option<PackWriter>,
    /// Chunks of packs that are not yet part of the store's index.
    fresh: HashSet<Hash>,
    finished: Vec<crate::store::NewPack>,
    payload_bytes: u64,
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

impl<'a> Save<'a> {
    pub(crate) fn new(store: &'a mut Store) -> Self {
        Self { store, pack: None, fresh: HashSet::new(), finished: Vec::new(), payload_bytes: 0 }
    }

    /// Stores an array; `bytes` are its elements, little-endian, in row-major order. Chunks that
    /// the run holds already are not written again.
    ///
    /// # Errors
    /// When the number of bytes does not match, or the storage fails.
    pub fn array(&mut self, kind: ArrayType, bytes: &[u8]) -> Result<ArrayRef, SaveError> {
        kind.check_len(bytes.len())?;
        let len = bytes.len() as u64;
        self.payload_bytes += len;
        if len < INLINE_LIMIT {
            let place = ArrayPlace::Inline(bytes.to_vec());
            return Ok(ArrayRef { kind, place });
        }
        let pieces: Vec<&[u8]> =
            kind.boxes().map(|range| &bytes[range.start as usize..range.end as usize]).collect();
        let mut hashes = Vec::with_capacity(pieces.len());
        for window in pieces.chunks(WINDOW) {
            self.put_window(window, &mut hashes)?;
        }
        let place = ArrayPlace::Chunks(hashes);
        Ok(ArrayRef { kind, place })
    }

    fn put_window(&mut self, window: &[&[u8]], hashes: &mut Vec<Hash>) -> Result<(), SaveError> {
        let prepare = |piece: &&[u8]| {
            let hash = Hash::of(piece);
            let encoded = (!self.is_known(&hash)).then(|| {
                let (codec, stored) = codec::encode(piece);
                (codec, stored.into_owned())
            });
            (hash, encoded)
        };
        if let [piece] = window {
            hashes.push(self.put_chunk(piece)?);
            return Ok(());
        }
        let prepared: Vec<_> = window.par_iter().map(prepare).collect();
        for ((hash, encoded), piece) in prepared.into_iter().zip(window) {
            if let Some((codec, stored)) = encoded
                && !self.is_known(&hash)
            {
                self.push(hash, piece.len(), codec, &stored)?;
            }
            hashes.push(hash);
        }
        Ok(())
    }

    fn is_known(&self, hash: &Hash) -> bool {
        self.fresh.contains(hash) || self.store.chunks.is_good(hash)
    }

    fn push(
        &mut self,
        hash: Hash,
        raw_len: usize,
        codec: codec::Codec,
        stored: &[u8],
    ) -> Result<(), SaveError> {
        let result = self.try_push(hash, raw_len, codec, stored);
        if result.is_err() {
            self.store.poisoned = true;
        }
        result
    }

    fn try_push(
        &mut self,
        hash: Hash,
        raw_len: usize,
        codec: codec::Codec,
        stored: &[u8],
    ) -> Result<(), SaveError> {
        if self.pack.as_ref().is_some_and(|pack| pack.len() >= PACK_TARGET) {
            self.finish_pack()?;
        }
        let pack = match &mut self.pack {
            Some(pack) => pack,
            empty => empty.insert(PackWriter::new(&self.store.storage)?),
        };
        pack.push(hash, raw_len, codec, stored)?;
        self.fresh.insert(hash);
        Ok(())
    }

    fn finish_pack(&mut self) -> Result<(), SaveError> {
        if let Some(pack) = self.pack.take() {
            let (id, entries, len) = pack.finish()?;
            self.store.revive(&id)?;
            self.finished.push(crate::store::NewPack { id, entries, len });
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
        let result = self.publish(step, state_hash, root, about, rows);
        if matches!(result, Err(SaveError::Storage(_))) {
            self.store.poisoned = true;
        }
        let record = result?;
        Ok(Saved { record, written: true })
    }

    fn publish(
        &mut self,
        step: u64,
        state_hash: Hash,
        root: Hash,
        about: About,
        rows: &[Row],
    ) -> Result<CommitRecord, SaveError> {
        let previous = self.store.newest_readable();
        let last_segment = previous.and_then(|record| record.history.clone());
        let segment = (!rows.is_empty()).then(|| history::encode(step, last_segment.as_deref(), rows));
        let mut record = CommitRecord {
            format: FORMAT,
            run: self.store.identity.run.clone(),
            step,
            previous: previous.map(|record| record.step),
            created: now_seconds(),
            state_hash,
            root,
            payload_bytes: self.payload_bytes,
            new_bytes: u64::MAX,
            history: segment.as_ref().map(|segment| segment.0.clone()).or(last_segment),
            about,
        };
        // A record that is too large is refused before anything becomes visible.
        record.encode()?;
        self.finish_pack()?;
        record.new_bytes = self.finished.iter().map(|pack| pack.len).sum();
        if let Some((name, bytes)) = segment {
            history::put(&*self.store.storage, &name, &bytes)?;
        }
        let bytes = record.encode()?;
        self.store.storage.put_new(&commit::object_name(step), &bytes)?;
        self.store.accept(record.clone(), std::mem::take(&mut self.finished));
        Ok(record)
    }
}

impl ChunkSink for Save<'_> {
    fn put_chunk(&mut self, bytes: &[u8]) -> Result<Hash, SaveError> {
        if bytes.len() > CHUNK_MAX {
            return Err(SaveError::RecordTooLarge { len: bytes.len(), limit: CHUNK_MAX });
        }
        let hash = Hash::of(bytes);
        if !self.is_known(&hash) {
            let (codec, stored) = codec::encode(bytes);
            self.push(hash, bytes.len(), codec, &stored)?;
        }
        Ok(hash)
    }
}

impl Store {
    /// Saves a checkpoint of another run in this one, with its metrics history: array by array,
    /// so that it takes no more memory than the largest of them.
    ///
    /// # Errors
    /// When the checkpoint cannot be read, or this run cannot be written.
    pub fn copy_checkpoint(&mut self, from: &Checkpoint<'_>) -> Result<Saved, SaveError> {
        let tree = from.tree()?;
        let rows = from.history().0;
        let mut save = self.save()?;
        let stored = tree.try_map_arrays(&mut |path, array: &ArrayRef| {
            save.array(array.kind().clone(), &from.read_array(path, array)?)
        })?;
        save.commit(from.record().step, &stored, from.record().about.clone(), &rows)
    }
}
