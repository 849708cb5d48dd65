//! Which chunks the checkpoints of a run need, and out of which pack each is taken.
//!
//! A chunk may stand in several packs. Of each, one place is its home, and the others are redundant: a
//! pack without a home can go. A home among several places is read and found good before the others
//! may go, and a place at which a chunk is a difference counts only while its base is there.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::hash::Hash;
use crate::packs::chunks::{Chunks, Place};

/// The home of every chunk that is needed.
#[derive(Debug, Default)]
pub(crate) struct Live {
    /// The pack of each chunk, and its offset there.
    homes: HashMap<Hash, (Hash, u64)>,
    /// Packs that stay, as no copy of some chunk in them was found good.
    suspect: BTreeSet<Hash>,
}

impl Live {
    /// The homes of the chunks named `needed`, and of the bases from which those are told.
    pub fn of(chunks: &Chunks, needed: HashSet<Hash>) -> Self {
        let mut finder = Finder { chunks, weights: None, needed: &needed, live: Self::default() };
        let mut bases = HashSet::new();
        for id in &needed {
            let home = finder.find(id, false);
            bases.extend(home.and_then(|place| place.entry.base));
        }
        for id in &bases {
            finder.find(id, true);
        }
        finder.live
    }

    /// The packs that have to stay.
    pub fn packs(&self) -> BTreeSet<Hash> {
        self.homes.values().map(|home| home.0).chain(self.suspect.iter().copied()).collect()
    }

    /// True when the chunk at this place is needed, and taken from there.
    pub fn is_home(&self, place: &Place) -> bool {
        self.homes.get(&place.entry.id) == Some(&(place.pack, place.entry.offset))
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
    /// in the pack that holds most that is needed, so that the others become free.
    fn find(&mut self, id: &Hash, in_full: bool) -> Option<&'a Place> {
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
                Some(good) => places.swap(0, good),
                // Whatever is wrong with them all, none of them may go for it.
                None => self.live.suspect.extend(places.iter().map(|place| place.pack)),
            }
        }
        let home = *places.first()?;
        self.live.homes.insert(*id, (home.pack, home.entry.offset));
        Some(home)
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
