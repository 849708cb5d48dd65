//! The joined index of all packs of a run: which chunk lies where, and reading it verified.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

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
    /// Further places of chunks that several packs hold: any good copy serves.
    copies: HashMap<Hash, Vec<Place>>,
    damaged: BTreeMap<Hash, Damage>,
}

#[derive(Debug)]
struct Place {
    pack: Hash,
    entry: PackEntry,
    /// Written or successfully read by this process.
    good: AtomicBool,
}

impl Chunks {
    /// Reads the index of every pack but those in `without`.
    pub fn open(storage: &Arc<dyn Storage>, without: &BTreeSet<Hash>) -> Result<Self, StorageError> {
        let mut chunks = Self {
            storage: Arc::clone(storage),
            places: HashMap::new(),
            copies: HashMap::new(),
            damaged: BTreeMap::new(),
        };
        for object in storage.list(pack::PREFIX)? {
            let Some(id) = pack::parse_object_name(&object.name) else {
                continue;
            };
            if without.contains(&id) {
                continue;
            }
            let index = pack::read_index(&**storage, &id);
            chunks.add_pack(id, index.entries);
            // A writer may have deleted the pack since it was listed: then no checkpoint needs it.
            if let Some(damage) = index.damage.filter(|damage| damage.problem != Problem::Missing) {
                chunks.damaged.insert(id, damage);
            }
        }
        Ok(chunks)
    }

    /// Adds the pack of an earlier process.
    pub fn add_pack(&mut self, pack: Hash, entries: Vec<PackEntry>) {
        for entry in entries {
            let place = Place { pack, entry, good: AtomicBool::new(false) };
            match self.places.entry(place.entry.hash) {
                Entry::Vacant(vacant) => {
                    vacant.insert(place);
                }
                Entry::Occupied(_) => self.copies.entry(place.entry.hash).or_default().push(place),
            }
        }
    }

    /// Adds a pack that this process has written.
    pub fn add_fresh_pack(&mut self, pack: Hash, entries: Vec<PackEntry>) {
        for entry in entries {
            let hash = entry.hash;
            let place = Place { pack, entry, good: AtomicBool::new(true) };
            if let Some(older) = self.places.insert(hash, place) {
                self.copies.entry(hash).or_default().push(older);
            }
        }
    }

    /// Forgets the chunks of a pack that is to be deleted.
    pub fn remove_pack(&mut self, pack: &Hash) {
        let others = |places: &mut Vec<Place>| {
            places.retain(|place| place.pack != *pack);
            !places.is_empty()
        };
        self.copies.retain(|_, places| others(places));
        let copies = &mut self.copies;
        self.places.retain(|hash, place| {
            if place.pack != *pack {
                return true;
            }
            match copies.get_mut(hash).and_then(Vec::pop) {
                Some(copy) => {
                    *place = copy;
                    true
                }
                None => false,
            }
        });
    }

    /// True when some pack holds the chunk.
    pub fn contains(&self, hash: &Hash) -> bool {
        self.places.contains_key(hash)
    }

    /// True when the chunk need not be written again: it is there, and its bytes are good. They
    /// are checked once, so that no new checkpoint leans on a chunk that has gone bad.
    pub fn is_good(&self, hash: &Hash) -> bool {
        let Some(place) = self.places.get(hash) else { return false };
        place.good.load(Ordering::Relaxed) || self.read(hash).is_ok()
    }

    /// The packs that are damaged outside their chunks.
    pub fn damaged_packs(&self) -> impl Iterator<Item = (&Hash, &Damage)> {
        self.damaged.iter()
    }

    /// The packs that hold a chunk.
    pub fn packs_of(&self, hash: &Hash) -> impl Iterator<Item = Hash> {
        self.all_places(hash).map(|place| place.pack)
    }

    fn all_places(&self, hash: &Hash) -> impl Iterator<Item = &Place> {
        let copies = self.copies.get(hash).into_iter().flatten();
        self.places.get(hash).into_iter().chain(copies)
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
        let mut first = None;
        for place in self.all_places(hash) {
            match self.read_place(place) {
                Ok(raw) => return Ok(raw),
                Err(damage) => first = first.or(Some(damage)),
            }
        }
        Err(first.unwrap_or_else(|| self.missing(hash)))
    }

    fn read_place(&self, place: &Place) -> Result<Vec<u8>, Damage> {
        let entry = &place.entry;
        let stored = self.read_stored(place)?;
        match codec::decode(entry.codec, stored, entry.raw_len as usize) {
            Some(raw) if Hash::of(&raw) == entry.hash => {
                place.good.store(true, Ordering::Relaxed);
                Ok(raw)
            }
            _ => Err(self.mismatch(place)),
        }
    }

    /// Checks the first good copy of a chunk, down to its stored bytes.
    pub fn verify(&self, hash: &Hash) -> Result<(), Damage> {
        self.read(hash).map(drop)
    }

    /// Checks all copies of a chunk, down to their stored bytes; gives what is damaged.
    pub fn verify_all_copies(&self, hash: &Hash) -> Vec<(Hash, Damage)> {
        let check = |place: &Place| {
            let stored = self.read_stored(place)?;
            if Hash::of(&stored) != place.entry.stored_hash {
                return Err(self.mismatch(place));
            }
            if place.entry.codec == codec::Codec::Raw { Ok(()) } else { self.read_place(place).map(drop) }
        };
        self.all_places(hash).filter_map(|place| Some((*hash, check(place).err()?))).collect()
    }

    fn read_stored(&self, place: &Place) -> Result<Vec<u8>, Damage> {
        let name = pack::object_name(&place.pack);
        let mut stored = vec![0; place.entry.stored_len as usize];
        self.storage
            .read_range(&name, place.entry.offset, &mut stored)
            .map_err(|error| pack::unreadable(&name, error).at(place.entry.offset))?;
        Ok(stored)
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
