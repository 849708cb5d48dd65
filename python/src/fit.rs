//! Does a saved tree have the form of the value that it is to take the place of?
//!
//! Keys of dicts, types of numbers, and the types and shapes of arrays have to agree. An empty dict or list and
//! `None` stand for anything, on either side of a `None`; how long a list without arrays is does not count.

use rekindle::tree::{ArrayRef, ArrayType, Mismatch, MismatchKind, Scalar, StoredTree};
use rekindle::{EntryPath, Node};

use crate::markers;

/// The form of a value: its tree without the content of arrays.
pub type Form = Node<ArrayType>;

/// All places where `found` does not have the form of `expected`.
pub fn differences(expected: &Form, found: &StoredTree) -> Vec<Mismatch> {
    let mut list = Vec::new();
    compare(expected, found, &mut EntryPath::root(), &mut list);
    list
}

/// What every array of a tree tells of itself.
trait Typed {
    fn array_type(&self) -> &ArrayType;
}

impl Typed for ArrayType {
    fn array_type(&self) -> &ArrayType {
        self
    }
}

impl Typed for ArrayRef {
    fn array_type(&self) -> &ArrayType {
        self.kind()
    }
}

/// An array as Python sees it: its element type and its shape, in the order of its own dimensions.
fn array<A: Typed>(node: &Node<A>) -> Option<(String, Vec<u64>)> {
    match node {
        Node::Array(array) => {
            let ArrayType { dtype, shape } = array.array_type();
            Some((dtype.name().to_owned(), shape.clone()))
        }
        Node::Variant(name, content) if markers::FOREIGN.contains(&name.as_str()) => {
            let (_, mut shape) = array(content)?;
            if name.starts_with("complex") {
                shape.pop();
            }
            Some((name.clone(), shape))
        }
        Node::Variant(name, content) if name == markers::PERMUTED => {
            let Node::Struct(fields) = &**content else { return None };
            let field = |name: &str| fields.iter().find(|field| field.0 == name).map(|field| &field.1);
            let (dtype, laid_out) = array(field("array")?)?;
            let axes = axes_of(field("axes")?)?;
            let mut shape = vec![0; laid_out.len()];
            for (extent, axis) in laid_out.into_iter().zip(axes) {
                *shape.get_mut(axis)? = extent;
            }
            Some((dtype, shape))
        }
        Node::Variant(name, content) if markers::is_of_array(name) => array(content),
        _ => None,
    }
}

/// The order of dimensions in a tree: each of them once.
pub fn axes_of<A>(node: &Node<A>) -> Option<Vec<usize>> {
    let Node::List(items) = node else { return None };
    let axis = |item: &Node<A>| match item {
        Node::Scalar(Scalar::I64(axis)) => usize::try_from(*axis).ok(),
        _ => None,
    };
    let axes: Vec<usize> = items.iter().map(axis).collect::<Option<_>>()?;
    (0..axes.len()).all(|axis| axes.contains(&axis)).then_some(axes)
}

fn compare(expected: &Form, found: &StoredTree, path: &mut EntryPath, list: &mut Vec<Mismatch>) {
    if is_open(expected) || matches!(found, Node::Null) {
        return;
    }
    let mut tell = |kind| list.push(Mismatch { path: path.clone(), kind });
    match (array(expected), array(found)) {
        (Some((expected, in_memory)), Some((found, in_file))) => {
            if expected != found {
                tell(MismatchKind::Type { expected, found });
            } else if in_memory != in_file {
                tell(MismatchKind::Shape { expected: in_memory, found: in_file });
            }
            return;
        }
        (None, None) => {}
        _ => return tell(of_another_kind(expected, found)),
    }
    match (expected, found) {
        (Node::Struct(expected), Node::Struct(found)) => compare_fields(expected, found, path, list),
        (Node::Map(expected), Node::Map(found)) => {
            for (key, entry) in expected {
                if let Some((_, found)) = found.iter().find(|other| other.0 == *key) {
                    below(key.to_string(), entry, found, path, list);
                }
            }
        }
        (Node::List(expected), Node::List(found)) if expected.len() == found.len() => {
            for (i, (expected, found)) in expected.iter().zip(found).enumerate() {
                below(i.to_string(), expected, found, path, list);
            }
        }
        (Node::List(expected), Node::List(found)) => {
            if expected.iter().any(|item| array(item).is_some()) {
                let (expected, found) = (items(expected.len()), items(found.len()));
                tell(MismatchKind::Type { expected, found });
            }
        }
        (Node::Scalar(expected), Node::Scalar(found)) => {
            let numbers = expected.as_f64().is_some() && found.as_f64().is_some();
            if expected.type_name() != found.type_name() && !numbers {
                let (expected, found) = (expected.type_name().to_owned(), found.type_name().to_owned());
                tell(MismatchKind::Type { expected, found });
            }
        }
        (Node::Scalar(_), Node::Variant(name, _)) | (Node::Variant(name, _), Node::Scalar(_))
            if name == markers::INT => {}
        (Node::Variant(expected, a), Node::Variant(found, b)) if expected == found => {
            compare(a, b, path, list)
        }
        _ => tell(of_another_kind(expected, found)),
    }
}

/// Stands for anything.
fn is_open(form: &Form) -> bool {
    match form {
        Node::Null => true,
        Node::List(items) => items.is_empty(),
        Node::Struct(fields) => fields.is_empty(),
        Node::Variant(name, content) => name == markers::TUPLE && is_open(content),
        _ => false,
    }
}

fn compare_fields(
    expected: &[(String, Form)],
    found: &[(String, StoredTree)],
    path: &mut EntryPath,
    list: &mut Vec<Mismatch>,
) {
    for (name, form) in expected {
        match found.iter().find(|field| field.0 == *name) {
            Some((_, found)) => below(name.clone(), form, found, path, list),
            None => {
                list.push(Mismatch { path: path.child(name), kind: MismatchKind::Missing { nearest: None } })
            }
        }
    }
    for (name, _) in found.iter().filter(|field| expected.iter().all(|known| known.0 != field.0)) {
        list.push(Mismatch { path: path.child(name), kind: MismatchKind::Unexpected });
    }
}

fn below(
    segment: String,
    expected: &Form,
    found: &StoredTree,
    path: &mut EntryPath,
    list: &mut Vec<Mismatch>,
) {
    path.push(segment);
    compare(expected, found, path, list);
    path.pop();
}

fn of_another_kind(expected: &Form, found: &StoredTree) -> MismatchKind {
    MismatchKind::Type { expected: described(expected), found: described(found) }
}

fn described<A: Typed>(node: &Node<A>) -> String {
    match (array(node), node) {
        (Some((dtype, shape)), _) => format!("{dtype}{shape:?}"),
        (None, Node::Variant(name, _)) => name.clone(),
        (None, Node::Struct(_) | Node::Map(_)) => "dict".to_owned(),
        (None, other) => other.kind_name().to_owned(),
    }
}

fn items(count: usize) -> String {
    format!("a list of {count}")
}
