//! Saving a checkpoint: chunks into packs, the index, the commit record, in that order.

use std::borrow::Cow;
use std::collections::HashSet;
use std::io::Read;
use std::sync::Arc;
use std::thread::{Builder, ScopedJoinHandle};

use crate::annotations::history::{self, Row};
use crate::checkpoint::bases::{self, ArrayBases, Bases, Before, Sizes};
use crate::checkpoint::commit::{self, About, CommitRecord};
use crate::checkpoint::index::{self, ChunkSink, Root};
use crate::codec::{self, Base, Compression, Content};
use crate::error::{ReadError, SaveError};
use crate::hash::Hash;
use crate::packs::chunks::Chunks;
use crate::packs::pack::{self, StoredChunk};
use crate::packs::pack_writer::PackWriter;
use crate::parallel::*;
use crate::state::path::EntryPath;
use crate::state::state_hash::state_hash;
use crate::state::tree::{ArrayPlace, ArrayRef, ArrayType, INLINE_LIMIT, StoredTree};
use crate::storage::{Storage, StorageError, Upload};
use crate::time::now_seconds;
use crate::writer::{NewPack, Writer};

/// A pack that has grown to this length is closed and another begun: bytes.
const PACK_TARGET: u64 = 256 << 20;
/// So many chunks of an array are hashed, encoded and written before the next are looked at.
pub(super) const WINDOW: usize = 8;
/// Those of a long array go in turns into so many packs, which are written side by side: a file takes the
/// writes of one thread at a time. The number is fixed, so that it does not depend on the machine what a
/// run looks like.
const LANES: usize = 2;

/// A checkpoint being saved: takes arrays as they come, and becomes visible with
/// [`commit`](Self::commit). Dropped before, it leaves nothing.
#[derive(Debug)]
#[must_use = "a save that is not committed leaves nothing"]
pub struct Save<'a> {
    writer: &'a mut Writer,
    /// The packs being written. The first takes all that is short.
    packs: [Option<PackWriter>; LANES],
    /// Names of the chunks of packs that are not yet part of the store's index.
    fresh: HashSet<Hash>,
    finished: Vec<NewPack>,
    /// Arrays as this save stores them: noted in the books when it is committed.
    notes: Vec<Note>,
    payload_bytes: u64,
    /// The checkpoint may have become visible.
    published: bool,
}

#[derive(Debug)]
struct Note {
    /// Of the array.
    key: Hash,
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

/// An array whose chunks are being stored.
struct OpenArray {
    content: Content,
    bases: ArrayBases,
    note: Note,
    /// Of the chunks so far.
    hashes: Vec<Hash>,
}

/// The outcome of a save.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Saved {
    /// The record of the checkpoint.
    pub record: CommitRecord,
    /// False when the same state was saved at that step before, and nothing was written.
    pub written: bool,
}

/// A chunk that has been hashed, and encoded if it is new.
pub(super) struct PreparedChunk<'a> {
    pub hash: Hash,
    id: Hash,
    features: Vec<u64>,
    pub new: Option<StoredChunk<Cow<'a, [u8]>>>,
}

/// A chunk that is in the run now.
struct Entered {
    /// The number of its box.
    place: usize,
    hash: Hash,
    id: Hash,
    features: Vec<u64>,
    new: Option<NewChunk>,
}

impl Entered {
    fn of(place: usize, prepared: PreparedChunk<'_>) -> Self {
        let PreparedChunk { hash, id, features, new } = prepared;
        let new = new.map(|chunk| NewChunk {
            base: chunk.base.unwrap_or(id),
            raw_len: chunk.raw_len,
            stored_len: chunk.stored.len(),
        });
        Self { place, hash, id, features, new }
    }
}

/// What is to be known of a chunk that was written.
struct NewChunk {
    /// What can serve as a base from now on.
    base: Hash,
    raw_len: usize,
    stored_len: usize,
}

/// A way to write a chunk into a pack.
type Push<'b> = fn(PackWriter, &StoredChunk<Cow<'b, [u8]>>) -> Result<PackWriter, StorageError>;

/// What one thread did of a window.
struct Lane {
    pack: Option<PackWriter>,
    entered: Vec<Entered>,
}

impl Lane {
    /// One that had nothing to do.
    fn idle(pack: Option<PackWriter>) -> Self {
        Self { pack, entered: Vec::new() }
    }
}

impl Writer {
    /// Begins a save.
    ///
    /// # Errors
    /// When an earlier write failed, the right to write was lost, or there is too little space.
    pub fn save(&mut self) -> Result<Save<'_>, SaveError> {
        self.require_right()?;
        self.require_space()?;
        Ok(Save::new(self))
    }

    /// A save may take what the one before took, or the whole state, if there is none. It stays
    /// an estimate; a disk that is full all the same aborts the save, and no checkpoint is hurt.
    fn require_space(&self) -> Result<(), SaveError> {
        self.require_free(self.newest_readable().map_or(0, |record| record.new_bytes))
    }

    /// The record of `step` if the same state is saved there already.
    fn check_step(&self, step: u64, new: Hash) -> Result<Option<CommitRecord>, SaveError> {
        match self.catalog().get(step) {
            Some(Ok(record)) if record.state_hash == new => return Ok(Some(record.clone())),
            Some(Ok(record)) => {
                let saved = record.state_hash;
                return Err(SaveError::StepTaken { step, saved, new });
            }
            Some(Err(damage)) => return Err(ReadError::from(damage.clone()).into()),
            None => {}
        }
        match self.catalog().steps().next_back() {
            Some(newest) if newest > step => Err(SaveError::StepBehind { step, newest }),
            _ => Ok(None),
        }
    }
}

impl<'a> Save<'a> {
    fn new(writer: &'a mut Writer) -> Self {
        if writer.bases.is_none() {
            writer.bases = Some(Bases::of_newest(writer.newest_readable(), writer.chunks()));
        }
        Self {
            writer,
            packs: Default::default(),
            fresh: HashSet::new(),
            finished: Vec::new(),
            notes: Vec::new(),
            payload_bytes: 0,
            published: false,
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
        if len < INLINE_LIMIT {
            let place = ArrayPlace::Inline(bytes.to_vec());
            return Ok(ArrayRef { kind, place });
        }
        let mut open = self.open_array(path, &kind);
        let pieces: Vec<&[u8]> =
            kind.boxes().map(|range| &bytes[range.start as usize..range.end as usize]).collect();
        for window in pieces.chunks(WINDOW) {
            self.enter(window, &mut open)?;
        }
        Ok(self.close_array(kind, open))
    }

    /// As [`array`](Self::array), with elements that are read as they are stored: of a long array, a few MiB
    /// are in memory at once.
    ///
    /// # Errors
    /// When the elements cannot be read, or the storage fails.
    pub fn array_from(
        &mut self,
        path: &EntryPath,
        kind: ArrayType,
        elements: &mut impl Read,
    ) -> Result<ArrayRef, SaveError> {
        let unreadable = |source| SaveError::Unreadable { path: path.clone(), source };
        let len = kind.byte_len().unwrap_or(u64::MAX);
        let mut bytes = Vec::new();
        if len < INLINE_LIMIT {
            elements.take(len).read_to_end(&mut bytes).map_err(unreadable)?;
            return self.array(path, kind, &bytes);
        }
        self.payload_bytes += len;
        let mut open = self.open_array(path, &kind);
        let mut boxes = kind.boxes().peekable();
        while boxes.peek().is_some() {
            let lens: Vec<usize> =
                boxes.by_ref().take(WINDOW).map(|range| (range.end - range.start) as usize).collect();
            bytes.resize(lens.iter().sum(), 0);
            elements.read_exact(&mut bytes).map_err(unreadable)?;
            let mut rest = bytes.as_slice();
            let window: Vec<&[u8]> =
                lens.iter().map(|&len| rest.split_off(..len).unwrap_or_default()).collect();
            self.enter(&window, &mut open)?;
        }
        Ok(self.close_array(kind, open))
    }

    pub(super) fn writer(&self) -> &Writer {
        self.writer
    }

    /// Takes a pack that another process has written for this checkpoint.
    pub(super) fn take_pack(&mut self, pack: NewPack) -> Result<(), SaveError> {
        if self.finished.iter().any(|known| known.id == pack.id) {
            return Ok(());
        }
        self.writer.revive(&pack.id)?;
        self.fresh.extend(pack.entries.iter().map(|entry| entry.id));
        let is_new = !self.writer.chunks().packs().contains_key(&pack.id);
        self.finished.push(NewPack { is_new, ..pack });
        Ok(())
    }

    /// Counts an array that another process has stored.
    pub(super) fn add_payload(&mut self, bytes: u64) {
        self.payload_bytes += bytes;
    }

    /// Begins to store an array that is cut into chunks.
    fn open_array(&mut self, path: &EntryPath, kind: &ArrayType) -> OpenArray {
        let key = bases::key(path);
        let bases = self.writer.bases.as_mut().and_then(|bases| bases.of_array(&key)).unwrap_or_default();
        let note = Note {
            key,
            boxes: Vec::new(),
            changed: false,
            tried: !bases.boxes.is_empty(),
            used: false,
            sizes: Sizes::default(),
            features: Vec::new(),
        };
        OpenArray { content: Content::of(kind), bases, note, hashes: Vec::new() }
    }

    /// Stores the next chunks of an array.
    fn enter(&mut self, window: &[&[u8]], open: &mut OpenArray) -> Result<(), SaveError> {
        for entered in self.enter_window(window, open.content, &open.bases, open.hashes.len())? {
            open.hashes.push(entered.hash);
            self.note(entered, &mut open.note);
        }
        if open.note.changed && !open.note.used {
            // The first boxes tell for all: the bases of the others are not even read.
            open.bases = ArrayBases::default();
        }
        Ok(())
    }

    fn close_array(&mut self, kind: ArrayType, open: OpenArray) -> ArrayRef {
        self.notes.push(open.note);
        ArrayRef { kind, place: ArrayPlace::Chunks(open.hashes) }
    }

    fn encoder(&self) -> Encoder<'_> {
        let Writer { store, bases, compression, .. } = &*self.writer;
        Encoder {
            storage: store.storage(),
            chunks: store.chunks(),
            bases: bases.as_ref(),
            compression: *compression,
            fresh: &self.fresh,
        }
    }

    /// Hashes, encodes and writes the chunks of a window, in their order.
    fn enter_window<'b>(
        &mut self,
        window: &[&'b [u8]],
        content: Content,
        bases: &ArrayBases,
        first: usize,
    ) -> Result<Vec<Entered>, SaveError> {
        if let [piece] = window {
            return Ok(vec![self.enter_alone(piece, content, bases, first)?]);
        }
        let packs = std::mem::take(&mut self.packs);
        let encoder = self.encoder();
        let prepare = |(i, piece): (usize, &&'b [u8])| {
            (first + i, encoder.prepare_chunk(piece, content, bases.of_box(first + i)))
        };
        let lanes: Vec<Result<Lane, StorageError>> = if self.writer.storage().takes_uploads_side_by_side() {
            let lane = |(lane, pack): (usize, Option<PackWriter>)| {
                let mine = window.iter().enumerate().skip(lane).step_by(LANES);
                encoder.write_lane(mine.map(prepare), pack, PackWriter::push_through)
            };
            packs.into_par_iter().enumerate().map(lane).collect()
        } else {
            let [pack, other] = packs;
            let prepared: Vec<_> = window.par_iter().enumerate().map(prepare).collect();
            vec![encoder.write_lane(prepared.into_iter(), pack, PackWriter::push), Ok(Lane::idle(other))]
        };
        let mut entered = Vec::with_capacity(window.len());
        for (slot, lane) in lanes.into_iter().enumerate() {
            let lane = lane.inspect_err(|_| self.writer.stop_writing())?;
            self.packs[slot] = lane.pack;
            entered.extend(lane.entered);
        }
        entered.sort_unstable_by_key(|entered: &Entered| entered.place);
        self.fresh.extend(entered.iter().filter(|entered| entered.new.is_some()).map(|entered| entered.id));
        self.finish_packs(PACK_TARGET)?;
        Ok(entered)
    }

    /// Hashes, encodes and writes a chunk that no other is written beside.
    fn enter_alone(
        &mut self,
        piece: &[u8],
        content: Content,
        bases: &ArrayBases,
        place: usize,
    ) -> Result<Entered, SaveError> {
        let prepared = self.encoder().prepare_chunk(piece, content, bases.of_box(place));
        if let Some(chunk) = &prepared.new {
            self.push(chunk)?;
        }
        Ok(Entered::of(place, prepared))
    }

    /// Notes what can serve as the base of a chunk from now on.
    fn note(&self, entered: Entered, note: &mut Note) {
        let Entered { hash, id, features, new, .. } = entered;
        let base = match &new {
            Some(new) => new.base,
            None => self.writer.chunks().base_in_place_of(&hash).unwrap_or(id),
        };
        note.boxes.push(base);
        if let Some(new) = new {
            note.changed = true;
            note.used |= base != id;
            note.sizes.add(new.raw_len, new.stored_len);
        }
        if base == id && !features.is_empty() {
            note.features.push((features, id));
        }
    }

    /// Writes a chunk into the first pack.
    fn push<B: AsRef<[u8]>>(&mut self, chunk: &StoredChunk<B>) -> Result<(), SaveError> {
        let pack = self.packs[0].take().map_or_else(|| PackWriter::new(self.writer.storage()), Ok);
        let pack =
            pack.and_then(|pack| pack.push_through(chunk)).inspect_err(|_| self.writer.stop_writing())?;
        self.packs[0] = Some(pack);
        self.fresh.insert(chunk.id);
        self.finish_packs(PACK_TARGET)
    }

    /// Makes the packs durable that have reached a length.
    fn finish_packs(&mut self, from: u64) -> Result<(), SaveError> {
        let full = |pack: &mut Option<PackWriter>| pack.take_if(|pack| pack.len() >= from);
        let packs: Vec<PackWriter> = self.packs.iter_mut().filter_map(full).collect();
        let finished: Vec<_> = packs.into_par_iter().map(PackWriter::finish).collect();
        for pack in finished {
            let (id, entries, len) = pack.inspect_err(|_| self.writer.stop_writing())?;
            let is_new =
                !self.writer.chunks().packs().contains_key(&id) && !self.writer.condemned.contains(&id);
            self.writer.revive(&id).inspect_err(|_| self.writer.stop_writing())?;
            self.finished.push(NewPack { id, entries, len, is_new });
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
        if let Some(record) = self.writer.check_step(step, state_hash)? {
            return Ok(Saved { record, written: false });
        }
        let root = index::write(tree, &mut self)?;
        let root = Root { node: root, values: tree.value_count() };
        let result = self.publish(step, state_hash, root, about, rows);
        if matches!(result, Err(SaveError::Storage(_))) {
            self.writer.stop_writing();
        }
        let record = result?;
        Ok(Saved { record, written: true })
    }

    fn note_bases(&mut self) {
        let Some(bases) = &mut self.writer.bases else { return };
        for note in self.notes.drain(..) {
            if note.changed {
                bases.note(note.key, note.boxes, note.tried, note.used, note.sizes);
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
        let previous = self.writer.newest_readable();
        let last_segment = previous.and_then(|record| record.history.clone());
        let sealer = self.writer.sealer();
        let segment =
            (!rows.is_empty()).then(|| history::encode(step, last_segment.as_deref(), rows, &sealer));
        let mut record = CommitRecord {
            format: commit::FORMAT,
            run: self.writer.identity().run.clone(),
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
        let open = self.packs.iter().flatten().map(PackWriter::final_len);
        record.new_bytes = self.finished.iter().map(|pack| pack.len).chain(open).sum();
        // A record that is too large is refused before anything becomes visible.
        let bytes = record.encode(self.writer.chunks().cipher())?;
        let storage = Arc::clone(self.writer.storage());
        let mut record_object = Prepared::of(&storage, bytes)?;
        let mut segment_object = segment
            .map(|(name, bytes)| Prepared::of(&storage, bytes).map(|prepared| (name, prepared)))
            .transpose()?;
        self.finish_beside(|| {
            let segment = segment_object.as_mut().map(|(_, prepared)| prepared);
            segment.into_iter().chain([&mut record_object]).try_for_each(Prepared::sync)
        })?;
        self.writer.require_right()?;
        self.published = true;
        if let Some((name, prepared)) = segment_object {
            // Named by its content: it may be there from a save that was cut short, or be damaged.
            prepared.finish(&*storage, &name)?;
        }
        record_object.finish_new(&*storage, &commit::object_name(step))?;
        self.writer.accept(record.clone(), std::mem::take(&mut self.finished));
        self.note_bases();
        Ok(record)
    }
}

impl Save<'_> {
    /// Makes the packs durable while `sync` does the same for what is not visible yet: one wait for all. A
    /// thread of its own syncs, as those of the program may all be waiting for this save; where the system
    /// gives none, or the storage takes one object at a time, one comes after the other.
    fn finish_beside(
        &mut self,
        mut sync: impl FnMut() -> Result<(), StorageError> + Send,
    ) -> Result<(), SaveError> {
        let side_by_side = self.writer.storage().takes_uploads_side_by_side();
        let (finished, synced) = std::thread::scope(|scope| {
            let syncing = side_by_side.then(|| Builder::new().spawn_scoped(scope, &mut sync));
            let syncing = syncing.and_then(Result::ok);
            let finished = self.finish_packs(0);
            let join = |thread: ScopedJoinHandle<'_, _>| {
                thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            };
            (finished, syncing.map(join))
        });
        finished?;
        Ok(synced.unwrap_or_else(sync)?)
    }
}

impl Drop for Save<'_> {
    /// A save that is given up leaves no packs, as far as they can be deleted; what stays goes with the
    /// next pruning.
    fn drop(&mut self) {
        if self.published || self.writer.is_poisoned() {
            return;
        }
        for pack in self.finished.drain(..).filter(|pack| pack.is_new) {
            let _ = self.writer.storage().delete(&pack::object_name(&pack.id));
        }
    }
}

/// A small object on its way into the storage.
enum Prepared {
    /// It is written, and not visible yet.
    Written(Box<dyn Upload>),
    /// The storage takes one object at a time: it is written when it is its turn.
    Waiting(Vec<u8>),
}

impl Prepared {
    fn of(storage: &Arc<dyn Storage>, bytes: Vec<u8>) -> Result<Self, StorageError> {
        if !storage.takes_uploads_side_by_side() {
            return Ok(Self::Waiting(bytes));
        }
        let mut upload = Arc::clone(storage).upload()?;
        upload.write(&bytes)?;
        Ok(Self::Written(upload))
    }

    fn sync(&mut self) -> Result<(), StorageError> {
        match self {
            Self::Written(upload) => upload.sync(),
            Self::Waiting(_) => Ok(()),
        }
    }

    /// Makes it durable and visible; an object of that name is replaced.
    fn finish(self, storage: &dyn Storage, name: &str) -> Result<(), StorageError> {
        match self {
            Self::Written(upload) => upload.finish(name),
            Self::Waiting(bytes) => storage.put(name, &bytes),
        }
    }

    /// As [`finish`](Self::finish), for a name that must be new. Only the holder of the lease writes, so
    /// that nobody makes the object in between.
    fn finish_new(self, storage: &dyn Storage, name: &str) -> Result<(), StorageError> {
        match self {
            Self::Written(upload) => match storage.len(name) {
                Err(StorageError::Missing { .. }) => upload.finish(name),
                Err(error) => Err(error),
                Ok(_) => Err(StorageError::Exists { name: name.to_owned(), location: storage.location() }),
            },
            Self::Waiting(bytes) => storage.put_new(name, &bytes),
        }
    }
}

/// Hashes and encodes chunks, on several threads.
pub(super) struct Encoder<'s> {
    pub storage: &'s Arc<dyn Storage>,
    pub chunks: &'s Chunks,
    pub bases: Option<&'s Bases>,
    pub compression: Compression,
    /// Chunks that are stored already and not yet known to the run.
    pub fresh: &'s HashSet<Hash>,
}

impl Encoder<'_> {
    /// Writes the chunks of a lane that are new into its pack; they come with the numbers of their boxes.
    fn write_lane<'b>(
        &self,
        chunks: impl Iterator<Item = (usize, PreparedChunk<'b>)>,
        mut pack: Option<PackWriter>,
        push: Push<'b>,
    ) -> Result<Lane, StorageError> {
        let mut entered: Vec<Entered> = Vec::new();
        for (place, prepared) in chunks {
            if let Some(chunk) = &prepared.new
                && entered.iter().all(|before| before.id != prepared.id)
            {
                let open = pack.take().map_or_else(|| PackWriter::new(self.storage), Ok)?;
                pack = Some(push(open, chunk)?);
            }
            entered.push(Entered::of(place, prepared));
        }
        Ok(Lane { pack, entered })
    }

    pub fn prepare_chunk<'b>(
        &self,
        raw: &'b [u8],
        content: Content,
        before: Option<Before>,
    ) -> PreparedChunk<'b> {
        let hash = Hash::of(raw);
        let id = self.chunks.id(&hash);
        let features = if content.takes_patches() { bases::features(raw) } else { Vec::new() };
        let new = (!self.is_known(&hash, &id)).then(|| self.encode(raw, id, content, before, &features));
        PreparedChunk { hash, id, features, new }
    }

    fn encode<'b>(
        &self,
        raw: &'b [u8],
        id: Hash,
        content: Content,
        before: Option<Before>,
        features: &[u64],
    ) -> StoredChunk<Cow<'b, [u8]>> {
        let similar = self.bases.and_then(|bases| bases.most_similar(features));
        let base = similar.or(before.map(|before| before.chunk));
        // A base that cannot be read is none: the chunk is stored in full.
        let base_bytes = base.and_then(|base| self.chunks.read_base(&base).ok());
        let how = base_bytes.as_deref().map(|bytes| match similar {
            Some(_) => Base::Similar(bytes),
            None => Base::Before { bytes, worth: before.map_or(1.0, |before| before.worth) },
        });
        let (codec, mut stored) = codec::encode(raw, content, how, self.compression);
        let cipher = self.chunks.cipher();
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
        self.fresh.contains(id) || self.chunks.is_good(hash)
    }
}

impl ChunkSink for Save<'_> {
    fn put_chunk(&mut self, bytes: &[u8]) -> Result<Hash, SaveError> {
        let prepared = self.encoder().prepare_chunk(bytes, Content::Bytes, None);
        if let Some(chunk) = &prepared.new {
            self.push(chunk)?;
        }
        Ok(prepared.hash)
    }
}
