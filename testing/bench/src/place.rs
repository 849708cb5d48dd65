//! Directories to measure in, and what lies in them.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// A directory on some medium.
#[derive(Debug, Clone)]
pub struct Place {
    /// Name of the medium.
    pub name: &'static str,
    path: PathBuf,
}

impl Place {
    /// The directory `path`, which is made when it is first used.
    pub fn new(name: &'static str, path: &Path) -> Self {
        Self { name, path: path.to_owned() }
    }

    /// A directory for one contender; it goes when it is dropped.
    pub fn scratch(&self) -> io::Result<TempDir> {
        fs::create_dir_all(&self.path)?;
        tempfile::Builder::new().prefix("bench-").tempdir_in(&self.path)
    }
}

/// Empties a directory, which is made if need be, durably, so that the next contender does not pay
/// for the deletion.
pub fn clear(directory: &Path) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        match entry.file_type()?.is_dir() {
            true => fs::remove_dir_all(entry.path())?,
            false => fs::remove_file(entry.path())?,
        }
    }
    sync(directory)
}

/// Makes a file or a directory durable.
pub fn sync(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Makes a new file durable: its bytes, and its name.
pub fn sync_new(path: &Path) -> io::Result<()> {
    sync(path)?;
    path.parent().map_or(Ok(()), sync)
}

/// All files below a directory, in the order of their names, with their lengths.
pub fn files(directory: &Path) -> io::Result<Vec<(PathBuf, u64)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        match metadata.is_dir() {
            true => found.extend(files(&entry.path())?),
            false => found.push((entry.path(), metadata.len())),
        }
    }
    found.sort();
    Ok(found)
}

/// Bytes of all files below a directory.
pub fn size(directory: &Path) -> io::Result<u64> {
    Ok(files(directory)?.iter().map(|file| file.1).sum())
}

/// The packs of a run, with their lengths.
pub fn packs(run: &Path) -> io::Result<Vec<(PathBuf, u64)>> {
    files(&run.join("packs"))
}
