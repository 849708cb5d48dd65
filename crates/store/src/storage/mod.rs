//! The storage seam: all that the engine asks of the place where a run lives.
//!
//! The trait is shaped so that a directory and an object store both fit: objects are written
//! once under their final name, read by range, listed and deleted. [`FileStorage`] keeps a run in
//! a directory, [`MemoryStorage`] in memory, [`Archive`] in one file; [`sim`] holds the simulated disk on which crashes
//! and failing calls are tested.

mod archive;
mod disk;
mod file;
mod memory;
pub mod sim;

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use archive::{Archive, ArchiveWriter, MAGIC as ARCHIVE_MAGIC};
pub use disk::{Disk, ReadFile, RealDisk, WriteFile};
pub use file::FileStorage;
pub use memory::MemoryStorage;

/// A place that holds the objects of one run.
///
/// Names are relative, `/`-separated and never contain `..`. Every method that writes is durable
/// when it returns: what it wrote survives a crash of the machine.
pub trait Storage: Send + Sync + fmt::Debug {
    /// Writes a new object as a whole. An object of that name is an error
    /// ([`StorageError::Exists`]) and stays as it is.
    fn put_new(&self, name: &str, bytes: &[u8]) -> Result<(), StorageError>;

    /// Writes an object as a whole; one of that name is replaced atomically. Only for the few
    /// objects that are no part of a checkpoint (tags, the lease's holder, derived files), and for a
    /// record to which metrics are added.
    fn put(&self, name: &str, bytes: &[u8]) -> Result<(), StorageError>;

    /// Begins an object whose name is known only when all its bytes are.
    fn upload(self: Arc<Self>) -> Result<Box<dyn Upload>, StorageError>;

    /// False when only one upload can be going on at a time.
    fn takes_uploads_side_by_side(&self) -> bool {
        true
    }

    /// Fills `buffer` with the bytes from `offset` on; an object that ends before is an error.
    fn read_range(&self, name: &str, offset: u64, buffer: &mut [u8]) -> Result<(), StorageError>;

    /// Length of an object in bytes.
    fn len(&self, name: &str) -> Result<u64, StorageError>;

    /// The objects whose names begin with `prefix`, in ascending order of their names.
    fn list(&self, prefix: &str) -> Result<Vec<Object>, StorageError>;

    /// Deletes an object; one that is not there is no error.
    fn delete(&self, name: &str) -> Result<(), StorageError>;

    /// Gives an object another name without reading it; one of the new name is replaced.
    fn rename(&self, from: &str, to: &str) -> Result<(), StorageError>;

    /// Makes the place itself, where it has to be there before a run is made in it.
    fn make_place(&self) -> Result<(), StorageError> {
        Ok(())
    }

    /// Takes the right to write, until the returned value is dropped or this process ends.
    fn lease(&self, holder: &Holder) -> Result<Box<dyn Lease>, StorageError>;

    /// Who writes now, if anyone does.
    fn holder(&self) -> Result<Option<Holder>, StorageError>;

    /// Where this is, for messages.
    fn location(&self) -> String;

    /// Bytes that can still be written; `None` where that is not known.
    fn available(&self) -> Option<u64> {
        None
    }

    /// A whole object of at most `limit` bytes.
    fn read(&self, name: &str, limit: u64) -> Result<Vec<u8>, StorageError> {
        let len = self.len(name)?;
        if len > limit {
            return Err(StorageError::TooLarge {
                location: self.location(),
                name: name.to_owned(),
                len,
                limit,
            });
        }
        let mut bytes = vec![0; len as usize];
        self.read_range(name, 0, &mut bytes)?;
        Ok(bytes)
    }
}

/// An object being written.
pub trait Upload: Send + Sync {
    /// Appends bytes.
    fn write(&mut self, bytes: &[u8]) -> Result<(), StorageError>;

    /// Makes what was written durable ahead of time, so that finishing takes less of it.
    fn sync(&mut self) -> Result<(), StorageError> {
        Ok(())
    }

    /// Makes the object durable and visible as `name`. An object of that name is replaced, since it
    /// may be damaged: only for names that are derived from the content.
    fn finish(self: Box<Self>, name: &str) -> Result<(), StorageError>;
}

/// The right to write; ends when dropped.
pub trait Lease: Send + Sync + fmt::Debug {
    /// False when the right was taken away, such as by deleting the file whose lock it is: somebody
    /// else may write then.
    fn is_held(&self) -> bool {
        true
    }
}

/// An object in a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// Its name.
    pub name: String,
    /// Its length in bytes.
    pub len: u64,
}

/// Who holds a lease: shown to whoever finds the run locked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Process id.
    pub pid: u32,
    /// Name of the machine; empty when unknown.
    pub host: String,
    /// What the process does, such as its command line.
    pub purpose: String,
    /// When it took the lease: seconds since 1970 (UTC).
    pub since: u64,
}

impl Holder {
    /// This process, at the present time, with nothing said of what it does and where.
    pub fn unnamed() -> Self {
        let since = crate::time::now_seconds();
        Self { pid: std::process::id(), host: String::new(), purpose: String::new(), since }
    }

    /// This process, at the present time.
    pub fn this_process(purpose: impl Into<String>) -> Self {
        let host = std::env::var("HOSTNAME").or_else(|_| std::env::var("COMPUTERNAME"));
        Self { host: host.unwrap_or_default(), purpose: purpose.into(), ..Self::unnamed() }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {}", self.pid)?;
        if !self.host.is_empty() {
            write!(f, " on {}", self.host)?;
        }
        let since = crate::time::format_utc(self.since);
        match self.purpose.as_str() {
            "" => write!(f, " (since {since})"),
            purpose => write!(f, " (`{purpose}`, since {since})"),
        }
    }
}

/// A call to a storage that failed. Nothing that was committed before is affected by any of them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StorageError {
    /// The operating system refused or failed.
    #[error("cannot {action} {}: {source}{}", place(name, location), io_hint(source))]
    Io {
        /// What was tried: `write`, `read` ...
        action: &'static str,
        /// The object.
        name: String,
        /// The storage.
        location: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The object is not there.
    #[error("`{name}` is missing in {location}")]
    Missing {
        /// The object.
        name: String,
        /// The storage.
        location: String,
    },
    /// The object is there already.
    #[error("`{name}` exists already in {location}")]
    Exists {
        /// The object.
        name: String,
        /// The storage.
        location: String,
    },
    /// The object ends before the range that was asked for.
    #[error("`{name}` in {location} ends before byte {end}")]
    Truncated {
        /// The object.
        name: String,
        /// The storage.
        location: String,
        /// End of the range.
        end: u64,
    },
    /// The object is larger than anything of its kind may be.
    #[error("`{name}` in {location} has {len} bytes; at most {limit} are allowed")]
    TooLarge {
        /// The object.
        name: String,
        /// The storage.
        location: String,
        /// Its length.
        len: u64,
        /// The limit.
        limit: u64,
    },
    /// The name could lead out of the run.
    #[error("`{name}` is not the name of an object of a run")]
    BadName {
        /// The name.
        name: String,
    },
    /// Somebody else writes.
    #[error("{location} is being written by {}; wait for it to end or stop it", named(holder))]
    Locked {
        /// The storage.
        location: String,
        /// Who holds the lease, if that can be read.
        holder: Option<Box<Holder>>,
    },
}

impl StorageError {
    /// True when there was no space left to write to.
    pub fn is_no_space(&self) -> bool {
        use std::io::ErrorKind;
        let Self::Io { source, .. } = self else { return false };
        matches!(source.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded)
    }
}

fn named(holder: &Option<Box<Holder>>) -> String {
    holder.as_ref().map_or("another process".to_owned(), |holder| holder.to_string())
}

/// Where something failed; an object without a name is the storage itself.
fn place(name: &str, location: &str) -> String {
    if name.is_empty() { location.to_owned() } else { format!("`{name}` in {location}") }
}

fn io_hint(error: &std::io::Error) -> &'static str {
    use std::io::ErrorKind;
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            "; the checkpoints before are intact: free some space and resume"
        }
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            "; nothing was changed: check the permissions"
        }
        ErrorKind::AlreadyExists | ErrorKind::NotADirectory => "; a file is where a directory should be",
        _ => "",
    }
}

/// Checks that `name` is relative, has no `.` or `..` part and only characters that every file
/// system and object store takes.
pub(crate) fn check_name(name: &str) -> Result<(), StorageError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let good = |part: &str| !part.is_empty() && part.chars().all(allowed) && !part.chars().all(|c| c == '.');
    if name.len() <= 255 && name.split('/').all(good) {
        return Ok(());
    }
    Err(StorageError::BadName { name: name.chars().take(255).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_leave_the_run_are_refused() {
        for bad in ["", "/a", "a/", "a//b", "..", "a/../b", "a/./b", "C:x", "a\\b", "a\0b", "é"] {
            assert!(check_name(bad).is_err(), "{bad:?}");
        }
        for good in ["rekindle.json", "packs/0a.pack", "refs/tags/v1.0-x_y"] {
            assert!(check_name(good).is_ok(), "{good:?}");
        }
    }
}
