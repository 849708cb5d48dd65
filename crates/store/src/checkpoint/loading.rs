//! Reading one checkpoint: its tree, single arrays, or the whole state.

use std::ops::Range;

use crate::checkpoint::commit::CommitRecord;
use crate::checkpoint::index;
use crate::encryption::sealer::Sealer;
use crate::error::{Damage, ReadError};
use crate::hash::Hash;
use crate::memory;
use crate::packs::chunks::Chunks;
use crate::parallel::*;
use crate::state::path::EntryPath;
use crate::state::state_hash::state_hash;
use crate::state::tree::{Array, ArrayPlace, ArrayRef, StoredTree, Tree};
use crate::storage::Storage;

/// So many chunks and more are read on several threads.
const PARALLEL_FROM: usize = 2;

/// A checkpoint of an opened run.
#[derive(Debug, Clone, Copy)]
pub struct Checkpoint<'a> {
    pub(crate) storage: &'a dyn Storage,
    pub(crate) sealer: Sealer<'a>,
    chunks: &'a Chunks,
    record: &'a CommitRecord,
}

impl<'a> Checkpoint<'a> {
    pub(crate) fn new(
        storage: &'a dyn Storage,
        sealer: Sealer<'a>,
        chunks: &'a Chunks,
        record: &'a CommitRecord,
    ) -> Self {
        Self { storage, sealer, chunks, record }
    }

    /// What the checkpoint is, beside its state.
    pub fn record(&self) -> &'a CommitRecord {
        self.record
    }

    /// The state without its array bytes, verified against the state hash: names, values, types
    /// and the hashes of all arrays are those that were saved.
    ///
    /// # Errors
    /// When a part of the index is missing or damaged.
    pub fn tree(&self) -> Result<StoredTree, ReadError> {
        let tree = index::read(self.chunks, &self.record.index_root())?;
        self.require_state_hash(&tree)?;
        Ok(tree)
    }

    fn require_state_hash(&self, tree: &StoredTree) -> Result<(), Damage> {
        if state_hash(tree) == self.record.state_hash {
            return Ok(());
        }
        let name = crate::checkpoint::commit::object_name(self.record.step);
        Err(Damage::malformed(name, "the state does not have the recorded state hash"))
    }

    /// The bytes of an array of this run, verified; `path` is named if they are damaged.
    ///
    /// # Errors
    /// When a chunk is missing or damaged.
    pub fn read_array(&self, path: &EntryPath, array: &ArrayRef) -> Result<Vec<u8>, ReadError> {
        self.read_bytes(path, array, 0..array.kind().byte_len().unwrap_or(0))
    }

    /// The bytes of the rows `rows` of an array, verified: of the chunks that hold them, and no
    /// others. A row is what one index of the first dimension selects.
    ///
    /// # Errors
    /// When the array has fewer rows, or a chunk is missing or damaged.
    pub fn read_rows(
        &self,
        path: &EntryPath,
        array: &ArrayRef,
        rows: Range<u64>,
    ) -> Result<Vec<u8>, ReadError> {
        let kind = array.kind();
        let count = kind.shape.first().copied().unwrap_or(1);
        if rows.start > rows.end || rows.end > count {
            return Err(ReadError::NoRows { path: path.clone(), rows, count });
        }
        let row_len = kind.byte_len().unwrap_or(0) / count.max(1);
        self.read_bytes(path, array, rows.start * row_len..rows.end * row_len)
    }

    /// Fills `bytes`, which have the length of the array, with its verified bytes.
    ///
    /// # Errors
    /// When the length is another, or a chunk is missing or damaged.
    pub fn read_array_into(
        &self,
        path: &EntryPath,
        array: &ArrayRef,
        bytes: &mut [u8],
    ) -> Result<(), ReadError> {
        let range = 0..array.kind().byte_len().unwrap_or(0);
        if bytes.len() as u64 != range.end {
            return Err(Damage::malformed(path.to_string(), "an array of the wrong length").into());
        }
        self.require_chunks(path, array, &range)?;
        Ok(self.read_pieces(self.pieces(path, array, range, bytes))?)
    }

    fn read_bytes(
        &self,
        path: &EntryPath,
        array: &ArrayRef,
        range: Range<u64>,
    ) -> Result<Vec<u8>, ReadError> {
        let mut bytes = self.room_for(path, array, &range)?;
        let pieces = self.pieces(path, array, range, &mut bytes);
        self.read_pieces(pieces)?;
        Ok(bytes)
    }

    /// Memory for a part of an array. Every chunk was found to have the length of its box, or is
    /// missing: that is told before any memory is taken.
    fn room_for(&self, path: &EntryPath, array: &ArrayRef, range: &Range<u64>) -> Result<Vec<u8>, ReadError> {
        self.require_chunks(path, array, range)?;
        zeroed(path, (range.end - range.start) as usize)
    }

    fn require_chunks(
        &self,
        path: &EntryPath,
        array: &ArrayRef,
        range: &Range<u64>,
    ) -> Result<(), ReadError> {
        let chunks = self.chunks;
        let boxes = array.kind().boxes().zip(array.chunks());
        let mut needed = boxes.filter(|(place, _)| place.start < range.end && range.start < place.end);
        match needed.find(|(_, hash)| !chunks.contains(hash)) {
            Some((_, missing)) => Err(chunks.missing(&chunks.id(missing)).in_entry(path).into()),
            None => Ok(()),
        }
    }

    /// What has to be read to fill `bytes` with a part of an array. What lies in the index node is
    /// copied at once.
    fn pieces<'b>(
        &self,
        path: &'b EntryPath,
        array: &'b ArrayRef,
        range: Range<u64>,
        bytes: &'b mut [u8],
    ) -> Vec<Piece<'b>> {
        let hashes = match &array.place {
            ArrayPlace::Inline(inline) => {
                bytes.copy_from_slice(&inline[range.start as usize..range.end as usize]);
                return Vec::new();
            }
            ArrayPlace::Chunks(hashes) => hashes,
        };
        let mut rest = bytes;
        let mut pieces = Vec::new();
        for (place, hash) in array.kind().boxes().zip(hashes) {
            let part = place.start.max(range.start)..place.end.min(range.end);
            if part.start < part.end {
                let (target, after) = rest.split_at_mut((part.end - part.start) as usize);
                rest = after;
                pieces.push(Piece { path, hash, place, part, target });
            }
        }
        pieces
    }

    fn read_pieces(&self, pieces: Vec<Piece<'_>>) -> Result<(), Damage> {
        let read = |piece: Piece<'_>| {
            let Piece { path, hash, place, part, target } = piece;
            let read = if part == place {
                self.chunks.read_into(hash, target)
            } else {
                let within = (part.start - place.start) as usize..(part.end - place.start) as usize;
                self.chunks.read(hash).map(|chunk| target.copy_from_slice(&chunk[within]))
            };
            read.map_err(|damage| damage.in_entry(path))
        };
        match pieces.len() {
            0..PARALLEL_FROM => pieces.into_iter().try_for_each(read),
            _ => pieces.into_par_iter().with_max_len(4).try_for_each(read),
        }
    }

    /// The whole state, or the part at `path`, in memory and verified.
    ///
    /// # Errors
    /// When there is no such entry, or bytes that it needs are missing or damaged.
    pub fn load(&self, path: &EntryPath) -> Result<Tree, ReadError> {
        let tree = self.tree()?;
        let part = tree.at(path).ok_or_else(|| no_entry(&tree, path))?;
        let mut rooms = Vec::new();
        part.try_map_arrays(&mut |below, array| {
            let full = path.join(below);
            let range = 0..array.kind().byte_len().unwrap_or(0);
            let room = self.room_for(&full, array, &range)?;
            rooms.push((full, array.clone(), range, room));
            Ok::<_, ReadError>(())
        })?;
        // All chunks of all arrays side by side.
        let pieces = rooms
            .iter_mut()
            .flat_map(|(full, array, range, room)| self.pieces(full, array, range.clone(), room));
        self.read_pieces(pieces.collect())?;
        let mut rooms = rooms.into_iter();
        part.try_map_arrays(&mut |_, array| {
            let bytes = rooms.next().map(|(.., room)| room).unwrap_or_default();
            let kind = array.kind();
            let array = Array::new(kind.dtype, kind.shape.clone(), bytes);
            array.map_err(|_| Damage::malformed(path.to_string(), "an array of the wrong length").into())
        })
    }

    /// Reads and checks everything that the checkpoint needs.
    ///
    /// # Errors
    /// The first damage.
    pub fn verify(&self) -> Result<(), ReadError> {
        let (tree, mut used) = index::read_with_chunks(self.chunks, &self.record.index_root())?;
        self.require_state_hash(&tree)?;
        used.sort_by_key(|use_| use_.0);
        used.dedup_by_key(|use_| use_.0);
        let damaged = |(hash, entry): &(Hash, EntryPath)| {
            let verified = self.chunks.verify(hash);
            verified.map_err(|damage| damage.in_entry(entry)).err()
        };
        match used.par_iter().find_map_first(damaged) {
            Some(damage) => Err(damage.into()),
            None => Ok(()),
        }
    }
}

/// A part of a chunk, and where its bytes go.
struct Piece<'a> {
    path: &'a EntryPath,
    hash: &'a Hash,
    /// Where the chunk lies in its array, and which of it is wanted.
    place: Range<u64>,
    part: Range<u64>,
    target: &'a mut [u8],
}

/// So many zeros, or an error when there is not as much memory.
fn zeroed(path: &EntryPath, len: usize) -> Result<Vec<u8>, ReadError> {
    memory::zeroed(len).ok_or_else(|| ReadError::OutOfMemory { path: path.clone(), bytes: len as u64 })
}

/// The error for a path that leads nowhere, with the most similar path of `tree`.
pub fn no_entry<A>(tree: &crate::state::tree::Node<A>, path: &EntryPath) -> ReadError {
    let mut known = EntryPath::root();
    let mut node = tree;
    for segment in path.segments() {
        let step = known.child(segment);
        match tree.at(&step) {
            Some(child) => (known, node) = (step, child),
            None => break,
        }
    }
    let wanted = path.segments().get(known.segments().len()).cloned().unwrap_or_default();
    let names = node.children().into_iter().map(|child| child.0);
    let nearest = crate::similar::nearest(&wanted, names);
    ReadError::NoEntry { path: path.clone(), nearest: nearest.map(|name| known.child(name)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_the_memory_lacks_is_no_damage() {
        let error = zeroed(&EntryPath::root(), isize::MAX as usize).unwrap_err();
        assert!(matches!(error, ReadError::OutOfMemory { .. }) && error.damage().is_none(), "{error}");
    }
}
