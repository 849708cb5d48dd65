//! Reading safetensors.

use std::collections::{BTreeMap, HashMap};
use std::io::Read;
use std::path::Path;

use safetensors::tensor::{Metadata, TensorInfo};

use rekindle::Node;
use rekindle::records::About;
use rekindle::tree::{Array, Scalar};

use super::{DTYPES, HEADER_LIMIT, MARK};
use crate::document::{Document, FormatError};
use crate::files;
use crate::json::header_and_tree;

pub(super) fn read(path: &Path) -> Result<Document, FormatError> {
    let (metadata, mut tensors) = read_tensors(path)?;
    let notes = metadata.metadata().clone().unwrap_or_default();
    let Some(rest) = notes.get(MARK) else {
        return Ok(foreign(tensors, &notes));
    };
    let len = rest.len() as u64;
    let (header, tree) = header_and_tree(rest.as_bytes(), len, &mut |name| tensors.remove(name))
        .map_err(|reason| FormatError::malformed(path, format!("metadata `{MARK}`: {reason}")))?;
    header.into_document(path, tree)
}

/// A file that somebody else wrote: tensors by name.
fn foreign(tensors: BTreeMap<String, Array>, notes: &HashMap<String, String>) -> Document {
    let mut entries: Vec<_> =
        tensors.into_iter().map(|(name, array)| (Scalar::Str(name), Node::Array(array))).collect();
    entries.sort_by(|a, b| a.0.cmp(&b.0));
    let mut warnings: Vec<String> =
        notes.iter().map(|(name, value)| format!("metadata `{name}`: {value}")).collect();
    warnings.sort();
    Document { tree: Node::Map(entries), step: 0, about: About::default(), history: Vec::new(), warnings }
}

/// The header, checked, and all tensors.
fn read_tensors(path: &Path) -> Result<(Metadata, BTreeMap<String, Array>), FormatError> {
    let failed = |error| FormatError::read(path, error);
    let malformed = |reason: String| FormatError::malformed(path, reason);
    let len = files::len(path).map_err(failed)?;
    let mut file = files::open(path).map_err(failed)?;
    let mut length = [0; 8];
    file.read_exact(&mut length).map_err(|_| malformed("it is too short for safetensors".to_owned()))?;
    let header_len = u64::from_le_bytes(length);
    if header_len > HEADER_LIMIT || header_len > len.saturating_sub(8) {
        return Err(malformed(format!("the header is said to take {header_len} bytes of {len}")));
    }
    let mut header = vec![0; header_len as usize];
    file.read_exact(&mut header).map_err(failed)?;
    let metadata = check(&header, len - 8 - header_len).map_err(malformed)?;
    let mut tensors = BTreeMap::new();
    for (name, info) in in_file_order(&metadata) {
        let dtype = DTYPES.iter().find(|pair| pair.1 == info.dtype).map(|pair| pair.0);
        let dtype = dtype.ok_or_else(|| malformed(format!("tensor `{name}` is of type {:?}", info.dtype)))?;
        let mut data = vec![0; info.data_offsets.1 - info.data_offsets.0];
        file.read_exact(&mut data).map_err(failed)?;
        let shape = info.shape.iter().map(|&dim| dim as u64).collect();
        let array = Array::new(dtype, shape, data).map_err(|error| malformed(error.to_string()))?;
        tensors.insert(name, array);
    }
    Ok((metadata, tensors))
}

/// The header's tensors must follow each other without hole or overlap, have the sizes of their
/// shapes, and fill the file.
fn check(header: &[u8], data_len: u64) -> Result<Metadata, String> {
    let stated: Metadata =
        serde_json::from_slice(header).map_err(|error| format!("the header is not valid: {error}"))?;
    let tensors = in_file_order(&stated).map(|(name, info)| (name, info.clone())).collect();
    let metadata = Metadata::new(stated.metadata().clone(), tensors)
        .map_err(|error| format!("the header is not valid: {error}"))?;
    if metadata.data_len() as u64 != data_len {
        return Err(format!(
            "the header describes {} bytes of data, the file has {data_len}",
            metadata.data_len()
        ));
    }
    Ok(metadata)
}

fn in_file_order(metadata: &Metadata) -> impl Iterator<Item = (String, &TensorInfo)> {
    let mut tensors: Vec<_> = metadata.tensors().into_iter().collect();
    tensors.sort_by_key(|(_, info)| info.data_offsets);
    tensors.into_iter()
}
