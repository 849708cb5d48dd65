//! The user's own files: the one place outside the storage seam that opens any.

#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "this is the helper that the rule names"
)]

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use tempfile::{NamedTempFile, TempDir};

/// Opens a file for reading, front to back.
///
/// # Errors
/// The system's.
pub fn open(path: &Path) -> io::Result<BufReader<File>> {
    File::open(path).map(BufReader::new)
}

/// A file of at most `limit` bytes.
///
/// # Errors
/// The system's; and when the file is longer.
pub fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    check_length(file.metadata()?.len(), limit)?;
    let mut bytes = Vec::new();
    file.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The bytes of a file of at most `limit` bytes, read as they are used: a long file takes no memory that
/// the system could not take back.
///
/// The file must not be made shorter while it is in use: the system ends a process that reads behind
/// the new end. What another process writes into it meanwhile may or may not be seen.
///
/// # Errors
/// The system's; and when the file is longer.
pub fn map(path: &Path, limit: u64) -> io::Result<Mapped> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    // Pipes and devices have no length; an empty file cannot be mapped.
    if !metadata.is_file() || metadata.len() == 0 {
        return read(path, limit).map(Mapped::Read);
    }
    check_length(metadata.len(), limit)?;
    // SAFETY: the bytes are only read, any of them are valid, and nothing is derived from them that
    // would be unsound if they changed; that the file must not be made shorter is said above.
    unsafe { memmap2::Mmap::map(&file) }.map(Mapped::Mapped)
}

fn check_length(len: u64, limit: u64) -> io::Result<()> {
    if len > limit {
        let message = format!("the file has {len} bytes, at most {limit} are allowed");
        return Err(io::Error::new(io::ErrorKind::InvalidData, message));
    }
    Ok(())
}

/// The bytes of a file.
#[derive(Debug)]
pub enum Mapped {
    /// As they are used.
    Mapped(memmap2::Mmap),
    /// In memory.
    Read(Vec<u8>),
}

impl std::ops::Deref for Mapped {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Mapped(bytes) => bytes,
            Self::Read(bytes) => bytes,
        }
    }
}

/// A text file of at most `limit` bytes.
///
/// # Errors
/// The system's; and when the file is longer or not UTF-8.
pub fn read_text(path: &Path, limit: u64) -> io::Result<String> {
    let not_text = |_| io::Error::new(io::ErrorKind::InvalidData, "stream did not contain valid UTF-8");
    String::from_utf8(read(path, limit)?).map_err(not_text)
}

/// The first bytes of a file, at most `count`.
///
/// # Errors
/// The system's.
pub fn head(path: &Path, count: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(count as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Length of a file in bytes.
///
/// # Errors
/// The system's.
pub fn len(path: &Path) -> io::Result<u64> {
    Ok(std::fs::metadata(path)?.len())
}

/// Bytes of a file, or of all files in a directory and those below it.
///
/// # Errors
/// The system's.
pub fn total_len(path: &Path) -> io::Result<u64> {
    if !path.is_dir() {
        return len(path);
    }
    let entries = std::fs::read_dir(path)?.map(|entry| total_len(&entry?.path()));
    entries.sum()
}

/// What is in a directory, in the order of the names' bytes.
///
/// # Errors
/// The system's.
pub fn entries(path: &Path) -> io::Result<Vec<PathBuf>> {
    let entries: io::Result<Vec<PathBuf>> = std::fs::read_dir(path)?.map(|entry| Ok(entry?.path())).collect();
    let mut entries = entries?;
    entries.sort();
    Ok(entries)
}

/// Creates a directory and those above it.
///
/// # Errors
/// The system's.
pub fn create_directory(path: &Path) -> io::Result<()> {
    std::fs::create_dir_all(path)
}

/// Renames a file or a directory within its file system.
///
/// # Errors
/// The system's.
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    std::fs::rename(from, to)
}

/// Removes a directory with all that is in it.
///
/// # Errors
/// The system's.
pub fn remove_directory(path: &Path) -> io::Result<()> {
    std::fs::remove_dir_all(path)
}

/// A file being written that appears under its name as a whole or not at all; one of that name
/// is replaced.
#[derive(Debug)]
pub struct NewFile {
    path: PathBuf,
    file: BufWriter<NamedTempFile>,
}

impl NewFile {
    /// Begins the file at `path`, in a temporary file beside it.
    ///
    /// # Errors
    /// The system's.
    pub fn create(path: &Path) -> io::Result<Self> {
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let file = NamedTempFile::new_in(parent.unwrap_or(Path::new(".")))?;
        Ok(Self { path: path.to_owned(), file: BufWriter::with_capacity(1 << 20, file) })
    }

    /// Makes the file durable and visible.
    ///
    /// # Errors
    /// The system's; what was at its place before is then still there.
    pub fn finish(self) -> io::Result<()> {
        let file = self.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.as_file().sync_all()?;
        set_usual_permissions(file.as_file())?;
        file.persist(&self.path).map_err(|error| error.error)?;
        Ok(())
    }
}

/// A directory being written that appears under its name as a whole or not at all. There must be none
/// of that name, but for an empty one.
#[derive(Debug)]
pub struct NewDirectory {
    path: PathBuf,
    directory: TempDir,
}

impl NewDirectory {
    /// Begins the directory at `path`, in a temporary one beside it.
    ///
    /// # Errors
    /// The system's; and when something is at its place.
    pub fn create(path: &Path) -> io::Result<Self> {
        if exists(path) && std::fs::read_dir(path)?.next().is_some() {
            let message = "there is something in the directory; name another, or remove it first";
            return Err(io::Error::new(io::ErrorKind::DirectoryNotEmpty, message));
        }
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let directory =
            tempfile::Builder::new().prefix(".tmp").tempdir_in(parent.unwrap_or(Path::new(".")))?;
        Ok(Self { path: path.to_owned(), directory })
    }

    /// Where its files are to be written.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Makes the directory, whose files are durable, visible.
    ///
    /// # Errors
    /// The system's; what was at its place before is then still there.
    pub fn finish(self) -> io::Result<()> {
        set_usual_directory_permissions(self.path())?;
        std::fs::rename(self.directory.path(), &self.path)?;
        // Nothing of that name is left to be removed.
        let _ = self.directory.keep();
        Ok(())
    }
}

#[cfg(unix)]
fn set_usual_directory_permissions(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
fn set_usual_directory_permissions(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Temporary files are private; what the user asked for is readable as any other new file.
#[cfg(unix)]
fn set_usual_permissions(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn set_usual_permissions(_: &File) -> io::Result<()> {
    Ok(())
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Adds a line to a text file, which is created if need be.
///
/// # Errors
/// The system's.
pub fn append_line(path: &Path, line: &str) -> io::Result<()> {
    let mut file = File::options().append(true).create(true).open(path)?;
    file.write_all(format!("{line}\n").as_bytes())
}

/// True when there is a file or directory at `path`.
pub fn exists(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok()
}

/// The names of the directories in `path`; none when it cannot be read.
pub fn directories(path: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    found.sort();
    found
}

/// Writes a whole file, durably and atomically.
///
/// # Errors
/// The system's.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = NewFile::create(path)?;
    file.write_all(bytes)?;
    file.finish()
}
