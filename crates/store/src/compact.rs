//! Compaction: chunks that are needed are written anew, out of packs that are mostly not needed or
//! that are many and small. Chunks are named by their content, so that no commit changes.
//!
//! The new pack is durable before the old ones are condemned; a crash in between leaves copies.

use std::collections::{BTreeMap, HashSet};

use crate::chunks::Place;
use crate::error::SaveError;
use crate::hash::Hash;
use crate::pack::{PackWriter, StoredChunk};
use crate::store::Store;

/// How much is done to free space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Thoroughness {
    /// Between two saves of a training, where time counts: packs that nothing needs are deleted.
    BetweenSaves,
    /// Packs are rewritten when more than half of the run is not needed.
    Usual,
    /// Every pack of which a quarter is not needed is rewritten.
    Full,
}

/// Packs below this length are small: bytes.
const SMALL: u64 = 1 << 20;
/// So many small packs are joined, in the usual course of things.
const MANY: usize = 64;

/// What is in a pack, in bytes of stored chunks.
#[derive(Debug, Default, Clone, Copy)]
struct Use {
    live: u64,
    dead: u64,
}

impl Store {
    /// Rewrites the packs for which that is worth it; gives the bytes that were written.
    pub(crate) fn compact(
        &mut self,
        live: &HashSet<Hash>,
        thoroughness: Thoroughness,
    ) -> Result<u64, SaveError> {
        let packs = self.candidates(live, thoroughness);
        if packs.is_empty() {
            return Ok(0);
        }
        let result = self.rewrite(&packs, live);
        // A chunk that cannot be read stops the rewriting, and hurts nothing.
        self.poisoned |= matches!(result, Err(SaveError::Storage(_)));
        result
    }

    fn candidates(&self, live: &HashSet<Hash>, thoroughness: Thoroughness) -> HashSet<Hash> {
        let uses = self.pack_uses(live);
        let total = |part: fn(&Use) -> u64| uses.values().map(part).sum::<u64>();
        let (live, dead) = (total(|use_| use_.live), total(|use_| use_.dead));
        let small = uses.values().filter(|use_| use_.live + use_.dead < SMALL).count();
        let join_small = small >= if thoroughness == Thoroughness::Full { 2 } else { MANY };
        let dead_share = match thoroughness {
            Thoroughness::Full => 0.25,
            _ if dead > live => 0.25,
            _ => 2.0,
        };
        let worthwhile = |use_: &Use| {
            // A pack without anything that is needed is not rewritten but deleted.
            let len = use_.live + use_.dead;
            use_.live > 0 && (use_.dead as f64 > dead_share * len as f64 || (join_small && len < SMALL))
        };
        let chosen = uses.into_iter().filter(|(_, use_)| worthwhile(use_));
        chosen.map(|(pack, _)| pack).collect()
    }

    /// Of every pack, the bytes of chunks that are needed and not at hand in another, and of the
    /// rest.
    fn pack_uses(&self, live: &HashSet<Hash>) -> BTreeMap<Hash, Use> {
        let mut uses: BTreeMap<Hash, Use> = BTreeMap::new();
        for id in self.chunks.ids() {
            for place in self.chunks.places_of(id) {
                let use_ = uses.entry(place.pack).or_default();
                let len = u64::from(place.entry.stored_len);
                *if live.contains(id) { &mut use_.live } else { &mut use_.dead } += len;
            }
        }
        uses
    }

    fn rewrite(&mut self, packs: &HashSet<Hash>, live: &HashSet<Hash>) -> Result<u64, SaveError> {
        let mut writer = PackWriter::new(&self.storage)?;
        for place in self.movable(packs, live) {
            let stored = self.chunks.read_stored(place).map_err(crate::error::ReadError::from)?;
            writer = writer.push(&StoredChunk::of(&place.entry, stored))?;
        }
        let (id, entries, len) = writer.finish()?;
        self.revive(&id)?;
        for pack in packs.iter().filter(|pack| **pack != id) {
            self.set_waiting(pack);
        }
        self.chunks.add_pack(id, len, entries);
        Ok(len)
    }

    /// The chunks that have to be moved before `packs` can go, in the order in which they lie. Of a
    /// chunk that is stored in full and as a difference, the full one counts: it may be a base.
    fn movable(&self, packs: &HashSet<Hash>, live: &HashSet<Hash>) -> Vec<&Place> {
        let mut found: Vec<&Place> = Vec::new();
        for id in self.chunks.ids().filter(|id| live.contains(id)) {
            let full = || self.chunks.places_of(id).filter(|place| place.entry.base.is_none());
            let any = || self.chunks.places_of(id);
            let stays = |place: &Place| !packs.contains(&place.pack);
            let kept = if full().next().is_some() { full().any(stays) } else { any().any(stays) };
            if !kept {
                found.extend(full().next().or(any().next()));
            }
        }
        found.sort_unstable_by_key(|place| (place.pack, place.entry.offset));
        found
    }
}
