//! Python values as trees whose arrays stay where they are.

use std::collections::HashMap;

use pyo3::buffer::PyBuffer;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple, PyType};
use rekindle::tree::{ArrayType, DType, Scalar};
use rekindle::{EntryPath, Node};

use crate::errors::{exception, refusal};
use crate::markers;
use crate::memory::Memory;

/// A value is nested no deeper. Trees may have 128 levels, and a tuple or an array takes up to four.
const DEEPEST: usize = 100;

/// A Python value as a tree, and what keeps its memory.
pub struct Captured {
    /// The tree.
    pub tree: Node<Memory>,
    /// The library of the arrays that have no mark.
    pub library: &'static str,
    _held: Vec<PyBuffer<u8>>,
}

/// An array, and the library that made it.
struct Leaf {
    library: &'static str,
    memory: Memory,
}

/// Where an array of Python lies.
#[derive(PartialEq, Eq, Hash)]
struct Place {
    device: String,
    address: usize,
    /// Type, shape and order, as everything that has to agree for two arrays to be one.
    form: String,
}

/// An array of Python as `_arrays.lay_out` describes it.
#[derive(FromPyObject)]
struct Layout<'py> {
    library: String,
    dtype: String,
    shape: Vec<u64>,
    /// The elements one after another: bytes.
    memory: Bound<'py, PyAny>,
    /// The order in which the dimensions lie in memory, unless it is their own.
    axes: Option<Vec<i64>>,
    /// An element type that the engine keeps as another.
    foreign: Option<String>,
    scalar: bool,
    device: String,
    address: usize,
    /// Bytes from the first to the last element, gaps included.
    span: usize,
}

/// The tree of `value`.
///
/// # Errors
/// When something in it cannot be saved: names it, and what to do.
pub fn capture(value: &Bound<'_, PyAny>) -> PyResult<Captured> {
    let mut walk = Walk::new(value.py())?;
    let tree = walk.value(value)?;
    walk.refuse_overlaps()?;
    let library = walk.default_library();
    Ok(Captured { tree: settle(tree, library), library, _held: walk.held })
}

struct Walk<'py> {
    arrays: Bound<'py, PyModule>,
    ordered: Bound<'py, PyType>,
    counter: Bound<'py, PyType>,
    path: EntryPath,
    held: Vec<PyBuffer<u8>>,
    /// The first array at each place.
    seen: HashMap<Place, EntryPath>,
    /// Device, first and last byte of each array.
    spans: Vec<(String, usize, usize, EntryPath)>,
    found: [bool; markers::LIBRARIES.len()],
}

impl<'py> Walk<'py> {
    fn new(py: Python<'py>) -> PyResult<Self> {
        let collections = py.import("collections")?;
        Ok(Self {
            arrays: py.import("rekindle._arrays")?,
            ordered: collections.getattr("OrderedDict")?.cast_into()?,
            counter: collections.getattr("Counter")?.cast_into()?,
            path: EntryPath::root(),
            held: Vec::new(),
            seen: HashMap::new(),
            spans: Vec::new(),
            found: [false; markers::LIBRARIES.len()],
        })
    }

    /// Arrays of PyTorch are there in thousands, and those of NumPy beside them are few.
    fn default_library(&self) -> &'static str {
        let order = [1, 2, 0];
        order.into_iter().find(|&i| self.found[i]).map_or("numpy", |i| markers::LIBRARIES[i])
    }

    fn value(&mut self, value: &Bound<'py, PyAny>) -> PyResult<Node<Leaf>> {
        let kind = value.get_type();
        if value.is_none() {
            Ok(Node::Null)
        } else if value.is_instance_of::<PyBool>() {
            Ok(Node::Scalar(Scalar::Bool(value.extract()?)))
        } else if value.is_exact_instance_of::<PyInt>() {
            integer(value)
        } else if value.is_exact_instance_of::<PyFloat>() {
            Ok(Node::Scalar(Scalar::F64(value.extract()?)))
        } else if let Ok(text) = value.cast_exact::<PyString>() {
            Ok(Node::Scalar(Scalar::Str(self.text(text)?)))
        } else if let Ok(bytes) = value.cast_exact::<PyBytes>() {
            Ok(variant(markers::BYTES, self.bytes(bytes)?))
        } else if let Ok(list) = value.cast_exact::<PyList>() {
            self.items(list.iter())
        } else if let Ok(tuple) = value.cast_exact::<PyTuple>() {
            Ok(variant(markers::TUPLE, self.items(tuple.iter())?))
        } else if value.is_exact_instance_of::<PyDict>() || kind.is(&self.ordered) {
            self.dict(value.cast()?)
        } else if kind.is(&self.counter) {
            Ok(variant(markers::COUNTER, self.dict(value.cast()?)?))
        } else {
            self.array(value)
        }
    }

    fn below(&mut self, segment: String, value: &Bound<'py, PyAny>) -> PyResult<Node<Leaf>> {
        if self.path.segments().len() >= DEEPEST {
            return Err(refusal(
                &self.path,
                &format!("it is nested deeper than {DEEPEST} levels, or holds itself"),
            ));
        }
        self.path.push(segment);
        let node = self.value(value)?;
        self.path.pop();
        Ok(node)
    }

    fn text(&self, text: &Bound<'py, PyString>) -> PyResult<String> {
        let text = text.to_str().map_err(|_| {
            refusal(&self.path, "the text has a lone surrogate, which no file can hold; save it as bytes")
        })?;
        Ok(text.to_owned())
    }

    fn bytes(&mut self, bytes: &Bound<'py, PyBytes>) -> PyResult<Node<Leaf>> {
        self.held(DType::U8, vec![bytes.as_bytes().len() as u64], bytes.as_any(), "numpy")
    }

    fn items(&mut self, items: impl Iterator<Item = Bound<'py, PyAny>>) -> PyResult<Node<Leaf>> {
        let nodes = items.enumerate().map(|(i, item)| self.below(i.to_string(), &item));
        Ok(Node::List(nodes.collect::<PyResult<_>>()?))
    }

    /// Keys that are strings keep their order, which does not count for the state hash; integers that ascend
    /// have theirs anyway; all others come as pairs.
    fn dict(&mut self, dict: &Bound<'py, PyDict>) -> PyResult<Node<Leaf>> {
        if dict.keys().iter().all(|key| key.is_exact_instance_of::<PyString>()) {
            let fields = dict.iter().map(|(key, value)| {
                let name = self.text(key.cast()?)?;
                Ok((name.clone(), self.below(name, &value)?))
            });
            return Ok(Node::Struct(fields.collect::<PyResult<_>>()?));
        }
        if let Some(keys) = ascending(dict) {
            let entries = keys
                .into_iter()
                .zip(dict.values())
                .map(|(key, value)| Ok((Scalar::I64(key), self.below(key.to_string(), &value)?)));
            return Ok(Node::Map(entries.collect::<PyResult<_>>()?));
        }
        let pairs = dict.iter().enumerate().map(|(i, (key, value))| {
            let key = self.below(i.to_string(), &key)?;
            Ok(Node::List(vec![key, self.below(i.to_string(), &value)?]))
        });
        Ok(variant(markers::PAIRS, Node::List(pairs.collect::<PyResult<_>>()?)))
    }

    /// An array of any library, or what cannot be saved.
    fn array(&mut self, value: &Bound<'py, PyAny>) -> PyResult<Node<Leaf>> {
        let laid_out = self.arrays.call_method1("lay_out", (value,)).map_err(|error| self.refused(error))?;
        if let Ok(key) = laid_out.cast_exact::<PyDict>() {
            return Ok(variant(markers::JAX_KEY, self.dict(key)?));
        }
        let Layout { library, dtype, shape, memory, axes, foreign, scalar, device, address, span } =
            laid_out.extract()?;
        let Some(number) = markers::LIBRARIES.iter().position(|known| *known == library) else {
            return Err(refusal(&self.path, &format!("arrays of {library} are not known")));
        };
        self.found[number] = true;
        if span > 0 {
            let form = format!("{dtype} {foreign:?} {shape:?} {axes:?} {span}");
            if let Some(first) = self.seen.get(&Place { device: device.clone(), address, form: form.clone() })
            {
                return Ok(variant(markers::SHARED, Node::Scalar(Scalar::Str(first.to_string()))));
            }
            self.seen.insert(Place { device: device.clone(), address, form }, self.path.clone());
            self.spans.push((device, address, address + span, self.path.clone()));
        }
        let dtype: DType =
            dtype.parse().map_err(|_| refusal(&self.path, &format!("`{dtype}` is no element type")))?;
        let mut node = self.held(dtype, shape, &memory, markers::LIBRARIES[number])?;
        if let Some(name) = foreign {
            node = Node::Variant(name, Box::new(node));
        }
        if let Some(axes) = axes {
            let axes = axes.into_iter().map(|axis| Node::Scalar(Scalar::I64(axis))).collect();
            node = variant(
                markers::PERMUTED,
                Node::Struct(vec![("axes".to_owned(), Node::List(axes)), ("array".to_owned(), node)]),
            );
        }
        Ok(if scalar { variant(markers::SCALAR, node) } else { node })
    }

    fn refused(&self, error: PyErr) -> PyErr {
        let message = error.value(self.arrays.py()).to_string();
        let refused = refusal(&self.path, &message);
        refused.set_cause(self.arrays.py(), Some(error));
        refused
    }

    /// An array in the memory of `object`, which is held.
    fn held(
        &mut self,
        dtype: DType,
        shape: Vec<u64>,
        object: &Bound<'py, PyAny>,
        library: &'static str,
    ) -> PyResult<Node<Leaf>> {
        let buffer = PyBuffer::<u8>::get(object)?;
        if !buffer.is_c_contiguous() || dtype.byte_len(&shape) != Some(buffer.len_bytes() as u64) {
            return Err(refusal(&self.path, "its memory does not have the length of its shape"));
        }
        let memory = Memory::of(ArrayType { dtype, shape }, &buffer);
        self.held.push(buffer);
        Ok(Node::Array(Leaf { library, memory }))
    }

    /// Arrays that lie partly in the same memory would come back apart.
    fn refuse_overlaps(&mut self) -> PyResult<()> {
        self.spans.sort();
        let Some(pair) = self.spans.windows(2).find(|pair| pair[0].0 == pair[1].0 && pair[1].1 < pair[0].2)
        else {
            return Ok(());
        };
        let (first, second) = (&pair[0].3, &pair[1].3);
        let message =
            format!("`{first}` and `{second}` lie partly in the same memory, and would come back apart");
        Err(exception("StateError", &message, Some("save one of them, or a copy: `.clone()`, `.copy()`")))
    }
}

fn variant<A>(name: &str, content: Node<A>) -> Node<A> {
    Node::Variant(name.to_owned(), Box::new(content))
}

fn integer(value: &Bound<'_, PyAny>) -> PyResult<Node<Leaf>> {
    if let Ok(number) = value.extract::<i64>() {
        return Ok(Node::Scalar(Scalar::I64(number)));
    }
    // Two's complement takes a bit more than the magnitude.
    let bits: usize = value.call_method0("bit_length")?.extract()?;
    let arguments = PyDict::new(value.py());
    arguments.set_item("signed", true)?;
    let bytes: Vec<u8> =
        value.call_method("to_bytes", (bits / 8 + 1, "little"), Some(&arguments))?.extract()?;
    let digits = bytes.into_iter().map(|byte| Node::Scalar(Scalar::U8(byte))).collect();
    Ok(variant(markers::INT, Node::List(digits)))
}

/// The keys of a dict, if they are integers that ascend.
fn ascending(dict: &Bound<'_, PyDict>) -> Option<Vec<i64>> {
    let key =
        |key: Bound<'_, PyAny>| key.is_exact_instance_of::<PyInt>().then(|| key.extract().ok()).flatten();
    let keys: Option<Vec<i64>> = dict.keys().iter().map(key).collect();
    keys.filter(|keys| keys.is_sorted_by(|a, b| a < b))
}

/// The tree with a mark on the arrays of other libraries than the usual one.
fn settle(node: Node<Leaf>, usual: &'static str) -> Node<Memory> {
    match node {
        Node::Null => Node::Null,
        Node::Scalar(scalar) => Node::Scalar(scalar),
        Node::Array(Leaf { library, memory }) if library == usual => Node::Array(memory),
        Node::Array(Leaf { library, memory }) => variant(library, Node::Array(memory)),
        Node::Some(content) => Node::Some(Box::new(settle(*content, usual))),
        // Bytes are of no library.
        Node::Variant(name, content) if name == markers::BYTES => {
            Node::Variant(name, Box::new(unmarked(*content)))
        }
        Node::Variant(name, content) => Node::Variant(name, Box::new(settle(*content, usual))),
        Node::List(items) => Node::List(items.into_iter().map(|item| settle(item, usual)).collect()),
        Node::Struct(fields) => {
            Node::Struct(fields.into_iter().map(|(name, field)| (name, settle(field, usual))).collect())
        }
        Node::Map(entries) => {
            Node::Map(entries.into_iter().map(|(key, entry)| (key, settle(entry, usual))).collect())
        }
    }
}

fn unmarked(node: Node<Leaf>) -> Node<Memory> {
    match node {
        Node::Array(Leaf { library, memory }) => settle(Node::Array(Leaf { library, memory }), library),
        other => settle(other, "numpy"),
    }
}
