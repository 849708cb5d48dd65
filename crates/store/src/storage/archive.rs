//! A run in one file: the objects one after another, then a table of their names and lengths.
//! The bytes are described in `docs/format.md`, section "One file".

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use super::disk::{Disk, ReadFile, RealDisk, WriteFile};
use super::{Holder, Lease, Object, Storage, StorageError, Upload, check_name};
use crate::hash::Hash;

/// The first bytes of such a file.
pub const MAGIC: &[u8; 8] = b"RKFILE\x00\x01";
const TRAILER_LEN: usize = 8 + Hash::LEN;
/// The table is never longer: bytes.
const TABLE_LIMIT: u64 = 1 << 20;

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Entry {
    name: String,
    len: u64,
}

/// A run in one file, opened for reading.
pub struct Archive {
    path: PathBuf,
    file: Box<dyn ReadFile>,
    objects: BTreeMap<String, (u64, u64)>,
}

impl Archive {
    /// Opens the file at `path` and checks its table.
    ///
    /// # Errors
    /// When the file cannot be read or is not of this form.
    pub fn open(path: &Path) -> Result<Self, StorageError> {
        let error = |source| StorageError::Io {
            action: "open",
            name: path.display().to_string(),
            location: "the file system".to_owned(),
            source,
        };
        let file = RealDisk.open(path).map_err(error)?;
        let objects = read_table(&*file).map_err(error)?;
        Ok(Self { path: path.to_owned(), file, objects })
    }

    fn find(&self, name: &str) -> Result<(u64, u64), StorageError> {
        let missing = || StorageError::Missing { name: name.to_owned(), location: self.location() };
        self.objects.get(name).copied().ok_or_else(missing)
    }
}

fn malformed(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

fn read_table(file: &dyn ReadFile) -> io::Result<BTreeMap<String, (u64, u64)>> {
    let len = file.len()?;
    let mut magic = [0; MAGIC.len()];
    if len < (MAGIC.len() + TRAILER_LEN) as u64 {
        return Err(malformed("the file is too short for a checkpoint file"));
    }
    file.read_at(0, &mut magic)?;
    if magic != *MAGIC {
        return Err(malformed("the file does not begin as a checkpoint file does"));
    }
    let trailer_at = len - TRAILER_LEN as u64;
    let mut trailer = [0; TRAILER_LEN];
    file.read_at(trailer_at, &mut trailer)?;
    let table_len = u64::from_le_bytes(trailer[..8].try_into().expect("eight bytes"));
    let table_at = trailer_at.checked_sub(table_len).filter(|&at| at >= MAGIC.len() as u64);
    let Some(table_at) = table_at.filter(|_| table_len <= TABLE_LIMIT) else {
        return Err(malformed("the file is cut off or its table is damaged"));
    };
    let mut table = vec![0; table_len as usize];
    file.read_at(table_at, &mut table)?;
    if Hash::of(&table).0 != trailer[8..] {
        return Err(malformed("the table of the file does not match its hash"));
    }
    let entries: Vec<Entry> =
        serde_json::from_slice(&table).map_err(|_| malformed("the table cannot be read"))?;
    let (mut objects, mut position) = (BTreeMap::new(), MAGIC.len() as u64);
    for Entry { name, len } in entries {
        check_name(&name).map_err(|_| malformed("the table has a name that is not an object's"))?;
        let end = position.checked_add(len).filter(|&end| end <= table_at);
        let end = end.ok_or_else(|| malformed("the table goes beyond the file"))?;
        if objects.insert(name, (position, len)).is_some() {
            return Err(malformed("the table has a name twice"));
        }
        position = end;
    }
    if position == table_at { Ok(objects) } else { Err(malformed("the objects do not fill the file")) }
}

fn read_only(name: &str, location: String) -> StorageError {
    let source = io::ErrorKind::ReadOnlyFilesystem.into();
    StorageError::Io { action: "write", name: name.to_owned(), location, source }
}

impl Storage for Archive {
    fn put_new(&self, name: &str, _: &[u8]) -> Result<(), StorageError> {
        Err(read_only(name, self.location()))
    }

    fn put(&self, name: &str, _: &[u8]) -> Result<(), StorageError> {
        Err(read_only(name, self.location()))
    }

    fn upload(self: Arc<Self>) -> Result<Box<dyn Upload>, StorageError> {
        Err(read_only("a pack", self.location()))
    }

    fn read_range(&self, name: &str, offset: u64, buffer: &mut [u8]) -> Result<(), StorageError> {
        let (start, len) = self.find(name)?;
        let end = offset.saturating_add(buffer.len() as u64);
        if end > len {
            return Err(StorageError::Truncated { name: name.to_owned(), location: self.location(), end });
        }
        self.file.read_at(start + offset, buffer).map_err(|source| StorageError::Io {
            action: "read",
            name: name.to_owned(),
            location: self.location(),
            source,
        })
    }

    fn len(&self, name: &str) -> Result<u64, StorageError> {
        Ok(self.find(name)?.1)
    }

    fn list(&self, prefix: &str) -> Result<Vec<Object>, StorageError> {
        let named = self.objects.iter().filter(|(name, _)| name.starts_with(prefix));
        Ok(named.map(|(name, &(_, len))| Object { name: name.clone(), len }).collect())
    }

    fn delete(&self, name: &str) -> Result<(), StorageError> {
        Err(read_only(name, self.location()))
    }

    fn rename(&self, from: &str, _: &str) -> Result<(), StorageError> {
        Err(read_only(from, self.location()))
    }

    fn lease(&self, _: &Holder) -> Result<Box<dyn Lease>, StorageError> {
        Err(read_only("lease", self.location()))
    }

    fn holder(&self) -> Result<Option<Holder>, StorageError> {
        Ok(None)
    }

    fn location(&self) -> String {
        format!("`{}`", self.path.display())
    }
}

impl std::fmt::Debug for Archive {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Archive").field("path", &self.path).finish_non_exhaustive()
    }
}

/// A run being written into one file: a storage to which objects are only added. The file appears
/// with [`finish`](Self::finish), as a whole or not at all.
pub struct ArchiveWriter {
    path: PathBuf,
    temporary: PathBuf,
    state: Arc<Mutex<Writing>>,
}

struct Writing {
    file: Box<dyn WriteFile>,
    entries: Vec<Entry>,
    /// Length of the object that an upload is writing.
    pending: u64,
    /// Small objects, which the store reads back.
    small: BTreeMap<String, Vec<u8>>,
}

impl ArchiveWriter {
    /// Begins the file at `path`, in a temporary file beside it.
    ///
    /// # Errors
    /// When the file cannot be created.
    pub fn create(path: &Path) -> io::Result<Self> {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.tmp", std::process::id()));
        let temporary = path.with_file_name(name);
        let mut file = RealDisk.create(&temporary)?;
        file.write(MAGIC)?;
        let state = Writing { file, entries: Vec::new(), pending: 0, small: BTreeMap::new() };
        Ok(Self { path: path.to_owned(), temporary, state: Arc::new(Mutex::new(state)) })
    }

    /// Writes the table and makes the file durable and visible, in place of one of that name.
    ///
    /// # Errors
    /// When the file cannot be written; what was at its place before is still there.
    pub fn finish(&self) -> io::Result<()> {
        let mut state = lock(&self.state);
        let table = serde_json::to_vec(&state.entries)?;
        let trailer = [&(table.len() as u64).to_le_bytes()[..], &Hash::of(&table).0].concat();
        state.file.write(&table)?;
        state.file.write(&trailer)?;
        state.file.sync()?;
        RealDisk.rename(&self.temporary, &self.path)?;
        let parent = self.path.parent().filter(|parent| !parent.as_os_str().is_empty());
        RealDisk.sync_dir(parent.unwrap_or(Path::new(".")))
    }

    fn error(&self, name: &str, source: io::Error) -> StorageError {
        StorageError::Io { action: "write", name: name.to_owned(), location: self.location(), source }
    }
}

fn lock(state: &Mutex<Writing>) -> MutexGuard<'_, Writing> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for ArchiveWriter {
    fn drop(&mut self) {
        // Renamed when it was finished; otherwise given up.
        let _ = RealDisk.remove(&self.temporary);
    }
}

impl Storage for ArchiveWriter {
    fn put_new(&self, name: &str, bytes: &[u8]) -> Result<(), StorageError> {
        let mut state = lock(&self.state);
        state.file.write(bytes).map_err(|error| self.error(name, error))?;
        state.entries.push(Entry { name: name.to_owned(), len: bytes.len() as u64 });
        state.small.insert(name.to_owned(), bytes.to_vec());
        Ok(())
    }

    /// Only what is not there yet: the file is written front to back.
    fn put(&self, name: &str, bytes: &[u8]) -> Result<(), StorageError> {
        if self.len(name).is_ok() {
            return Err(self.error(name, io::ErrorKind::Unsupported.into()));
        }
        self.put_new(name, bytes)
    }

    fn upload(self: Arc<Self>) -> Result<Box<dyn Upload>, StorageError> {
        Ok(Box::new(ArchiveUpload(self)))
    }

    /// The file is written front to back.
    fn takes_uploads_side_by_side(&self) -> bool {
        false
    }

    fn read_range(&self, name: &str, offset: u64, buffer: &mut [u8]) -> Result<(), StorageError> {
        let state = lock(&self.state);
        let content = state.small.get(name).and_then(|bytes| bytes.get(offset as usize..));
        match content.and_then(|bytes| bytes.get(..buffer.len())) {
            Some(bytes) => buffer.copy_from_slice(bytes),
            None => return Err(StorageError::Missing { name: name.to_owned(), location: self.location() }),
        }
        Ok(())
    }

    fn len(&self, name: &str) -> Result<u64, StorageError> {
        let missing = || StorageError::Missing { name: name.to_owned(), location: self.location() };
        lock(&self.state).small.get(name).map(|bytes| bytes.len() as u64).ok_or_else(missing)
    }

    fn list(&self, prefix: &str) -> Result<Vec<Object>, StorageError> {
        let state = lock(&self.state);
        let named = state.small.iter().filter(|(name, _)| name.starts_with(prefix));
        Ok(named.map(|(name, bytes)| Object { name: name.clone(), len: bytes.len() as u64 }).collect())
    }

    fn delete(&self, name: &str) -> Result<(), StorageError> {
        Err(self.error(name, io::ErrorKind::Unsupported.into()))
    }

    fn rename(&self, from: &str, _: &str) -> Result<(), StorageError> {
        Err(self.error(from, io::ErrorKind::Unsupported.into()))
    }

    fn lease(&self, _: &Holder) -> Result<Box<dyn Lease>, StorageError> {
        Ok(Box::new(OnlyWriter))
    }

    fn holder(&self) -> Result<Option<Holder>, StorageError> {
        Ok(None)
    }

    fn location(&self) -> String {
        format!("`{}`", self.path.display())
    }
}

impl std::fmt::Debug for ArchiveWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ArchiveWriter").field("path", &self.path).finish_non_exhaustive()
    }
}

/// Nobody else knows the temporary file.
#[derive(Debug)]
struct OnlyWriter;

impl Lease for OnlyWriter {}

/// One upload at a time.
struct ArchiveUpload(Arc<ArchiveWriter>);

impl Upload for ArchiveUpload {
    fn write(&mut self, bytes: &[u8]) -> Result<(), StorageError> {
        let mut state = lock(&self.0.state);
        state.file.write(bytes).map_err(|error| self.0.error("a pack", error))?;
        state.pending += bytes.len() as u64;
        Ok(())
    }

    fn finish(self: Box<Self>, name: &str) -> Result<(), StorageError> {
        let mut state = lock(&self.0.state);
        let len = std::mem::take(&mut state.pending);
        state.entries.push(Entry { name: name.to_owned(), len });
        Ok(())
    }
}
