//! A storage together with the key of the encrypted run in it.

use std::sync::Arc;

use super::{Holder, Lease, Object, Storage, StorageError, Upload};
use crate::cipher::DataKey;

/// A storage whose run is, or will be, encrypted with a key. It hands every call on; the engine
/// asks it for the key.
#[derive(Debug)]
pub struct Keyed {
    storage: Arc<dyn Storage>,
    key: DataKey,
}

impl Keyed {
    /// `storage` with the key of its run.
    pub fn new(storage: Arc<dyn Storage>, key: DataKey) -> Self {
        Self { storage, key }
    }
}

impl Storage for Keyed {
    fn put_new(&self, name: &str, bytes: &[u8]) -> Result<(), StorageError> {
        self.storage.put_new(name, bytes)
    }

    fn put(&self, name: &str, bytes: &[u8]) -> Result<(), StorageError> {
        self.storage.put(name, bytes)
    }

    fn upload(self: Arc<Self>) -> Result<Box<dyn Upload>, StorageError> {
        Arc::clone(&self.storage).upload()
    }

    fn takes_uploads_side_by_side(&self) -> bool {
        self.storage.takes_uploads_side_by_side()
    }

    fn read_range(&self, name: &str, offset: u64, buffer: &mut [u8]) -> Result<(), StorageError> {
        self.storage.read_range(name, offset, buffer)
    }

    fn len(&self, name: &str) -> Result<u64, StorageError> {
        self.storage.len(name)
    }

    fn list(&self, prefix: &str) -> Result<Vec<Object>, StorageError> {
        self.storage.list(prefix)
    }

    fn delete(&self, name: &str) -> Result<(), StorageError> {
        self.storage.delete(name)
    }

    fn rename(&self, from: &str, to: &str) -> Result<(), StorageError> {
        self.storage.rename(from, to)
    }

    fn make_place(&self) -> Result<(), StorageError> {
        self.storage.make_place()
    }

    fn lease(&self, holder: &Holder) -> Result<Box<dyn Lease>, StorageError> {
        self.storage.lease(holder)
    }

    fn holder(&self) -> Result<Option<Holder>, StorageError> {
        self.storage.holder()
    }

    fn location(&self) -> String {
        self.storage.location()
    }

    fn available(&self) -> Option<u64> {
        self.storage.available()
    }

    fn key(&self) -> Option<&DataKey> {
        Some(&self.key)
    }
}
