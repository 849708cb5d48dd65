//! A simulated disk that records every operation: tests stop a writer after any of them, look at
//! what is left, and make any of them fail.
//!
//! The simulated crash is that of a process: operations that returned are kept, the next one does
//! not happen, and a write may be cut short.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::disk::{Disk, ReadFile, WriteFile};

/// One operation that changed, or made durable, what is on the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Operation {
    CreateDir(PathBuf),
    Create(PathBuf),
    Write(PathBuf, Vec<u8>),
    Sync(PathBuf),
    Rename(PathBuf, PathBuf),
    SyncDir(PathBuf),
    Remove(PathBuf),
}

/// The simulated disk. Clones share their content.
#[derive(Debug, Clone, Default)]
pub struct SimDisk {
    state: Arc<Mutex<State>>,
    locked: Arc<AtomicBool>,
}

#[derive(Debug, Default)]
struct State {
    /// Files with their content, directories without.
    entries: BTreeMap<PathBuf, Option<Vec<u8>>>,
    log: Vec<Operation>,
    /// The operation with this number, counted from now on, fails once.
    failure: Option<(usize, ErrorKind)>,
}

impl SimDisk {
    /// An empty disk.
    pub fn new() -> Self {
        Self::default()
    }

    /// What a disk looks like on which `operations` were done.
    pub fn replay(operations: &[Operation]) -> Self {
        let disk = Self::new();
        for operation in operations {
            // A recorded operation succeeded once and succeeds again.
            let _ = disk.apply(operation.clone());
        }
        disk.state().log.clear();
        disk
    }

    /// The operations so far.
    pub fn log(&self) -> Vec<Operation> {
        self.state().log.clone()
    }

    /// Lets the operation fail that comes after `skip` more.
    pub fn fail_after(&self, skip: usize, kind: ErrorKind) {
        self.state().failure = Some((skip, kind));
    }

    /// True when the failure that was asked for has not come up yet.
    pub fn failure_pending(&self) -> bool {
        self.state().failure.is_some()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn apply(&self, operation: Operation) -> io::Result<()> {
        let mut state = self.state();
        match &mut state.failure {
            Some((0, kind)) => {
                let kind = *kind;
                state.failure = None;
                return Err(kind.into());
            }
            Some((remaining, _)) => *remaining -= 1,
            None => {}
        }
        state.apply(&operation)?;
        state.log.push(operation);
        Ok(())
    }
}

impl State {
    fn apply(&mut self, operation: &Operation) -> io::Result<()> {
        match operation {
            Operation::CreateDir(path) => {
                self.require_parent(path)?;
                self.entries.entry(path.clone()).or_insert(None);
            }
            Operation::Create(path) => {
                self.require_parent(path)?;
                if self.entries.contains_key(path) {
                    return Err(ErrorKind::AlreadyExists.into());
                }
                self.entries.insert(path.clone(), Some(Vec::new()));
            }
            Operation::Write(path, bytes) => self.file_mut(path)?.extend_from_slice(bytes),
            Operation::Sync(path) => {
                self.file_mut(path)?;
            }
            Operation::Rename(from, to) => {
                self.require_parent(to)?;
                let file = self.entries.remove(from).ok_or(ErrorKind::NotFound)?;
                self.entries.insert(to.clone(), file);
            }
            Operation::SyncDir(_) => {}
            Operation::Remove(path) => {
                self.file_mut(path)?;
                self.entries.remove(path);
            }
        }
        Ok(())
    }

    fn require_parent(&self, path: &Path) -> io::Result<()> {
        let parent = path.parent().unwrap_or(Path::new(""));
        let there = parent.as_os_str().is_empty() || self.entries.get(parent) == Some(&None);
        there.then_some(()).ok_or_else(|| ErrorKind::NotFound.into())
    }

    fn file_mut(&mut self, path: &Path) -> io::Result<&mut Vec<u8>> {
        let entry = self.entries.get_mut(path).and_then(Option::as_mut);
        entry.ok_or_else(|| ErrorKind::NotFound.into())
    }
}

impl Disk for SimDisk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn WriteFile>> {
        self.apply(Operation::Create(path.to_owned()))?;
        Ok(Box::new(SimFile { disk: self.clone(), path: path.to_owned() }))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn ReadFile>> {
        let content = self.state().file_mut(path)?.clone();
        Ok(Box::new(SimContent(content)))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.apply(Operation::Rename(from.to_owned(), to.to_owned()))
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.apply(Operation::SyncDir(path.to_owned()))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.apply(Operation::Remove(path.to_owned()))
    }

    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.apply(Operation::CreateDir(path.to_owned()))
    }

    fn list(&self, path: &Path) -> io::Result<Vec<(String, Option<u64>)>> {
        let state = self.state();
        if state.entries.get(path) != Some(&None) && path != Path::new(".") {
            return Err(ErrorKind::NotFound.into());
        }
        let inside = state.entries.iter().filter(|(entry, _)| entry.parent() == Some(path));
        let named = inside.filter_map(|(entry, content)| {
            let name = entry.file_name()?.to_string_lossy().into_owned();
            Some((name, content.as_ref().map(|bytes| bytes.len() as u64)))
        });
        Ok(named.collect())
    }

    fn lock(&self, _path: &Path) -> io::Result<Option<Box<dyn super::Lease>>> {
        let taken = self.locked.swap(true, Ordering::AcqRel);
        Ok((!taken).then(|| Box::new(SimLock(Arc::clone(&self.locked))) as Box<dyn super::Lease>))
    }
}

#[derive(Debug)]
struct SimLock(Arc<AtomicBool>);

impl super::Lease for SimLock {}

impl Drop for SimLock {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

struct SimFile {
    disk: SimDisk,
    path: PathBuf,
}

impl WriteFile for SimFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.disk.apply(Operation::Write(self.path.clone(), bytes.to_vec()))
    }

    fn sync(&mut self) -> io::Result<()> {
        self.disk.apply(Operation::Sync(self.path.clone()))
    }
}

struct SimContent(Vec<u8>);

impl ReadFile for SimContent {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.len() as u64)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let content = self.0.get(start..start.saturating_add(buffer.len()));
        buffer.copy_from_slice(content.ok_or(ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}
