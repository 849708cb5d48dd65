//! Checkpoints of other runs that a training learns from, found by their addresses.

use std::path::Path;
use std::sync::Arc;

use rekindle::records::Lineage;
use rekindle::storage::{FileStorage, Storage};
use rekindle::{Address, AddressError, Checkpoint, Hash, OpenError, ReadError, Store};
use rekindle_formats::{is_checkpoint_file, open_archive};

use crate::config::recorded_best;

/// A checkpoint of another run.
#[derive(Debug)]
pub struct OtherRun {
    address: Address,
    store: Store,
    step: u64,
}

/// There is no such checkpoint, or it cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the checkpoint `{address}`: {reason}")]
pub struct OtherRunError {
    address: String,
    reason: Reason,
}

#[derive(Debug, thiserror::Error)]
enum Reason {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Address(#[from] AddressError),
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("{0}")]
    File(String),
}

impl OtherRun {
    /// Finds a checkpoint of a run, or of a `.rekindle` file, by its address, such as `runs/big@best`.
    ///
    /// # Errors
    /// When there is none, or the run is encrypted.
    pub fn open(address: &str) -> Result<Self, OtherRunError> {
        let parsed = Address::parse(address);
        let opened = open(&parsed.run).and_then(|store| {
            let step = parsed.which.resolve(&store, recorded_best(&store).as_ref())?.step;
            Ok((store, step))
        });
        match opened {
            Ok((store, step)) => Ok(Self { address: parsed, store, step }),
            Err(reason) => Err(OtherRunError { address: address.to_owned(), reason }),
        }
    }

    /// The checkpoint.
    ///
    /// # Errors
    /// When its record cannot be read.
    pub fn checkpoint(&self) -> Result<Checkpoint<'_>, OtherRunError> {
        self.store.checkpoint(self.step).map_err(|error| self.error(error))
    }

    /// Identity of its state.
    ///
    /// # Errors
    /// As [`checkpoint`](Self::checkpoint).
    pub fn state_hash(&self) -> Result<Hash, OtherRunError> {
        Ok(self.checkpoint()?.record().state_hash)
    }

    /// Its address in every directory and at every later time: with the step, whatever was the best or the newest.
    pub(crate) fn pinned(&self) -> Option<String> {
        let run = std::path::absolute(&self.address.run).ok()?.into_os_string().into_string().ok()?;
        Some(format!("{run}@{}", self.step))
    }

    /// What a run records of it that learns from it.
    pub(crate) fn lineage(&self) -> Result<Lineage, OtherRunError> {
        let checkpoint = self.checkpoint()?;
        let record = checkpoint.record();
        Ok(Lineage {
            source: format!("{}@{}", self.address.run.display(), self.step),
            run: Some(record.run.clone()),
            step: Some(record.step),
            state_hash: Some(record.state_hash),
            only: None,
        })
    }

    fn error(&self, error: ReadError) -> OtherRunError {
        let address = format!("{}@{}", self.address.run.display(), self.step);
        OtherRunError { address, reason: error.into() }
    }
}

fn open(path: &Path) -> Result<Store, Reason> {
    let storage: Arc<dyn Storage> = match is_checkpoint_file(path) {
        true => Arc::new(open_archive(path).map_err(|error| Reason::File(error.to_string()))?),
        false => Arc::new(FileStorage::new(path)),
    };
    Ok(Store::open(storage)?)
}
