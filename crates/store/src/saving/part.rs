//! Parts of a checkpoint that other processes than the writer store: ranks of a distributed training.
//!
//! Each process stores its arrays in packs of its own. What it gives back, a [`PartRecord`], goes to the writer in
//! any way, and the writer takes it into the one checkpoint that it commits. Packs that no checkpoint ever names
//! go with the next pruning, so that a process that dies on its way leaves nothing behind.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::access::Access;
use crate::codec::{Compression, Content};
use crate::error::{Damage, OpenError, ReadError, SaveError};
use crate::hash::Hash;
use crate::packs::condemned::Condemned;
use crate::packs::pack;
use crate::packs::pack_writer::PackWriter;
use crate::parallel::*;
use crate::reader::{Store, require_run};
use crate::saving::save::{Encoder, Save, WINDOW};
use crate::state::dtype::DType;
use crate::state::tree::{ArrayPlace, ArrayRef, ArrayType, INLINE_LIMIT};
use crate::writer::NewPack;

/// Stores a part of a checkpoint. Dropped before [`finish`](Self::finish), it leaves nothing.
///
/// Meanwhile the run is to be written by nobody but the writer that will take the part, and by other parts.
#[derive(Debug)]
#[must_use = "a part that is not finished leaves nothing"]
pub struct Part {
    store: Store,
    pack: Option<PackWriter>,
    /// Names of the chunks in the pack.
    fresh: HashSet<Hash>,
    arrays: Vec<PartArray>,
}

/// What a part holds: the pack that it has written, and its arrays in the order in which they came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartRecord {
    pack: Option<Hash>,
    arrays: Vec<PartArray>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct PartArray {
    dtype: String,
    shape: Vec<u64>,
    place: PartPlace,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum PartPlace {
    /// The bytes, in base64.
    Inline(String),
    /// A chunk per box.
    Chunks(Vec<Hash>),
}

impl Part {
    /// Begins a part of the next checkpoint of a run.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open(access: impl Into<Access>) -> Result<Self, OpenError> {
        let access = access.into();
        require_run(&**access.storage())?;
        // Condemned packs are taken for gone, as by the writer.
        let condemned = Condemned::read(&**access.storage())?;
        let store = Store::load(access, &condemned.packs())?;
        Ok(Self { store, pack: None, fresh: HashSet::new(), arrays: Vec::new() })
    }

    /// Stores an array; `bytes` are its elements, little-endian, in row-major order. Gives its number in the part.
    ///
    /// # Errors
    /// When the number of bytes does not match, or the storage fails.
    pub fn array(&mut self, kind: &ArrayType, bytes: &[u8]) -> Result<usize, SaveError> {
        kind.check_len(bytes.len())?;
        let place = if (bytes.len() as u64) < INLINE_LIMIT {
            PartPlace::Inline(STANDARD.encode(bytes))
        } else {
            PartPlace::Chunks(self.chunks(kind, bytes)?)
        };
        self.arrays.push(PartArray { dtype: kind.dtype.name().to_owned(), shape: kind.shape.clone(), place });
        Ok(self.arrays.len() - 1)
    }

    fn chunks(&mut self, kind: &ArrayType, bytes: &[u8]) -> Result<Vec<Hash>, SaveError> {
        let pieces: Vec<&[u8]> =
            kind.boxes().map(|range| &bytes[range.start as usize..range.end as usize]).collect();
        let content = Content::of(kind);
        let mut hashes = Vec::with_capacity(pieces.len());
        for window in pieces.chunks(WINDOW) {
            let encoder = Encoder {
                storage: self.store.storage(),
                chunks: self.store.chunks(),
                bases: None,
                compression: Compression::default(),
                fresh: &self.fresh,
            };
            let prepared: Vec<_> =
                window.par_iter().map(|piece| encoder.prepare_chunk(piece, content, None)).collect();
            for chunk in prepared {
                hashes.push(chunk.hash);
                if let Some(new) = chunk.new.filter(|new| self.fresh.insert(new.id)) {
                    let open = self.pack.take().map_or_else(|| PackWriter::new(self.store.storage()), Ok)?;
                    self.pack = Some(open.push_through(&new)?);
                }
            }
        }
        Ok(hashes)
    }

    /// Makes the part durable.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn finish(self) -> Result<PartRecord, SaveError> {
        let pack = self.pack.map(PackWriter::finish).transpose()?;
        Ok(PartRecord { pack: pack.map(|(id, ..)| id), arrays: self.arrays })
    }
}

impl Save<'_> {
    /// Takes the arrays of a part into this checkpoint. Their types are those that the part says; that their bytes
    /// are there is checked, and that they are as they were written when they are read.
    ///
    /// # Errors
    /// When the part says what cannot be, or its pack is not there.
    pub fn take_part(&mut self, part: &PartRecord) -> Result<Vec<ArrayRef>, SaveError> {
        let mut lengths = HashMap::new();
        if let Some(id) = &part.pack {
            let name = pack::object_name(id);
            let index = pack::read_index(&**self.writer().storage(), id);
            if let Some(damage) = index.damage {
                return Err(ReadError::from(damage).into());
            }
            lengths.extend(index.entries.iter().map(|entry| (entry.id, u64::from(entry.raw_len))));
            let len = self.writer().storage().len(&name)?;
            self.take_pack(NewPack { id: *id, entries: index.entries, len, is_new: true })?;
        }
        part.arrays.iter().map(|array| self.take_array(array, &lengths)).collect()
    }

    fn take_array(&mut self, array: &PartArray, lengths: &HashMap<Hash, u64>) -> Result<ArrayRef, SaveError> {
        let malformed = |what| SaveError::Read(Damage::malformed("a part of a checkpoint", what).into());
        let dtype: DType = array.dtype.parse().map_err(|_| malformed("it has an unknown element type"))?;
        let kind = ArrayType { dtype, shape: array.shape.clone() };
        let place = match &array.place {
            PartPlace::Inline(text) => {
                let bytes = STANDARD.decode(text).map_err(|_| malformed("its bytes are not base64"))?;
                kind.check_len(bytes.len())?;
                if bytes.len() as u64 >= INLINE_LIMIT {
                    return Err(malformed("an array that must be cut into chunks is not"));
                }
                ArrayPlace::Inline(bytes)
            }
            PartPlace::Chunks(hashes) => {
                let chunks = self.writer().chunks();
                let is_there = |(range, hash): (Range<u64>, &Hash)| {
                    let id = chunks.id(hash);
                    let known = || chunks.is_good(hash).then(|| chunks.raw_len(hash)).flatten();
                    lengths.get(&id).copied().or_else(known) == Some(range.end - range.start)
                };
                if kind.byte_len().is_none_or(|len| len < INLINE_LIMIT)
                    || kind.box_count() != hashes.len() as u64
                    || !kind.boxes().zip(hashes).all(is_there)
                {
                    return Err(malformed("the chunks of an array are not there"));
                }
                ArrayPlace::Chunks(hashes.clone())
            }
        };
        self.add_payload(kind.byte_len().unwrap_or(0));
        Ok(ArrayRef { kind, place })
    }
}
