//! The file operations beneath [`FileStorage`](super::FileStorage): the only place where the
//! engine touches a file system, and the seam under which crashes are simulated.

#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "this is where the file system is")]

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// A file system, as few operations as the commit protocol needs. Errors are the system's own.
pub trait Disk: Send + Sync + fmt::Debug + 'static {
    /// Creates a new, empty file for writing; one that exists is an error.
    fn create(&self, path: &Path) -> io::Result<Box<dyn WriteFile>>;
    /// Opens a file for reading.
    fn open(&self, path: &Path) -> io::Result<Box<dyn ReadFile>>;
    /// Renames a file; one at `to` is replaced atomically.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Makes the creation, renaming and removal of the files in a directory durable.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;
    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Creates a directory whose parent exists; one that exists is no error.
    fn create_dir(&self, path: &Path) -> io::Result<()>;
    /// Names of the entries of a directory, with the length of files and `None` for directories.
    fn list(&self, path: &Path) -> io::Result<Vec<(String, Option<u64>)>>;
    /// Bytes that can still be written to the file system of `path`; `None` where that is not
    /// known.
    fn available(&self, path: &Path) -> Option<u64> {
        let _ = path;
        None
    }
    /// Tries to lock a file, which is created if need be, against every other process and every
    /// other call; `None` when it is locked.
    fn lock(&self, path: &Path) -> io::Result<Option<Box<dyn super::Lease>>>;
    /// True when somebody has locked the file. Looking hinders nobody who looks too.
    fn is_locked(&self, path: &Path) -> io::Result<bool>;
}

/// A file being written, front to back.
pub trait WriteFile: Send + Sync {
    /// Appends bytes.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Makes the content durable.
    fn sync(&mut self) -> io::Result<()>;
}

/// A file being read.
#[allow(clippy::len_without_is_empty, reason = "nobody asks whether a file is empty")]
pub trait ReadFile: Send + Sync {
    /// Length in bytes.
    fn len(&self) -> io::Result<u64>;
    /// Fills `buffer` from `offset` on.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()>;
}

/// The operating system's file system.
#[derive(Debug, Clone, Copy, Default)]
pub struct RealDisk;

impl Disk for RealDisk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn WriteFile>> {
        let file = std::fs::File::create_new(path)?;
        Ok(Box::new(RealFile(file)))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn ReadFile>> {
        Ok(Box::new(RealFile(std::fs::File::open(path)?)))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    /// On Windows a directory cannot be synced; NTFS journals renames by itself. So it is with file
    /// systems that refuse to sync a directory: they have no better way to make it durable.
    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        if !cfg!(unix) {
            return Ok(());
        }
        let synced = std::fs::File::open(path)?.sync_all();
        if synced.as_ref().is_err_and(cannot_sync_directories) { Ok(()) } else { synced }
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_file(path)
    }

    fn create_dir(&self, path: &Path) -> io::Result<()> {
        match std::fs::create_dir(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
            result => result,
        }
    }

    fn list(&self, path: &Path) -> io::Result<Vec<(String, Option<u64>)>> {
        let mut entries = Vec::new();
        for entry in std::fs::read_dir(path)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            // A file may vanish between the listing and this look: a reader beside a writer.
            match entry.metadata() {
                Ok(metadata) => entries.push((name, (!metadata.is_dir()).then_some(metadata.len()))),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(entries)
    }

    #[cfg(unix)]
    fn available(&self, path: &Path) -> Option<u64> {
        let found = rustix::fs::statvfs(path).ok()?;
        found.f_bavail.checked_mul(found.f_frsize)
    }

    fn lock(&self, path: &Path) -> io::Result<Option<Box<dyn super::Lease>>> {
        let mut options = std::fs::OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false).open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Box::new(FileLock { file, path: path.to_owned() }))),
            Err(std::fs::TryLockError::WouldBlock) => Ok(None),
            Err(std::fs::TryLockError::Error(error)) => Err(error),
        }
    }

    fn is_locked(&self, path: &Path) -> io::Result<bool> {
        match std::fs::File::open(path)?.try_lock_shared() {
            Ok(()) => Ok(false),
            Err(std::fs::TryLockError::WouldBlock) => Ok(true),
            Err(std::fs::TryLockError::Error(error)) => Err(error),
        }
    }
}

/// What `fsync` says of a directory on file systems that have no such thing, such as vboxsf.
fn cannot_sync_directories(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported)
}

/// The operating system drops the lock when the file is closed, and so when its process dies.
#[derive(Debug)]
struct FileLock {
    file: std::fs::File,
    path: PathBuf,
}

impl super::Lease for FileLock {
    /// True as long as the locked file is the one at its path: whoever deletes it lets another
    /// process lock a new one.
    #[cfg(unix)]
    fn is_held(&self) -> bool {
        use std::os::unix::fs::MetadataExt;
        let same = |there: std::fs::Metadata| {
            self.file.metadata().is_ok_and(|own| (own.dev(), own.ino()) == (there.dev(), there.ino()))
        };
        std::fs::metadata(&self.path).is_ok_and(same)
    }

    #[cfg(not(unix))]
    fn is_held(&self) -> bool {
        // A file that is open cannot be deleted there.
        let Self { file: _, path: _ } = self;
        true
    }
}

struct RealFile(std::fs::File);

impl WriteFile for RealFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        io::Write::write_all(&mut self.0, bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.0.sync_all()
    }
}

impl ReadFile for RealFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    #[cfg(unix)]
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(&self.0, buffer, offset)
    }

    #[cfg(windows)]
    fn read_at(&self, mut offset: u64, mut buffer: &mut [u8]) -> io::Result<()> {
        while !buffer.is_empty() {
            match std::os::windows::fs::FileExt::seek_read(&self.0, buffer, offset)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                read => {
                    offset += read as u64;
                    buffer = &mut buffer[read..];
                }
            }
        }
        Ok(())
    }
}
