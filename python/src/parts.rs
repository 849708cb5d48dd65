//! Checkpoints whose arrays several processes store: what `rekindle.dcp` is made of.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use pyo3::prelude::*;
use rekindle::parts::{Part as EnginePart, PartRecord, Save};
use rekindle::storage::FileStorage;
use rekindle::tree::{ArrayBytes, ArrayRef, Scalar, StoredTree};
use rekindle::{Address, EntryPath, Node, SaveError, Store};

use crate::capture::{Captured, capture};
use crate::errors::{exception, raise};
use crate::memory::Memory;
use crate::reading::{entry_path, load_from, open};

/// The arrays that one process stores of the next checkpoint of a run.
#[pyclass(frozen, module = "rekindle._rekindle")]
pub struct Part {
    part: Mutex<Option<EnginePart>>,
}

#[pymethods]
impl Part {
    #[new]
    fn new(py: Python<'_>, run: PathBuf) -> PyResult<Self> {
        let part = py.detach(|| EnginePart::open(Arc::new(FileStorage::new(run))));
        Ok(Self { part: Mutex::new(Some(part.map_err(|error| raise(&error))?)) })
    }

    /// Stores an array; gives its number.
    fn array(&self, py: Python<'_>, value: &Bound<'_, PyAny>) -> PyResult<usize> {
        let captured = capture(value)?;
        let memory = plain(&captured)?;
        py.detach(|| {
            let mut part = self.part.lock().unwrap_or_else(PoisonError::into_inner);
            let part = part.as_mut().ok_or_else(finished)?;
            part.array(memory.kind(), memory.bytes()).map_err(|error| raise(&error))
        })
    }

    /// Makes the part durable; gives what the process that commits needs of it, as text.
    fn finish(&self, py: Python<'_>) -> PyResult<String> {
        py.detach(|| {
            let part =
                self.part.lock().unwrap_or_else(PoisonError::into_inner).take().ok_or_else(finished)?;
            let record = part.finish().map_err(|error| raise(&error))?;
            serde_json::to_string(&record)
                .map_err(|error| exception("RekindleError", &error.to_string(), None))
        })
    }
}

/// A checkpoint that is open for reading.
#[pyclass(frozen, module = "rekindle._rekindle")]
pub struct Reader {
    store: Store,
    /// The step of the checkpoint.
    #[pyo3(get)]
    step: u64,
}

#[pymethods]
impl Reader {
    #[new]
    fn new(py: Python<'_>, address: PathBuf) -> PyResult<Self> {
        let (store, step) = py.detach(|| open(&Address::parse(&address.to_string_lossy())))?;
        Ok(Self { store, step })
    }

    /// Loads a part of the checkpoint, as `rekindle.load` does.
    fn load(&self, py: Python<'_>, only: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        load_from(py, &self.store, self.step, Some(&entry_path(only)?))
    }
}

fn finished() -> PyErr {
    exception("RekindleError", "the part is finished", None)
}

/// An array without any mark.
fn plain(captured: &Captured) -> PyResult<&Memory> {
    match &captured.tree {
        Node::Array(memory) => Ok(memory),
        _ => Err(exception("StateError", "a part takes contiguous arrays of the types of the engine", None)),
    }
}

/// Parts as they came from the processes that wrote them.
///
/// # Errors
/// When one is not what `Part.finish` gave.
pub fn parsed(parts: &[String]) -> PyResult<Vec<PartRecord>> {
    let parse = |part: &String| {
        serde_json::from_str(part).map_err(|error| {
            exception(
                "RekindleError",
                &format!("what a process told of its part cannot be read: {error}"),
                None,
            )
        })
    };
    parts.iter().map(parse).collect()
}

/// The key of a dict that stands for an array of a part: its value is the part and the array, by number.
const PLACE: &str = "$part";
/// The entry of a state in which places of arrays are looked for.
const SHARDS: &str = "shards";

/// The tree of a state in whose `shards` arrays of parts are named by their places; other arrays are stored here.
///
/// # Errors
/// When a place is none, or the storage fails.
pub fn spliced(
    tree: &Node<Memory>,
    arrays: &[Vec<ArrayRef>],
    save: &mut Save<'_>,
) -> Result<StoredTree, SaveError> {
    let stored = tree.try_map_arrays(&mut |path: &EntryPath, array: &Memory| {
        save.array(path, array.kind().clone(), array.bytes())
    })?;
    // Values elsewhere are whatever a program has put there.
    let Node::Struct(fields) = stored else { return Ok(stored) };
    let spliced = fields.into_iter().map(|(name, field)| match name.as_str() {
        SHARDS => (name, splice(field, arrays)),
        _ => (name, field),
    });
    Ok(Node::Struct(spliced.collect()))
}

fn splice(node: StoredTree, arrays: &[Vec<ArrayRef>]) -> StoredTree {
    match node {
        Node::Struct(fields) => match placed(&fields, arrays) {
            Some(array) => Node::Array(array),
            None => {
                Node::Struct(fields.into_iter().map(|(name, field)| (name, splice(field, arrays))).collect())
            }
        },
        Node::List(items) => Node::List(items.into_iter().map(|item| splice(item, arrays)).collect()),
        Node::Map(entries) => {
            Node::Map(entries.into_iter().map(|(key, entry)| (key, splice(entry, arrays))).collect())
        }
        Node::Variant(name, content) => Node::Variant(name, Box::new(splice(*content, arrays))),
        other => other,
    }
}

fn placed(fields: &[(String, StoredTree)], arrays: &[Vec<ArrayRef>]) -> Option<ArrayRef> {
    let [(name, Node::List(place))] = fields else { return None };
    let [Node::Scalar(Scalar::I64(part)), Node::Scalar(Scalar::I64(array))] = place.as_slice() else {
        return None;
    };
    let array = arrays.get(usize::try_from(*part).ok()?)?.get(usize::try_from(*array).ok()?);
    array.filter(|_| name == PLACE).cloned()
}
