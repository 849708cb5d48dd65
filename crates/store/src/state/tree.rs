//! The state as a value: a tree of maps, lists, typed scalars, strings and arrays.

use std::cmp::Ordering;
use std::fmt;

use crate::hash::Hash;
use crate::state::dtype::DType;
use crate::state::path::EntryPath;

/// A state tree whose arrays are described by `A`: their bytes ([`Array`]) in a [`Tree`], where
/// they are stored ([`ArrayRef`]) in a [`StoredTree`].
#[derive(Debug, Clone, PartialEq)]
pub enum Node<A> {
    /// Nothing: an absent option, a unit.
    Null,
    /// A present option whose content is itself `Null` or `Some`; other present options are
    /// written as their content.
    Some(Box<Node<A>>),
    /// A number, truth value, character or string of an exact type.
    Scalar(Scalar),
    /// A number array.
    Array(A),
    /// A sequence of anything but equal-typed numbers. An empty sequence is always a `List`.
    List(Vec<Node<A>>),
    /// Named fields in declaration order, which does not count for the identity of the state.
    Struct(Vec<(String, Node<A>)>),
    /// Entries by key, in ascending order of the keys.
    Map(Vec<(Scalar, Node<A>)>),
    /// A variant of an enum with its content.
    Variant(String, Box<Node<A>>),
}

/// A state in memory.
pub type Tree = Node<Array>;
/// A state whose array bytes lie in a store.
pub type StoredTree = Node<ArrayRef>;

/// A scalar of an exact type. Floats are compared by their bits, so that NaN payloads and -0.0
/// are kept apart.
#[derive(Debug, Clone)]
#[non_exhaustive]
#[allow(missing_docs)]
pub enum Scalar {
    Bool(bool),
    I8(i8),
    I16(i16),
    I32(i32),
    I64(i64),
    I128(i128),
    U8(u8),
    U16(u16),
    U32(u32),
    U64(u64),
    U128(u128),
    F32(f32),
    F64(f64),
    Char(char),
    Str(String),
}

/// Element type and shape of an array. Rows are contiguous: the last dimension varies fastest.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ArrayType {
    /// Element type.
    pub dtype: DType,
    /// Extent per dimension; empty for a single element.
    pub shape: Vec<u64>,
}

/// An array in memory: `data` holds the elements in row-major order, little-endian.
#[derive(Debug, Clone, PartialEq)]
pub struct Array {
    kind: ArrayType,
    data: Vec<u8>,
}

/// A stored array: its type and where its bytes are.
#[derive(Debug, Clone, PartialEq)]
pub struct ArrayRef {
    pub(crate) kind: ArrayType,
    pub(crate) place: ArrayPlace,
}

/// Where the bytes of a stored array are.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ArrayPlace {
    /// In the index node itself.
    Inline(Vec<u8>),
    /// One chunk per box of [`ArrayType::boxes`].
    Chunks(Vec<Hash>),
}

/// Arrays smaller than this lie in the index node itself: bytes.
pub(crate) const INLINE_LIMIT: u64 = 1024;
/// No chunk of an array is larger, unless one element is: bytes.
pub(crate) const CHUNK_LIMIT: u64 = 1 << 20;

/// The bytes do not make an array of that type and shape.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind} takes {expected} bytes, but {found} are there")]
pub struct ArrayLengthError {
    kind: ArrayType,
    expected: String,
    found: usize,
}

impl Array {
    /// An array of `dtype` and `shape` from its little-endian bytes in row-major order.
    ///
    /// # Errors
    /// When the number of bytes does not match.
    pub fn new(dtype: DType, shape: Vec<u64>, data: Vec<u8>) -> Result<Self, ArrayLengthError> {
        let kind = ArrayType { dtype, shape };
        kind.check_len(data.len())?;
        Ok(Self { kind, data })
    }

    /// Element type and shape.
    pub fn kind(&self) -> &ArrayType {
        &self.kind
    }

    /// The elements, little-endian, in row-major order.
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// The elements, out of the array.
    pub fn into_data(self) -> Vec<u8> {
        self.data
    }
}

impl ArrayRef {
    /// Element type and shape.
    pub fn kind(&self) -> &ArrayType {
        &self.kind
    }

    /// The chunks that hold the array; none when it lies in the index node.
    pub fn chunks(&self) -> &[Hash] {
        match &self.place {
            ArrayPlace::Inline(_) => &[],
            ArrayPlace::Chunks(chunks) => chunks,
        }
    }
}

impl ArrayType {
    /// Bytes of the array, or `None` when that does not fit 63 bits.
    pub fn byte_len(&self) -> Option<u64> {
        self.dtype.byte_len(&self.shape)
    }

    /// Checks that `found` bytes are as many as such an array has.
    pub(crate) fn check_len(&self, found: usize) -> Result<(), ArrayLengthError> {
        let expected = self.byte_len();
        if expected == Some(found as u64) {
            return Ok(());
        }
        let expected = expected.map_or("more than 2^63".to_owned(), |len| len.to_string());
        Err(ArrayLengthError { kind: self.clone(), expected, found })
    }

    /// The canonical cut of the array into boxes of at most 1 MiB, as the byte range that each
    /// takes up in row-major order.
    ///
    /// The cut follows rows: it splits the outermost dimension whose slices fit a box, so that a
    /// range of rows never shares a box with rows far away.
    pub(crate) fn boxes(&self) -> Boxes {
        let total = self.byte_len().unwrap_or(0);
        let mut slice = self.dtype.size() as u64;
        let mut run = total;
        for &dim in self.shape.iter().rev() {
            let wider = slice.saturating_mul(dim);
            if wider > CHUNK_LIMIT {
                run = wider;
                break;
            }
            slice = wider;
        }
        let step = (CHUNK_LIMIT / slice.max(1)).max(1) * slice;
        Boxes { total, run: run.min(total), step, position: 0 }
    }

    /// Number of boxes of the canonical cut, known without walking it.
    pub(crate) fn box_count(&self) -> u64 {
        let boxes = self.boxes();
        if boxes.total == 0 {
            return 0;
        }
        boxes.total / boxes.run * boxes.run.div_ceil(boxes.step)
    }
}

/// Iterator over the byte ranges of an array's boxes: every run of `run` bytes is cut into steps
/// of `step` bytes and a rest.
#[derive(Debug, Clone)]
pub(crate) struct Boxes {
    total: u64,
    run: u64,
    step: u64,
    position: u64,
}

impl Iterator for Boxes {
    type Item = std::ops::Range<u64>;

    fn next(&mut self) -> Option<Self::Item> {
        let start = self.position;
        if start >= self.total {
            return None;
        }
        let run_end = start - start % self.run + self.run;
        self.position = (start + self.step).min(run_end);
        Some(start..self.position)
    }
}

impl fmt::Display for ArrayType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[", self.dtype)?;
        for (position, dim) in self.shape.iter().enumerate() {
            let comma = if position > 0 { ", " } else { "" };
            write!(f, "{comma}{dim}")?;
        }
        f.write_str("]")
    }
}

impl Scalar {
    /// The lower-case name of the type, such as `u64` or `string`.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Bool(_) => "bool",
            Self::I8(_) => "i8",
            Self::I16(_) => "i16",
            Self::I32(_) => "i32",
            Self::I64(_) => "i64",
            Self::I128(_) => "i128",
            Self::U8(_) => "u8",
            Self::U16(_) => "u16",
            Self::U32(_) => "u32",
            Self::U64(_) => "u64",
            Self::U128(_) => "u128",
            Self::F32(_) => "f32",
            Self::F64(_) => "f64",
            Self::Char(_) => "char",
            Self::Str(_) => "string",
        }
    }

    /// Appends the canonical encoding: a type code, then the value in little-endian order, a
    /// string with its length before it.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        macro_rules! fixed {
            ($code:expr, $value:expr) => {{
                out.push($code);
                out.extend_from_slice(&$value.to_le_bytes());
            }};
        }
        match self {
            Self::Bool(value) => out.extend([0x10, u8::from(*value)]),
            Self::I8(value) => fixed!(0x11, value),
            Self::I16(value) => fixed!(0x12, value),
            Self::I32(value) => fixed!(0x13, value),
            Self::I64(value) => fixed!(0x14, value),
            Self::I128(value) => fixed!(0x15, value),
            Self::U8(value) => fixed!(0x16, value),
            Self::U16(value) => fixed!(0x17, value),
            Self::U32(value) => fixed!(0x18, value),
            Self::U64(value) => fixed!(0x19, value),
            Self::U128(value) => fixed!(0x1a, value),
            Self::F32(value) => fixed!(0x1b, value.to_bits()),
            Self::F64(value) => fixed!(0x1c, value.to_bits()),
            Self::Char(value) => fixed!(0x1d, u32::from(*value)),
            Self::Str(value) => {
                out.push(0x1e);
                out.extend_from_slice(&(value.len() as u64).to_le_bytes());
                out.extend_from_slice(value.as_bytes());
            }
        }
    }

    fn encoding(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.encode(&mut out);
        out
    }

    /// The value as an `f64` if it is a number, for comparison and display.
    pub fn as_f64(&self) -> Option<f64> {
        Some(match self {
            Self::I8(value) => f64::from(*value),
            Self::I16(value) => f64::from(*value),
            Self::I32(value) => f64::from(*value),
            Self::I64(value) => *value as f64,
            Self::I128(value) => *value as f64,
            Self::U8(value) => f64::from(*value),
            Self::U16(value) => f64::from(*value),
            Self::U32(value) => f64::from(*value),
            Self::U64(value) => *value as f64,
            Self::U128(value) => *value as f64,
            Self::F32(value) => f64::from(*value),
            Self::F64(value) => *value,
            Self::Bool(_) | Self::Char(_) | Self::Str(_) => return None,
        })
    }
}

impl PartialEq for Scalar {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Str(a), Self::Str(b)) => a == b,
            _ => self.encoding() == other.encoding(),
        }
    }
}

impl Eq for Scalar {}

impl PartialOrd for Scalar {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The order of map keys: numbers of one type by value (floats by their bits), strings by their
/// bytes, different types by their type.
impl Ord for Scalar {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Bool(a), Self::Bool(b)) => a.cmp(b),
            (Self::I8(a), Self::I8(b)) => a.cmp(b),
            (Self::I16(a), Self::I16(b)) => a.cmp(b),
            (Self::I32(a), Self::I32(b)) => a.cmp(b),
            (Self::I64(a), Self::I64(b)) => a.cmp(b),
            (Self::I128(a), Self::I128(b)) => a.cmp(b),
            (Self::U8(a), Self::U8(b)) => a.cmp(b),
            (Self::U16(a), Self::U16(b)) => a.cmp(b),
            (Self::U32(a), Self::U32(b)) => a.cmp(b),
            (Self::U64(a), Self::U64(b)) => a.cmp(b),
            (Self::U128(a), Self::U128(b)) => a.cmp(b),
            (Self::Char(a), Self::Char(b)) => a.cmp(b),
            (Self::Str(a), Self::Str(b)) => a.cmp(b),
            _ => self.encoding().cmp(&other.encoding()),
        }
    }
}

/// The bare value, as a path segment or for a table: no quotes, `nan` and `inf` in words.
impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => value.fmt(f),
            Self::I8(value) => value.fmt(f),
            Self::I16(value) => value.fmt(f),
            Self::I32(value) => value.fmt(f),
            Self::I64(value) => value.fmt(f),
            Self::I128(value) => value.fmt(f),
            Self::U8(value) => value.fmt(f),
            Self::U16(value) => value.fmt(f),
            Self::U32(value) => value.fmt(f),
            Self::U64(value) => value.fmt(f),
            Self::U128(value) => value.fmt(f),
            Self::F32(value) => value.fmt(f),
            Self::F64(value) => value.fmt(f),
            Self::Char(value) => value.fmt(f),
            Self::Str(value) => value.fmt(f),
        }
    }
}

impl<A> Node<A> {
    /// An absent or present option: a present one is its content, wrapped only where it could be
    /// taken for an absent one.
    pub fn option(content: Option<Self>) -> Self {
        match content {
            None => Self::Null,
            Some(content @ (Self::Null | Self::Some(_))) => Self::Some(Box::new(content)),
            Some(content) => content,
        }
    }

    /// What this node is, for messages: `struct`, `list`, `u64` ...
    pub fn kind_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Some(_) => "option",
            Self::Scalar(scalar) => scalar.type_name(),
            Self::Array(_) => "array",
            Self::List(_) => "list",
            Self::Struct(_) => "struct",
            Self::Map(_) => "map",
            Self::Variant(..) => "variant",
        }
    }

    /// The children with their path segments. A present option is its content: no segment.
    pub fn children(&self) -> Vec<(String, &Self)> {
        match self {
            Self::Null | Self::Scalar(_) | Self::Array(_) => Vec::new(),
            Self::Some(content) => content.children(),
            Self::List(items) => {
                let numbered = items.iter().enumerate();
                numbered.map(|(i, item)| (i.to_string(), item)).collect()
            }
            Self::Struct(fields) => fields.iter().map(|(n, c)| (n.clone(), c)).collect(),
            Self::Map(entries) => entries.iter().map(|(k, c)| (k.to_string(), c)).collect(),
            Self::Variant(name, content) => vec![(name.clone(), content)],
        }
    }

    /// The child at one path segment.
    fn child(&self, segment: &str) -> Option<&Self> {
        match self {
            Self::Null | Self::Scalar(_) | Self::Array(_) => None,
            Self::Some(content) => content.child(segment),
            Self::List(items) => items.get(segment.parse::<usize>().ok()?),
            Self::Struct(fields) => fields.iter().find(|f| f.0 == segment).map(|f| &f.1),
            Self::Map(entries) => {
                let found = entries.iter().find(|e| e.0.to_string() == segment);
                found.map(|e| &e.1)
            }
            Self::Variant(name, content) => (name == segment).then_some(content),
        }
    }

    /// The node at `path`, if there is one.
    pub fn at(&self, path: &EntryPath) -> Option<&Self> {
        let mut segments = path.segments().iter();
        segments.try_fold(self, |node, segment| node.child(segment))
    }

    /// Calls `visit` for every node that has no children, with its path: scalars, arrays, nulls
    /// and empty containers.
    pub fn for_each_leaf<'a>(&'a self, visit: &mut impl FnMut(&EntryPath, &'a Self)) {
        fn walk<'a, A>(
            node: &'a Node<A>,
            path: &mut EntryPath,
            visit: &mut impl FnMut(&EntryPath, &'a Node<A>),
        ) {
            let children = node.children();
            if children.is_empty() {
                return visit(path, node);
            }
            for (segment, child) in children {
                path.push(segment);
                walk(child, path, visit);
                path.pop();
            }
        }
        walk(self, &mut EntryPath::root(), visit);
    }

    /// The same tree with every array replaced by what `map` makes of it and its path.
    ///
    /// # Errors
    /// The first error of `map`.
    pub fn try_map_arrays<B, E>(
        &self,
        map: &mut impl FnMut(&EntryPath, &A) -> Result<B, E>,
    ) -> Result<Node<B>, E> {
        fn walk<A, B, E>(
            node: &Node<A>,
            path: &mut EntryPath,
            map: &mut impl FnMut(&EntryPath, &A) -> Result<B, E>,
        ) -> Result<Node<B>, E> {
            let mut below = |segment: String, child: &Node<A>| {
                path.push(segment);
                let child = walk(child, path, map);
                path.pop();
                child
            };
            Ok(match node {
                Node::Null => Node::Null,
                Node::Scalar(scalar) => Node::Scalar(scalar.clone()),
                Node::Array(array) => Node::Array(map(path, array)?),
                Node::Some(content) => Node::Some(Box::new(walk(content, path, map)?)),
                Node::Variant(name, content) => {
                    Node::Variant(name.clone(), Box::new(below(name.clone(), content)?))
                }
                Node::List(items) => Node::List(
                    items
                        .iter()
                        .enumerate()
                        .map(|(i, item)| below(i.to_string(), item))
                        .collect::<Result<_, _>>()?,
                ),
                Node::Struct(fields) => Node::Struct(
                    fields
                        .iter()
                        .map(|(name, child)| Ok((name.clone(), below(name.clone(), child)?)))
                        .collect::<Result<_, _>>()?,
                ),
                Node::Map(entries) => Node::Map(
                    entries
                        .iter()
                        .map(|(key, child)| Ok((key.clone(), below(key.to_string(), child)?)))
                        .collect::<Result<_, _>>()?,
                ),
            })
        }
        walk(self, &mut EntryPath::root(), map)
    }
}

impl StoredTree {
    /// Values of the tree: every node, every chunk of an array, and every 256 bytes of a string.
    pub(crate) fn value_count(&self) -> u64 {
        match self {
            Self::Null => 1,
            Self::Scalar(Scalar::Str(text)) => 1 + text.len() as u64 / 256,
            Self::Scalar(_) => 1,
            Self::Array(array) => 1 + array.chunks().len() as u64,
            Self::Some(content) | Self::Variant(_, content) => 1 + content.value_count(),
            Self::List(items) => 1 + items.iter().map(Self::value_count).sum::<u64>(),
            Self::Struct(fields) => 1 + fields.iter().map(|field| field.1.value_count()).sum::<u64>(),
            Self::Map(entries) => 1 + entries.iter().map(|entry| entry.1.value_count()).sum::<u64>(),
        }
    }

    /// Bytes of all arrays of the tree.
    pub fn payload_bytes(&self) -> u64 {
        let mut total = 0;
        self.for_each_leaf(&mut |_, node| {
            if let Node::Array(array) = node {
                total += array.kind.byte_len().unwrap_or(0);
            }
        });
        total
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn kind(shape: &[u64]) -> ArrayType {
        ArrayType { dtype: DType::F32, shape: shape.to_vec() }
    }

    #[test]
    fn boxes_follow_rows() {
        let rows = kind(&[3, 100_000]).boxes().collect::<Vec<_>>();
        assert_eq!(rows, [0..800_000, 800_000..1_200_000]);
        let inside_a_row = kind(&[2, 300_000]).boxes().collect::<Vec<_>>();
        assert_eq!(
            inside_a_row,
            [
                0..1 << 20,
                1 << 20..1_200_000,
                1_200_000..(1 << 20) + 1_200_000,
                (1 << 20) + 1_200_000..2_400_000
            ]
        );
        assert_eq!(kind(&[0, 7]).boxes().count(), 0);
    }

    #[test]
    fn options_are_transparent_unless_that_would_be_ambiguous() {
        let none = || Tree::Null;
        assert_eq!(Node::option(Some(none())), Tree::Some(Box::new(none())));
        let number = Tree::Scalar(Scalar::U8(1));
        assert_eq!(Node::option(Some(number.clone())), number);
    }

    #[test]
    fn floats_are_compared_by_their_bits() {
        assert_eq!(Scalar::F32(f32::NAN), Scalar::F32(f32::NAN));
        assert_ne!(Scalar::F64(0.0), Scalar::F64(-0.0));
        assert_ne!(Scalar::U32(1), Scalar::U64(1));
    }

    proptest! {
        #[test]
        fn boxes_cover_the_array_without_gap(shape in proptest::collection::vec(0u64..700, 0..4)) {
            let kind = kind(&shape);
            let mut end = 0;
            let mut count = 0;
            for range in kind.boxes() {
                prop_assert_eq!(range.start, end);
                prop_assert!(range.end > range.start && range.end - range.start <= CHUNK_LIMIT);
                end = range.end;
                count += 1;
            }
            prop_assert_eq!(Some(end), kind.byte_len());
            prop_assert_eq!(count, kind.box_count());
        }
    }
}
