//! What is asked of runs without writing them: states, differences, damage, tags.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString};
use rekindle::diff::Side;
use rekindle::records::CommitRecord;
use rekindle::storage::FileStorage;
use rekindle::tree::{ArrayRef, hash_of_tree, no_entry};
use rekindle::upkeep::Depth;
use rekindle::{Address, AddressError, Best, Checkpoint, EntryPath, ReadError, Store, Which};

use crate::capture::capture;
use crate::errors::raise;
use crate::restore::{Restore, fill, find};

/// The identity of a state: what a checkpoint of it would have as its state hash.
///
/// Equal states have equal hashes, on every machine. The order of string keys does not count. Nothing is written;
/// arrays are hashed where they lie, without the interpreter lock.
///
/// Raises StateError when something in `state` cannot be saved.
#[pyfunction]
pub fn state_hash(py: Python<'_>, state: &Bound<'_, PyAny>) -> PyResult<String> {
    let captured = capture(state)?;
    let tree = &captured.tree;
    Ok(py.detach(|| hash_of_tree(tree)).to_string())
}

/// Loads a checkpoint, or a part of one: `load("runs/mine@best", only="model")`.
///
/// `address` is RUN, RUN@latest~2, RUN@1200, RUN@best or RUN@TAG; the newest valid checkpoint when nothing is said.
/// `only` is the path of an entry, its segments joined by dots, one with a dot in it in double quotes, or a
/// sequence of segments; no other arrays are read. Every byte is verified. Arrays come back as arrays of their
/// library, those of PyTorch on the CPU. Nothing is unpickled or executed.
///
/// Raises RunNotFound, NotThere, Damaged.
#[pyfunction]
#[pyo3(signature = (address, only = None))]
pub fn load(py: Python<'_>, address: PathBuf, only: Option<&Bound<'_, PyAny>>) -> PyResult<Py<PyAny>> {
    let only = only.map(entry_path).transpose()?;
    let address = Address::parse(&address.to_string_lossy());
    let (store, step) = py.detach(|| open(&address))?;
    load_from(py, &store, step, only.as_ref())
}

/// Compares two checkpoints, entry by entry: a list with a dict for every entry that differs, empty when they are
/// equal. `path` is the entry, `kind` one of changed, shape, type, value, missing_in_a, missing_in_b; a changed array
/// has `elements`, `changed`, `max_absolute`, `max_relative` and `cosine`.
///
/// Raises RunNotFound, NotThere, Damaged.
#[pyfunction]
pub fn diff(py: Python<'_>, a: PathBuf, b: PathBuf) -> PyResult<Py<PyAny>> {
    let found = py.detach(|| -> PyResult<_> {
        let (a, b) = (Address::parse(&a.to_string_lossy()), Address::parse(&b.to_string_lossy()));
        let ((a, step_a), (b, step_b)) = (open(&a)?, open(&b)?);
        differences(&a, step_a, &b, step_b).map_err(|error| raise(&error))
    })?;
    let list = PyList::empty(py);
    for (path, difference) in found.different {
        let json = serde_json::to_string(&difference).unwrap_or_default();
        let dict = from_json(py, &json)?.cast_into::<PyDict>()?;
        let entry = PyDict::new(py);
        entry.set_item("path", path.to_string())?;
        entry.update(dict.as_mapping())?;
        list.append(entry)?;
    }
    Ok(list.into_any().unbind())
}

/// Checks every byte of a run against its hash: a dict with `valid` and `invalid` (steps), `damage` (in words),
/// `chunks` and `bytes` (how much was read). With `full=False` the bytes of arrays are left out.
///
/// Raises RunNotFound.
#[pyfunction]
#[pyo3(signature = (run, full = true))]
pub fn verify(py: Python<'_>, run: PathBuf, full: bool) -> PyResult<Py<PyAny>> {
    let depth = if full { Depth::Full } else { Depth::Structure };
    let found = py.detach(|| -> PyResult<_> {
        let store = open_run(&run)?;
        store.verify(depth).map_err(|error| raise(&error))
    })?;
    let dict = PyDict::new(py);
    dict.set_item("valid", found.valid)?;
    dict.set_item("invalid", found.invalid.iter().map(|skipped| skipped.step).collect::<Vec<_>>())?;
    dict.set_item("damage", found.damage.iter().map(ToString::to_string).collect::<Vec<_>>())?;
    dict.set_item("chunks", found.chunks)?;
    dict.set_item("bytes", found.bytes)?;
    Ok(dict.into_any().unbind())
}

/// The checkpoints of a run, oldest first: a dict for each, with `step`, `state_hash`, `created` (seconds since
/// 1970), `metrics`, `environment` (versions and threads), `payload_bytes` (of all arrays) and `new_bytes` (that the
/// save added).
///
/// Raises RunNotFound.
#[pyfunction]
pub fn checkpoints(py: Python<'_>, run: PathBuf) -> PyResult<Py<PyAny>> {
    let store = py.detach(|| open_run(&run))?;
    let list = PyList::empty(py);
    for record in store.records() {
        list.append(described(py, record)?)?;
    }
    Ok(list.into_any().unbind())
}

/// The tags of a run: names and their steps. A tagged checkpoint is never pruned.
///
/// Raises RunNotFound, Damaged.
#[pyfunction]
pub fn tags(py: Python<'_>, run: PathBuf) -> PyResult<Py<PyAny>> {
    let store = py.detach(|| open_run(&run))?;
    tags_of(py, &store)
}

/// The tags of a run that is open.
///
/// # Errors
/// When they cannot be read.
pub fn tags_of(py: Python<'_>, store: &Store) -> PyResult<Py<PyAny>> {
    let dict = PyDict::new(py);
    for (name, step) in store.tags().map_err(|error| raise(&error))? {
        dict.set_item(name, step.map_err(|damage| raise(&ReadError::from(damage)))?)?;
    }
    Ok(dict.into_any().unbind())
}

/// A commit record as a dict.
///
/// # Errors
/// Those of Python.
pub fn described<'py>(py: Python<'py>, record: &CommitRecord) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("step", record.step)?;
    dict.set_item("state_hash", record.state_hash.to_string())?;
    dict.set_item("created", record.created)?;
    dict.set_item("metrics", &record.about.metrics)?;
    dict.set_item("environment", &record.about.environment)?;
    dict.set_item("payload_bytes", record.payload_bytes)?;
    dict.set_item("new_bytes", record.new_bytes)?;
    Ok(dict)
}

/// The state of a checkpoint, or the part at `only`.
///
/// # Errors
/// When there is no such entry, or bytes are damaged.
pub fn load_from(py: Python<'_>, store: &Store, step: u64, only: Option<&EntryPath>) -> PyResult<Py<PyAny>> {
    let root = EntryPath::root();
    let only = only.unwrap_or(&root);
    let (tree, path, filled) = py.detach(|| -> PyResult<_> {
        let checkpoint = store.checkpoint(step).map_err(|error| raise(&error))?;
        let tree = checkpoint.tree().map_err(|error| raise(&error))?;
        let found = find(&tree, only.segments()).map(|(path, _)| path);
        let path = found.ok_or_else(|| raise(&no_entry(&tree, only)))?;
        let part = tree.at(&path).ok_or_else(|| raise(&no_entry(&tree, &path)))?;
        let filled = fill(&checkpoint, &tree, &path, part)?;
        Ok((tree, path, filled))
    })?;
    let part = tree.at(&path).ok_or_else(|| raise(&no_entry(&tree, &path)))?;
    let record = store.checkpoint(step).map_err(|error| raise(&error))?.record();
    let value = Restore::new(py, &tree, &filled, library_of(record))?.value(part, &path)?;
    Ok(value.unbind())
}

/// What stands before the name of a library in the schema of a state of this package.
pub const SCHEMA: &str = "python ";

/// The library of the arrays of a checkpoint that have no mark.
pub fn library_of(record: &CommitRecord) -> &str {
    let schema = record.about.schema.as_ref();
    schema.and_then(|schema| schema.name.strip_prefix(SCHEMA)).unwrap_or("numpy")
}

/// The path of an entry, as text or as segments.
///
/// # Errors
/// When it is none.
pub fn entry_path(only: &Bound<'_, PyAny>) -> PyResult<EntryPath> {
    if let Ok(text) = only.cast::<PyString>() {
        let parsed = text.to_str()?.parse::<EntryPath>();
        return parsed.map_err(|error| pyo3::exceptions::PyValueError::new_err(error.to_string()));
    }
    let mut path = EntryPath::root();
    for segment in only.try_iter()? {
        path.push(segment?.str()?.to_str()?);
    }
    Ok(path)
}

fn from_json<'py>(py: Python<'py>, json: &str) -> PyResult<Bound<'py, PyAny>> {
    py.import("json")?.call_method1("loads", (json,))
}

fn open_run(run: &Path) -> PyResult<Store> {
    Store::open(Arc::new(FileStorage::new(run))).map_err(|error| raise(&error))
}

/// The run of an address, and the step that is meant.
///
/// # Errors
/// When there is no such checkpoint.
pub fn open(address: &Address) -> PyResult<(Store, u64)> {
    let store = open_run(&address.run)?;
    let step = resolve(&address.which, &store).map_err(|error| raise(&error))?;
    Ok((store, step))
}

/// The step that is meant; the best is the one that the run was opened with.
///
/// # Errors
/// When there is none.
pub fn resolve(which: &Which, store: &Store) -> Result<u64, AddressError> {
    let config = store.records().next_back().map(|record| &record.about.config);
    let best = config.and_then(|config| config.get("best"));
    let best: Option<Best> = best.and_then(|best| serde_json::from_value(best.clone()).ok());
    Ok(which.resolve(store, best.as_ref())?.step)
}

fn differences(a: &Store, step_a: u64, b: &Store, step_b: u64) -> Result<rekindle::diff::Diff, ReadError> {
    let (a, b) = (a.checkpoint(step_a)?, b.checkpoint(step_b)?);
    let (tree_a, tree_b) = (a.tree()?, b.tree()?);
    let (fetch_a, fetch_b) = (fetch(a), fetch(b));
    rekindle::diff::diff(Side { tree: &tree_a, fetch: &fetch_a }, Side { tree: &tree_b, fetch: &fetch_b })
}

fn fetch<'a>(
    checkpoint: Checkpoint<'a>,
) -> impl for<'x> Fn(&EntryPath, &'x ArrayRef) -> Result<Cow<'x, [u8]>, ReadError> + 'a {
    move |path, array| checkpoint.read_array(path, array).map(Cow::Owned)
}
