//! A storage that counts the bytes that are read from it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rekindle::storage::{Holder, Lease, Object, Storage, StorageError, Upload};

/// Passes everything on to another storage.
#[derive(Debug)]
pub struct CountingStorage {
    inner: Arc<dyn Storage>,
    bytes_read: AtomicU64,
}

impl CountingStorage {
    /// Counts what is read from `inner`.
    pub fn new(inner: Arc<dyn Storage>) -> Self {
        Self { inner, bytes_read: AtomicU64::new(0) }
    }

    /// Bytes read so far.
    pub fn bytes_read(&self) -> u64 {
        self.bytes_read.load(Ordering::Relaxed)
    }
}

impl Storage for CountingStorage {
    fn put_new(&self, name: &str, bytes: &[u8]) -> Result<(), StorageError> {
        self.inner.put_new(name, bytes)
    }

    fn put(&self, name: &str, bytes: &[u8]) -> Result<(), StorageError> {
        self.inner.put(name, bytes)
    }

    fn upload(self: Arc<Self>) -> Result<Box<dyn Upload>, StorageError> {
        Arc::clone(&self.inner).upload()
    }

    fn takes_uploads_side_by_side(&self) -> bool {
        self.inner.takes_uploads_side_by_side()
    }

    fn read_range(&self, name: &str, offset: u64, buffer: &mut [u8]) -> Result<(), StorageError> {
        self.bytes_read.fetch_add(buffer.len() as u64, Ordering::Relaxed);
        self.inner.read_range(name, offset, buffer)
    }

    fn len(&self, name: &str) -> Result<u64, StorageError> {
        self.inner.len(name)
    }

    fn list(&self, prefix: &str) -> Result<Vec<Object>, StorageError> {
        self.inner.list(prefix)
    }

    fn delete(&self, name: &str) -> Result<(), StorageError> {
        self.inner.delete(name)
    }

    fn rename(&self, from: &str, to: &str) -> Result<(), StorageError> {
        self.inner.rename(from, to)
    }

    fn make_place(&self) -> Result<(), StorageError> {
        self.inner.make_place()
    }

    fn lease(&self, holder: &Holder) -> Result<Box<dyn Lease>, StorageError> {
        self.inner.lease(holder)
    }

    fn holder(&self) -> Result<Option<Holder>, StorageError> {
        self.inner.holder()
    }

    fn location(&self) -> String {
        self.inner.location()
    }
}
