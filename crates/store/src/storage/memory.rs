//! A run in memory: for tests, examples and short-lived work.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Holder, Lease, Object, Storage, StorageError, Upload, check_name};

/// A storage in memory. Clones share their content.
#[derive(Debug, Clone, Default)]
pub struct MemoryStorage {
    objects: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
    leased: Arc<AtomicBool>,
    holder: Arc<Mutex<Option<Holder>>>,
}

impl MemoryStorage {
    /// An empty storage.
    pub fn new() -> Self {
        Self::default()
    }

    /// A storage with the given objects, such as a damaged copy of another's.
    pub fn from_objects(objects: BTreeMap<String, Vec<u8>>) -> Self {
        Self { objects: Arc::new(Mutex::new(objects)), ..Self::default() }
    }

    /// A copy of all objects.
    pub fn to_objects(&self) -> BTreeMap<String, Vec<u8>> {
        self.objects().clone()
    }

    fn objects(&self) -> MutexGuard<'_, BTreeMap<String, Vec<u8>>> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn missing(&self, name: &str) -> StorageError {
        StorageError::Missing { name: name.to_owned(), location: self.location() }
    }
}

impl Storage for MemoryStorage {
    fn put_new(&self, name: &str, bytes: &[u8]) -> Result<(), StorageError> {
        check_name(name)?;
        let mut objects = self.objects();
        if objects.contains_key(name) {
            return Err(StorageError::Exists { name: name.to_owned(), location: self.location() });
        }
        objects.insert(name.to_owned(), bytes.to_vec());
        Ok(())
    }

    fn put(&self, name: &str, bytes: &[u8]) -> Result<(), StorageError> {
        check_name(name)?;
        self.objects().insert(name.to_owned(), bytes.to_vec());
        Ok(())
    }

    fn upload(self: Arc<Self>) -> Result<Box<dyn Upload>, StorageError> {
        Ok(Box::new(MemoryUpload { storage: self, bytes: Vec::new() }))
    }

    fn read_range(&self, name: &str, offset: u64, buffer: &mut [u8]) -> Result<(), StorageError> {
        let objects = self.objects();
        let object = objects.get(name).ok_or_else(|| self.missing(name))?;
        let end = offset.saturating_add(buffer.len() as u64);
        let range = usize::try_from(offset).ok().zip(usize::try_from(end).ok());
        match range.and_then(|(start, end)| object.get(start..end)) {
            Some(bytes) => buffer.copy_from_slice(bytes),
            None => {
                return Err(StorageError::Truncated {
                    name: name.to_owned(),
                    location: self.location(),
                    end,
                });
            }
        }
        Ok(())
    }

    fn len(&self, name: &str) -> Result<u64, StorageError> {
        let objects = self.objects();
        let object = objects.get(name).ok_or_else(|| self.missing(name))?;
        Ok(object.len() as u64)
    }

    fn list(&self, prefix: &str) -> Result<Vec<Object>, StorageError> {
        let objects = self.objects();
        let named = objects.iter().filter(|(name, _)| name.starts_with(prefix));
        let object =
            |(name, bytes): (&String, &Vec<u8>)| Object { name: name.clone(), len: bytes.len() as u64 };
        Ok(named.map(object).collect())
    }

    fn delete(&self, name: &str) -> Result<(), StorageError> {
        self.objects().remove(name);
        Ok(())
    }

    fn rename(&self, from: &str, to: &str) -> Result<(), StorageError> {
        check_name(to)?;
        let mut objects = self.objects();
        let bytes = objects.remove(from).ok_or_else(|| self.missing(from))?;
        objects.insert(to.to_owned(), bytes);
        Ok(())
    }

    fn lease(&self, holder: &Holder) -> Result<Box<dyn Lease>, StorageError> {
        let mut last = self.holder.lock().unwrap_or_else(PoisonError::into_inner);
        if self.leased.swap(true, Ordering::AcqRel) {
            return Err(StorageError::Locked {
                location: self.location(),
                holder: last.clone().map(Box::new),
            });
        }
        *last = Some(holder.clone());
        Ok(Box::new(MemoryLease(Arc::clone(&self.leased))))
    }

    fn holder(&self) -> Result<Option<Holder>, StorageError> {
        let last = self.holder.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(last.clone().filter(|_| self.leased.load(Ordering::Acquire)))
    }

    fn location(&self) -> String {
        "memory".to_owned()
    }
}

#[derive(Debug)]
struct MemoryLease(Arc<AtomicBool>);

impl Lease for MemoryLease {}

impl Drop for MemoryLease {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

struct MemoryUpload {
    storage: Arc<MemoryStorage>,
    bytes: Vec<u8>,
}

impl Upload for MemoryUpload {
    fn write(&mut self, bytes: &[u8]) -> Result<(), StorageError> {
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn finish(self: Box<Self>, name: &str) -> Result<(), StorageError> {
        check_name(name)?;
        self.storage.objects().insert(name.to_owned(), self.bytes);
        Ok(())
    }
}
