//! Writing safetensors: the header first, then one array after another.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::io::Write;
use std::path::Path;

use safetensors::tensor::{Metadata, TensorInfo};

use rekindle::tree::{ArrayRef, StoredTree};
use rekindle::{Checkpoint, EntryPath, Node};

use super::{DTYPES, HEADER_LIMIT, MARK};
use crate::document::{FormatError, Header};
use crate::files::NewFile;
use crate::json::{Failure, quoted, write_tree};

pub(super) fn write(checkpoint: &Checkpoint<'_>, path: &Path) -> Result<(), FormatError> {
    let failed = |error| FormatError::write(path, error);
    let tree = checkpoint.tree()?;
    let arrays = arrays_in_order(&tree);
    let header = header(checkpoint, &tree, &arrays, path)?;
    let mut file = NewFile::create(path).map_err(failed)?;
    file.write_all(&(header.len() as u64).to_le_bytes()).map_err(failed)?;
    file.write_all(&header).map_err(failed)?;
    for (entry, array) in &arrays {
        file.write_all(&checkpoint.read_array(entry, array)?).map_err(failed)?;
    }
    file.finish().map_err(failed)
}

/// The widest elements first, as the format wants them aligned, then by name.
fn arrays_in_order(tree: &StoredTree) -> Vec<(EntryPath, &ArrayRef)> {
    let mut arrays = Vec::new();
    tree.for_each_leaf(&mut |path, leaf| {
        if let Node::Array(array) = leaf {
            arrays.push((path.clone(), array));
        }
    });
    arrays.sort_by_cached_key(|(path, array)| (Reverse(array.kind().dtype.size()), path.to_string()));
    arrays
}

fn header(
    checkpoint: &Checkpoint<'_>,
    tree: &StoredTree,
    arrays: &[(EntryPath, &ArrayRef)],
    path: &Path,
) -> Result<Vec<u8>, FormatError> {
    let unsupported = |reason: String| FormatError::Unsupported { path: path.to_owned(), reason };
    let mut end = 0;
    let mut tensors = Vec::with_capacity(arrays.len());
    for (entry, array) in arrays {
        let kind = array.kind();
        let dtype = DTYPES.iter().find(|pair| pair.0 == kind.dtype).map(|pair| pair.1);
        let dtype = dtype.ok_or_else(|| unsupported(format!("`{entry}` is of type {}", kind.dtype)))?;
        let start = end;
        end += kind.byte_len().unwrap_or(0) as usize;
        let shape = kind.shape.iter().map(|&dim| dim as usize).collect();
        tensors.push((entry.to_string(), TensorInfo { dtype, shape, data_offsets: (start, end) }));
    }
    let notes = HashMap::from([(MARK.to_owned(), rest_of_the_state(checkpoint, tree, path)?)]);
    let metadata = Metadata::new(Some(notes), tensors).map_err(|error| unsupported(error.to_string()))?;
    let mut text = serde_json::to_vec(&metadata).map_err(|error| unsupported(error.to_string()))?;
    text.resize(text.len().next_multiple_of(8), b' ');
    if text.len() as u64 > HEADER_LIMIT {
        return Err(unsupported(format!(
            "the header would take {} bytes, at most {HEADER_LIMIT}",
            text.len()
        )));
    }
    Ok(text)
}

/// What is no tensor, as JSON text: what the checkpoint is, and the state with references to the
/// tensors.
fn rest_of_the_state(
    checkpoint: &Checkpoint<'_>,
    tree: &StoredTree,
    path: &Path,
) -> Result<String, FormatError> {
    let malformed = |error: serde_json::Error| FormatError::malformed(path, error);
    let header = serde_json::to_string(&Header::of(checkpoint)).map_err(malformed)?;
    let mut out = format!("{{\"checkpoint\": {header}, \"state\": ").into_bytes();
    let mut reference = |out: &mut Vec<u8>, entry: &EntryPath, _: &ArrayRef| {
        Ok::<(), Failure>(write!(out, "{{\"$tensor\": {}}}", quoted(&entry.to_string()))?)
    };
    write_tree(tree, &mut out, &mut reference).map_err(|error| error.at(path))?;
    out.push(b'}');
    String::from_utf8(out).map_err(|error| FormatError::malformed(path, error))
}
