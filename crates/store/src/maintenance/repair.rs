//! Repair: what is intact is kept and what is lost is named. Nothing is invented: every byte that is
//! kept has the hash that it had when it was written. Nothing is deleted: what is damaged is moved to
//! `damaged/`.
//!
//! - Chunks of a damaged pack that are still good are written into a new pack; the damaged one is
//!   moved then.
//! - A checkpoint that lost something is taken out of the books: its record is moved, with its note and
//!   its signatures, and what is left of its state can be [salvaged](Store::salvage) into another run
//!   before.
//! - Tags that are damaged, or point to no checkpoint, are moved.
//! - `rekindle.json` is written again from what the newest record says.
//!
//! Bytes that the system refuses to read may be good: a repair then ends before it has changed anything,
//! unless the caller [gives them up](Unreadable::GiveUp), as after the death of a sector.
//!
//! Segments of the metrics history that are damaged cannot be made good; their rows stay lost.
//! A second repair changes nothing.

use std::collections::BTreeMap;

use crate::annotations::tags;
use crate::checkpoint::commit;
use crate::checkpoint::index;
use crate::codec::Codec;
use crate::encryption::cipher::Cipher;
use crate::error::{Damage, ReadError, SaveError};
use crate::hash::Hash;
use crate::identity;
use crate::maintenance::verify::Depth;
use crate::packs::pack::{self, PackEntry, StoredChunk};
use crate::packs::pack_writer::PackWriter;
use crate::reader::{Skipped, Store};
use crate::saving::save::Saved;
use crate::state::path::EntryPath;
use crate::state::tree::{ArrayRef, Node, StoredTree};
use crate::writer::Writer;

/// What a repair did.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Repaired {
    /// Packs that were damaged.
    pub packs: Vec<String>,
    /// Good chunks that were written anew out of those.
    pub saved_chunks: u64,
    /// Checkpoints that lost something and were taken out of the books.
    pub set_aside: Vec<Skipped>,
    /// Tags that were moved to `damaged/`, and why.
    pub tags: Vec<(String, Damage)>,
    /// True when `rekindle.json` was written again.
    pub identity: bool,
    /// Damage that cannot be made good: lost rows of the metrics history.
    pub remaining: Vec<Damage>,
}

/// What a repair does with bytes that the system refuses to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unreadable {
    /// It ends with an error, and nothing is changed.
    #[default]
    Refuse,
    /// It takes them for lost.
    GiveUp,
}

/// What is left of a damaged checkpoint.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Salvaged {
    /// The checkpoint of what is left, in the other run.
    pub saved: Saved,
    /// Entries that are intact and were taken over: arrays and values.
    pub intact: u64,
    /// Entries that are lost: their place holds null.
    pub lost: Vec<EntryPath>,
}

impl Store {
    /// The checkpoints that cannot be loaded as a whole, with the damage of each.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn damaged_checkpoints(&self) -> Result<Vec<Skipped>, SaveError> {
        Ok(self.verify(Depth::Full)?.invalid)
    }

    /// Saves what is left of the damaged checkpoint at `step` into another run, at the same step.
    ///
    /// # Errors
    /// When its record cannot be read, or the other run cannot be written.
    pub fn salvage(&self, step: u64, into: &mut Writer) -> Result<Salvaged, SaveError> {
        let checkpoint = self.checkpoint(step)?;
        let record = checkpoint.record();
        let (tree, mut lost) = index::read_what_is_left(self.chunks(), &record.index_root());
        let mut intact = 0;
        let mut save = into.save()?;
        let left: StoredTree = map_or_lose(&tree, &mut EntryPath::root(), &mut |path, array| {
            let Ok(bytes) = checkpoint.read_array(path, array) else {
                lost.push(path.clone());
                return Ok(None);
            };
            save.array(path, array.kind().clone(), &bytes).map(Some)
        })?;
        left.for_each_leaf(&mut |path, _| intact += u64::from(!lost.contains(path)));
        let mut about = record.about.clone();
        let names: Vec<String> = lost.iter().take(20).map(ToString::to_string).collect();
        let object = commit::object_name(step);
        about.changes.push(format!(
            "salvaged from {object}; {} entries lost: {}",
            lost.len(),
            names.join(", ")
        ));
        let saved = save.commit(step, &left, about, &checkpoint.history().0)?;
        Ok(Salvaged { saved, intact, lost })
    }
}

impl Writer {
    /// Repairs the run in place.
    ///
    /// # Errors
    /// When the right to write was lost, or the storage fails: repairing again goes on. When
    /// something cannot be read and is not given up: nothing was changed then.
    pub fn repair(&mut self, unreadable: Unreadable) -> Result<Repaired, SaveError> {
        self.require_right()?;
        let mut damaged = self.chunks().damaged_or_unreadable_packs();
        if unreadable == Unreadable::Refuse {
            self.require_readable(&damaged)?;
        }
        if !damaged.is_empty() || !self.verify(Depth::Structure)?.invalid.is_empty() {
            self.readmit_condemned_packs()?;
            damaged = self.chunks().damaged_or_unreadable_packs();
        }
        let mut repaired = Repaired::default();
        self.repair_identity(&mut repaired)?;
        self.repair_packs(damaged.into_keys().collect(), &mut repaired)?;
        for skipped in self.verify(Depth::Full)?.invalid {
            self.set_aside(skipped.step)?;
            repaired.set_aside.push(skipped);
        }
        self.repair_tags(&mut repaired)?;
        repaired.remaining = self.verify(Depth::Structure)?.damage;
        Ok(repaired)
    }

    /// A pack that waits for its end may hold the last good copy of something. What is redundant in it all
    /// the same is condemned anew by the next pruning.
    fn readmit_condemned_packs(&mut self) -> Result<(), SaveError> {
        for pack in self.condemned.packs() {
            if let Ok(len) = self.storage().len(&pack::object_name(&pack)) {
                self.revive(&pack)?;
                self.store.chunks_mut().add_listed_pack(pack, len);
            }
        }
        self.store.catalog_mut().forget_needs();
        Ok(())
    }

    fn require_readable(&self, packs: &BTreeMap<Hash, Damage>) -> Result<(), SaveError> {
        let records: Vec<Damage> = self.damaged_records().map(|skipped| skipped.damage).collect();
        let tags: Vec<Damage> = self.tags()?.into_values().filter_map(Result::err).collect();
        let all = self.identity_damage().into_iter().chain(&records).chain(&tags).chain(packs.values());
        match all.into_iter().find(|damage| damage.is_unreadable()) {
            Some(damage) => Err(ReadError::from(damage.clone()).into()),
            None => Ok(()),
        }
    }

    fn repair_identity(&mut self, repaired: &mut Repaired) -> Result<(), SaveError> {
        if self.identity_damage().is_none() || self.newest_readable().is_none() {
            return Ok(());
        }
        let mut identity = self.identity().clone();
        identity.encrypted = self.chunks().cipher().is_some();
        self.move_aside(identity::OBJECT)?;
        self.storage().put(identity::OBJECT, &identity.encode(self.chunks().cipher()))?;
        self.store.set_identity(identity);
        repaired.identity = true;
        Ok(())
    }

    /// Writes the good chunks of damaged packs into a new one, then moves those packs away.
    fn repair_packs(&mut self, damaged: Vec<Hash>, repaired: &mut Repaired) -> Result<(), SaveError> {
        if damaged.is_empty() {
            return Ok(());
        }
        let good = self.good_chunks_of(&damaged);
        repaired.saved_chunks = good.len() as u64;
        if !good.is_empty() {
            let mut writer = PackWriter::new(self.storage())?;
            for (pack, entry) in good {
                let stored = self.chunks().stored_bytes(&pack, &entry).map_err(ReadError::from)?;
                writer = writer.push(&StoredChunk::of(&entry, stored))?;
            }
            writer = writer.push(&mark_of_repair(&damaged, self.chunks().cipher()))?;
            let (id, entries, len) = writer.finish()?;
            self.revive(&id)?;
            self.store.chunks_mut().add_fresh_pack(id, len, entries);
        }
        for pack in damaged {
            self.store.chunks_mut().remove_pack(&pack);
            self.move_aside(&pack::object_name(&pack))?;
            repaired.packs.push(pack::object_name(&pack));
        }
        self.store.catalog_mut().forget_needs();
        Ok(())
    }

    /// The chunks that can still be had out of damaged packs, each once: in full where it can be had so,
    /// since it may be the base of others.
    fn good_chunks_of(&mut self, packs: &[Hash]) -> Vec<(Hash, PackEntry)> {
        let candidates = packs.iter().flat_map(|&pack| {
            let entries = self.chunks().candidates_in(&pack);
            entries.into_iter().map(move |entry| (pack, entry))
        });
        let (full, differences): (Vec<_>, Vec<_>) =
            candidates.partition(|(_, entry): &(Hash, PackEntry)| entry.base.is_none());
        let mut chosen: BTreeMap<Hash, (Hash, PackEntry)> = BTreeMap::new();
        for (pack, entry) in full {
            if !chosen.contains_key(&entry.id)
                && let Some(entry) = self.chunks().recovered(&pack, &entry)
            {
                // Bases that only a damaged index did not tell of are found from here on.
                let len = self.chunks().packs().get(&pack).copied().unwrap_or(0);
                self.store.chunks_mut().add_pack(pack, len, vec![entry.clone()]);
                chosen.insert(entry.id, (pack, entry));
            }
        }
        for (pack, entry) in differences {
            if !chosen.contains_key(&entry.id)
                && let Some(entry) = self.chunks().recovered(&pack, &entry)
            {
                chosen.insert(entry.id, (pack, entry));
            }
        }
        let mut chosen: Vec<_> = chosen.into_values().collect();
        chosen.sort_by_key(|(pack, entry)| (*pack, entry.offset));
        chosen
    }

    fn repair_tags(&mut self, repaired: &mut Repaired) -> Result<(), SaveError> {
        for (name, object, tag) in self.tag_objects()? {
            let damage = match tag {
                Err(damage) => damage,
                Ok(step) if !self.catalog().contains(step) => tags::dangling(&object),
                Ok(_) => continue,
            };
            self.move_aside(&object)?;
            repaired.tags.push((name, damage));
        }
        Ok(())
    }
}

/// A chunk that nothing refers to. A pack is named by its content, and one with just the chunks of
/// a damaged pack would have the name of that: with the mark it is another.
fn mark_of_repair(damaged: &[Hash], cipher: Option<&Cipher>) -> StoredChunk<Vec<u8>> {
    let raw: Vec<u8> = damaged.iter().flat_map(|pack| pack.0).collect();
    let hash = Hash::of(&raw);
    let id = cipher.map_or(hash, |cipher| cipher.name_of(&hash));
    let (raw_len, encrypted) = (raw.len(), cipher.is_some());
    let stored = cipher.map_or(raw.clone(), |cipher| cipher.seal(&id.0, &raw));
    let stored_hash = Hash::of(&stored);
    StoredChunk { id, raw_len, codec: Codec::Raw, encrypted, stored_hash, base: None, stored }
}

/// The tree with every array replaced by what `map` makes of it, or by null.
fn map_or_lose(
    node: &StoredTree,
    path: &mut EntryPath,
    map: &mut impl FnMut(&EntryPath, &ArrayRef) -> Result<Option<ArrayRef>, SaveError>,
) -> Result<StoredTree, SaveError> {
    let mut below = |segment: String, child: &StoredTree| {
        path.push(segment);
        let child = map_or_lose(child, path, map);
        path.pop();
        child
    };
    Ok(match node {
        Node::Null | Node::Scalar(_) => node.clone(),
        Node::Array(array) => map(path, array)?.map_or(Node::Null, Node::Array),
        Node::Some(content) => Node::Some(Box::new(map_or_lose(content, path, map)?)),
        Node::Variant(name, content) => Node::Variant(name.clone(), Box::new(below(name.clone(), content)?)),
        Node::List(items) => {
            let items = items.iter().enumerate().map(|(i, item)| below(i.to_string(), item));
            Node::List(items.collect::<Result<_, _>>()?)
        }
        Node::Struct(fields) => {
            let fields = fields.iter().map(|(name, child)| Ok((name.clone(), below(name.clone(), child)?)));
            Node::Struct(fields.collect::<Result<_, SaveError>>()?)
        }
        Node::Map(entries) => {
            let entries =
                entries.iter().map(|(key, child)| Ok((key.clone(), below(key.to_string(), child)?)));
            Node::Map(entries.collect::<Result<_, SaveError>>()?)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::{MemoryStorage, Storage};
    use crate::{About, Array, DType};
    use std::sync::Arc;

    fn array(seed: u32) -> Array {
        let bytes = (0..3000u32).flat_map(|i| (i.wrapping_mul(seed) ^ i << 7).to_le_bytes()).collect();
        Array::new(DType::U32, vec![3000], bytes).unwrap()
    }

    fn run() -> MemoryStorage {
        let memory = MemoryStorage::new();
        let mut store = Writer::create(Arc::new(memory.clone()), "", None, "test").unwrap();
        for step in 1..=2u32 {
            let mut save = store.save().unwrap();
            let mut field = |name: &str, seed| {
                let array = array(seed);
                let path = EntryPath::root().child(name);
                let stored = save.array(&path, array.kind().clone(), array.data()).unwrap();
                (name.to_owned(), Node::Array(stored))
            };
            let fields = vec![field("a", 77777), field("b", 1_000_003 * step), field("c", 99991 * step)];
            save.commit(u64::from(step), &Node::Struct(fields), About::default(), &[]).unwrap();
        }
        store.set_tag("two", 2, false).unwrap();
        memory
    }

    fn open(objects: std::collections::BTreeMap<String, Vec<u8>>) -> (MemoryStorage, Writer) {
        let memory = MemoryStorage::from_objects(objects);
        let store = Writer::open(Arc::new(memory.clone()), "test").unwrap();
        (memory, store)
    }

    /// Whatever byte of a pack is changed: after the repair no damage is left, what was intact
    /// loads as it was, and a second repair changes nothing.
    #[test]
    fn a_damaged_pack_costs_no_more_than_the_chunk_that_was_hit() {
        let good = run().to_objects();
        let packs: Vec<&String> = good.keys().filter(|name| name.starts_with(pack::PREFIX)).collect();
        for name in packs {
            let len = good[name].len();
            let tail = len.saturating_sub(600)..len;
            for position in (0..len - 600).step_by(997).chain(tail) {
                let mut objects = good.clone();
                objects.get_mut(name).unwrap()[position] ^= 0x10;
                let (memory, mut store) = open(objects);
                let repaired = store.repair(Unreadable::Refuse).unwrap();
                assert_eq!(repaired.packs.len(), 1, "byte {position} of {name}");
                let lost = store.verify(Depth::Full).unwrap();
                assert!(lost.damage.is_empty(), "byte {position}: {:?}", lost.damage);
                assert_eq!(lost.valid.len() + repaired.set_aside.len(), 2);
                for step in lost.valid {
                    store.checkpoint(step).unwrap().load(&EntryPath::root()).unwrap();
                }
                // The index of a pack tells all chunks, even if one byte of it is wrong.
                if position >= len - 40 {
                    assert!(repaired.set_aside.is_empty(), "byte {position} of {len}: {repaired:?}");
                }
                drop(store);
                let before = memory.to_objects();
                let again = open(before.clone()).1.repair(Unreadable::Refuse).unwrap();
                assert_eq!(again, Repaired { remaining: again.remaining.clone(), ..Repaired::default() });
            }
        }
    }

    #[test]
    fn what_is_left_of_a_checkpoint_is_salvaged_and_what_is_lost_is_named() {
        let good = run().to_objects();
        let newest = Store::open(Arc::new(MemoryStorage::from_objects(good.clone()))).unwrap();
        let tree = newest.checkpoint(2).unwrap().tree().unwrap();
        let Some(Node::Array(b)) = tree.at(&"b".parse().unwrap()) else { panic!() };
        let place = newest.chunks().places_of(&b.chunks()[0]).next().unwrap();
        let (object, offset) = (pack::object_name(&place.pack), place.entry.offset as usize);
        let mut objects = good;
        objects.get_mut(&object).unwrap()[offset + 5] ^= 1;
        let (_, store) = open(objects);
        let mut other = Writer::create(Arc::new(MemoryStorage::new()), "", None, "test").unwrap();
        let damaged = store.damaged_checkpoints().unwrap();
        assert_eq!(damaged.iter().map(|skipped| skipped.step).collect::<Vec<_>>(), [2]);
        let salvaged = store.salvage(2, &mut other).unwrap();
        assert_eq!(salvaged.lost, ["b".parse().unwrap()]);
        assert_eq!(salvaged.intact, 2);
        let left = other.checkpoint(2).unwrap().load(&EntryPath::root()).unwrap();
        assert_eq!(left.at(&"a".parse().unwrap()), Some(&Node::Array(array(77777))));
        assert_eq!(left.at(&"b".parse().unwrap()), Some(&Node::Null));
        assert_eq!(left.at(&"c".parse().unwrap()), Some(&Node::Array(array(2 * 99991))));
    }

    #[test]
    fn a_damaged_identity_and_damaged_tags_are_made_good() {
        let mut objects = run().to_objects();
        objects.get_mut(identity::OBJECT).unwrap()[30] ^= 1;
        objects.get_mut("refs/tags/two").unwrap()[5] ^= 1;
        let (memory, mut store) = open(objects);
        let repaired = store.repair(Unreadable::Refuse).unwrap();
        assert!(repaired.identity && repaired.set_aside.is_empty());
        assert_eq!(repaired.tags.len(), 1);
        drop(store);
        let again = Store::open(Arc::new(memory.clone())).unwrap();
        assert!(again.identity_damage().is_none());
        assert!(again.verify(Depth::Full).unwrap().damage.is_empty());
        assert!(memory.len(identity::OBJECT).is_ok());
    }
}
