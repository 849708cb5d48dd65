//! The joined index of all packs of a run: which chunk lies where, and reading it verified.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::codec;
use crate::error::{Damage, Problem};
use crate::hash::Hash;
use crate::pack::{self, PackEntry};
use crate::storage::{Storage, StorageError};

/// All chunks that can be found, and the packs whose index is damaged.
#[derive(Debug)]
pub(crate) struct Chunks {
    storage: Arc<dyn Storage>,
    places: HashMap<Hash, Place>,
    damaged: BTreeMap<Hash, Damage>,
}

#[derive(Debug, Clone)]
struct Place {
    pack: Hash,
    entry: PackEntry,
}

impl Chunks {
    /// Reads the index of every pack but those in `without`.
    pub fn open(storage: &Arc<dyn Storage>, without: &BTreeSet<Hash>) -> Result<Self, StorageError> {
        let mut chunks =
            Self { storage: Arc::clone(storage), places: HashMap::new(), damaged: BTreeMap::new() };
        for object in storage.list(pack::PREFIX)? {
            let Some(id) = pack::parse_object_name(&object.name) else {
                continue;
            };
            if without.contains(&id) {
                continue;
            }
            let index = pack::read_index(&**storage, &id);
            chunks.add_pack(id, index.entries);
            if let Some(damage) = index.damage {
                chunks.damaged.insert(id, damage);
            }
        }
        Ok(chunks)
    }

    pub fn add_pack(&mut self, pack: Hash, entries: Vec<PackEntry>) {
        for entry in entries {
            self.places.entry(entry.hash).or_insert(Place { pack, entry });
        }
    }

    /// Forgets the chunks of a pack that is to be deleted.
    pub fn remove_pack(&mut self, pack: &Hash) {
        self.places.retain(|_, place| place.pack != *pack);
    }

    pub fn contains(&self, hash: &Hash) -> bool {
        self.places.contains_key(hash)
    }

    /// The packs that are damaged outside their chunks.
    pub fn damaged_packs(&self) -> impl Iterator<Item = (&Hash, &Damage)> {
        self.damaged.iter()
    }

    /// The pack of a chunk.
    pub fn pack_of(&self, hash: &Hash) -> Option<Hash> {
        self.places.get(hash).map(|place| place.pack)
    }

    /// Length of a chunk, without reading it.
    pub fn raw_len(&self, hash: &Hash) -> Option<u64> {
        self.places.get(hash).map(|place| u64::from(place.entry.raw_len))
    }

    /// Bytes of all chunks together, decoded.
    pub fn total_raw_len(&self) -> u64 {
        self.places.values().map(|place| u64::from(place.entry.raw_len)).sum()
    }

    /// Every chunk that can be found.
    pub fn hashes(&self) -> impl Iterator<Item = &Hash> {
        self.places.keys()
    }

    /// The decoded bytes of a chunk, verified against its hash.
    pub fn read(&self, hash: &Hash) -> Result<Vec<u8>, Damage> {
        let (place, stored) = self.read_stored(hash)?;
        let entry = &place.entry;
        let raw = codec::decode(entry.codec, stored, entry.raw_len as usize);
        match raw {
            Some(raw) if Hash::of(&raw) == *hash => Ok(raw),
            _ => Err(self.mismatch(place)),
        }
    }

    /// Checks a chunk: its stored bytes, and that they decode to what its name says.
    pub fn verify(&self, hash: &Hash) -> Result<(), Damage> {
        let (place, stored) = self.read_stored(hash)?;
        let entry = &place.entry;
        if Hash::of(&stored) != entry.stored_hash {
            return Err(self.mismatch(place));
        }
        if entry.codec == codec::Codec::Raw {
            return Ok(());
        }
        let raw = codec::decode(entry.codec, stored, entry.raw_len as usize);
        let good = raw.is_some_and(|raw| Hash::of(&raw) == *hash);
        good.then_some(()).ok_or_else(|| self.mismatch(place))
    }

    fn read_stored(&self, hash: &Hash) -> Result<(&Place, Vec<u8>), Damage> {
        let place = self.places.get(hash).ok_or_else(|| self.missing(hash))?;
        let name = pack::object_name(&place.pack);
        let mut stored = vec![0; place.entry.stored_len as usize];
        self.storage
            .read_range(&name, place.entry.offset, &mut stored)
            .map_err(|error| pack::unreadable(&name, error).at(place.entry.offset))?;
        Ok((place, stored))
    }

    fn mismatch(&self, place: &Place) -> Damage {
        Damage::new(pack::object_name(&place.pack), Problem::HashMismatch).at(place.entry.offset)
    }

    /// A chunk that no readable pack holds: blames the only damaged pack if there is just one.
    fn missing(&self, hash: &Hash) -> Damage {
        let mut damaged = self.damaged.values();
        match (damaged.next(), damaged.next()) {
            (Some(damage), None) => damage.clone(),
            _ => Damage::new(format!("chunk {}", hash.short()), Problem::Missing),
        }
    }
}
