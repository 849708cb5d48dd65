//! Does a saved state fit the value it is to be loaded into? All differences at once, before
//! anything is changed.
//!
//! Struct fields, scalar types, and the element types and shapes of arrays have to agree. Under
//! options, enums, maps and lists the file decides, and so it does for the first extent of arrays
//! that are marked as growing and for sequences that are empty in memory.

use std::fmt;

use serde::Serialize;

use rekindle_store::similar::nearest;
use rekindle_store::{ArrayType, EntryPath, HashedArray, Node, SaveError};

use crate::capture::{ArraySink, CaptureError, capture};

/// A place where the saved state and the value it is loaded into differ in form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// Where.
    pub path: EntryPath,
    /// What differs.
    pub kind: MismatchKind,
}

/// What differs in form.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum MismatchKind {
    /// The file has no such entry; an unexpected one of a similar name may be meant.
    Missing {
        /// The similar one.
        nearest: Option<String>,
    },
    /// The file has an entry that is not expected.
    Unexpected,
    /// An array has another shape.
    Shape {
        /// In memory.
        expected: Vec<u64>,
        /// In the file.
        found: Vec<u64>,
    },
    /// An array or scalar has another type, or an entry is something else altogether.
    Type {
        /// In memory.
        expected: String,
        /// In the file.
        found: String,
    },
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = &self.path;
        match &self.kind {
            MismatchKind::Missing { nearest: None } => write!(f, "`{path}` is missing in the file"),
            MismatchKind::Missing { nearest: Some(name) } => {
                write!(f, "`{path}` is missing in the file, which has `{name}`")
            }
            MismatchKind::Unexpected => write!(f, "`{path}` is in the file but not expected"),
            MismatchKind::Shape { expected, found } => {
                write!(f, "`{path}` has shape {found:?} in the file, {expected:?} is expected")
            }
            MismatchKind::Type { expected, found } => {
                write!(f, "`{path}` is {found} in the file, {expected} is expected")
            }
        }
    }
}

/// What is expected of an array.
#[derive(Debug)]
pub(crate) struct Expected {
    kind: ArrayType,
    growing: bool,
}

struct OutlineSink;

impl ArraySink for OutlineSink {
    type Array = Expected;
    const MARK_OPTIONS: bool = true;

    fn array(
        &mut self,
        _: &EntryPath,
        kind: ArrayType,
        _: &[u8],
        growing: bool,
    ) -> Result<Expected, SaveError> {
        Ok(Expected { kind, growing })
    }
}

/// The form of a value: what a saved state has to fit.
#[derive(Debug)]
pub(crate) struct Form(Node<Expected>);

impl Form {
    pub fn of<T: Serialize + ?Sized>(value: &T) -> Result<Self, CaptureError> {
        let mut form = capture(value, &mut OutlineSink)?;
        forget_what_the_file_decides(&mut form);
        Ok(Self(form))
    }

    /// All places where `found` does not fit.
    pub fn mismatches<A: HashedArray>(&self, found: &Node<A>) -> Vec<Mismatch> {
        let mut list = Vec::new();
        compare(&self.0, found, &mut EntryPath::root(), &mut list);
        list
    }
}

/// What stands in lists, maps, options and variants is never looked at.
fn forget_what_the_file_decides(form: &mut Node<Expected>) {
    match form {
        Node::Struct(fields) => {
            fields.iter_mut().for_each(|field| forget_what_the_file_decides(&mut field.1))
        }
        Node::List(items) => *items = Vec::new(),
        Node::Map(entries) => *entries = Vec::new(),
        Node::Some(content) | Node::Variant(_, content) => **content = Node::Null,
        Node::Null | Node::Scalar(_) | Node::Array(_) => {}
    }
}

impl Mismatch {
    /// True when a field is there on one side only: serde may have left it out.
    pub(crate) fn is_absence(&self) -> bool {
        matches!(self.kind, MismatchKind::Missing { .. } | MismatchKind::Unexpected)
    }
}

fn compare<A: HashedArray>(
    expected: &Node<Expected>,
    found: &Node<A>,
    path: &mut EntryPath,
    list: &mut Vec<Mismatch>,
) {
    let mut report = |kind| list.push(Mismatch { path: path.clone(), kind });
    match (expected, found) {
        (Node::Null | Node::Some(_) | Node::Variant(..) | Node::Map(_) | Node::List(_), _) => {}
        (Node::Struct(expected), Node::Struct(found)) => compare_fields(expected, found, path, list),
        (Node::Scalar(a), Node::Scalar(b)) if a.type_name() == b.type_name() => {}
        (Node::Array(expected), Node::Array(found)) => {
            if let Some(kind) = compare_arrays(expected, found.kind()) {
                report(kind);
            }
        }
        // An empty sequence has no element type of its own.
        (Node::Array(expected), Node::List(items)) if items.is_empty() => {
            let empty = ArrayType { dtype: expected.kind.dtype, shape: vec![0] };
            if let Some(kind) = compare_arrays(expected, &empty) {
                report(kind);
            }
        }
        (expected, found) => report(MismatchKind::Type {
            expected: describe(expected, |array| &array.kind),
            found: describe(found, HashedArray::kind),
        }),
    }
}

fn describe<A>(node: &Node<A>, kind: impl Fn(&A) -> &ArrayType) -> String {
    match node {
        Node::Array(array) => kind(array).to_string(),
        other => other.kind_name().to_owned(),
    }
}

fn compare_arrays(expected: &Expected, found: &ArrayType) -> Option<MismatchKind> {
    if expected.kind.dtype != found.dtype {
        return Some(MismatchKind::Type { expected: expected.kind.to_string(), found: found.to_string() });
    }
    let (a, b) = (&expected.kind.shape, &found.shape);
    let fits =
        if expected.growing { a.len() == b.len() && a.iter().skip(1).eq(b.iter().skip(1)) } else { a == b };
    (!fits).then(|| MismatchKind::Shape { expected: a.clone(), found: b.clone() })
}

fn compare_fields<A: HashedArray>(
    expected: &[(String, Node<Expected>)],
    found: &[(String, Node<A>)],
    path: &mut EntryPath,
    list: &mut Vec<Mismatch>,
) {
    let is_expected = |name: &str| expected.iter().any(|field| field.0 == name);
    let unexpected: Vec<&str> =
        found.iter().map(|field| field.0.as_str()).filter(|name| !is_expected(name)).collect();
    for (name, field) in expected {
        path.push(name);
        match found.iter().find(|other| other.0 == *name) {
            Some((_, other)) => compare(field, other, path, list),
            None => {
                let candidates = unexpected.iter().map(|name| (*name).to_owned());
                let kind = MismatchKind::Missing { nearest: nearest(name, candidates) };
                list.push(Mismatch { path: path.clone(), kind });
            }
        }
        path.pop();
    }
    for name in unexpected {
        list.push(Mismatch { path: path.child(name), kind: MismatchKind::Unexpected });
    }
}
