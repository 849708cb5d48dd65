//! A run copied as it is, object by object: names, hashes, signatures and encryption stay what they
//! are. A writer may go on meanwhile; the copy holds the checkpoints of the moment it began.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::commit;
use crate::identity;
use crate::storage::{Object, Storage, StorageError};
use crate::trash;

/// Objects are copied in pieces of this length: bytes.
const PIECE: u64 = 1 << 20;

/// Copies the objects of a run to an empty storage; gives the bytes that were copied. Commit
/// records come last, so that a copy that is cut short holds no checkpoint in part. `progress` is
/// told the bytes so far and in all.
///
/// # Errors
/// When an object cannot be read or written.
pub fn copy_objects(
    from: &dyn Storage,
    to: &Arc<dyn Storage>,
    mut progress: impl FnMut(u64, u64),
) -> Result<u64, StorageError> {
    let objects = from.list("")?;
    let travels = |object: &&Object| !object.name.starts_with("lease") && !trash::is_marker(&object.name);
    let (commits, others): (Vec<_>, Vec<_>) =
        objects.iter().filter(travels).partition(|object| commit::parse_object_name(&object.name).is_some());
    let total = others.iter().chain(&commits).map(|object| object.len).sum();
    let mut copied = 0;
    for object in others {
        // What a writer deletes meanwhile, no checkpoint needs that is still there at the end.
        copied += unless_missing(copy_object(from, to, object))?;
        progress(copied, total);
    }
    let still: BTreeSet<String> = from.list(commit::PREFIX)?.into_iter().map(|object| object.name).collect();
    for object in commits.into_iter().filter(|object| still.contains(&object.name)) {
        copied += unless_missing(copy_object(from, to, object))?;
        progress(copied, total);
    }
    to.len(identity::OBJECT)?;
    Ok(copied)
}

fn unless_missing(copied: Result<u64, StorageError>) -> Result<u64, StorageError> {
    match copied {
        Err(StorageError::Missing { .. }) => Ok(0),
        result => result,
    }
}

fn copy_object(from: &dyn Storage, to: &Arc<dyn Storage>, object: &Object) -> Result<u64, StorageError> {
    let len = from.len(&object.name)?;
    let mut upload = Arc::clone(to).upload()?;
    let mut piece = Vec::new();
    for start in (0..len).step_by(PIECE as usize) {
        piece.resize(PIECE.min(len - start) as usize, 0);
        from.read_range(&object.name, start, &mut piece)?;
        upload.write(&piece)?;
    }
    upload.finish(&object.name)?;
    Ok(len)
}
