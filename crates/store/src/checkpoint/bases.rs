//! Which chunks the next save may store as differences, and from which others.
//!
//! A base is always a chunk that is stored in full, so that reading takes two chunks at most. Per
//! array, the newest full chunks serve as bases until they are some saves old. Arrays of single
//! bytes also find bases by content: populations whose members move and change their length.

use std::collections::HashMap;

use crate::checkpoint::commit::CommitRecord;
use crate::checkpoint::index;
use crate::codec;
use crate::hash::Hash;
use crate::packs::chunks::Chunks;
use crate::state::path::EntryPath;
use crate::state::tree::{ArrayPlace, Node};

/// After so many saves with differences an array is stored in full again.
const FULL_AGAIN_AFTER: u32 = 8;
/// Arrays whose differences did not pay are stored in full once before the next try, then three
/// times, then always this many times.
const REST_MAX: u32 = 7;
/// Features of chunks that are remembered, at most.
const FEATURES_MAX: usize = 1 << 20;

/// The bases of all arrays of a run.
#[derive(Debug, Default)]
pub(crate) struct Bases {
    arrays: HashMap<Hash, ArrayBases>,
    /// The newest full chunk that has a feature.
    similar: HashMap<u64, Hash>,
}

/// The bases of the boxes of one array.
#[derive(Debug, Clone, Default)]
pub(crate) struct ArrayBases {
    /// Names of the newest full chunks, box by box.
    pub boxes: Vec<Hash>,
    /// Saves since these were new.
    age: u32,
    /// Saves for which differences are not tried, and how many it were at the last failure.
    rest: u32,
    rest_before: u32,
    /// What the saves since have stored.
    sizes: Sizes,
}

/// Lengths of chunks together, raw and as they are stored: bytes.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sizes {
    raw: u64,
    stored: u64,
}

impl Sizes {
    /// Counts one more chunk.
    pub fn add(&mut self, raw: usize, stored: usize) {
        self.raw += raw as u64;
        self.stored += stored as u64;
    }
}

/// The chunk that stood at the same place before.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Before {
    pub chunk: Hash,
    /// The largest share of the raw size at which a difference from it is worth storing.
    pub worth: f64,
}

impl ArrayBases {
    /// The base of a box. With a larger difference than the mean of all saves since the bases were
    /// new, that mean would rise, and it is time for new ones.
    pub fn of_box(&self, number: usize) -> Option<Before> {
        let worth = match self.sizes.raw {
            0 => 1.0,
            raw => self.sizes.stored as f64 / raw as f64,
        };
        self.boxes.get(number).map(|&chunk| Before { chunk, worth })
    }
}

impl Bases {
    /// The bases as the newest checkpoint of a run leaves them.
    pub fn of_newest(newest: Option<&CommitRecord>, stored: &Chunks) -> Self {
        let mut bases = Self::default();
        // A damaged checkpoint gives no bases: everything is then stored in full.
        let tree = newest.and_then(|record| index::read(stored, &record.index_root()).ok());
        let Some(tree) = tree else { return bases };
        tree.for_each_leaf(&mut |path, leaf| {
            if let Node::Array(array) = leaf
                && let ArrayPlace::Chunks(chunks) = &array.place
            {
                let boxes = chunks.iter().map_while(|chunk| stored.base_in_place_of(chunk)).collect();
                bases.arrays.insert(key(path), ArrayBases { boxes, age: 1, ..ArrayBases::default() });
            }
        });
        bases
    }

    /// The bases that the array of that [`key`] may use now, if any.
    pub fn of_array(&mut self, key: &Hash) -> Option<ArrayBases> {
        let array = self.arrays.get_mut(key)?;
        if array.rest > 0 {
            array.rest -= 1;
            return None;
        }
        (array.age < FULL_AGAIN_AFTER).then(|| array.clone())
    }

    /// Notes how the array of that [`key`] was stored: the base of each box from now on, whether
    /// differences were tried and used for any, and the sizes of its new chunks.
    pub fn note(&mut self, key: Hash, boxes: Vec<Hash>, tried: bool, used: bool, sizes: Sizes) {
        let array = self.arrays.entry(key).or_default();
        if used {
            array.age += 1;
            array.rest_before = 0;
            array.sizes.add(sizes.raw as usize, sizes.stored as usize);
        } else {
            // Bases that served until now have got old: new ones may well serve again.
            if tried && array.age <= 1 {
                array.rest_before = (2 * array.rest_before + 1).min(REST_MAX);
                array.rest = array.rest_before;
            }
            array.age = 1;
            array.sizes = sizes;
        }
        array.boxes = boxes;
    }

    /// The full chunk that has most in common with a chunk of these features.
    pub fn most_similar(&self, features: &[u64]) -> Option<Hash> {
        let mut counts: Vec<(Hash, u32)> = Vec::new();
        for found in features.iter().filter_map(|feature| self.similar.get(feature)) {
            match counts.iter_mut().find(|count| count.0 == *found) {
                Some(count) => count.1 += 1,
                None => counts.push((*found, 1)),
            }
        }
        // Among equals the one of the least feature, whatever the order of the map.
        let most = counts.iter().map(|count| count.1).max()?;
        counts.into_iter().find(|count| count.1 == most).map(|count| count.0)
    }

    /// Remembers a full chunk by its features.
    pub fn remember(&mut self, features: Vec<u64>, chunk: Hash) {
        if self.similar.len() > FEATURES_MAX {
            self.similar.clear();
        }
        self.similar.extend(features.into_iter().map(|feature| (feature, chunk)));
    }
}

/// What an array is known by: the hash of its path.
pub(crate) fn key(path: &EntryPath) -> Hash {
    Hash::of(path.to_string().as_bytes())
}

/// The features of a chunk by which similar ones are found.
pub(crate) fn features(bytes: &[u8]) -> Vec<u64> {
    codec::features(bytes)
}
