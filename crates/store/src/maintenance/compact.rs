//! Compaction: chunks that are needed are written anew, out of packs that are mostly not needed or
//! that are many and small. Chunks are named by their content, so that no commit changes.
//!
//! The new pack is durable before the old ones are condemned; a crash in between leaves copies.

use std::collections::{BTreeMap, HashSet};

use crate::error::SaveError;
use crate::hash::Hash;
use crate::maintenance::live::Live;
use crate::packs::chunks::Place;
use crate::packs::pack::StoredChunk;
use crate::packs::pack_writer::PackWriter;
use crate::storage::StorageError;
use crate::writer::Writer;

/// How much is done to free space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Thoroughness {
    /// Between two saves of a training, where time counts: packs that nothing needs are deleted.
    BetweenSaves,
    /// Packs are rewritten when more than half of the run is not needed.
    Usual,
    /// Every pack of which a quarter is not needed is rewritten.
    Full,
    /// Every pack of which anything is not needed is rewritten.
    Complete,
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

impl Writer {
    /// Rewrites the packs for which that is worth it; gives the bytes that were written.
    pub(crate) fn compact(&mut self, live: &Live, thoroughness: Thoroughness) -> Result<u64, SaveError> {
        let packs = self.candidates(live, thoroughness);
        if packs.is_empty() {
            return Ok(0);
        }
        let result = self.rewrite(&packs, live);
        // Neither a chunk that cannot be read nor a disk that is full hurts anything: the new pack has not
        // appeared, and the old ones stay.
        let harmless = |error: &StorageError| error.is_no_space();
        if matches!(&result, Err(SaveError::Storage(error)) if !harmless(error)) {
            self.stop_writing();
        }
        result
    }

    fn candidates(&self, live: &Live, thoroughness: Thoroughness) -> HashSet<Hash> {
        let uses = self.pack_uses(live);
        let total = |part: fn(&Use) -> u64| uses.values().map(part).sum::<u64>();
        let (live_bytes, dead_bytes) = (total(|use_| use_.live), total(|use_| use_.dead));
        let small = uses.values().filter(|use_| use_.live + use_.dead < SMALL).count();
        let join_small = small >= if thoroughness == Thoroughness::Full { 2 } else { MANY };
        let dead_share = match thoroughness {
            Thoroughness::Full => 0.25,
            Thoroughness::Complete => 0.0,
            _ if dead_bytes > live_bytes => 0.25,
            _ => 2.0,
        };
        let worthwhile = |use_: &Use| {
            // A pack without anything that is needed is not rewritten but deleted.
            let len = use_.live + use_.dead;
            use_.live > 0 && (use_.dead as f64 > dead_share * len as f64 || (join_small && len < SMALL))
        };
        let chosen = uses.into_iter().filter(|(pack, use_)| worthwhile(use_) && !live.is_suspect(pack));
        chosen.map(|(pack, _)| pack).collect()
    }

    /// Of every pack, the bytes of chunks that are needed and taken from it, and of the rest.
    fn pack_uses(&self, live: &Live) -> BTreeMap<Hash, Use> {
        let mut uses: BTreeMap<Hash, Use> = BTreeMap::new();
        for place in self.chunks().places() {
            let use_ = uses.entry(place.pack).or_default();
            let len = u64::from(place.entry.stored_len);
            *if live.is_home(place) { &mut use_.live } else { &mut use_.dead } += len;
        }
        uses
    }

    /// Writes what is needed of `packs` into a new pack, which is durable when this returns.
    fn rewrite(&mut self, packs: &HashSet<Hash>, live: &Live) -> Result<u64, SaveError> {
        let movable = |place: &&Place| packs.contains(&place.pack) && live.is_home(place);
        let mut places: Vec<&Place> = self.chunks().places().filter(movable).collect();
        places.sort_unstable_by_key(|place| (place.pack, place.entry.offset));
        let needed = places.iter().map(|place| u64::from(place.entry.stored_len)).sum();
        self.require_free(needed)?;
        let mut writer = PackWriter::new(self.storage())?;
        for place in places {
            let stored = self.chunks().read_stored(place).map_err(crate::error::ReadError::from)?;
            writer = writer.push(&StoredChunk::of(&place.entry, stored))?;
        }
        let (id, entries, len) = writer.finish()?;
        self.revive(&id)?;
        self.store.chunks_mut().add_fresh_pack(id, len, entries);
        Ok(len)
    }
}
