//! A run as a reader sees it: its identity, its checkpoints and its packs.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::access::{Access, wrapped_key};
use crate::checkpoint::Checkpoint;
use crate::checkpoint::catalog::Catalog;
use crate::checkpoint::commit::{self, CommitRecord, FORMAT};
use crate::encryption::cipher::Cipher;
use crate::encryption::sealer::Sealer;
use crate::error::{Damage, OpenError, ReadError};
use crate::hash::Hash;
use crate::identity::{self, Identity, Refused};
use crate::packs::chunks::Chunks;
use crate::packs::pack::unreadable;
use crate::sealed;
use crate::storage::Storage;

/// A run in a [`Storage`], opened for reading. Nothing is written through it; a
/// [`Writer`](crate::Writer) is one that also writes.
#[derive(Debug)]
pub struct Store {
    access: Access,
    identity: Identity,
    identity_damage: Option<Damage>,
    chunks: Chunks,
    catalog: Catalog,
}

/// From this format on, tags, notes and histories of an encrypted run are bound to the run.
const NAMES_RUN_FROM: u32 = 3;

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
    /// Opens a run for reading. Nothing is written, and a writer is not hindered.
    ///
    /// # Errors
    /// When there is no run, a later version wrote it, it does not open with the key that was given, or the
    /// storage fails.
    pub fn open(access: impl Into<Access>) -> Result<Self, OpenError> {
        let access = access.into();
        require_run(&**access.storage())?;
        Self::load(access, &BTreeSet::new())
    }

    /// Reads a run, but for the packs in `without`.
    pub(crate) fn load(access: Access, without: &BTreeSet<Hash>) -> Result<Self, OpenError> {
        let (storage, cipher) = (access.storage(), access.cipher());
        let (identity, identity_damage) = match read_identity(&**storage, cipher.as_ref())? {
            Ok(identity) => (Some(identity), None),
            Err(damage) => (None, Some(damage)),
        };
        if cipher.is_some() && identity.as_ref().is_some_and(|identity| !identity.encrypted) {
            return Err(OpenError::NotEncrypted { location: storage.location() });
        }
        // Records first: a checkpoint that a writer adds meanwhile is not seen, and none is seen
        // without its packs.
        let run = identity.as_ref().map(|identity| identity.run.as_str());
        let catalog = Catalog::read(&**storage, cipher.as_ref(), run)?;
        let mut store = Self {
            chunks: Chunks::open(storage, cipher, without)?,
            catalog,
            identity: identity.unwrap_or_else(unknown_identity),
            access,
            identity_damage,
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
        self.access.location()
    }

    /// The storage.
    pub fn storage(&self) -> &Arc<dyn Storage> {
        self.access.storage()
    }

    /// Where the run is, and the key that opens it: with it the run can be opened again.
    pub fn access(&self) -> &Access {
        &self.access
    }

    /// The steps that have a commit record, damaged ones included, in ascending order.
    pub fn steps(&self) -> Vec<u64> {
        self.catalog.steps().collect()
    }

    /// The commit records that can be read, in ascending order of their steps.
    pub fn records(&self) -> impl DoubleEndedIterator<Item = &CommitRecord> {
        self.catalog.records()
    }

    /// The commit records that cannot be read.
    pub fn damaged_records(&self) -> impl Iterator<Item = Skipped> {
        self.catalog.iter().filter_map(|(step, record)| {
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
        match self.catalog.get(step) {
            Some(Ok(record)) => Ok(self.checkpoint_of(record)),
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
        for (step, record) in self.catalog.iter().rev() {
            let damage = match record {
                Err(damage) if damage.is_unreadable() => return Err(ReadError::from(damage.clone()).into()),
                Err(damage) => damage.clone(),
                Ok(record) => match attempt(&self.checkpoint_of(record)) {
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

    fn checkpoint_of<'a>(&'a self, record: &'a CommitRecord) -> Checkpoint<'a> {
        Checkpoint::new(&**self.storage(), self.sealer(), &self.chunks, record)
    }

    pub(crate) fn chunks(&self) -> &Chunks {
        &self.chunks
    }

    pub(crate) fn chunks_mut(&mut self) -> &mut Chunks {
        &mut self.chunks
    }

    pub(crate) fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    pub(crate) fn catalog_mut(&mut self) -> &mut Catalog {
        &mut self.catalog
    }

    /// Takes over an identity that was written.
    pub(crate) fn set_identity(&mut self, identity: Identity) {
        self.identity = identity;
        self.identity_damage = None;
    }
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

/// True for the objects that make a place a run.
pub(crate) fn is_of_a_run(name: &str) -> bool {
    name == identity::OBJECT || commit::parse_object_name(name).is_some()
}

pub(crate) fn require_run(storage: &dyn Storage) -> Result<(), OpenError> {
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
        teachers: Vec::new(),
        encrypted: false,
    }
}
