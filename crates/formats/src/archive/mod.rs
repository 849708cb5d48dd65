//! The checkpoint file, `.rekindle`: a run with one checkpoint, in one file. Every reading command
//! takes it in place of a run.

use std::path::Path;
use std::sync::Arc;

use rekindle::records::Lineage;
use rekindle::storage::{ARCHIVE_MAGIC, Archive, ArchiveWriter};
use rekindle::{Checkpoint, EntryPath, Store, Writer};

use crate::document::{Document, FormatError};
use crate::{Format, Imported, MakeRun, Reading, files};

pub(crate) const FORMAT: Format = Format {
    name: "checkpoint file",
    endings: &[".rekindle"],
    reading: Some(Reading { matches, read, stream: Some(stream) }),
    write: Some(write),
};

fn matches(head: &[u8]) -> bool {
    head.starts_with(ARCHIVE_MAGIC)
}

/// True when the file at `path` begins as a checkpoint file does.
pub fn is_checkpoint_file(path: &Path) -> bool {
    files::head(path, ARCHIVE_MAGIC.len()).is_ok_and(|head| matches(&head))
}

/// Opens a checkpoint file as the storage of a run.
///
/// # Errors
/// When it cannot be read or is damaged.
pub fn open(path: &Path) -> Result<Archive, FormatError> {
    Ok(Archive::open(path).map_err(rekindle::OpenError::from)?)
}

fn read(path: &Path) -> Result<Document, FormatError> {
    let store = Store::open(Arc::new(open(path)?))?;
    let checkpoint = newest(&store, path)?;
    Ok(Document {
        tree: checkpoint.load(&EntryPath::root())?,
        step: checkpoint.record().step,
        about: checkpoint.record().about.clone(),
        history: checkpoint.history().0,
        warnings: Vec::new(),
    })
}

fn newest<'a>(store: &'a Store, path: &Path) -> Result<Checkpoint<'a>, FormatError> {
    let step = store.steps().last().copied();
    let step = step.ok_or_else(|| FormatError::malformed(path, "it holds no checkpoint"))?;
    Ok(store.checkpoint(step)?)
}

fn stream(path: &Path, make: &mut MakeRun<'_>) -> Result<Option<Imported>, FormatError> {
    let store = Store::open(Arc::new(open(path)?))?;
    let checkpoint = newest(&store, path)?;
    let saved = make(&checkpoint.record().about)?.copy_checkpoint(&checkpoint)?;
    Ok(Some(Imported { saved, warnings: Vec::new() }))
}

fn write(checkpoint: &Checkpoint<'_>, path: &Path) -> Result<Vec<String>, FormatError> {
    let failed = |error| FormatError::write(path, error);
    let writer = Arc::new(ArchiveWriter::create(path).map_err(failed)?);
    let record = checkpoint.record();
    let lineage = Lineage {
        source: format!("step {}", record.step),
        run: Some(record.run.clone()),
        step: Some(record.step),
        state_hash: Some(record.state_hash),
        only: None,
    };
    let mut store = Writer::create(writer.clone(), &record.about.system, Some(lineage), "export")?;
    store.copy_checkpoint(checkpoint)?;
    drop(store);
    writer.finish().map_err(failed)?;
    Ok(Vec::new())
}
