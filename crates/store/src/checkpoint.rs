//! Reading one checkpoint: its tree, single arrays, or the whole state.

use std::ops::Range;

use rayon::prelude::*;

use crate::commit::CommitRecord;
use crate::error::{Damage, ReadError};
use crate::hash::Hash;
use crate::history::Row;
use crate::index;
use crate::path::EntryPath;
use crate::state_hash::state_hash;
use crate::store::Store;
use crate::tree::{Array, ArrayPlace, ArrayRef, StoredTree, Tree};

/// Arrays of at least so many chunks are read on several threads.
const PARALLEL_FROM: usize = 4;

/// A checkpoint of an opened run.
#[derive(Debug, Clone, Copy)]
pub struct Checkpoint<'a> {
    store: &'a Store,
    record: &'a CommitRecord,
}

impl<'a> Checkpoint<'a> {
    pub(crate) fn new(store: &'a Store, record: &'a CommitRecord) -> Self {
        Self { store, record }
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
        let tree = index::read(&self.store.chunks, &self.record.root)?;
        self.require_state_hash(&tree)?;
        Ok(tree)
    }

    fn require_state_hash(&self, tree: &StoredTree) -> Result<(), Damage> {
        if state_hash(tree) == self.record.state_hash {
            return Ok(());
        }
        let name = crate::commit::object_name(self.record.step);
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

    fn read_bytes(
        &self,
        path: &EntryPath,
        array: &ArrayRef,
        range: Range<u64>,
    ) -> Result<Vec<u8>, ReadError> {
        let hashes = match &array.place {
            ArrayPlace::Inline(bytes) => {
                return Ok(bytes[range.start as usize..range.end as usize].to_vec());
            }
            ArrayPlace::Chunks(hashes) => hashes,
        };
        let boxes = array.kind().boxes().zip(hashes);
        let needed: Vec<_> =
            boxes.filter(|(place, _)| place.start < range.end && range.start < place.end).collect();
        // Every chunk was found to have the length of its box, or is missing: told before any
        // memory is taken for it.
        let chunks = &self.store.chunks;
        if let Some((_, missing)) = needed.iter().find(|(_, hash)| !chunks.contains(hash)) {
            return Err(chunks.missing(&chunks.id(missing)).in_entry(path).into());
        }
        let mut bytes = zeroed(path, (range.end - range.start) as usize)?;
        let mut rest = bytes.as_mut_slice();
        let mut targets = Vec::with_capacity(needed.len());
        for (place, hash) in needed {
            let part = place.start.max(range.start)..place.end.min(range.end);
            let (target, after) = rest.split_at_mut((part.end - part.start) as usize);
            targets.push((target, place, part, hash));
            rest = after;
        }
        let read = |(target, place, part, hash): (&mut [u8], Range<u64>, Range<u64>, &Hash)| {
            let read = if part == place {
                chunks.read_into(hash, target)
            } else {
                let within = (part.start - place.start) as usize..(part.end - place.start) as usize;
                chunks.read(hash).map(|chunk| target.copy_from_slice(&chunk[within]))
            };
            read.map_err(|damage| damage.in_entry(path))
        };
        if targets.len() < PARALLEL_FROM {
            targets.into_iter().try_for_each(read)?;
        } else {
            targets.into_par_iter().try_for_each(read)?;
        }
        Ok(bytes)
    }

    /// The whole state, or the part at `path`, in memory and verified.
    ///
    /// # Errors
    /// When there is no such entry, or bytes that it needs are missing or damaged.
    pub fn load(&self, path: &EntryPath) -> Result<Tree, ReadError> {
        let tree = self.tree()?;
        let part = tree.at(path).ok_or_else(|| no_entry(&tree, path))?;
        part.try_map_arrays(&mut |below, array| {
            let mut full = path.clone();
            below.segments().iter().for_each(|segment| full.push(segment));
            let bytes = self.read_array(&full, array)?;
            let kind = array.kind();
            let array = Array::new(kind.dtype, kind.shape.clone(), bytes);
            array.map_err(|_| Damage::malformed(full.to_string(), "an array of the wrong length").into())
        })
    }

    /// The metrics history up to this checkpoint, as [`Store::history`].
    pub fn history(&self) -> (Vec<Row>, Option<Damage>) {
        self.store.history(self.record)
    }

    /// Reads and checks everything that the checkpoint needs.
    ///
    /// # Errors
    /// The first damage.
    pub fn verify(&self) -> Result<(), ReadError> {
        let (tree, mut used) = index::read_with_chunks(&self.store.chunks, &self.record.root)?;
        self.require_state_hash(&tree)?;
        used.sort_by_key(|use_| use_.0);
        used.dedup_by_key(|use_| use_.0);
        let damaged = |(hash, entry): &(Hash, EntryPath)| {
            let verified = self.store.chunks.verify(hash);
            verified.map_err(|damage| damage.in_entry(entry)).err()
        };
        match used.par_iter().find_map_first(damaged) {
            Some(damage) => Err(damage.into()),
            None => Ok(()),
        }
    }
}

/// So many zeros, or an error when there is not as much memory.
fn zeroed(path: &EntryPath, len: usize) -> Result<Vec<u8>, ReadError> {
    if Vec::<u8>::new().try_reserve_exact(len).is_err() {
        let what = "an array larger than the memory that can be had";
        return Err(Damage::malformed(path.to_string(), what).into());
    }
    Ok(vec![0; len])
}

/// The error for a path that leads nowhere, with the most similar path of `tree`.
pub fn no_entry<A>(tree: &crate::tree::Node<A>, path: &EntryPath) -> ReadError {
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
