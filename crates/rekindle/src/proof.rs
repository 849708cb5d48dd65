//! Does a state come back as it is saved? That is shown at the first checkpoint of a process, and again
//! whenever something is in the state that was not in it before: a sequence that was empty, an option
//! that was absent, another variant.
//!
//! What was saved is made into a value again, and that is captured anew. Of a small state every byte is
//! compared; of a large one, which may not fit the memory twice, everything but the content of arrays.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash as _, Hasher};

use serde::Serialize;
use serde::de::DeserializeOwned;

use rekindle_store::{ArrayDigest, ArrayRef, EntryPath, HashedArray, Node, SaveError, Store, StoredTree};

use crate::capture::{CaptureError, DigestSink, KindSink, capture, capture_with_order};
use crate::diff::first_difference;
use crate::restore::{RestoreError, from_checkpoint, from_outline};

/// The bytes of states with larger arrays are not compared.
const IN_FULL_UP_TO: u64 = 32 << 20;
/// So often a map is made again whose keys came in no order: by then a hash map has given them in another
/// order than the one in which it was made.
const ROUNDS: usize = 40;

/// What was shown to come back.
#[derive(Debug, Default)]
pub(crate) struct Proof {
    /// Hashes of the paths, with what was found there; places in lists and keys of maps do not count.
    shown: HashSet<u64>,
}

impl Proof {
    /// What of `tree` was not shown yet.
    pub fn not_shown(&self, tree: &StoredTree) -> HashSet<u64> {
        let mut found = HashSet::new();
        collect(tree, 0, &mut |kind| {
            if !self.shown.contains(&kind) {
                found.insert(kind);
            }
        });
        found
    }

    /// Notes what was shown.
    pub fn note(&mut self, shown: HashSet<u64>) {
        self.shown.extend(shown);
    }
}

/// Tells all that stands in a tree, by path and kind.
fn collect<A: HashedArray>(node: &Node<A>, above: u64, tell: &mut impl FnMut(u64)) {
    let mut kind = |name: &str, many: bool| {
        let found = below(above, &(name, many));
        tell(found);
        found
    };
    match node {
        Node::Null => drop(kind("null", false)),
        Node::Scalar(scalar) => drop(kind(scalar.type_name(), false)),
        Node::Array(array) => {
            let ty = array.kind();
            kind(ty.dtype.name(), ty.shape.iter().product::<u64>() > 1);
        }
        Node::Some(content) => {
            let inner = kind("some", false);
            collect(content, inner, tell);
        }
        Node::Variant(name, content) => {
            let inner = kind(name, false);
            collect(content, inner, tell);
        }
        Node::List(items) => {
            let inner = kind("list", items.len() > 1);
            items.iter().for_each(|item| collect(item, inner, tell));
        }
        Node::Map(entries) => {
            let inner = kind("map", entries.len() > 1);
            entries.iter().for_each(|(_, child)| collect(child, inner, tell));
        }
        Node::Struct(fields) => {
            for (name, field) in fields {
                collect(field, below(above, name), tell);
            }
        }
    }
}

fn below(above: u64, what: &impl std::hash::Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    above.hash(&mut hasher);
    what.hash(&mut hasher);
    hasher.finish()
}

/// Makes a `T` out of the checkpoint at `step`, whose tree is `tree`, and compares it with what was saved.
/// `unordered` are the maps whose keys did not come in their order.
///
/// # Errors
/// What does not come back, and what to do.
pub(crate) fn prove<T: Serialize + DeserializeOwned>(
    store: &Store,
    step: u64,
    tree: &StoredTree,
    unordered: Vec<EntryPath>,
) -> Result<(), CaptureError> {
    let checkpoint = store.checkpoint(step).map_err(SaveError::from)?;
    let difference = if checkpoint.record().payload_bytes <= IN_FULL_UP_TO {
        let value: T = from_checkpoint(&checkpoint, tree).map_err(cannot_be_read_back)?;
        first_difference(tree, &capture(&value, &mut DigestSink)?)
    } else {
        // Where the value's own code refuses arrays of zeros, nothing can be told.
        let Ok(value) = from_outline::<T, ArrayRef>(tree) else { return Ok(()) };
        difference_in_form(tree, &value)?
    };
    if let Some(path) = difference {
        return Err(of_difference(tree, path));
    }
    require_no_order_of_maps::<T>(tree, unordered)
}

/// The first entry in which a saved tree and a value differ; of arrays only the types and shapes count.
fn difference_in_form<A: HashedArray, T: Serialize>(
    tree: &Node<A>,
    value: &T,
) -> Result<Option<EntryPath>, CaptureError> {
    let outline = tree.try_map_arrays(&mut |_, array: &A| {
        Ok::<_, std::convert::Infallible>(ArrayDigest::of(array.kind().clone(), &[]))
    });
    let outline = outline.unwrap_or_else(|never| match never {});
    Ok(first_difference(&outline, &capture(value, &mut KindSink)?))
}

/// True when the tree makes a `T` that would be saved as this very tree, whatever is in its arrays: then
/// it fits, although fields that serde leaves out are there on one side only.
pub(crate) fn comes_back<T, A>(tree: &Node<A>) -> Result<bool, CaptureError>
where
    T: Serialize + DeserializeOwned,
    A: HashedArray,
{
    match from_outline::<T, A>(tree) {
        Ok(value) => Ok(difference_in_form(tree, &value)?.is_none()),
        Err(_) => Ok(false),
    }
}

fn cannot_be_read_back(error: RestoreError) -> CaptureError {
    match error {
        RestoreError::Refused { path, message } => {
            CaptureError::Unsupported { path, message: format!("it cannot be read back: {message}") }
        }
        RestoreError::Read(error) => SaveError::from(error).into(),
    }
}

fn above(path: &EntryPath) -> EntryPath {
    let mut above = path.clone();
    above.pop();
    above
}

/// Elements of a sequence that differ hint at one that has no fixed order.
fn of_difference(tree: &StoredTree, path: EntryPath) -> CaptureError {
    let (sequence, is_array) = match tree.at(&path) {
        Some(Node::Array(_)) => (path.clone(), true),
        _ => (above(&path), false),
    };
    let is_list = matches!(tree.at(&sequence), Some(Node::List(_)));
    match is_array || is_list {
        true => CaptureError::SequenceDoesNotComeBack { path: sequence },
        false => CaptureError::DoesNotComeBack { path },
    }
}

/// Keys are saved in their order. A map that keeps another one, such as that of insertion, comes back
/// every time with its keys in order; a hash map does not.
fn require_no_order_of_maps<T: Serialize + DeserializeOwned>(
    tree: &StoredTree,
    mut unordered: Vec<EntryPath>,
) -> Result<(), CaptureError> {
    for _ in 0..ROUNDS {
        if unordered.is_empty() {
            return Ok(());
        }
        let Ok(value) = from_outline::<T, ArrayRef>(tree) else { return Ok(()) };
        let (_, again) = capture_with_order(&value, &mut KindSink)?;
        unordered.retain(|path| !again.contains(path));
    }
    match unordered.into_iter().next() {
        Some(path) => Err(CaptureError::MapHasAnOrder { path }),
        None => Ok(()),
    }
}
