//! The joined index of all packs of a run: which chunk lies where, and reading it verified.
//!
//! Callers speak of chunks by the hash of their raw bytes. In an encrypted run chunks are stored
//! under keyed names; the translation happens here and nowhere else.

use std::cell::RefCell;
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::codec;
use crate::encryption::cipher::Cipher;
use crate::error::{Damage, Problem};
use crate::hash::{Hash, Hasher};
use crate::packs::pack::{self, PackEntry};
use crate::packs::salvage;
use crate::parallel::*;
use crate::storage::{Storage, StorageError};

/// All chunks that can be found, and the packs whose index is damaged.
#[derive(Debug)]
pub(crate) struct Chunks {
    storage: Arc<dyn Storage>,
    cipher: Option<Cipher>,
    /// The run may be encrypted, and its key is not at hand: encrypted chunks are checked as they are
    /// stored.
    without_key: bool,
    places: HashMap<Hash, Place>,
    /// Further places of chunks that several packs hold: any good copy serves.
    copies: HashMap<Hash, Vec<Place>>,
    damaged: BTreeMap<Hash, Damage>,
    /// Lengths of the packs that are there: bytes.
    packs: BTreeMap<Hash, u64>,
}

/// Where a chunk is stored.
#[derive(Debug)]
pub(crate) struct Place {
    pub pack: Hash,
    pub entry: PackEntry,
    /// Written or successfully read by this process.
    good: AtomicBool,
}

/// Chunks are hashed in pieces of this length as they are read: bytes.
const HASHED_PIECE: usize = 256 << 10;

thread_local! {
    /// Stored bytes on their way to be decoded; kept, as fresh memory costs more than the work.
    static STORED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

impl Chunks {
    /// Reads the index of every pack but those in `without`.
    pub fn open(
        storage: &Arc<dyn Storage>,
        cipher: Option<Cipher>,
        without: &BTreeSet<Hash>,
    ) -> Result<Self, StorageError> {
        let mut chunks = Self {
            storage: Arc::clone(storage),
            cipher,
            without_key: false,
            places: HashMap::new(),
            copies: HashMap::new(),
            damaged: BTreeMap::new(),
            packs: BTreeMap::new(),
        };
        for object in storage.list(pack::PREFIX)? {
            let Some(id) = pack::parse_object_name(&object.name) else {
                continue;
            };
            if !without.contains(&id) {
                chunks.add_listed_pack(id, object.len);
            }
        }
        Ok(chunks)
    }

    /// As [`open`](Self::open), for a run whose key is not at hand.
    pub fn open_without_key(storage: &Arc<dyn Storage>) -> Result<Self, StorageError> {
        Ok(Self { without_key: true, ..Self::open(storage, None, &BTreeSet::new())? })
    }

    /// Reads the index of a pack that was found in a listing.
    pub fn add_listed_pack(&mut self, pack: Hash, len: u64) {
        let index = pack::read_index(&*self.storage, &pack);
        self.add_pack(pack, len, index.entries);
        // A writer may have deleted the pack since it was listed: then no checkpoint needs it.
        if let Some(damage) = index.damage.filter(|damage| damage.problem != Problem::Missing) {
            self.damaged.insert(pack, damage);
        }
    }

    /// The name under which the chunk with these raw bytes is stored.
    pub fn id(&self, hash: &Hash) -> Hash {
        self.cipher.as_ref().map_or(*hash, |cipher| cipher.name_of(hash))
    }

    pub fn cipher(&self) -> Option<&Cipher> {
        self.cipher.as_ref()
    }

    /// Adds the pack of an earlier process.
    pub fn add_pack(&mut self, pack: Hash, len: u64, entries: Vec<PackEntry>) {
        self.packs.insert(pack, len);
        for entry in entries {
            let place = Place { pack, entry, good: AtomicBool::new(false) };
            match self.places.entry(place.entry.id) {
                Entry::Vacant(vacant) => {
                    vacant.insert(place);
                }
                Entry::Occupied(_) => self.copies.entry(place.entry.id).or_default().push(place),
            }
        }
    }

    /// Adds a pack that this process has written.
    pub fn add_fresh_pack(&mut self, pack: Hash, len: u64, entries: Vec<PackEntry>) {
        self.packs.insert(pack, len);
        for entry in entries {
            let id = entry.id;
            let place = Place { pack, entry, good: AtomicBool::new(true) };
            if let Some(older) = self.places.insert(id, place) {
                self.copies.entry(id).or_default().push(older);
            }
        }
    }

    /// The packs of which something is wrong, with their index or with a chunk, and what: what cannot be read
    /// comes before what is damaged.
    pub fn damaged_or_unreadable_packs(&self) -> BTreeMap<Hash, Damage> {
        let places: Vec<&Place> = self.places().filter(|place| self.has_base_of(&place.entry)).collect();
        let bad = places.par_iter().filter_map(|place| Some((place.pack, self.check_place(place).err()?)));
        let mut found: Vec<(Hash, Damage)> = bad.collect();
        found.extend(self.damaged.iter().map(|(pack, damage)| (*pack, damage.clone())));
        found.sort_by_key(|(_, damage)| (!damage.is_unreadable(), damage.offset));
        let mut packs = BTreeMap::new();
        for (pack, damage) in found {
            packs.entry(pack).or_insert(damage);
        }
        packs
    }

    /// The chunks that may still be had out of a pack that is not whole: those of its index as far as
    /// it is known, and those that its end tells when it is searched.
    pub fn candidates_in(&self, pack: &Hash) -> Vec<PackEntry> {
        let known = self.places().filter(|place| place.pack == *pack);
        let mut entries: Vec<PackEntry> = known.map(|place| place.entry.clone()).collect();
        if self.damaged.contains_key(pack) {
            entries.extend(salvage::salvage_index(&*self.storage, pack));
        }
        entries.sort_by_key(|entry| (entry.offset, entry.id));
        entries.dedup();
        entries
    }

    /// The entry of a chunk that can be had, whatever its index says of the stored bytes: what counts is
    /// that they make the chunk of its name.
    pub fn recovered(&self, pack: &Hash, entry: &PackEntry) -> Option<PackEntry> {
        let place = Place { pack: *pack, entry: entry.clone(), good: AtomicBool::new(false) };
        let (mut stored, mut raw) = (vec![0; entry.stored_len as usize], vec![0; entry.raw_len as usize]);
        self.read_range(&place, &mut stored).ok()?;
        self.read_place(&place, &mut raw).ok()?;
        let stored_hash = Hash::of(&stored);
        (self.id(&Hash::of(&raw)) == entry.id).then(|| match entry.is_raw() {
            true => entry.clone(),
            false => PackEntry { stored_hash, ..entry.clone() },
        })
    }

    /// True when the chunk can be had from this place; its bytes are read once.
    pub fn is_good_at(&self, place: &Place) -> bool {
        let good = self.has_base_of(&place.entry)
            && (place.good.load(Ordering::Relaxed) || self.check_place(place).is_ok());
        place.good.fetch_or(good, Ordering::Relaxed);
        good
    }

    /// Checks a place down to its stored bytes.
    fn check_place(&self, place: &Place) -> Result<(), Damage> {
        self.read_stored(place)?;
        if self.without_key && place.entry.encrypted {
            return Ok(());
        }
        if place.entry.encrypted != self.cipher.is_some() {
            return Err(mismatch(place));
        }
        if place.entry.is_raw() {
            return Ok(());
        }
        let mut raw = vec![0; place.entry.raw_len as usize];
        self.read_place(place, &mut raw)?;
        if self.id(&Hash::of(&raw)) == place.entry.id { Ok(()) } else { Err(mismatch(place)) }
    }

    /// The stored bytes of an entry of a pack, verified.
    pub fn stored_bytes(&self, pack: &Hash, entry: &PackEntry) -> Result<Vec<u8>, Damage> {
        self.read_stored(&Place { pack: *pack, entry: entry.clone(), good: AtomicBool::new(false) })
    }

    /// The packs that are there, with their lengths in bytes.
    pub fn packs(&self) -> &BTreeMap<Hash, u64> {
        &self.packs
    }

    /// Forgets the chunks of a pack that is to be deleted.
    pub fn remove_pack(&mut self, pack: &Hash) {
        let others = |places: &mut Vec<Place>| {
            places.retain(|place| place.pack != *pack);
            !places.is_empty()
        };
        self.copies.retain(|_, places| others(places));
        let copies = &mut self.copies;
        self.places.retain(|id, place| {
            if place.pack != *pack {
                return true;
            }
            match copies.get_mut(id).and_then(Vec::pop) {
                Some(copy) => {
                    *place = copy;
                    true
                }
                None => false,
            }
        });
        self.damaged.remove(pack);
        self.packs.remove(pack);
    }

    /// True when some pack holds the chunk.
    pub fn contains(&self, hash: &Hash) -> bool {
        self.places.contains_key(&self.id(hash))
    }

    /// True when the chunk need not be written again: it is there, and its bytes are good. They
    /// are checked once, so that no new checkpoint leans on a chunk that has gone bad.
    pub fn is_good(&self, hash: &Hash) -> bool {
        let id = self.id(hash);
        let known = |place: &Place| place.good.load(Ordering::Relaxed) && self.has_base_of(&place.entry);
        self.contains(hash) && (self.places_of(&id).any(known) || self.read(hash).is_ok())
    }

    /// True when the chunk that decoding takes, if it takes one, is there in full. A base goes with
    /// the last checkpoint that needs it, before the differences in packs with other chunks do.
    pub fn has_base_of(&self, entry: &PackEntry) -> bool {
        let full = |base: &Hash| self.places_of(base).any(|place| place.entry.base.is_none());
        entry.base.as_ref().is_none_or(full)
    }

    /// True when some copy of the chunk named `id` is there with all that decoding takes.
    pub fn is_complete(&self, id: &Hash) -> bool {
        self.places_of(id).any(|place| self.has_base_of(&place.entry))
    }

    /// The packs that are damaged outside their chunks.
    pub fn damaged_packs(&self) -> impl Iterator<Item = (&Hash, &Damage)> {
        self.damaged.iter()
    }

    /// All places of the chunk that is stored under `id`.
    pub fn places_of(&self, id: &Hash) -> impl Iterator<Item = &Place> + Clone {
        let copies = self.copies.get(id).into_iter().flatten();
        self.places.get(id).into_iter().chain(copies)
    }

    /// All places of all chunks, those included at which a base is not there any more.
    pub fn places(&self) -> impl Iterator<Item = &Place> {
        self.places.values().chain(self.copies.values().flatten())
    }

    /// The name of the chunk that can serve as a base in place of this one: itself when it is
    /// stored without a base, else its own.
    pub fn base_in_place_of(&self, hash: &Hash) -> Option<Hash> {
        let place = self.places.get(&self.id(hash))?;
        Some(place.entry.base.unwrap_or(place.entry.id))
    }

    /// Length of a chunk, without reading it.
    pub fn raw_len(&self, hash: &Hash) -> Option<u64> {
        self.places.get(&self.id(hash)).map(|place| u64::from(place.entry.raw_len))
    }

    /// Bytes of all chunks together, as they are stored.
    pub fn total_stored_len(&self) -> u64 {
        self.places.values().map(|place| u64::from(place.entry.stored_len)).sum()
    }

    /// The names of all chunks that can be found.
    pub fn ids(&self) -> impl Iterator<Item = &Hash> {
        self.places.keys()
    }

    /// The decoded bytes of a chunk, verified against its hash.
    pub fn read(&self, hash: &Hash) -> Result<Vec<u8>, Damage> {
        let mut bytes = vec![0; self.raw_len(hash).unwrap_or(0) as usize];
        self.read_into(hash, &mut bytes)?;
        Ok(bytes)
    }

    /// Fills `raw`, which has the chunk's length, with its verified bytes.
    pub fn read_into(&self, hash: &Hash, raw: &mut [u8]) -> Result<(), Damage> {
        let id = self.id(hash);
        self.try_places(&id, |place| {
            let found = self.read_and_hash(place, raw)?;
            if found != *hash {
                return Err(mismatch(place));
            }
            place.good.store(true, Ordering::Relaxed);
            Ok(())
        })
    }

    /// Fills `raw` with the decoded bytes of a place; gives their hash. Bytes that are stored as they
    /// are, are hashed piece by piece while they are in the processor's cache.
    fn read_and_hash(&self, place: &Place, raw: &mut [u8]) -> Result<Hash, Damage> {
        if !place.entry.is_raw() || place.entry.raw_len as usize != raw.len() {
            self.read_place(place, raw)?;
            return Ok(Hash::of(raw));
        }
        let mut hasher = Hasher::new();
        let mut offset = place.entry.offset;
        for piece in raw.chunks_mut(HASHED_PIECE) {
            self.read_at(place, offset, piece)?;
            hasher.update(piece);
            offset += piece.len() as u64;
        }
        Ok(hasher.finish())
    }

    /// The decoded bytes of a chunk that is stored without a base, verified as the base of others.
    pub fn read_base(&self, id: &Hash) -> Result<Vec<u8>, Damage> {
        self.try_places(id, |place| {
            if place.entry.base.is_some() {
                // A base has none in turn: no chain, and no circle, is possible.
                let what = "a chunk is stored as a difference from one that is none itself";
                return Err(Damage::malformed(pack::object_name(&place.pack), what).at(place.entry.offset));
            }
            let mut raw = vec![0; place.entry.raw_len as usize];
            self.read_place(place, &mut raw)?;
            if self.id(&Hash::of(&raw)) != *id {
                return Err(mismatch(place));
            }
            Ok(raw)
        })
    }

    /// What `read` gives for the first place that is not damaged.
    fn try_places<T>(
        &self,
        id: &Hash,
        mut read: impl FnMut(&Place) -> Result<T, Damage>,
    ) -> Result<T, Damage> {
        let mut worst: Option<Damage> = None;
        for place in self.places_of(id) {
            match read(place) {
                Ok(value) => return Ok(value),
                // A copy that cannot be read may be good: that is what has to be told.
                Err(damage) if worst.is_none() || damage.is_unreadable() => worst = Some(damage),
                Err(_) => {}
            }
        }
        Err(worst.unwrap_or_else(|| self.missing(id)))
    }

    /// Fills `raw` with the decoded bytes of a place, not yet verified.
    fn read_place(&self, place: &Place, raw: &mut [u8]) -> Result<(), Damage> {
        let entry = &place.entry;
        if entry.raw_len as usize != raw.len() {
            return Err(mismatch(place));
        }
        if entry.is_raw() {
            return self.read_range(place, raw);
        }
        let mut stored = STORED.take();
        stored.resize(entry.stored_len as usize, 0);
        let decoded = self.read_range(place, &mut stored).and_then(|()| self.decode(place, &stored, raw));
        STORED.set(stored);
        decoded
    }

    fn decode(&self, place: &Place, stored: &[u8], raw: &mut [u8]) -> Result<(), Damage> {
        let entry = &place.entry;
        let opened = match (&self.cipher, entry.encrypted) {
            (Some(cipher), true) => Some(cipher.open(&entry.id.0, stored).ok_or_else(|| mismatch(place))?),
            (None, false) => None,
            _ => return Err(mismatch(place)),
        };
        let base = entry.base.map(|base| self.read_base(&base)).transpose()?;
        let stored = opened.as_deref().unwrap_or(stored);
        codec::decode_into(entry.codec, stored, base.as_deref(), raw).ok_or_else(|| mismatch(place))
    }

    /// The stored bytes of a place, verified.
    pub fn read_stored(&self, place: &Place) -> Result<Vec<u8>, Damage> {
        let mut stored = vec![0; place.entry.stored_len as usize];
        self.read_range(place, &mut stored)?;
        if Hash::of(&stored) == place.entry.stored_hash { Ok(stored) } else { Err(mismatch(place)) }
    }

    /// Checks the first good copy of a chunk, down to its stored bytes.
    pub fn verify(&self, hash: &Hash) -> Result<(), Damage> {
        self.read(hash).map(drop)
    }

    /// Checks all copies of the chunk that is stored under `id`; gives what is damaged. A copy whose
    /// base is not there is not: if a checkpoint needs it, that one tells.
    pub fn verify_all_copies(&self, id: &Hash) -> Vec<(Hash, Damage)> {
        let readable = self.places_of(id).filter(|place| self.has_base_of(&place.entry));
        readable.filter_map(|place| Some((*id, self.check_place(place).err()?))).collect()
    }

    fn read_range(&self, place: &Place, stored: &mut [u8]) -> Result<(), Damage> {
        self.read_at(place, place.entry.offset, stored)
    }

    fn read_at(&self, place: &Place, offset: u64, stored: &mut [u8]) -> Result<(), Damage> {
        let name = pack::object_name(&place.pack);
        let read = self.storage.read_range(&name, offset, stored);
        read.map_err(|error| pack::unreadable(&name, error).at(place.entry.offset))
    }

    /// A chunk that no readable pack holds: blames a pack that cannot be read, in which it may lie, or
    /// the only damaged pack if there is just one.
    pub fn missing(&self, id: &Hash) -> Damage {
        if let Some(unreadable) = self.damaged.values().find(|damage| damage.is_unreadable()) {
            return unreadable.clone();
        }
        let mut damaged = self.damaged.values();
        match (damaged.next(), damaged.next()) {
            (Some(damage), None) => damage.clone(),
            _ => Damage::new(format!("chunk {}", id.short()), Problem::Missing),
        }
    }
}

fn mismatch(place: &Place) -> Damage {
    Damage::new(pack::object_name(&place.pack), Problem::HashMismatch).at(place.entry.offset)
}
