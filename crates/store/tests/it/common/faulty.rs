//! A storage in memory some of whose bytes cannot be read, however often that is tried.

use std::io;
use std::ops::Range;
use std::sync::{Arc, Mutex};

use rekindle_store::storage::{Holder, Lease, MemoryStorage, Object, Storage, StorageError, Upload};

/// What cannot be read, and why.
#[derive(Debug, Clone)]
pub struct Fault {
    /// The object's name begins with this.
    pub prefix: String,
    /// A read that touches any of these bytes fails.
    pub range: Range<u64>,
    /// What the system says: a number of `errno.h`.
    pub errno: i32,
}

/// The system's numbers for the errors of the stories.
pub const EIO: i32 = 5;
pub const EACCES: i32 = 13;
pub const EMFILE: i32 = 24;

/// A storage in memory with lasting faults. Clones share their content.
#[derive(Debug, Clone)]
pub struct FaultyStorage {
    pub memory: MemoryStorage,
    faults: Arc<Mutex<Vec<Fault>>>,
}

impl FaultyStorage {
    pub fn new(memory: MemoryStorage) -> Self {
        Self { memory, faults: Arc::default() }
    }

    /// From now on nothing of the objects whose names begin with `prefix` can be read.
    pub fn fail(&self, prefix: &str, errno: i32) {
        self.fail_in(prefix, 0..u64::MAX, errno);
    }

    /// From now on these bytes cannot be read.
    pub fn fail_in(&self, prefix: &str, range: Range<u64>, errno: i32) {
        self.faults.lock().unwrap().push(Fault { prefix: prefix.to_owned(), range, errno });
    }

    /// Everything can be read again.
    pub fn heal(&self) {
        self.faults.lock().unwrap().clear();
    }

    fn check(&self, name: &str, range: Range<u64>) -> Result<(), StorageError> {
        let faults = self.faults.lock().unwrap();
        let hit = faults.iter().find(|fault| {
            name.starts_with(&fault.prefix) && fault.range.start < range.end && range.start < fault.range.end
        });
        let Some(fault) = hit else { return Ok(()) };
        let source = io::Error::from_raw_os_error(fault.errno);
        Err(StorageError::Io { action: "read", name: name.to_owned(), location: self.location(), source })
    }
}

impl Storage for FaultyStorage {
    fn put_new(&self, name: &str, bytes: &[u8]) -> Result<(), StorageError> {
        self.memory.put_new(name, bytes)
    }

    fn put(&self, name: &str, bytes: &[u8]) -> Result<(), StorageError> {
        self.memory.put(name, bytes)
    }

    fn upload(self: Arc<Self>) -> Result<Box<dyn Upload>, StorageError> {
        Arc::new(self.memory.clone()).upload()
    }

    fn read_range(&self, name: &str, offset: u64, buffer: &mut [u8]) -> Result<(), StorageError> {
        self.check(name, offset..offset + buffer.len() as u64)?;
        self.memory.read_range(name, offset, buffer)
    }

    fn len(&self, name: &str) -> Result<u64, StorageError> {
        self.memory.len(name)
    }

    fn list(&self, prefix: &str) -> Result<Vec<Object>, StorageError> {
        self.memory.list(prefix)
    }

    fn delete(&self, name: &str) -> Result<(), StorageError> {
        self.memory.delete(name)
    }

    fn rename(&self, from: &str, to: &str) -> Result<(), StorageError> {
        self.memory.rename(from, to)
    }

    fn lease(&self, holder: &Holder) -> Result<Box<dyn Lease>, StorageError> {
        self.memory.lease(holder)
    }

    fn holder(&self) -> Result<Option<Holder>, StorageError> {
        self.memory.holder()
    }

    fn location(&self) -> String {
        "memory with faults".to_owned()
    }
}
