//! A run in a directory.
//!
//! A new object is written to a temporary file beside its place, synced, renamed to its final
//! name, and the directory is synced: after a crash an object is there as a whole or not at all.
//! Temporary files that a crash left behind are removed by the next writer.

use std::collections::HashMap;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::disk::{Disk, ReadFile, RealDisk, WriteFile};
use super::{Holder, Lease, Object, Storage, StorageError, Upload, check_name};

/// The directories of every run.
const OF_EVERY_RUN: [&str; 3] = [TEMPORARY, "commits", "packs"];
/// Where unfinished objects are written.
const TEMPORARY: &str = "tmp";
/// The file whose lock is the right to write.
const LEASE: &str = "lease";
/// Who took the lease last.
const HOLDER: &str = "lease.holder.json";
/// So many files stay open for reading; a reader then keeps what a writer deletes.
const OPEN_FILES: usize = 64;
/// Whoever only looks whether a run is being written holds its lock for a moment: a writer tries so
/// often, with so long a pause.
const LOCK_TRIES: usize = 10;
const LOCK_PAUSE: Duration = Duration::from_millis(10);

/// A storage in a directory of a [`Disk`].
pub struct FileStorage<D = RealDisk> {
    disk: Arc<D>,
    root: PathBuf,
    open: Mutex<HashMap<String, Arc<dyn ReadFile>>>,
    counter: AtomicU64,
    /// This process has made the directory: nothing in it is left from another.
    is_new: AtomicBool,
}

impl FileStorage {
    /// The directory `root`, which need not exist.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self::on(RealDisk, root)
    }
}

impl<D: Disk> FileStorage<D> {
    /// The directory `root` of `disk`, which need not exist.
    pub fn on(disk: D, root: impl Into<PathBuf>) -> Self {
        Self {
            disk: Arc::new(disk),
            root: root.into(),
            open: Mutex::default(),
            counter: AtomicU64::new(0),
            is_new: AtomicBool::new(false),
        }
    }

    fn path(&self, name: &str) -> Result<PathBuf, StorageError> {
        check_name(name)?;
        Ok(self.root.join(name))
    }

    fn error(&self, action: &'static str, name: &str, source: io::Error) -> StorageError {
        let (name, location) = (name.to_owned(), self.location());
        match (source.kind(), action) {
            (ErrorKind::NotFound | ErrorKind::NotADirectory, "open" | "read") => {
                StorageError::Missing { name, location }
            }
            _ => StorageError::Io { action, name, location, source },
        }
    }

    /// A file that cannot be opened is an error, not an absent one: nothing may replace it.
    fn is_there(&self, path: &Path) -> io::Result<bool> {
        match self.disk.open(path) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Creates the directories from `path` up to the first that exists, and makes them durable.
    fn create_dirs(&self, path: &Path) -> io::Result<()> {
        if path.as_os_str().is_empty() || self.disk.list(path).is_ok() {
            return Ok(());
        }
        let parent = path.parent().unwrap_or(Path::new(""));
        self.create_dirs(parent)?;
        self.disk.create_dir(path)?;
        self.disk.sync_dir(directory(parent))
    }

    fn create_temporary(&self) -> io::Result<(PathBuf, Box<dyn WriteFile>)> {
        let number = self.counter.fetch_add(1, Ordering::Relaxed);
        let dir = self.root.join(TEMPORARY);
        let path = dir.join(format!("{}-{number}", std::process::id()));
        let file = match self.disk.create(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                // What is in it is gone after a crash anyway, so that it need not be durable itself.
                self.create_dirs(&self.root)?;
                self.disk.create_dir(&dir)?;
                self.disk.create(&path)?
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                self.disk.remove(&path)?;
                self.disk.create(&path)?
            }
            result => result?,
        };
        Ok((path, file))
    }

    /// Gives a synced temporary file its final name, durably.
    fn publish(&self, temporary: &Path, path: &Path) -> io::Result<()> {
        let parent = path.parent().unwrap_or(Path::new(""));
        match self.disk.rename(temporary, path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                self.create_dirs(parent)?;
                self.disk.rename(temporary, path)?;
            }
            result => result?,
        }
        self.disk.sync_dir(directory(parent))
    }

    fn write_whole(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let (temporary, mut file) = self.create_temporary()?;
        let result =
            file.write(bytes).and_then(|()| file.sync()).and_then(|()| self.publish(&temporary, path));
        if result.is_err() {
            // The error that matters is the one above; what stays behind is removed later.
            let _ = self.disk.remove(&temporary);
        }
        result
    }

    /// As [`write_whole`](Self::write_whole), but nothing is made durable.
    fn write_briefly(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let (temporary, mut file) = self.create_temporary()?;
        let result = file.write(bytes).and_then(|()| self.disk.rename(&temporary, path));
        if result.is_err() {
            // The error that matters is the one above; what stays behind is removed later.
            let _ = self.disk.remove(&temporary);
        }
        result
    }

    fn reader(&self, name: &str) -> Result<Arc<dyn ReadFile>, StorageError> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = open.get(name) {
            return Ok(Arc::clone(file));
        }
        let path = self.path(name)?;
        let file = twice(|| self.disk.open(&path));
        let file: Arc<dyn ReadFile> = file.map_err(|e| self.error("open", name, e))?.into();
        // Only packs are read in many pieces, and only they never change under their name.
        if name.ends_with(".pack") {
            if open.len() >= OPEN_FILES {
                open.clear();
            }
            open.insert(name.to_owned(), Arc::clone(&file));
        }
        Ok(file)
    }

    /// What was opened under that name is not what is there now.
    fn forget(&self, name: &str) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
    }

    /// The lock of the run, unless somebody else keeps it.
    fn lock(&self) -> io::Result<Option<Box<dyn Lease>>> {
        let path = self.root.join(LEASE);
        for _ in 1..LOCK_TRIES {
            if let Some(lock) = self.disk.lock(&path)? {
                return Ok(Some(lock));
            }
            std::thread::sleep(LOCK_PAUSE);
        }
        self.disk.lock(&path)
    }

    fn remove_leftovers(&self) {
        let dir = self.root.join(TEMPORARY);
        for (name, len) in self.disk.list(&dir).unwrap_or_default() {
            if len.is_some() {
                // A leftover that cannot be removed costs space, not correctness.
                let _ = self.disk.remove(&dir.join(name));
            }
        }
    }

    /// Syncs every directory of the run: what a process left that died may be in the system's
    /// memory only, and a new checkpoint may lean on it.
    fn make_durable(&self) -> io::Result<()> {
        let parent = self.root.parent().unwrap_or(Path::new(""));
        match self.disk.sync_dir(directory(parent)) {
            // Whoever may not read the directory above did not make the run there either.
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {}
            synced => synced?,
        }
        self.sync_below(&self.root)
    }

    fn sync_below(&self, dir: &Path) -> io::Result<()> {
        for (name, len) in self.disk.list(directory(dir))? {
            if len.is_none() && name != TEMPORARY {
                self.sync_below(&dir.join(name))?;
            }
        }
        self.disk.sync_dir(directory(dir))
    }

    fn list_below(&self, dir: &str, objects: &mut Vec<Object>) -> io::Result<()> {
        let entries = match self.disk.list(directory(&self.root.join(dir))) {
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Ok(());
            }
            entries => entries?,
        };
        for (entry, len) in entries {
            let name = if dir.is_empty() { entry } else { format!("{dir}/{entry}") };
            match len {
                Some(len) => objects.push(Object { name, len }),
                None if name == TEMPORARY => {}
                None => self.list_below(&name, objects)?,
            }
        }
        Ok(())
    }
}

/// Tries a read again that the system refused: a checkpoint is passed over as damaged only when
/// its bytes cannot be had, not when a signal or a network came between.
fn twice<T>(mut read: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    match read() {
        Err(error) if !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::UnexpectedEof) => read(),
        result => result,
    }
}

/// The path under which a directory is opened: the empty path is the current one.
fn directory(path: &Path) -> &Path {
    if path.as_os_str().is_empty() { Path::new(".") } else { path }
}

impl<D: Disk> Storage for FileStorage<D> {
    /// Only the holder of the lease writes, so that nobody can create the object between the
    /// check and the renaming.
    fn put_new(&self, name: &str, bytes: &[u8]) -> Result<(), StorageError> {
        let path = self.path(name)?;
        if self.is_there(&path).map_err(|e| self.error("write", name, e))? {
            return Err(StorageError::Exists { name: name.to_owned(), location: self.location() });
        }
        self.write_whole(&path, bytes).map_err(|e| self.error("write", name, e))
    }

    fn put(&self, name: &str, bytes: &[u8]) -> Result<(), StorageError> {
        let path = self.path(name)?;
        self.write_whole(&path, bytes).map_err(|e| self.error("write", name, e))
    }

    fn upload(self: Arc<Self>) -> Result<Box<dyn Upload>, StorageError> {
        let created = self.create_temporary();
        let (path, file) = created.map_err(|e| self.error("create a file in", TEMPORARY, e))?;
        Ok(Box::new(FileUpload { storage: self, path: Some(path), file, is_synced: false }))
    }

    fn read_range(&self, name: &str, offset: u64, buffer: &mut [u8]) -> Result<(), StorageError> {
        let file = self.reader(name)?;
        twice(|| file.read_at(offset, buffer)).map_err(|source| match source.kind() {
            ErrorKind::UnexpectedEof => StorageError::Truncated {
                name: name.to_owned(),
                location: self.location(),
                end: offset + buffer.len() as u64,
            },
            _ => self.error("read", name, source),
        })
    }

    fn len(&self, name: &str) -> Result<u64, StorageError> {
        let file = self.reader(name)?;
        twice(|| file.len()).map_err(|e| self.error("read", name, e))
    }

    fn list(&self, prefix: &str) -> Result<Vec<Object>, StorageError> {
        let dir = prefix.rfind('/').map_or("", |slash| &prefix[..slash]);
        let mut objects = Vec::new();
        let listed = self.list_below(dir, &mut objects);
        listed.map_err(|e| self.error("list", prefix, e))?;
        objects.retain(|object| object.name.starts_with(prefix));
        objects.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(objects)
    }

    fn delete(&self, name: &str) -> Result<(), StorageError> {
        let path = self.path(name)?;
        self.forget(name);
        let parent = path.parent().unwrap_or(Path::new(""));
        let removed = self.disk.remove(&path).and_then(|()| self.disk.sync_dir(directory(parent)));
        match removed {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            result => result.map_err(|e| self.error("delete", name, e)),
        }
    }

    fn rename(&self, from: &str, to: &str) -> Result<(), StorageError> {
        let (source, target) = (self.path(from)?, self.path(to)?);
        [from, to].into_iter().for_each(|name| self.forget(name));
        let parent = source.parent().unwrap_or(Path::new(""));
        let renamed = self.publish(&source, &target).and_then(|()| self.disk.sync_dir(directory(parent)));
        renamed.map_err(|e| self.error("rename", from, e))
    }

    /// The directories that every run has are made durable with the first object, all at once.
    fn make_place(&self) -> Result<(), StorageError> {
        let is_new = self.disk.list(directory(&self.root)).is_err();
        let made = self.create_dirs(&self.root).and_then(|()| {
            OF_EVERY_RUN.iter().try_for_each(|name| self.disk.create_dir(&self.root.join(name)))
        });
        self.is_new.store(is_new, Ordering::Relaxed);
        made.map_err(|e| self.error("make the directories of a run in", "", e))
    }

    fn lease(&self, holder: &Holder) -> Result<Box<dyn Lease>, StorageError> {
        let Some(lock) = self.lock().map_err(|e| self.error("lock", LEASE, e))? else {
            return Err(StorageError::Locked {
                location: self.location(),
                holder: read_holder(self).map(Box::new),
            });
        };
        let lease = FileLease { disk: Arc::clone(&self.disk), holder: self.root.join(HOLDER), lock };
        if !self.is_new.swap(false, Ordering::Relaxed) {
            self.remove_leftovers();
            self.make_durable().map_err(|e| self.error("sync the directories of", LEASE, e))?;
        }
        // Only for whoever finds the run locked: it need not outlive the machine, and a disk that is full
        // must not keep the run from being pruned.
        let _ = self.write_briefly(&self.root.join(HOLDER), &serde_json::to_vec(holder).unwrap_or_default());
        Ok(Box::new(lease))
    }

    fn holder(&self) -> Result<Option<Holder>, StorageError> {
        match self.disk.is_locked(&self.root.join(LEASE)) {
            Ok(true) => Ok(read_holder(self)),
            Ok(false) => Ok(None),
            // Whoever may not even open the lock is only looking.
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::PermissionDenied) => {
                Ok(None)
            }
            Err(error) => Err(self.error("lock", LEASE, error)),
        }
    }

    fn location(&self) -> String {
        format!("`{}`", self.root.display())
    }

    fn available(&self) -> Option<u64> {
        self.disk.available(directory(&self.root))
    }
}

fn read_holder(storage: &dyn Storage) -> Option<Holder> {
    let text = storage.read(HOLDER, 64 << 10).ok()?;
    serde_json::from_slice(&text).ok()
}

impl<D: std::fmt::Debug> std::fmt::Debug for FileStorage<D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FileStorage").field("disk", &self.disk).field("root", &self.root).finish()
    }
}

/// The lock, and the file that says who has it.
#[derive(Debug)]
struct FileLease<D: Disk> {
    disk: Arc<D>,
    holder: PathBuf,
    lock: Box<dyn Lease>,
}

impl<D: Disk> Lease for FileLease<D> {
    fn is_held(&self) -> bool {
        self.lock.is_held()
    }
}

impl<D: Disk> Drop for FileLease<D> {
    /// While the lock is still held, so that it is not the file of the next holder that goes.
    fn drop(&mut self) {
        if self.is_held() {
            let _ = self.disk.remove(&self.holder);
        }
    }
}

struct FileUpload<D: Disk> {
    storage: Arc<FileStorage<D>>,
    /// The temporary file, until it is published.
    path: Option<PathBuf>,
    file: Box<dyn WriteFile>,
    /// All that was written is durable.
    is_synced: bool,
}

impl<D: Disk> Upload for FileUpload<D> {
    fn write(&mut self, bytes: &[u8]) -> Result<(), StorageError> {
        self.is_synced = false;
        self.file.write(bytes).map_err(|e| self.storage.error("write a file in", TEMPORARY, e))
    }

    fn sync(&mut self) -> Result<(), StorageError> {
        self.file.sync().map_err(|e| self.storage.error("write a file in", TEMPORARY, e))?;
        self.is_synced = true;
        Ok(())
    }

    fn finish(mut self: Box<Self>, name: &str) -> Result<(), StorageError> {
        let target = self.storage.path(name)?;
        let synced = if self.is_synced { Ok(()) } else { self.file.sync() };
        if let (Ok(()), Some(path)) = (&synced, &self.path) {
            let published = self.storage.publish(path, &target);
            self.storage.forget(name);
            published.map_err(|e| self.storage.error("write", name, e))?;
            self.path = None;
        }
        synced.map_err(|e| self.storage.error("write", name, e))
    }
}

impl<D: Disk> Drop for FileUpload<D> {
    fn drop(&mut self) {
        if let Some(path) = &self.path {
            // Given up: what cannot be removed now is removed by the next writer.
            let _ = self.storage.disk.remove(path);
        }
    }
}
