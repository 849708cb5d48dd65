//! Verification: every byte of a run against the hash that covers it.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use crate::access::WRAPPED_KEY;
use crate::annotations::files::ARTIFACTS;
use crate::annotations::history;
use crate::annotations::notes;
use crate::annotations::signature;
use crate::annotations::tags;
use crate::checkpoint::commit;
use crate::checkpoint::index;
use crate::error::Damage;
use crate::hash::Hash;
use crate::identity;
use crate::maintenance::aside;
use crate::packs::chunks::Chunks;
use crate::packs::condemned;
use crate::packs::pack;
use crate::parallel::*;
use crate::reader::{Skipped, Store};
use crate::sealed;
use crate::state::path::EntryPath;
use crate::storage::{Storage, StorageError};

/// How much of a run is read to verify it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Depth {
    /// Records, indexes of packs, names, values and types: all but the bytes of arrays.
    Structure,
    /// Also this share of the chunks, from 0 to 1. Another seed takes others.
    Sample {
        /// The share.
        share: f64,
        /// Which ones.
        seed: u64,
    },
    /// Every byte.
    #[default]
    Full,
}

impl Depth {
    /// True when the chunk named `id` is to be read.
    fn takes(self, id: &Hash) -> bool {
        match self {
            Self::Structure => false,
            Self::Full => true,
            Self::Sample { share, seed } => {
                let hash = Hash::of(&[&id.0[..], &seed.to_le_bytes()].concat());
                let position = u32::from_le_bytes([hash.0[0], hash.0[1], hash.0[2], hash.0[3]]);
                f64::from(position) < share * f64::from(u32::MAX)
            }
        }
    }
}

/// What a verification found.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Verification {
    /// The checkpoints all of whose bytes are as they were written.
    pub valid: Vec<u64>,
    /// The checkpoints that cannot be loaded as a whole.
    pub invalid: Vec<Skipped>,
    /// All damage, each piece once.
    pub damage: Vec<Damage>,
    /// Objects that are no part of a run.
    pub unknown: Vec<String>,
    /// Chunks whose bytes were checked.
    pub chunks: u64,
    /// Bytes of the objects that were checked.
    pub bytes: u64,
}

/// Files for people, which no checkpoint depends on and no hash covers.
const NOTES: [&str; 4] = ["config.yaml", "lease", "lease.holder.json", "metrics.jsonl"];

impl Store {
    /// Reads the objects of the run, as far as `depth` says, and checks them.
    ///
    /// # Errors
    /// When the storage cannot be listed. Damage is no error but in the report.
    pub fn verify(&self, depth: Depth) -> Result<Verification, StorageError> {
        let mut report = Verification::default();
        report.damage.extend(self.identity_damage().cloned());
        self.verify_objects(&mut report)?;
        let bad = self.verify_chunks(depth, &mut report);
        self.verify_checkpoints(&bad, &mut report);
        self.verify_tags(&mut report)?;
        Ok(report)
    }

    fn verify_objects(&self, report: &mut Verification) -> Result<(), StorageError> {
        let segments: Vec<_> = self.records().filter_map(|record| record.history.as_deref()).collect();
        for name in segments {
            if let Err(damage) = history::read(&**self.storage(), name, &self.sealer()) {
                push_new(&mut report.damage, damage);
            }
        }
        for object in self.storage().list("")? {
            report.bytes += object.len;
            let name = object.name.as_str();
            let is_segment = history::parse_object_name(name).is_some();
            let known = is_segment
                || name == identity::OBJECT
                || name == WRAPPED_KEY
                || commit::parse_object_name(name).is_some()
                || pack::parse_object_name(name).is_some()
                || name.starts_with(tags::PREFIX)
                || condemned::is_marker(name)
                || name.starts_with(aside::PREFIX)
                || signature::is_signature(name)
                || name.starts_with(notes::PREFIX)
                || NOTES.contains(&name)
                || name.starts_with(ARTIFACTS);
            if !known {
                report.unknown.push(object.name);
            } else if signature::is_signature(name) || name.starts_with(notes::PREFIX) {
                report.damage.extend(check_seal(&**self.storage(), name).err());
            } else if is_segment && let Err(damage) = history::read(&**self.storage(), name, &self.sealer()) {
                push_new(&mut report.damage, damage);
            }
        }
        Ok(())
    }

    /// The damage of every stored chunk. A pack that only waits to be deleted counts like any
    /// other.
    fn verify_chunks(&self, depth: Depth, report: &mut Verification) -> Vec<(Hash, Damage)> {
        report.damage.extend(self.chunks().damaged_packs().map(|(_, damage)| damage.clone()));
        let ids: Vec<&Hash> = self.chunks().ids().filter(|id| depth.takes(id)).collect();
        report.chunks = ids.len() as u64;
        let check = |id: &&Hash| self.chunks().verify_all_copies(id);
        ids.par_iter().flat_map_iter(check).collect()
    }

    fn verify_checkpoints(&self, bad: &[(Hash, Damage)], report: &mut Verification) {
        let suspects: HashSet<Hash> = bad.iter().map(|(hash, _)| *hash).collect();
        let mut holds: BTreeMap<Hash, Vec<EntryPath>> = BTreeMap::new();
        for (step, record) in self.catalog().iter() {
            let checked = record.as_ref().map_err(Clone::clone).and_then(|record| {
                let first = self.damage_of(record, bad, &suspects, &mut holds);
                first.map_or(Ok(()), Err)
            });
            match checked {
                Ok(()) => report.valid.push(step),
                Err(damage) => {
                    if !bad
                        .iter()
                        .any(|(_, known)| known.object == damage.object && known.offset == damage.offset)
                    {
                        push_new(&mut report.damage, damage.clone());
                    }
                    report.invalid.push(Skipped { step, damage });
                }
            }
        }
        let mut found: Vec<Damage> = bad
            .iter()
            .map(|(hash, damage)| Damage {
                entries: holds.get(hash).cloned().unwrap_or_default(),
                ..damage.clone()
            })
            .collect();
        found.sort_by(|a, b| (&a.object, a.offset).cmp(&(&b.object, b.offset)));
        report.damage.extend(found);
    }

    /// The first damage that keeps the checkpoint of `record` from being loaded. Notes which
    /// entries the damaged chunks hold.
    fn damage_of(
        &self,
        record: &commit::CommitRecord,
        bad: &[(Hash, Damage)],
        suspects: &HashSet<Hash>,
        holds: &mut BTreeMap<Hash, Vec<EntryPath>>,
    ) -> Option<Damage> {
        let readable = self.checkpoint(record.step).and_then(|checkpoint| checkpoint.tree());
        if let Some(damage) = readable.err().and_then(|error| error.into_problem().ok()) {
            for (hash, known) in bad {
                if known.object == damage.object && known.offset == damage.offset {
                    note(holds, *hash, damage.entries.iter());
                }
            }
            return Some(damage);
        }
        let used = match index::reachable(self.chunks(), &record.index_root()) {
            Ok(used) => used,
            Err(damage) => return Some(damage),
        };
        let mut first = None;
        for (hash, entry) in used {
            let id = self.chunks().id(&hash);
            if self.chunks().is_complete(&id) && !self.leans_on(&id, suspects) {
                continue;
            }
            note(holds, id, [&entry]);
            // A chunk may have another copy that is good.
            if let Err(damage) = self.chunks().read(&hash) {
                first.get_or_insert(damage.in_entry(&entry));
            }
        }
        first
    }

    /// True when the chunk named `id`, or the base of one of its copies, is among `suspects`.
    fn leans_on(&self, id: &Hash, suspects: &HashSet<Hash>) -> bool {
        let bases = || self.chunks().places_of(id).filter_map(|place| place.entry.base);
        suspects.contains(id) || bases().any(|base| suspects.contains(&base))
    }

    fn verify_tags(&self, report: &mut Verification) -> Result<(), StorageError> {
        for (_, object, tag) in self.tag_objects()? {
            match tag {
                Err(damage) => push_new(&mut report.damage, damage),
                Ok(step) if !self.catalog().contains(step) => {
                    push_new(&mut report.damage, tags::dangling(&object));
                }
                Ok(_) => {}
            }
        }
        Ok(())
    }
}

/// Checks an encrypted run as far as that is possible without its key: every byte against the hash
/// that covers it as it is stored. Which checkpoints are whole cannot be told.
///
/// # Errors
/// When the storage cannot be listed.
pub fn verify_without_key(storage: &Arc<dyn Storage>) -> Result<Verification, StorageError> {
    let chunks = Chunks::open_without_key(storage)?;
    let mut report = Verification::default();
    report.damage.extend(chunks.damaged_packs().map(|(_, damage)| damage.clone()));
    let ids: Vec<&Hash> = chunks.ids().collect();
    report.chunks = ids.len() as u64;
    report
        .damage
        .par_extend(ids.par_iter().flat_map_iter(|id| chunks.verify_all_copies(id)).map(|bad| bad.1));
    for object in storage.list("")? {
        report.bytes += object.len;
        let name = object.name.as_str();
        if history::parse_object_name(name).is_some() {
            report.damage.extend(history::read_stored(&**storage, name).err());
        } else if name == identity::OBJECT
            || commit::parse_object_name(name).is_some()
            || name.starts_with(tags::PREFIX)
            || signature::is_signature(name)
            || name.starts_with(notes::PREFIX)
        {
            report.damage.extend(check_seal(&**storage, name).err());
        }
    }
    Ok(report)
}

/// Checks the hash of an object of sealed JSON.
fn check_seal(storage: &dyn Storage, name: &str) -> Result<(), Damage> {
    let bytes = storage.read(name, commit::RECORD_LIMIT as u64);
    let bytes = bytes.map_err(|error| pack::unreadable(name, error))?;
    sealed::unseal::<serde_json::Value>(name, &bytes).map(drop)
}

fn note<'a>(
    holds: &mut BTreeMap<Hash, Vec<EntryPath>>,
    hash: Hash,
    entries: impl IntoIterator<Item = &'a EntryPath>,
) {
    let list = holds.entry(hash).or_default();
    for entry in entries {
        if !list.contains(entry) {
            list.push(entry.clone());
        }
    }
}

fn push_new(damages: &mut Vec<Damage>, damage: Damage) {
    if !damages.iter().any(|known| known.object == damage.object && known.offset == damage.offset) {
        damages.push(damage);
    }
}
