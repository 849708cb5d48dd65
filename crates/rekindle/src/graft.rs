//! Starting from another state: the whole of it, or one part.

use serde::Serialize;
use serde::de::DeserializeOwned;

use rekindle_store::{EntryPath, Node, ReadError, Tree, no_entry};

use crate::capture::{CaptureError, to_tree};
use crate::compare::{Form, Mismatch};
use crate::restore::{RestoreError, from_tree};

/// A part of one state cannot be put into another; nothing was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GraftError {
    /// The state has no entry at that path.
    #[error(transparent)]
    NoEntry(#[from] ReadError),
    /// The parts differ in form.
    #[error("the part does not fit:{}", mismatches.iter().map(|m| format!("\n  - {m}")).collect::<String>())]
    DoesNotFit {
        /// The differences.
        mismatches: Vec<Mismatch>,
    },
    /// The state cannot be walked.
    #[error(transparent)]
    Capture(#[from] CaptureError),
    /// The tree does not make the type.
    #[error(transparent)]
    Restore(#[from] RestoreError),
}

/// `state` with the entry at `path` replaced by `part`; the root path replaces all of it.
///
/// # Errors
/// When the state has no such entry, or the part does not fit there.
pub fn graft<T: Serialize + DeserializeOwned>(
    state: &T,
    path: &EntryPath,
    part: Tree,
) -> Result<T, GraftError> {
    let mut tree = to_tree(state)?;
    let known = tree.at(path).is_some();
    match place_at(&mut tree, path.segments()) {
        Some(place) if known => *place = part,
        _ => return Err(no_entry(&tree, path).into()),
    }
    let mismatches = Form::of(state)?.mismatches(&tree);
    if !mismatches.is_empty() {
        return Err(GraftError::DoesNotFit { mismatches });
    }
    Ok(from_tree(&tree)?)
}

fn place_at<'a>(node: &'a mut Tree, segments: &[String]) -> Option<&'a mut Tree> {
    let Some((segment, rest)) = segments.split_first() else {
        return Some(node);
    };
    let child = match node {
        Node::Some(content) => return place_at(content, segments),
        Node::List(items) => items.get_mut(segment.parse::<usize>().ok()?)?,
        Node::Struct(fields) => &mut fields.iter_mut().find(|field| field.0 == *segment)?.1,
        Node::Map(entries) => &mut entries.iter_mut().find(|entry| entry.0.to_string() == *segment)?.1,
        Node::Variant(name, content) if name == segment => content,
        _ => return None,
    };
    place_at(child, rest)
}
