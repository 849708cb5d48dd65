//! Where a run is, and the key that opens it.

use std::sync::Arc;

use crate::encryption::cipher::Cipher;
use crate::encryption::data_key::DataKey;
use crate::storage::{Holder, Storage, StorageError};

/// The object that holds the data key of an encrypted run, wrapped for whoever may read it.
pub(crate) const WRAPPED_KEY: &str = "key.age";
/// A wrapped key is never longer: bytes.
const WRAPPED_KEY_LIMIT: u64 = 64 << 10;

/// Where a run is, or will be, and the key that opens it, if it is encrypted: what a run is opened with.
/// A storage alone stands for a run that is not encrypted.
///
#[cfg_attr(feature = "encryption", doc = "```")]
#[cfg_attr(not(feature = "encryption"), doc = "```ignore")]
/// use std::sync::Arc;
/// use rekindle_store::{Access, DataKey, Store, Writer, storage::MemoryStorage};
///
/// let storage = Arc::new(MemoryStorage::new());
/// let secret = Access::new(storage.clone(), Some(DataKey::from_bytes([7; 32])));
/// drop(Writer::create(secret.clone(), "", None, "example")?);
/// assert!(Store::open(secret).is_ok());
/// assert!(Store::open(storage).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Access {
    storage: Arc<dyn Storage>,
    key: Option<DataKey>,
    /// The key as a run that is made here keeps it.
    wrapped: Option<Vec<u8>>,
}

impl<S: Storage + 'static> From<Arc<S>> for Access {
    fn from(storage: Arc<S>) -> Self {
        Self::new(storage, None)
    }
}

impl From<Arc<dyn Storage>> for Access {
    fn from(storage: Arc<dyn Storage>) -> Self {
        Self::new(storage, None)
    }
}

impl Access {
    /// A run that is, or will be, encrypted with `key`, if there is one.
    pub fn new(storage: Arc<dyn Storage>, key: Option<DataKey>) -> Self {
        Self { storage, key, wrapped: None }
    }

    /// Sets what a run that is made here keeps of its key: the key, wrapped for whoever may read the run.
    #[must_use]
    pub fn wrapped_as(self, wrapped: Vec<u8>) -> Self {
        Self { wrapped: Some(wrapped), ..self }
    }

    /// The storage.
    pub fn storage(&self) -> &Arc<dyn Storage> {
        &self.storage
    }

    /// The key, if the run is encrypted.
    pub fn key(&self) -> Option<&DataKey> {
        self.key.as_ref()
    }

    /// Where the run is, for messages.
    pub fn location(&self) -> String {
        self.storage.location()
    }

    /// A place for a run that is made from this one: encrypted with the same key, and open to the same
    /// people, if this one is encrypted.
    ///
    /// # Errors
    /// When the wrapped key cannot be read.
    pub fn beside(&self, storage: Arc<dyn Storage>) -> Result<Self, StorageError> {
        let wrapped = self.key.as_ref().map(|_| wrapped_key(&*self.storage)).transpose()?.flatten();
        Ok(Self { storage, key: self.key.clone(), wrapped })
    }

    pub(crate) fn cipher(&self) -> Option<Cipher> {
        self.key.as_ref().map(Cipher::new)
    }

    /// Puts the wrapped key in its place, where a run is being made.
    pub(crate) fn keep_key(&self) -> Result<(), StorageError> {
        self.wrapped.as_ref().map_or(Ok(()), |wrapped| put_wrapped_key(&*self.storage, wrapped))
    }

    /// Who writes, for whoever finds the run locked. Of an encrypted run nothing is told but the process.
    pub(crate) fn holder(&self, purpose: &str) -> Holder {
        if self.key.is_some() { Holder::unnamed() } else { Holder::this_process(purpose) }
    }
}

/// The wrapped data key of the run in `storage`, if it has one.
///
/// # Errors
/// When the storage fails.
pub fn wrapped_key(storage: &dyn Storage) -> Result<Option<Vec<u8>>, StorageError> {
    match storage.read(WRAPPED_KEY, WRAPPED_KEY_LIMIT) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(StorageError::Missing { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Puts the wrapped data key of a run in its place: before the run is made, and whenever it is
/// wrapped for others. Nothing else of the run changes.
///
/// # Errors
/// When the storage fails.
pub fn put_wrapped_key(storage: &dyn Storage, wrapped: &[u8]) -> Result<(), StorageError> {
    storage.put(WRAPPED_KEY, wrapped)
}
