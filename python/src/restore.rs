//! Trees as Python values: memory for all arrays first, then their bytes without the interpreter lock, then the
//! values around them. Nothing that is stored is ever executed.

use std::collections::HashMap;

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyTuple};
use rekindle::tree::{ArrayRef, Scalar, StoredTree};
use rekindle::{Checkpoint, EntryPath, Node, ReadError};

use crate::errors::{exception, raise};
use crate::fit::axes_of;
use crate::markers;
use crate::memory::Room;

/// Arrays of a tree in memory of Python.
pub struct Filled {
    /// By path in the tree: bytes.
    memory: HashMap<EntryPath, Py<PyAny>>,
}

/// Reads the arrays that `part` needs, which stands at `path` of `tree`. Called without the interpreter lock.
///
/// # Errors
/// When there is not as much memory, or bytes are damaged.
pub fn fill(
    checkpoint: &Checkpoint<'_>,
    tree: &StoredTree,
    path: &EntryPath,
    part: &StoredTree,
) -> Result<Filled, FillError> {
    let mut arrays: HashMap<EntryPath, &ArrayRef> = HashMap::new();
    collect(tree, path, part, &mut arrays);
    let mut memory = HashMap::new();
    for (path, array) in arrays {
        let bytes = array.kind().byte_len().unwrap_or(u64::MAX);
        let (object, mut room) = Python::attach(|py| -> PyResult<_> {
            let object = py.import("rekindle._arrays")?.call_method1("room", (bytes,))?;
            Ok((object.clone().unbind(), Room::of(&object)?))
        })
        .map_err(|error| FillError::Python(error, ReadError::OutOfMemory { path: path.clone(), bytes }))?;
        checkpoint.read_array_into(&path, array, room.bytes_mut())?;
        memory.insert(path, object);
    }
    Ok(Filled { memory })
}

/// Why arrays could not be read.
pub enum FillError {
    /// Memory could not be had: what Python said, and what the engine says of it.
    Python(PyErr, ReadError),
    /// The engine failed.
    Read(ReadError),
}

impl From<ReadError> for FillError {
    fn from(error: ReadError) -> Self {
        Self::Read(error)
    }
}

impl From<FillError> for ReadError {
    fn from(error: FillError) -> Self {
        match error {
            FillError::Python(_, error) | FillError::Read(error) => error,
        }
    }
}

impl From<FillError> for PyErr {
    fn from(error: FillError) -> Self {
        raise(&ReadError::from(error))
    }
}

/// The arrays at and below a node, and those that it shares with other places.
fn collect<'t>(
    tree: &'t StoredTree,
    path: &EntryPath,
    node: &'t StoredTree,
    arrays: &mut HashMap<EntryPath, &'t ArrayRef>,
) {
    node.for_each_leaf(&mut |below, leaf| match leaf {
        Node::Array(array) => {
            arrays.insert(path.join(below), array);
        }
        Node::Scalar(Scalar::Str(target))
            if below.segments().last().is_some_and(|s| s == markers::SHARED) =>
        {
            if let Some((path, node)) = shared(tree, target) {
                node.for_each_leaf(&mut |below, leaf| {
                    if let Node::Array(array) = leaf {
                        arrays.insert(path.join(below), array);
                    }
                });
            }
        }
        _ => {}
    });
}

/// The array at a path as Python sees it, with its path in the tree.
fn shared<'t>(tree: &'t StoredTree, target: &str) -> Option<(EntryPath, &'t StoredTree)> {
    let (path, node) = find(tree, target.parse::<EntryPath>().ok()?.segments())?;
    matches!(node, Node::Array(_) | Node::Variant(..)).then_some((path, node))
}

/// The entry at a path as Python sees it, in which no mark has a segment; those of the tree may be there too.
pub fn find<'t>(tree: &'t StoredTree, segments: &[String]) -> Option<(EntryPath, &'t StoredTree)> {
    fn walk<'t>(
        node: &'t StoredTree,
        path: EntryPath,
        rest: &[String],
    ) -> Option<(EntryPath, &'t StoredTree)> {
        let Some((segment, after)) = rest.split_first() else { return Some((path, node)) };
        match node {
            Node::Variant(name, content) if name == segment => walk(content, path.child(name), after),
            Node::Variant(name, content) if name == markers::PERMUTED => {
                let array = content.at(&EntryPath::root().child("array"))?;
                walk(array, path.child(name).child("array"), rest)
            }
            Node::Variant(name, content) if name == markers::PAIRS => {
                let value = content.at(&EntryPath::root().child(segment).child("1"))?;
                walk(value, path.child(name).child(segment).child("1"), after)
            }
            Node::Variant(name, content) if markers::is_mark(name) => walk(content, path.child(name), rest),
            node => walk(node.at(&EntryPath::root().child(segment))?, path.child(segment), after),
        }
    }
    walk(tree, EntryPath::root(), segments)
}

/// Makes values of a tree.
pub struct Restore<'a, 'py> {
    py: Python<'py>,
    arrays: Bound<'py, PyModule>,
    tree: &'a StoredTree,
    filled: &'a Filled,
    /// The library of arrays without a mark.
    library: &'a str,
    /// Arrays that were made, which others may be.
    made: HashMap<EntryPath, Bound<'py, PyAny>>,
}

impl<'a, 'py> Restore<'a, 'py> {
    /// For the arrays of `tree` in `filled`.
    ///
    /// # Errors
    /// When the package is not whole.
    pub fn new(
        py: Python<'py>,
        tree: &'a StoredTree,
        filled: &'a Filled,
        library: &'a str,
    ) -> PyResult<Self> {
        let arrays = py.import("rekindle._arrays")?;
        Ok(Self { py, arrays, tree, filled, library, made: HashMap::new() })
    }

    /// The value of the entry `node` at `path`.
    ///
    /// # Errors
    /// When a library is missing, or an entry is not as this package writes it.
    pub fn value(&mut self, node: &StoredTree, path: &EntryPath) -> PyResult<Bound<'py, PyAny>> {
        Ok(match node {
            Node::Null => self.py.None().into_bound(self.py),
            Node::Some(content) => self.value(content, path)?,
            Node::Scalar(scalar) => self.scalar(scalar)?,
            Node::Array(_) => self.array(node, path)?,
            Node::List(items) => self.list(items, path)?.into_any(),
            Node::Struct(fields) => {
                let dict = PyDict::new(self.py);
                for (name, field) in fields {
                    dict.set_item(name, self.value(field, &path.child(name))?)?;
                }
                dict.into_any()
            }
            Node::Map(entries) => {
                let dict = PyDict::new(self.py);
                for (key, entry) in entries {
                    dict.set_item(self.scalar(key)?, self.value(entry, &path.child(key.to_string()))?)?;
                }
                dict.into_any()
            }
            Node::Variant(name, content) => self.variant(name, content, node, path)?,
        })
    }

    fn scalar(&self, scalar: &Scalar) -> PyResult<Bound<'py, PyAny>> {
        macro_rules! object {
            ($value:expr) => {
                $value.into_pyobject(self.py)?.to_owned().into_any()
            };
        }
        Ok(match scalar {
            Scalar::Bool(value) => object!(value),
            Scalar::I8(value) => object!(value),
            Scalar::I16(value) => object!(value),
            Scalar::I32(value) => object!(value),
            Scalar::I64(value) => object!(value),
            Scalar::I128(value) => object!(value),
            Scalar::U8(value) => object!(value),
            Scalar::U16(value) => object!(value),
            Scalar::U32(value) => object!(value),
            Scalar::U64(value) => object!(value),
            Scalar::U128(value) => object!(value),
            Scalar::F32(value) => object!(value),
            Scalar::F64(value) => object!(value),
            Scalar::Char(value) => object!(value),
            Scalar::Str(value) => object!(value),
            other => {
                return Err(exception(
                    "DoesNotFit",
                    &format!("a {} is not known here", other.type_name()),
                    None,
                ));
            }
        })
    }

    fn list(&mut self, items: &[StoredTree], path: &EntryPath) -> PyResult<Bound<'py, PyList>> {
        let list = PyList::empty(self.py);
        for (i, item) in items.iter().enumerate() {
            list.append(self.value(item, &path.child(i.to_string()))?)?;
        }
        Ok(list)
    }

    /// A variant of another name is one of a Rust program: a dict with its content.
    fn variant(
        &mut self,
        name: &str,
        content: &StoredTree,
        node: &StoredTree,
        path: &EntryPath,
    ) -> PyResult<Bound<'py, PyAny>> {
        let inside = path.child(name);
        match (name, content) {
            (markers::TUPLE, Node::List(items)) => {
                Ok(PyTuple::new(self.py, self.list(items, &inside)?)?.into_any())
            }
            (markers::BYTES, Node::Array(_)) => {
                let memory = self.memory(&inside)?;
                Ok(memory.call_method0("tobytes")?.cast_into::<PyBytes>()?.into_any())
            }
            (markers::INT, Node::List(digits)) => {
                let digit = |digit: &StoredTree| match digit {
                    Node::Scalar(Scalar::U8(byte)) => Some(*byte),
                    _ => None,
                };
                let bytes: Option<Vec<u8>> = digits.iter().map(digit).collect();
                let bytes = bytes.ok_or_else(|| not_ours(path))?;
                let signed = PyDict::new(self.py);
                signed.set_item("signed", true)?;
                let int = self.py.get_type::<pyo3::types::PyInt>();
                int.call_method("from_bytes", (PyBytes::new(self.py, &bytes), "little"), Some(&signed))
            }
            (markers::PAIRS, Node::List(pairs)) => {
                let dict = PyDict::new(self.py);
                for (i, pair) in pairs.iter().enumerate() {
                    let Node::List(pair) = pair else { return Err(not_ours(path)) };
                    let [key, value] = pair.as_slice() else { return Err(not_ours(path)) };
                    let at = inside.child(i.to_string());
                    dict.set_item(self.value(key, &at.child("0"))?, self.value(value, &at.child("1"))?)?;
                }
                Ok(dict.into_any())
            }
            (markers::COUNTER, _) => {
                let counts = self.value(content, &inside)?;
                self.py.import("collections")?.call_method1("Counter", (counts,))
            }
            (markers::SHARED, Node::Scalar(Scalar::Str(target))) => {
                let (path, node) = shared(self.tree, target).ok_or_else(|| not_ours(path))?;
                self.array(node, &path)
            }
            (markers::JAX_KEY, Node::Struct(_)) => {
                let parts = self.value(content, &inside)?;
                self.arrays.call_method1("jax_key", (parts,))
            }
            _ if markers::is_of_array(name) => self.array(node, path),
            _ => {
                let dict = PyDict::new(self.py);
                dict.set_item(name, self.value(content, &inside)?)?;
                Ok(dict.into_any())
            }
        }
    }

    /// An array with its marks; the same object for the same path.
    fn array(&mut self, node: &StoredTree, path: &EntryPath) -> PyResult<Bound<'py, PyAny>> {
        if let Some(made) = self.made.get(path) {
            return Ok(made.clone());
        }
        let (mut node, mut place) = (node, path.clone());
        let (mut library, mut foreign, mut axes, mut scalar) = (self.library.to_owned(), None, None, false);
        while let Node::Variant(name, content) = node {
            place.push(name.clone());
            node = &**content;
            match name.as_str() {
                markers::PERMUTED => {
                    axes = node.at(&EntryPath::root().child("axes")).and_then(axes_of);
                    place.push("array");
                    node = node.at(&EntryPath::root().child("array")).ok_or_else(|| not_ours(path))?;
                }
                markers::SCALAR => scalar = true,
                name if markers::LIBRARIES.contains(&name) => library = name.to_owned(),
                name if markers::FOREIGN.contains(&name) => foreign = Some(name.to_owned()),
                _ => return Err(not_ours(path)),
            }
        }
        let Node::Array(array) = node else { return Err(not_ours(path)) };
        let kind = array.kind();
        let shape = PyTuple::new(self.py, &kind.shape)?;
        let arguments = (&library, kind.dtype.name(), shape, self.memory(&place)?, axes, foreign, scalar);
        let made = self.arrays.call_method1("make", arguments)?;
        self.made.insert(path.clone(), made.clone());
        Ok(made)
    }

    fn memory(&self, path: &EntryPath) -> PyResult<Bound<'py, PyAny>> {
        let memory = self.filled.memory.get(path).ok_or_else(|| not_ours(path))?;
        Ok(memory.bind(self.py).clone())
    }
}

fn not_ours(path: &EntryPath) -> PyErr {
    exception("DoesNotFit", &format!("`{path}` is not as this package writes it"), None)
}
