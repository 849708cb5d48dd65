//! A run as its one writer sees it: what it reads, and the right to write.

use std::collections::BTreeSet;
use std::ops::Deref;

use crate::access::{Access, WRAPPED_KEY};
use crate::checkpoint::bases::Bases;
use crate::checkpoint::commit::{CommitRecord, FORMAT};
use crate::codec::Compression;
use crate::error::{OpenError, SaveError};
use crate::hash::Hash;
use crate::identity::{self, Identity, Origins};
use crate::packs::condemned::Condemned;
use crate::packs::pack::PackEntry;
use crate::reader::{Store, is_of_a_run, require_run};
use crate::storage::{Lease, Storage, StorageError};
use crate::time::now_seconds;

/// A run that this process may write: a [`Store`] to read from, and all that changes a run. At any time
/// there is one writer of a run.
///
/// ```
/// # use std::sync::Arc;
/// # use rekindle_store::{Store, Writer, storage::MemoryStorage};
/// # let storage = Arc::new(MemoryStorage::new());
/// let mut run = Writer::create(storage, "", None, "example")?;
/// assert!(run.steps().is_empty());
/// run.save()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Who only reads cannot write:
///
/// ```compile_fail,E0599
/// # use std::sync::Arc;
/// # use rekindle_store::{Store, Writer, storage::MemoryStorage};
/// # let storage = Arc::new(MemoryStorage::new());
/// let mut run = Store::open(storage)?;
/// run.save()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Writer {
    pub(crate) store: Store,
    right: Right,
    /// Packs that no checkpoint needs and that wait for their end.
    pub(crate) condemned: Condemned,
    /// What the next save may be told by differences from; found at the first save.
    pub(crate) bases: Option<Bases>,
    pub(crate) compression: Compression,
    /// History segments that are known to be part of a checkpoint's history.
    pub(crate) chained: BTreeSet<String>,
    /// Prunings between saves, so far.
    pub(crate) prunings: u64,
}

/// The right to write.
#[derive(Debug)]
struct Right {
    lease: Box<dyn Lease>,
    /// A write has failed, so that it is not known what is there.
    poisoned: bool,
}

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

impl Deref for Writer {
    type Target = Store;

    fn deref(&self) -> &Store {
        &self.store
    }
}

impl Writer {
    /// Makes a new run and takes the right to write it; what it comes from, such as a [`Lineage`], is recorded.
    /// `purpose` is shown to whoever finds the run locked.
    ///
    /// [`Lineage`]: crate::Lineage
    ///
    /// # Errors
    /// When the place holds a run or anything else, or cannot be written.
    pub fn create(
        access: impl Into<Access>,
        system: &str,
        origins: impl Into<Origins>,
        purpose: &str,
    ) -> Result<Self, OpenError> {
        let access = access.into();
        let Origins { lineage, teachers } = origins.into();
        let storage = access.storage();
        require_no_run(&**storage)?;
        storage.make_place()?;
        let lease = storage.lease(&access.holder(purpose))?;
        // Somebody else may have made one between the look and the lock.
        require_no_run(&**storage)?;
        access.keep_key()?;
        let cipher = access.cipher();
        let identity = Identity {
            format: FORMAT,
            run: identity::new_run_id(&access.location()),
            system: system.to_owned(),
            created: now_seconds(),
            lineage,
            teachers,
            encrypted: cipher.is_some(),
        };
        storage.put_new(identity::OBJECT, &identity.encode(cipher.as_ref()))?;
        let mut writer = Self::load(access, lease)?;
        writer.store.set_identity(identity);
        Ok(writer)
    }

    /// Opens a run for writing. `purpose` is shown to whoever finds the run locked.
    ///
    /// # Errors
    /// As [`Store::open`]; and when another process holds the right to write.
    pub fn open(access: impl Into<Access>, purpose: &str) -> Result<Self, OpenError> {
        let access = access.into();
        require_run(&**access.storage())?;
        let lease = access.storage().lease(&access.holder(purpose));
        // Moved or deleted between the look and the lock.
        require_run(&**access.storage())?;
        Self::load(access, lease?)
    }

    fn load(access: Access, lease: Box<dyn Lease>) -> Result<Self, OpenError> {
        let condemned = Condemned::read(&**access.storage())?;
        // Condemned packs are taken for gone, so that no new checkpoint leans on them.
        let store = Store::load(access, &condemned.packs())?;
        Ok(Self {
            store,
            right: Right { lease, poisoned: false },
            condemned,
            bases: None,
            compression: Compression::default(),
            chained: BTreeSet::new(),
            prunings: 0,
        })
    }

    /// Sets how much work later saves spend on making chunks smaller.
    pub fn set_compression(&mut self, compression: Compression) {
        self.compression = compression;
    }

    /// Stores the next checkpoint without differences from earlier ones: it needs none of the chunks that it
    /// does not share with them.
    pub fn store_next_in_full(&mut self) {
        self.bases = Some(Bases::default());
    }

    /// Writes nothing more until the run is opened again: after a panic in the middle of a save.
    pub fn stop_writing(&mut self) {
        self.right.poisoned = true;
    }

    pub(crate) fn is_poisoned(&self) -> bool {
        self.right.poisoned
    }

    /// The right to write is still held, and no write has failed.
    pub(crate) fn require_right(&self) -> Result<(), SaveError> {
        match &self.right {
            Right { poisoned: true, .. } => Err(SaveError::Poisoned),
            Right { lease, .. } if !lease.is_held() => {
                Err(SaveError::LeaseLost { location: self.location() })
            }
            _ => Ok(()),
        }
    }

    /// There are so many bytes free, and some more, as far as that is known.
    pub(crate) fn require_free(&self, needed: u64) -> Result<(), SaveError> {
        let needed = needed.saturating_add(SPACE_RESERVE);
        match self.storage().available() {
            Some(available) if available < needed => {
                Err(SaveError::NoSpace { location: self.location(), needed, available })
            }
            _ => Ok(()),
        }
    }

    /// Takes a committed checkpoint into the books.
    pub(crate) fn accept(&mut self, record: CommitRecord, packs: Vec<NewPack>) {
        for pack in packs {
            self.store.chunks_mut().add_fresh_pack(pack.id, pack.len, pack.entries);
        }
        self.store.catalog_mut().insert(record);
    }

    /// A pack that was condemned has been written again: the same content has the same name.
    pub(crate) fn revive(&mut self, pack: &Hash) -> Result<(), StorageError> {
        self.condemned.remove(&**self.store.storage(), pack)
    }
}

/// True for what may lie where a run is to be made.
fn is_before_a_run(name: &str) -> bool {
    name.starts_with("lease") || name == WRAPPED_KEY
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
