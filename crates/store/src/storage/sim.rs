//! A simulated disk that records every operation: tests stop a writer after any of them, look at
//! what is left, and make any call fail.
//!
//! What the disk shows is what a process sees, and so what is left when the process dies: calls
//! that returned are kept, the next one does not happen. What a power cut leaves follows from the
//! recorded operations: syncs are among them.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::ops::Range;
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
    /// A sync that reported an error: what was written before it never becomes durable, since the
    /// system takes the pages for written and a later sync reports success.
    FailedSync(PathBuf),
    Rename(PathBuf, PathBuf),
    SyncDir(PathBuf),
    Remove(PathBuf),
}

/// What is on a disk: files with their content, directories without.
pub type Entries = BTreeMap<PathBuf, Option<Arc<Vec<u8>>>>;

/// A call that is to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// Which calls count, and so which one fails.
    pub among: Calls,
    /// So many of them succeed before.
    pub skip: usize,
    /// What the call returns.
    pub kind: ErrorKind,
    /// All later ones fail too.
    pub lasting: bool,
}

/// The calls that a [`Fault`] is among.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Calls {
    /// Every one that changes the disk or makes it durable.
    Changes,
    /// Those that need space: a write that fails has written half of its bytes.
    Growth,
    /// Syncs of files and directories.
    Syncs,
    /// Those that only look.
    Reads,
}

/// A file of which something cannot be had until the disk is [healed](SimDisk::heal), however often it
/// is tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadPlace {
    /// The file, or a directory that cannot be listed.
    pub path: PathBuf,
    /// The bytes concerned; `None` when it cannot even be opened.
    pub range: Option<Range<u64>>,
    /// What becomes of a read that touches them.
    pub symptom: Symptom,
}

/// What becomes of a read at a [`BadPlace`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Symptom {
    /// It fails with this error.
    Fails(ErrorKind),
    /// It reports success and gives other bytes: the last bit of each is wrong.
    Lies,
}

/// The simulated disk. Clones share their content.
#[derive(Debug, Clone, Default)]
pub struct SimDisk {
    state: Arc<Mutex<State>>,
    locked: Arc<AtomicBool>,
}

#[derive(Debug, Default)]
struct State {
    entries: Entries,
    /// Operations that were done before the log begins.
    before: usize,
    log: Vec<Operation>,
    fault: Option<Fault>,
    /// The fault has come up.
    failed: bool,
    bad: Option<BadPlace>,
    /// Reads met the bad place.
    met: usize,
    /// Bytes that all files together can have.
    capacity: Option<u64>,
}

impl SimDisk {
    /// An empty disk.
    pub fn new() -> Self {
        Self::default()
    }

    /// What a disk looks like on which `operations` were done.
    pub fn replay(operations: &[Operation]) -> Self {
        let disk = Self::continued(operations);
        disk.state().log.clear();
        disk
    }

    /// The disk of [`replay`](Self::replay), which goes on recording after `operations`.
    pub fn continued(operations: &[Operation]) -> Self {
        let disk = Self::new();
        disk.redo(operations);
        disk
    }

    /// A disk with these files and directories.
    pub fn from_entries(entries: Entries) -> Self {
        let state = State { entries, ..State::default() };
        Self { state: Arc::new(Mutex::new(state)), ..Self::default() }
    }

    /// A disk of its own with what is on this one. Its log begins anew, the count of its operations
    /// goes on.
    pub fn fork(&self) -> Self {
        let state = self.state();
        let (entries, before) = (state.entries.clone(), state.operations());
        let state = State { entries, before, ..State::default() };
        Self { state: Arc::new(Mutex::new(state)), ..Self::default() }
    }

    /// Does recorded operations, which go into the log.
    pub fn redo(&self, operations: &[Operation]) {
        for operation in operations {
            // A recorded operation succeeded once and succeeds again.
            let _ = self.apply(operation.clone());
        }
    }

    /// A copy of what is on the disk.
    pub fn entries(&self) -> Entries {
        self.state().entries.clone()
    }

    /// The operations so far; of a [fork](Self::fork), those since then.
    pub fn log(&self) -> Vec<Operation> {
        self.state().log.clone()
    }

    /// The number of operations so far; of a [fork](Self::fork), those before it included.
    pub fn operations(&self) -> usize {
        self.state().operations()
    }

    /// Lets the operation fail once that comes after `skip` more.
    pub fn fail_after(&self, skip: usize, kind: ErrorKind) {
        self.fail(Fault { among: Calls::Changes, skip, kind, lasting: false });
    }

    /// Lets calls fail, counted from now on.
    pub fn fail(&self, fault: Fault) {
        let mut state = self.state();
        (state.fault, state.failed) = (Some(fault), false);
    }

    /// Makes a place bad, until [`heal`](Self::heal).
    pub fn spoil(&self, place: BadPlace) {
        let mut state = self.state();
        (state.bad, state.met) = (Some(place), 0);
    }

    /// How many reads met the place that was made bad last.
    pub fn times_met(&self) -> usize {
        self.state().met
    }

    /// Limits what all files together can hold: bytes. What is there already stays.
    pub fn set_capacity(&self, bytes: Option<u64>) {
        self.state().capacity = bytes;
    }

    /// Bytes of all files together.
    pub fn used(&self) -> u64 {
        self.state().used()
    }

    /// Lets nothing fail any more, and no place be bad.
    pub fn heal(&self) {
        let mut state = self.state();
        (state.fault, state.bad) = (None, None);
    }

    /// True when the failure that was asked for has not come up yet.
    pub fn failure_pending(&self) -> bool {
        let state = self.state();
        state.fault.is_some() && !state.failed
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn apply(&self, operation: Operation) -> io::Result<()> {
        let mut state = self.state();
        if let Some(kind) = state.fails(|among| operation.is_among(among)) {
            state.leave_behind(operation);
            return Err(kind.into());
        }
        if let Some(room) = state.room_for(&operation) {
            if let Operation::Write(path, bytes) = operation {
                state.apply_and_log(Operation::Write(path, bytes[..room].to_vec()));
            }
            return Err(ErrorKind::StorageFull.into());
        }
        state.apply(&operation)?;
        state.log.push(operation);
        Ok(())
    }

    fn look<T>(&self, act: impl FnOnce(&mut State) -> io::Result<T>) -> io::Result<T> {
        let mut state = self.state();
        match state.fails(|among| among == Calls::Reads) {
            Some(kind) => Err(kind.into()),
            None => act(&mut state),
        }
    }
}

impl Operation {
    fn is_among(&self, calls: Calls) -> bool {
        match calls {
            Calls::Changes => true,
            Calls::Growth => matches!(self, Self::CreateDir(_) | Self::Create(_) | Self::Write(..)),
            Calls::Syncs => matches!(self, Self::Sync(_) | Self::SyncDir(_)),
            Calls::Reads => false,
        }
    }
}

impl State {
    /// The error of a call that is to fail, if it counts and its turn has come.
    fn fails(&mut self, counts: impl Fn(Calls) -> bool) -> Option<ErrorKind> {
        let fault = self.fault.as_mut().filter(|fault| counts(fault.among))?;
        if fault.skip > 0 {
            fault.skip -= 1;
            return None;
        }
        self.failed = true;
        let kind = fault.kind;
        if !fault.lasting {
            self.fault = None;
        }
        Some(kind)
    }

    /// What a failed operation does to the disk.
    fn leave_behind(&mut self, operation: Operation) {
        let left = match operation {
            Operation::Write(path, bytes) => Operation::Write(path, bytes[..bytes.len() / 2].to_vec()),
            Operation::Sync(path) => Operation::FailedSync(path),
            _ => return,
        };
        self.apply_and_log(left);
    }

    fn apply_and_log(&mut self, operation: Operation) {
        if self.apply(&operation).is_ok() {
            self.log.push(operation);
        }
    }

    fn operations(&self) -> usize {
        self.before + self.log.len()
    }

    fn used(&self) -> u64 {
        self.entries.values().flatten().map(|content| content.len() as u64).sum()
    }

    /// Makes those of the bytes wrong that were read from the bad place.
    fn lie_about(&self, offset: u64, buffer: &mut [u8]) {
        let range = self.bad.as_ref().and_then(|bad| bad.range.clone()).unwrap_or(0..0);
        for (position, byte) in (offset..).zip(buffer) {
            *byte ^= u8::from(range.contains(&position));
        }
    }

    /// How many bytes can still be had of an operation that the disk is too full for.
    fn room_for(&self, operation: &Operation) -> Option<usize> {
        let room = self.capacity?.saturating_sub(self.used()) as usize;
        let needed = match operation {
            Operation::Write(_, bytes) => bytes.len(),
            // A new directory takes a block; a new file takes its place in a directory that has one.
            Operation::CreateDir(path) => usize::from(!self.entries.contains_key(path)),
            _ => 0,
        };
        (needed > room).then_some(room)
    }

    /// What a look at these bytes of a file or directory, or at its name, comes to.
    fn symptom_of(&mut self, path: &Path, range: Option<Range<u64>>) -> Option<Symptom> {
        let bad = self.bad.as_ref().filter(|bad| bad.path == path)?;
        let meets = match (&bad.range, range) {
            (Some(bad), Some(read)) => bad.start < read.end && read.start < bad.end,
            (bad, read) => bad.is_none() && read.is_none(),
        };
        let symptom = meets.then_some(bad.symptom)?;
        self.met += 1;
        Some(symptom)
    }

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
                self.entries.insert(path.clone(), Some(Arc::default()));
            }
            Operation::Write(path, bytes) => Arc::make_mut(self.file_mut(path)?).extend_from_slice(bytes),
            Operation::Sync(path) | Operation::FailedSync(path) => {
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

    fn file_mut(&mut self, path: &Path) -> io::Result<&mut Arc<Vec<u8>>> {
        let entry = self.entries.get_mut(path).and_then(Option::as_mut);
        entry.ok_or_else(|| ErrorKind::NotFound.into())
    }

    fn list(&self, path: &Path) -> io::Result<Vec<(String, Option<u64>)>> {
        if self.entries.get(path) != Some(&None) && path != Path::new(".") {
            return Err(ErrorKind::NotFound.into());
        }
        let below = self.entries.range(path.to_owned()..).take_while(|(entry, _)| entry.starts_with(path));
        let named = below.filter(|(entry, _)| entry.parent() == Some(path)).filter_map(|(entry, content)| {
            let name = entry.file_name()?.to_string_lossy().into_owned();
            Some((name, content.as_ref().map(|bytes| bytes.len() as u64)))
        });
        Ok(named.collect())
    }
}

impl Disk for SimDisk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn WriteFile>> {
        self.apply(Operation::Create(path.to_owned()))?;
        Ok(Box::new(SimFile { disk: self.clone(), path: path.to_owned() }))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn ReadFile>> {
        let content = self.look(|state| {
            let content = Arc::clone(state.file_mut(path)?);
            match state.symptom_of(path, None) {
                Some(Symptom::Fails(kind)) => Err(kind.into()),
                _ => Ok(content),
            }
        })?;
        Ok(Box::new(SimContent { disk: self.clone(), path: path.to_owned(), content }))
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
        self.look(|state| match state.symptom_of(path, None) {
            Some(Symptom::Fails(kind)) => Err(kind.into()),
            _ => state.list(path),
        })
    }

    fn available(&self, _: &Path) -> Option<u64> {
        let state = self.state();
        Some(state.capacity?.saturating_sub(state.used()))
    }

    fn lock(&self, path: &Path) -> io::Result<Option<Box<dyn super::Lease>>> {
        let there = self.look(|state| Ok(state.entries.contains_key(path)))?;
        if !there {
            self.apply(Operation::Create(path.to_owned()))?;
        }
        let taken = self.locked.swap(true, Ordering::AcqRel);
        Ok((!taken).then(|| Box::new(SimLock(Arc::clone(&self.locked))) as Box<dyn super::Lease>))
    }

    fn is_locked(&self, path: &Path) -> io::Result<bool> {
        self.look(|state| state.file_mut(path).map(drop))?;
        Ok(self.locked.load(Ordering::Acquire))
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

/// A file that was opened: it stays readable when its name is gone.
struct SimContent {
    disk: SimDisk,
    path: PathBuf,
    content: Arc<Vec<u8>>,
}

impl ReadFile for SimContent {
    fn len(&self) -> io::Result<u64> {
        self.disk.look(|_| Ok(self.content.len() as u64))
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let content = self.content.get(start..start.saturating_add(buffer.len()));
        let content = content.ok_or(ErrorKind::UnexpectedEof)?;
        self.disk.look(|state| {
            buffer.copy_from_slice(content);
            match state.symptom_of(&self.path, Some(offset..offset + buffer.len() as u64)) {
                Some(Symptom::Fails(kind)) => return Err(kind.into()),
                Some(Symptom::Lies) => state.lie_about(offset, buffer),
                None => {}
            }
            Ok(())
        })
    }
}
