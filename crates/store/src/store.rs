//! A run as the engine sees it: its identity, its checkpoints, its packs and the right to write.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;
use std::sync::Arc;

use crate::bases::Bases;
use crate::checkpoint::Checkpoint;
use crate::chunks::Chunks;
use crate::cipher::{Cipher, Sealer};
use crate::codec::Compression;
use crate::commit::{self, CommitRecord, FORMAT, RECORD_LIMIT};
use crate::error::{Damage, OpenError, ReadError, SaveError};
use crate::hash::Hash;
use crate::history::{self, Row};
use crate::identity::{self, Identity, Lineage, Refused};
use crate::pack::{PackEntry, unreadable};
use crate::prune::PruneError;
use crate::save::Save;
use crate::sealed;
use crate::storage::{Holder, Lease, Storage, StorageError};
use crate::time::now_seconds;
use crate::trash;
use crate::verify::ARTIFACTS;

/// A run in a [`Storage`], opened for reading or, by one process at a time, for writing.
#[derive(Debug)]
pub struct Store {
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) identity: Identity,
    pub(crate) identity_damage: Option<Damage>,
    pub(crate) chunks: Chunks,
    pub(crate) commits: BTreeMap<u64, Result<CommitRecord, Damage>>,
    /// Packs that no checkpoint needs and that wait for their end.
    pub(crate) condemned: BTreeMap<Hash, u64>,
    /// Those of them that only this process knows of, with their lengths.
    pub(crate) waiting: BTreeMap<Hash, u64>,
    /// Names of the chunks that each checkpoint needs, as far as it was asked for.
    pub(crate) needs: HashMap<u64, Arc<Vec<Hash>>>,
    /// What the next save may be told by differences from; found at the first save.
    pub(crate) bases: Option<Bases>,
    pub(crate) compression: Compression,
    /// History segments that are known to be part of a checkpoint's history.
    pub(crate) chained: BTreeSet<String>,
    /// Prunings between saves, so far.
    pub(crate) prunings: u64,
    lease: Option<Box<dyn Lease>>,
    pub(crate) poisoned: bool,
}

/// The object that holds the data key of an encrypted run, wrapped for whoever may read it.
pub(crate) const WRAPPED_KEY: &str = "key.age";
/// A wrapped key is never longer: bytes.
const WRAPPED_KEY_LIMIT: u64 = 64 << 10;
/// From this format on, tags, notes and histories of an encrypted run are bound to the run.
const NAMES_RUN_FROM: u32 = 3;
/// Bytes that stay free beside what a save takes.
const SPACE_RESERVE: u64 = 1 << 20;

/// A pack that a save has made durable.
#[derive(Debug)]
pub(crate) struct NewPack {
    pub id: Hash,
    pub entries: Vec<PackEntry>,
    pub len: u64,
    /// No pack of that name was there before.
    pub is_new: bool,
}

/// The newest checkpoint with which something could be done.
#[derive(Debug, Clone, PartialEq)]
pub struct Newest<T> {
    /// Its step, and what was done; `None` when there is no valid checkpoint.
    pub valid: Option<(u64, T)>,
    /// Newer ones that are damaged and were passed over.
    pub skipped: Vec<Skipped>,
}

/// A checkpoint that was passed over because it is damaged.
#[derive(Debug, Clone, PartialEq)]
pub struct Skipped {
    /// Its step.
    pub step: u64,
    /// Why.
    pub damage: Damage,
}

impl Store {
    /// Makes a new run and takes the right to write it. `purpose` is shown to whoever finds the
    /// run locked.
    ///
    /// # Errors
    /// When the place holds a run or anything else, or cannot be written.
    pub fn create(
        storage: Arc<dyn Storage>,
        system: &str,
        lineage: Option<Lineage>,
        purpose: &str,
    ) -> Result<Self, OpenError> {
        let location = storage.location();
        require_no_run(&*storage)?;
        storage.make_place()?;
        let lease = storage.lease(&holder(&*storage, purpose))?;
        // Somebody else may have made one between the look and the lock.
        require_no_run(&*storage)?;
        let identity = Identity {
            format: FORMAT,
            run: identity::new_run_id(&location),
            system: system.to_owned(),
            created: now_seconds(),
            lineage,
            encrypted: storage.key().is_some(),
        };
        let cipher = storage.key().map(Cipher::new);
        storage.put_new(identity::OBJECT, &identity.encode(cipher.as_ref()))?;
        let mut store = Self::load(storage, Some(lease))?;
        store.identity = identity;
        Ok(store)
    }

    /// Opens a run for reading. Nothing is written, and a writer is not hindered.
    ///
    /// # Errors
    /// When there is no run, a later version wrote it, or the storage fails.
    pub fn open(storage: Arc<dyn Storage>) -> Result<Self, OpenError> {
        require_run(&*storage)?;
        Self::load(storage, None)
    }

    /// Opens a run for writing.
    ///
    /// # Errors
    /// As [`open`](Self::open); and when another process holds the right to write.
    pub fn open_for_writing(storage: Arc<dyn Storage>, purpose: &str) -> Result<Self, OpenError> {
        require_run(&*storage)?;
        let lease = storage.lease(&holder(&*storage, purpose));
        // Moved or deleted between the look and the lock.
        require_run(&*storage)?;
        Self::load(storage, Some(lease?))
    }

    fn load(storage: Arc<dyn Storage>, lease: Option<Box<dyn Lease>>) -> Result<Self, OpenError> {
        let key = storage.key().map(Cipher::new);
        let (identity, identity_damage) = match read_identity(&*storage, key.as_ref())? {
            Ok(identity) => (Some(identity), None),
            Err(damage) => (None, Some(damage)),
        };
        if key.is_some() && identity.as_ref().is_some_and(|identity| !identity.encrypted) {
            return Err(OpenError::NotEncrypted { location: storage.location() });
        }
        let cipher = key;
        let condemned = trash::list(&*storage)?;
        // A writer takes condemned packs for gone, so that no new checkpoint leans on them.
        let without = if lease.is_some() { condemned.keys().copied().collect() } else { BTreeSet::new() };
        // Commits first: a checkpoint that a writer adds meanwhile is not seen, and none is seen
        // without its packs.
        let run = identity.as_ref().map(|identity| identity.run.as_str());
        let commits = read_commits(&storage, cipher.as_ref(), run)?;
        let mut store = Self {
            chunks: Chunks::open(&storage, cipher, &without)?,
            commits,
            identity: identity.unwrap_or_else(unknown_identity),
            storage,
            identity_damage,
            condemned,
            waiting: BTreeMap::new(),
            needs: HashMap::new(),
            bases: None,
            compression: Compression::default(),
            chained: BTreeSet::new(),
            prunings: 0,
            lease,
            poisoned: false,
        };
        if store.identity_damage.is_some()
            && let Some(record) = store.newest_readable()
        {
            let (format, run, system) = (record.format, record.run.clone(), record.about.system.clone());
            store.identity = Identity { format, run, system, ..store.identity };
        }
        Ok(store)
    }

    /// What run this is. When `rekindle.json` is damaged, what the newest commit record says.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Why `rekindle.json` could not be used, if it could not.
    pub fn identity_damage(&self) -> Option<&Damage> {
        self.identity_damage.as_ref()
    }

    /// Where the run is, for messages.
    pub fn location(&self) -> String {
        self.storage.location()
    }

    /// Sets how much work later saves spend on making chunks smaller.
    pub fn set_compression(&mut self, compression: Compression) {
        self.compression = compression;
    }

    /// The storage.
    pub fn storage(&self) -> &Arc<dyn Storage> {
        &self.storage
    }

    /// The steps that have a commit record, damaged ones included, in ascending order.
    pub fn steps(&self) -> Vec<u64> {
        self.commits.keys().copied().collect()
    }

    /// The commit records that can be read, in ascending order of their steps.
    pub fn records(&self) -> impl DoubleEndedIterator<Item = &CommitRecord> {
        self.commits.values().flatten()
    }

    /// The commit records that cannot be read.
    pub fn damaged_records(&self) -> impl Iterator<Item = Skipped> {
        self.commits.iter().filter_map(|(&step, record)| {
            let damage = record.as_ref().err()?.clone();
            Some(Skipped { step, damage })
        })
    }

    /// How the small objects of the run are encrypted, if it is.
    pub(crate) fn sealer(&self) -> Sealer<'_> {
        let Identity { run, format, .. } = &self.identity;
        let of_this_run = *format >= NAMES_RUN_FROM;
        let unbound = !of_this_run || self.identity_damage.is_some();
        Sealer { cipher: self.chunks.cipher(), run, of_this_run, unbound }
    }

    pub(crate) fn newest_readable(&self) -> Option<&CommitRecord> {
        self.records().next_back()
    }

    /// The checkpoint at `step`. Its record is verified, its state is when it is read.
    ///
    /// # Errors
    /// When there is none, or its record is damaged.
    pub fn checkpoint(&self, step: u64) -> Result<Checkpoint<'_>, ReadError> {
        match self.commits.get(&step) {
            Some(Ok(record)) => Ok(Checkpoint::new(self, record)),
            Some(Err(damage)) => Err(damage.clone().into()),
            None => Err(ReadError::NoCheckpoint { step, location: self.location(), available: self.steps() }),
        }
    }

    /// The newest checkpoint for which `attempt` does not find damage, with what it gave.
    ///
    /// # Errors
    /// Those of `attempt` that are no damage.
    pub fn newest_valid<T, E: From<ReadError>>(
        &self,
        mut attempt: impl FnMut(&Checkpoint<'_>) -> Result<T, E>,
        is_damage: impl Fn(&E) -> Option<Damage>,
    ) -> Result<Newest<T>, E> {
        let mut skipped = Vec::new();
        for (&step, record) in self.commits.iter().rev() {
            let damage = match record {
                Err(damage) if damage.is_unreadable() => return Err(ReadError::from(damage.clone()).into()),
                Err(damage) => damage.clone(),
                Ok(record) => match attempt(&Checkpoint::new(self, record)) {
                    Ok(value) => return Ok(Newest { valid: Some((step, value)), skipped }),
                    Err(error) => match is_damage(&error) {
                        Some(damage) => damage,
                        None => return Err(error),
                    },
                },
            };
            skipped.push(Skipped { step, damage });
        }
        Ok(Newest { valid: None, skipped })
    }

    /// The newest checkpoint all of whose bytes are as they were written, and the damaged ones
    /// that were passed over. Reads all of it.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn newest_whole(&self) -> Result<(Option<u64>, Vec<Skipped>), ReadError> {
        let damage = |error: &ReadError| error.damage().cloned();
        let Newest { valid, skipped } = self.newest_valid(|checkpoint| checkpoint.verify(), damage)?;
        Ok((valid.map(|(step, ())| step), skipped))
    }

    /// The rows of the metrics history up to the checkpoint of `record`; rows of segments that
    /// cannot be read are left out, and the damage is returned.
    pub fn history(&self, record: &CommitRecord) -> (Vec<Row>, Option<Damage>) {
        history::rows(&*self.storage, record.history.as_deref(), &self.sealer())
    }

    /// Begins a save.
    ///
    /// # Errors
    /// When the run was opened for reading, or an earlier write failed.
    pub fn save(&mut self) -> Result<Save<'_>, SaveError> {
        self.require_writer()?;
        self.require_space()?;
        Ok(Save::new(self))
    }

    /// A save may take what the one before took, or the whole state, if there is none. It stays
    /// an estimate; a disk that is full all the same aborts the save, and no checkpoint is hurt.
    fn require_space(&self) -> Result<(), SaveError> {
        self.require_free(self.newest_readable().map_or(0, |record| record.new_bytes))
    }

    /// There are so many bytes free, and some more, as far as that is known.
    pub(crate) fn require_free(&self, needed: u64) -> Result<(), SaveError> {
        let needed = needed.saturating_add(SPACE_RESERVE);
        match self.storage.available() {
            Some(available) if available < needed => {
                Err(SaveError::NoSpace { location: self.location(), needed, available })
            }
            _ => Ok(()),
        }
    }

    /// Writes nothing more until the run is opened again: after a panic in the middle of a save.
    pub fn stop_writing(&mut self) {
        self.poisoned = true;
    }

    pub(crate) fn require_writer(&self) -> Result<(), SaveError> {
        match &self.lease {
            None => Err(SaveError::ReadOnly),
            Some(_) if self.poisoned => Err(SaveError::Poisoned),
            Some(lease) if !lease.is_held() => Err(SaveError::LeaseLost { location: self.location() }),
            Some(_) => Ok(()),
        }
    }

    /// The record of `step` if the same state is saved there already.
    pub(crate) fn check_step(&self, step: u64, new: Hash) -> Result<Option<CommitRecord>, SaveError> {
        match self.commits.get(&step) {
            Some(Ok(record)) if record.state_hash == new => return Ok(Some(record.clone())),
            Some(Ok(record)) => {
                let saved = record.state_hash;
                return Err(SaveError::StepTaken { step, saved, new });
            }
            Some(Err(damage)) => return Err(ReadError::from(damage.clone()).into()),
            None => {}
        }
        match self.commits.keys().next_back() {
            Some(&newest) if newest > step => Err(SaveError::StepBehind { step, newest }),
            _ => Ok(None),
        }
    }

    /// Takes a committed checkpoint into the books.
    pub(crate) fn accept(&mut self, record: CommitRecord, packs: Vec<NewPack>) {
        for pack in packs {
            self.chunks.add_fresh_pack(pack.id, pack.len, pack.entries);
        }
        self.commits.insert(record.step, Ok(record));
    }

    /// A pack that was condemned has been written again: the same content has the same name.
    pub(crate) fn revive(&mut self, pack: &Hash) -> Result<(), StorageError> {
        let waited = self.waiting.remove(pack).is_some();
        if self.condemned.remove(pack).is_some() && !waited {
            trash::unmark(&*self.storage, pack)?;
        }
        Ok(())
    }

    /// Writes a file for people, such as `config.yaml`, that no checkpoint depends on: one of the run's
    /// own, or any under `artifacts/`. In an encrypted run there are none.
    ///
    /// # Errors
    /// When the run was opened for reading, the name is another's, or the storage fails.
    pub fn put_note(&self, name: &str, bytes: &[u8]) -> Result<(), SaveError> {
        self.require_writer()?;
        if !is_for_people(name) {
            return Err(StorageError::BadName { name: name.chars().take(255).collect() }.into());
        }
        if self.identity.encrypted {
            return Ok(());
        }
        Ok(self.storage.put(name, bytes)?)
    }

    /// Deletes the checkpoints after `step`, newest first.
    ///
    /// # Errors
    /// When the run was opened for reading, one of them is tagged, or the storage fails.
    pub fn discard_after(&mut self, step: u64) -> Result<Vec<u64>, PruneError> {
        self.require_writer()?;
        let after = (Bound::Excluded(step), Bound::Unbounded);
        let later: Vec<u64> = self.commits.range(after).map(|(&step, _)| step).collect();
        for (name, tagged) in self.tags()? {
            let tagged = tagged.map_err(|damage| PruneError::TagUnknown { damage: Box::new(damage) })?;
            if later.contains(&tagged) {
                return Err(PruneError::Tagged { name });
            }
        }
        for &step in later.iter().rev() {
            self.delete_commit(step)?;
        }
        Ok(later)
    }

    /// Deletes the checkpoint at `step`, whatever it is; its packs go with the next prune.
    ///
    /// # Errors
    /// When the run was opened for reading, or the storage fails.
    pub fn discard_checkpoint(&mut self, step: u64) -> Result<(), SaveError> {
        self.require_writer()?;
        Ok(self.delete_commit(step)?)
    }

    /// What was said of the checkpoint goes first: after a crash in between, it would stand for the
    /// next checkpoint of the step.
    pub(crate) fn delete_commit(&mut self, step: u64) -> Result<(), StorageError> {
        self.delete_signatures(step)?;
        self.delete_note(step)?;
        self.storage.delete(&commit::object_name(step))?;
        self.forget_commit(step);
        Ok(())
    }

    pub(crate) fn forget_commit(&mut self, step: u64) {
        self.commits.remove(&step);
        self.needs.remove(&step);
    }
}

/// Who writes, for whoever finds the run locked. Of an encrypted run nothing is told but the process.
fn holder(storage: &dyn Storage, purpose: &str) -> Holder {
    if storage.key().is_some() { Holder::unnamed() } else { Holder::this_process(purpose) }
}

/// True for the files beside the checkpoints that a program may write as it likes.
fn is_for_people(name: &str) -> bool {
    ["config.yaml", "metrics.jsonl"].contains(&name) || name.starts_with(ARTIFACTS)
}

/// True when the run in `storage` is encrypted, as far as that can be seen without its key.
///
/// # Errors
/// When the storage fails.
pub fn is_encrypted(storage: &dyn Storage) -> Result<bool, OpenError> {
    match read_identity(storage, None) {
        Err(OpenError::Encrypted { .. }) => Ok(true),
        Ok(Err(_)) => Ok(wrapped_key(storage)?.is_some()),
        Ok(Ok(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

/// The wrapped data key of the run in `storage`, if it has one.
///
/// # Errors
/// When the storage fails.
pub fn wrapped_key(storage: &dyn Storage) -> Result<Option<Vec<u8>>, StorageError> {
    match storage.read(WRAPPED_KEY, WRAPPED_KEY_LIMIT) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(StorageError::Missing { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Puts the wrapped data key of a run in its place: before the run is made, and whenever it is
/// wrapped for others. Nothing else of the run changes.
///
/// # Errors
/// When the storage fails.
pub fn put_wrapped_key(storage: &dyn Storage, wrapped: &[u8]) -> Result<(), StorageError> {
    storage.put(WRAPPED_KEY, wrapped)
}

/// True for what may lie where a run is to be made.
fn is_before_a_run(name: &str) -> bool {
    name.starts_with("lease") || name == WRAPPED_KEY
}

/// True for the objects that make a place a run.
fn is_of_a_run(name: &str) -> bool {
    name == identity::OBJECT || commit::parse_object_name(name).is_some()
}

fn require_no_run(storage: &dyn Storage) -> Result<(), OpenError> {
    let location = storage.location();
    let objects = storage.list("")?;
    if objects.iter().any(|object| is_of_a_run(&object.name)) {
        return Err(OpenError::RunExists { location });
    }
    if objects.iter().any(|object| !is_before_a_run(&object.name)) {
        return Err(OpenError::NotEmpty { location });
    }
    Ok(())
}

fn require_run(storage: &dyn Storage) -> Result<(), OpenError> {
    let there = storage.len(identity::OBJECT).is_ok()
        || storage.list(commit::PREFIX)?.iter().any(|object| is_of_a_run(&object.name));
    let location = storage.location();
    there.then_some(()).ok_or(OpenError::NoRun { location })
}

fn read_identity(
    storage: &dyn Storage,
    cipher: Option<&Cipher>,
) -> Result<Result<Identity, Damage>, OpenError> {
    #[derive(serde::Deserialize)]
    struct Version {
        format: u32,
    }
    let bytes = match storage.read(identity::OBJECT, identity::LIMIT) {
        Ok(bytes) => bytes,
        Err(error) => return Ok(Err(unreadable(identity::OBJECT, error))),
    };
    match sealed::unseal::<Version>(identity::OBJECT, &bytes) {
        Ok(Version { format }) if format > FORMAT => {
            Err(OpenError::NewerFormat { location: storage.location(), found: format, supported: FORMAT })
        }
        Ok(_) => match Identity::decode(&bytes, cipher) {
            Ok(identity) => Ok(Ok(identity)),
            Err(Refused::Damaged(damage)) => Ok(Err(damage)),
            Err(Refused::NoKey) => Err(OpenError::Encrypted { location: storage.location() }),
            Err(Refused::WrongKey) => Err(OpenError::WrongKey { location: storage.location() }),
        },
        Err(damage) => Ok(Err(damage)),
    }
}

fn unknown_identity() -> Identity {
    Identity {
        format: FORMAT,
        run: String::new(),
        system: String::new(),
        created: 0,
        lineage: None,
        encrypted: false,
    }
}

fn read_commits(
    storage: &Arc<dyn Storage>,
    cipher: Option<&Cipher>,
    run: Option<&str>,
) -> Result<BTreeMap<u64, Result<CommitRecord, Damage>>, OpenError> {
    let mut commits = BTreeMap::new();
    for object in storage.list(commit::PREFIX)? {
        let Some(step) = commit::parse_object_name(&object.name) else {
            continue;
        };
        let record = match storage.read(&object.name, RECORD_LIMIT as u64) {
            // Pruned between the listing and now.
            Err(StorageError::Missing { .. }) => continue,
            Err(error) => Err(unreadable(&object.name, error)),
            Ok(bytes) => match CommitRecord::decode(step, &bytes, cipher, run) {
                Ok(record) => Ok(record),
                Err(ReadError::Damaged(damage)) => Err(*damage),
                Err(ReadError::NewerFormat { found, supported }) => {
                    return Err(OpenError::NewerFormat { location: storage.location(), found, supported });
                }
                Err(ReadError::Storage(error)) => return Err(error.into()),
                Err(_) => continue,
            },
        };
        commits.insert(step, record);
    }
    Ok(commits)
}
