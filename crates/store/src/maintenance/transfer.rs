//! A run copied as it is, object by object: names, hashes, signatures and encryption stay what they
//! are. A writer may go on meanwhile, save, prune and compact: the copy holds the checkpoints that were
//! there when it began and still are at its end.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::access::Access;
use crate::annotations::history;
use crate::checkpoint::commit::{self, RECORD_LIMIT};
use crate::error::{OpenError, ReadError};
use crate::identity;
use crate::maintenance::aside;
use crate::packs::condemned;
use crate::packs::pack;
use crate::reader::{Skipped, Store};
use crate::storage::{Object, Storage, StorageError, check_name};

/// Objects are copied in pieces of this length: bytes.
const PIECE: u64 = 1 << 20;
/// So often the packs of the run are listed again, when some went while they were copied.
const PASSES: usize = 100;

/// Copying a run failed. What was copied holds no checkpoint in part.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CopyError {
    /// Every checkpoint that was there at the beginning is gone.
    #[error(
        "every checkpoint that {location} had when the copy began was pruned meanwhile, so that nothing is left to \
         copy: copy again, or keep more checkpoints"
    )]
    NothingLeft {
        /// The run.
        location: String,
    },
    /// Packs vanish faster than they can be copied.
    #[error("{location} is changed faster than it can be copied: copy again when less is pruned")]
    Unsettled {
        /// The run.
        location: String,
    },
    /// What was copied cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// What was copied cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// An object cannot be read or written.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// What a copy holds.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct CopiedObjects {
    /// Bytes that were copied.
    pub bytes: u64,
    /// Steps of the checkpoints that were copied, damaged ones included.
    pub steps: Vec<u64>,
    /// Those of them that are damaged in the run too: something that they need is not there.
    pub damaged: Vec<Skipped>,
    /// Files that are no part of a run and were left out.
    pub left_out: Vec<String>,
}

/// Copies the objects of a run to an empty storage. The key of an encrypted run is not needed; with it, what
/// is damaged can be told. Commit records come last, so that a copy that is
/// cut short holds no checkpoint in part. What a repair moved to `damaged/` stays behind. `progress` is
/// told the bytes so far and in all.
///
/// # Errors
/// When an object cannot be read or written, or the run has changed so much meanwhile that no checkpoint
/// is left.
pub fn copy_objects(
    run: impl Into<Access>,
    to: &Arc<dyn Storage>,
    progress: impl FnMut(u64, u64),
) -> Result<CopiedObjects, CopyError> {
    let run = run.into();
    let from = &**run.storage();
    let mut copy = Copy { from, to, there: BTreeSet::new(), bytes: 0, total: 0, progress };
    let had_commits = !read_commits(from)?.is_empty();
    let (commits, left_out) = copy.until_settled()?;
    if had_commits && commits.is_empty() {
        return Err(CopyError::NothingLeft { location: from.location() });
    }
    for (name, record) in &commits {
        copy.put(name, record)?;
    }
    to.len(identity::OBJECT)?;
    let bytes = copy.bytes;
    let steps = commits.keys().filter_map(|name| commit::parse_object_name(name)).collect();
    let damaged = incomplete(&run, to)?;
    Ok(CopiedObjects { bytes, steps, damaged, left_out })
}

/// Small objects by name.
type Small = BTreeMap<String, Vec<u8>>;

struct Copy<'a, P> {
    from: &'a dyn Storage,
    to: &'a Arc<dyn Storage>,
    /// Packs and history segments, which never change under their names, that are copied.
    there: BTreeSet<String>,
    bytes: u64,
    total: u64,
    progress: P,
}

impl<P: FnMut(u64, u64)> Copy<'_, P> {
    /// Copies everything but the commit records, and gives those, with the names of what is no part of a
    /// run.
    ///
    /// A checkpoint that stands in a listing before the packs are listed, and in one after, was there in
    /// between, and so were its packs. When all of those could be copied, the copy has them; when one is
    /// gone, everything is listed again.
    fn until_settled(&mut self) -> Result<(Small, Vec<String>), CopyError> {
        for _ in 0..PASSES {
            let said = read_small(self.from)?;
            let before = read_commits(self.from)?;
            // Twice: a listing is not made in one instant, and a pack that is written while another is
            // deleted may be in neither half of one.
            let mut immutable = self.list_immutable()?;
            immutable.extend(self.list_immutable()?);
            let after = read_commits(self.from)?;
            let said_after = read_small(self.from)?;
            if self.copy_immutable(&immutable)? {
                for (name, bytes) in unchanged(said, &said_after) {
                    self.put(&name, &bytes)?;
                }
                let left_out = self.copy_others()?;
                return Ok((unchanged(before, &after), left_out));
            }
        }
        Err(CopyError::Unsettled { location: self.from.location() })
    }

    /// The objects that never change under their names: packs and history segments.
    fn list_immutable(&self) -> Result<BTreeMap<String, u64>, StorageError> {
        let mut objects = self.from.list(pack::PREFIX)?;
        objects.extend(self.from.list(history::PREFIX)?);
        let immutable = |object: &Object| {
            let name = object.name.as_str();
            pack::parse_object_name(name).is_some() || history::parse_object_name(name).is_some()
        };
        Ok(objects.into_iter().filter(immutable).map(|object| (object.name, object.len)).collect())
    }

    /// Copies what is not copied yet; false when something is gone.
    fn copy_immutable(&mut self, objects: &BTreeMap<String, u64>) -> Result<bool, StorageError> {
        let new: Vec<_> = objects.iter().filter(|(name, _)| !self.there.contains(*name)).collect();
        self.total = self.bytes + new.iter().map(|(_, len)| **len).sum::<u64>();
        let mut all_there = true;
        for (name, _) in new {
            match copy_object(self.from, self.to, name) {
                Err(StorageError::Missing { .. }) => all_there = false,
                copied => {
                    self.there.insert(name.clone());
                    self.told(copied?);
                }
            }
        }
        Ok(all_there)
    }

    /// Copies what no checkpoint depends on; gives the names that are no object's.
    fn copy_others(&mut self) -> Result<Vec<String>, StorageError> {
        let mut left_out = Vec::new();
        for Object { name, .. } in self.from.list("")? {
            if check_name(&name).is_err() {
                left_out.push(name);
            } else if is_other(&name) {
                match copy_object(self.from, self.to, &name) {
                    Err(StorageError::Missing { .. }) => {}
                    copied => self.told(copied?),
                }
            }
        }
        Ok(left_out)
    }

    fn put(&mut self, name: &str, bytes: &[u8]) -> Result<(), StorageError> {
        self.to.put(name, bytes)?;
        self.told(bytes.len() as u64);
        Ok(())
    }

    fn told(&mut self, bytes: u64) {
        self.bytes += bytes;
        self.total = self.total.max(self.bytes);
        (self.progress)(self.bytes, self.total);
    }
}

/// True for an object that is copied as it is found: what is for people, and the identity and the key,
/// which are there from the beginning.
fn is_other(name: &str) -> bool {
    let elsewhere = [commit::PREFIX, pack::PREFIX, history::PREFIX, aside::PREFIX, "lease"];
    !elsewhere.iter().any(|prefix| name.starts_with(prefix)) && !condemned::is_marker(name) && !is_said(name)
}

/// True for what is said of checkpoints: tags, notes, signatures.
fn is_said(name: &str) -> bool {
    use crate::annotations::{notes, signature, tags};
    [tags::PREFIX, notes::PREFIX, signature::PREFIX].iter().any(|prefix| name.starts_with(prefix))
}

fn read_commits(from: &dyn Storage) -> Result<Small, StorageError> {
    read_all(from, commit::PREFIX, |name| commit::parse_object_name(name).is_some())
}

fn read_small(from: &dyn Storage) -> Result<Small, StorageError> {
    read_all(from, "", is_said)
}

fn read_all(from: &dyn Storage, prefix: &str, wanted: fn(&str) -> bool) -> Result<Small, StorageError> {
    let mut small = Small::new();
    for Object { name, .. } in from.list(prefix)? {
        if wanted(&name) && check_name(&name).is_ok() {
            match from.read(&name, RECORD_LIMIT as u64) {
                Err(StorageError::Missing { .. }) => {}
                bytes => drop(small.insert(name, bytes?)),
            }
        }
    }
    Ok(small)
}

/// The objects that are the same a second time.
fn unchanged(before: Small, after: &Small) -> Small {
    before.into_iter().filter(|(name, bytes)| after.get(name) == Some(bytes)).collect()
}

fn copy_object(from: &dyn Storage, to: &Arc<dyn Storage>, name: &str) -> Result<u64, StorageError> {
    let len = from.len(name)?;
    let mut upload = Arc::clone(to).upload()?;
    let mut piece = Vec::new();
    for start in (0..len).step_by(PIECE as usize) {
        piece.resize(PIECE.min(len - start) as usize, 0);
        from.read_range(name, start, &mut piece)?;
        upload.write(&piece)?;
    }
    upload.finish(name)?;
    Ok(len)
}

/// The checkpoints of the copy whose structure is not whole. Without the key of an encrypted run that
/// cannot be told.
fn incomplete(run: &Access, to: &Arc<dyn Storage>) -> Result<Vec<Skipped>, CopyError> {
    let access = Access::new(Arc::clone(to), run.key().cloned());
    let copy = match Store::open(access) {
        Err(OpenError::Encrypted { .. } | OpenError::NoRun { .. }) => return Ok(Vec::new()),
        opened => opened?,
    };
    let mut damaged = Vec::new();
    for step in copy.steps() {
        if let Err(damage) = copy.chunks_of(step) {
            damaged.push(Skipped { step, damage });
        }
    }
    Ok(damaged)
}
