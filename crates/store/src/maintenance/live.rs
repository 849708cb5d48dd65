//! Which chunks the checkpoints of a run need, and out of which pack each is taken.
//!
//! A chunk may stand in several packs. Of each, one place is its home, and the others are redundant: a
//! pack without a home can go. A home among several places is read and found good before the others
//! may go, and a place at which a chunk is a difference counts only while its base is there. A chunk that
//! is a difference at its home, and the base of others elsewhere, has a second home, where it is in full.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::hash::Hash;
use crate::packs::chunks::{Chunks, Place};

/// The homes of the chunks that are needed.
#[derive(Debug, Default)]
pub(crate) struct Live {
    homes: HashSet<Home>,
    /// Packs that stay, as no copy of some chunk in them was found good.
    suspect: BTreeSet<Hash>,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Home {
    chunk: Hash,
    pack: Hash,
    offset: u64,
}

impl Home {
    fn at(place: &Place) -> Self {
        Self { chunk: place.entry.id, pack: place.pack, offset: place.entry.offset }
    }
}

impl Live {
    /// The homes of the chunks named `needed`, and of the bases from which those are told.
    pub fn of(chunks: &Chunks, needed: HashSet<Hash>) -> Self {
        let mut finder = Finder { chunks, weights: None, needed: &needed, live: Self::default() };
        let bases: HashSet<Hash> = needed.iter().flat_map(|id| finder.find(id, false)).collect();
        for id in &bases {
            finder.find(id, true);
        }
        finder.live
    }

    /// The packs that have to stay.
    pub fn packs(&self) -> BTreeSet<Hash> {
        self.homes.iter().map(|home| home.pack).chain(self.suspect.iter().copied()).collect()
    }

    /// True when the chunk at this place is needed, and taken from there.
    pub fn is_home(&self, place: &Place) -> bool {
        self.homes.contains(&Home::at(place))
    }

    /// True when the pack has a chunk of which no copy was found good.
    pub fn is_suspect(&self, pack: &Hash) -> bool {
        self.suspect.contains(pack)
    }
}

struct Finder<'a> {
    chunks: &'a Chunks,
    /// Bytes of needed chunks in each pack, copies included; counted when it is first asked for.
    weights: Option<HashMap<Hash, u64>>,
    needed: &'a HashSet<Hash>,
    live: Live,
}

impl<'a> Finder<'a> {
    /// Finds the home of a chunk: one that is in full, if it has any, since it may be a base, and then one
    /// in the pack that holds most that is needed, so that the others become free. Gives the bases from
    /// which the chunk is told where it stays.
    fn find(&mut self, id: &Hash, in_full: bool) -> Vec<Hash> {
        let chunks = self.chunks;
        let places = chunks.places_of(id).filter(|place| {
            if in_full { place.entry.base.is_none() } else { chunks.has_base_of(&place.entry) }
        });
        let mut places: Vec<&Place> = places.collect();
        if places.len() > 1 {
            places.sort_by_cached_key(|place| {
                let weight = self.weight(&place.pack);
                (place.entry.base.is_some(), std::cmp::Reverse(weight), place.pack, place.entry.offset)
            });
            match places.iter().position(|place| chunks.is_good_at(place)) {
                Some(good) => places = vec![places[good]],
                // Whatever is wrong with them all, none of them may go for it.
                None => self.live.suspect.extend(places.iter().map(|place| place.pack)),
            }
        }
        self.live.homes.extend(places.first().map(|home| Home::at(home)));
        places.iter().filter_map(|place| place.entry.base).collect()
    }

    fn weight(&mut self, pack: &Hash) -> u64 {
        let (chunks, needed) = (self.chunks, self.needed);
        let weights = self.weights.get_or_insert_with(|| {
            let mut weights = HashMap::new();
            for place in needed.iter().flat_map(|id| chunks.places_of(id)) {
                *weights.entry(place.pack).or_default() += u64::from(place.entry.stored_len);
            }
            weights
        });
        weights.get(pack).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::codec::{self, Base, Compression, Content};
    use crate::packs::pack::{self, StoredChunk};
    use crate::packs::pack_writer::PackWriter;
    use crate::storage::{MemoryStorage, Storage};

    /// Bytes that have most in common for all `changes`, and that no codec makes small alone.
    fn bytes(changes: u8) -> Vec<u8> {
        let mut noise: Vec<u8> = codec::tests::noise(7).map(|word| word as u8).take(4000).collect();
        noise[..usize::from(changes)].fill(changes);
        noise
    }

    /// Writes a pack of one chunk, as a difference from `base` if there is one; gives its name.
    fn put(storage: &Arc<dyn Storage>, raw: &[u8], base: Option<&[u8]>) -> Hash {
        let similar = base.map(Base::Similar);
        let (codec, stored) = codec::encode(raw, Content::Bytes, similar, Compression::Small);
        assert_eq!(codec.has_base(), base.is_some());
        let chunk = StoredChunk {
            id: Hash::of(raw),
            raw_len: raw.len(),
            codec,
            encrypted: false,
            stored_hash: Hash::of(&stored),
            base: base.map(Hash::of),
            stored: stored.into_owned(),
        };
        PackWriter::new(storage).unwrap().push(&chunk).unwrap().finish().unwrap().0
    }

    /// Changes a byte of the first chunk of a pack.
    fn damage(storage: &Arc<dyn Storage>, pack: &Hash) {
        let name = pack::object_name(pack);
        let mut bytes = storage.read(&name, u64::MAX).unwrap();
        bytes[100] ^= 1;
        storage.delete(&name).unwrap();
        storage.put(&name, &bytes).unwrap();
    }

    /// `last` is told from `middle`, which is damaged where it is in full, and good where it is told from
    /// `first`.
    #[test]
    fn the_good_difference_of_a_chunk_stays_beside_its_bad_copy_in_full() {
        let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::new());
        let (first, middle, last) = (bytes(0), bytes(5), bytes(9));
        let in_full = put(&storage, &middle, None);
        let packs = [
            put(&storage, &first, None),
            put(&storage, &middle, Some(&first)),
            put(&storage, &last, Some(&middle)),
        ];
        damage(&storage, &in_full);
        let chunks = Chunks::open(&storage, None, &BTreeSet::new()).unwrap();
        let needed = HashSet::from([Hash::of(&middle), Hash::of(&last)]);
        let stays = Live::of(&chunks, needed).packs();
        assert!(packs.iter().all(|pack| stays.contains(pack)), "{packs:?} in {stays:?}");
    }

    /// Where no copy of a chunk is good, as when the system refuses to read for a while, whatever decoding
    /// any of them takes stays.
    #[test]
    fn the_bases_of_all_copies_stay_when_none_is_good() {
        let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::new());
        let (first, other, chunk) = (bytes(0), bytes(5), bytes(9));
        let bases = [put(&storage, &first, None), put(&storage, &other, None)];
        for base in [&first, &other] {
            damage(&storage, &put(&storage, &chunk, Some(base)));
        }
        let chunks = Chunks::open(&storage, None, &BTreeSet::new()).unwrap();
        let stays = Live::of(&chunks, HashSet::from([Hash::of(&chunk)])).packs();
        assert!(bases.iter().all(|base| stays.contains(base)), "{bases:?} in {stays:?}");
    }
}
