//! Reading safetensors.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use safetensors::tensor::{Metadata, TensorInfo};

use rekindle::records::About;
use rekindle::tree::{Array, ArrayType, Scalar};
use rekindle::{EntryPath, Node};

use super::{DTYPES, HEADER_LIMIT, MARK};
use crate::document::{Document, FormatError};
use crate::json::header_and_tree;
use crate::{Imported, MakeRun, files};

pub(super) fn read(path: &Path) -> Result<Document, FormatError> {
    let mut file = open(path)?;
    let mut tensors = file.read(path)?;
    let notes = file.metadata.metadata().clone().unwrap_or_default();
    let Some(rest) = notes.get(MARK) else {
        let array = |(name, array)| (Scalar::Str(name), Node::Array(array));
        return Ok(foreign(tensors.into_iter().map(array).collect(), &notes));
    };
    let len = rest.len() as u64;
    let (header, tree) = header_and_tree(rest.as_bytes(), len, &mut |name| tensors.remove(name))
        .map_err(|reason| FormatError::malformed(path, format!("metadata `{MARK}`: {reason}")))?;
    header.into_document(path, tree)
}

/// A file that somebody else wrote, tensor by tensor; one of ours, whose state has a hash to be checked, is read
/// as a whole.
pub(super) fn stream(path: &Path, make: &mut MakeRun<'_>) -> Result<Option<Imported>, FormatError> {
    let mut file = open(path)?;
    if file.metadata.metadata().as_ref().is_some_and(|notes| notes.contains_key(MARK)) {
        return Ok(None);
    }
    let about = About::default();
    let mut writer = make(&about)?;
    let mut save = writer.save()?;
    let mut entries = Vec::new();
    for (name, info) in in_file_order(&file.metadata) {
        let kind = kind_of(path, &name, info)?;
        let name = Scalar::Str(name);
        let array = save.array_from(&EntryPath::root().child(name.to_string()), kind, &mut file.data)?;
        entries.push((name, Node::Array(array)));
    }
    let Document { tree, step, about, history, warnings } =
        foreign(entries, file.metadata.metadata().iter().flatten());
    let saved = save.commit(step, &tree, about, &history)?;
    Ok(Some(Imported { saved, warnings }))
}

/// What a file that somebody else wrote holds: arrays by name.
fn foreign<'a, A>(
    mut entries: Vec<(Scalar, Node<A>)>,
    notes: impl IntoIterator<Item = (&'a String, &'a String)>,
) -> Document<Node<A>> {
    entries.sort_by(|a, b| a.0.cmp(&b.0));
    let mut warnings: Vec<String> =
        notes.into_iter().map(|(name, value)| format!("metadata `{name}`: {value}")).collect();
    warnings.sort();
    Document { tree: Node::Map(entries), step: 0, about: About::default(), history: Vec::new(), warnings }
}

/// A file whose header is read and checked.
struct Tensors<R> {
    metadata: Metadata,
    /// Where the data of the first tensor begin.
    data: R,
}

fn open(path: &Path) -> Result<Tensors<impl Read + use<>>, FormatError> {
    let failed = |error| FormatError::read(path, error);
    let malformed = |reason: String| FormatError::malformed(path, reason);
    let len = files::len(path).map_err(failed)?;
    let mut data = files::open(path).map_err(failed)?;
    let mut length = [0; 8];
    data.read_exact(&mut length).map_err(|_| malformed("it is too short for safetensors".to_owned()))?;
    let header_len = u64::from_le_bytes(length);
    if header_len > HEADER_LIMIT || header_len > len.saturating_sub(8) {
        return Err(malformed(format!("the header is said to take {header_len} bytes of {len}")));
    }
    let mut header = vec![0; header_len as usize];
    data.read_exact(&mut header).map_err(failed)?;
    let metadata = check(&header, len - 8 - header_len).map_err(malformed)?;
    Ok(Tensors { metadata, data })
}

impl<R: Read> Tensors<R> {
    /// All of them, by name.
    fn read(&mut self, path: &Path) -> Result<BTreeMap<String, Array>, FormatError> {
        let mut tensors = BTreeMap::new();
        for (name, info) in in_file_order(&self.metadata) {
            let kind = kind_of(path, &name, info)?;
            let mut data = vec![0; info.data_offsets.1 - info.data_offsets.0];
            self.data.read_exact(&mut data).map_err(|error| FormatError::read(path, error))?;
            let array = Array::new(kind.dtype, kind.shape, data);
            tensors.insert(name, array.map_err(|error| FormatError::malformed(path, error))?);
        }
        Ok(tensors)
    }
}

fn kind_of(path: &Path, name: &str, info: &TensorInfo) -> Result<ArrayType, FormatError> {
    let dtype = DTYPES.iter().find(|pair| pair.1 == info.dtype).map(|pair| pair.0);
    let dtype = dtype.ok_or_else(|| {
        FormatError::malformed(path, format!("tensor `{name}` is of type {:?}", info.dtype))
    })?;
    Ok(ArrayType { dtype, shape: info.shape.iter().map(|&dim| dim as u64).collect() })
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
