//! serde to tree: walks any [`Serialize`] value, hands arrays to a sink as they come, and builds
//! the typed tree of everything else.

use std::collections::VecDeque;

use serde::Serialize;
use serde::ser;

use rekindle_store::{
    Array, ArrayDigest, ArrayRef, ArrayType, DType, EntryPath, Hash, Node, Save, SaveError, Scalar, Tree,
};

use crate::array;

/// Receives the arrays of a captured state. The bytes are only borrowed.
pub(crate) trait ArraySink {
    /// What stands in the tree for an array.
    type Array;

    /// Takes an array at `path`. `growing` arrays may have another first extent when they come
    /// back.
    ///
    /// # Errors
    /// When the array cannot be stored.
    fn array(
        &mut self,
        path: &EntryPath,
        kind: ArrayType,
        bytes: &[u8],
        growing: bool,
    ) -> Result<Self::Array, SaveError>;

    /// True when every present option is marked as such, even where it could not be taken for an
    /// absent one: for outlines that are compared, never for states that are kept.
    const MARK_OPTIONS: bool = false;
}

/// A value cannot be captured.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CaptureError {
    /// serde, or the value's own code, refused.
    #[error("`{path}` cannot be saved: {message}")]
    Unsupported {
        /// Where in the state.
        path: EntryPath,
        /// Why.
        message: String,
    },
    /// The value was saved, but what comes back is another one.
    #[error(
        "`{path}` does not come back as it was saved, so the checkpoint was withdrawn; \
         serde's `flatten`, `untagged` and `skip` lose information: keep this entry in a plain field"
    )]
    DoesNotComeBack {
        /// The first entry that differs.
        path: EntryPath,
    },
    /// A sequence was saved, but other elements come back, or in another order.
    #[error(
        "the elements of `{path}` come back in another order or with other values, so the checkpoint was withdrawn; a \
         HashSet or a BinaryHeap has no order of its own: save a BTreeSet or a sorted Vec"
    )]
    SequenceDoesNotComeBack {
        /// The sequence.
        path: EntryPath,
    },
    /// A map keeps its entries in an order that a checkpoint does not.
    #[error(
        "the map `{path}` keeps its entries in an order that would be lost, as checkpoints keep them by their keys, so \
         the checkpoint was withdrawn; save it as a list of pairs (for an IndexMap, \
         `#[serde(with = \"indexmap::map::serde_seq\")]`), or use a BTreeMap if the order means nothing"
    )]
    MapHasAnOrder {
        /// The map.
        path: EntryPath,
    },
    /// The state has another form than the one that a resume begins with.
    #[error(
        "nothing was saved, as the state has changed its form since training began, and would not fit the state that a \
         resume begins with:{}\nmark an array whose length may change with `#[serde(with = \"rekindle::growing\")]`",
        crate::run::bullets(mismatches)
    )]
    WouldNotFit {
        /// The differences.
        mismatches: Vec<crate::compare::Mismatch>,
    },
    /// Saving in the background panicked.
    #[error("saving panicked: {message}; the checkpoints before are intact: resume the run")]
    Panicked {
        /// What the panic said.
        message: String,
    },
    /// The checkpoint was saved, but older ones could not be pruned.
    #[error(transparent)]
    Prune(#[from] rekindle_store::PruneError),
    /// Saving failed.
    #[error(transparent)]
    Save(#[from] SaveError),
}

/// The state as a [`Tree`] in memory.
///
/// # Errors
/// When the value has something that no tree can hold.
pub fn to_tree<T: Serialize + ?Sized>(value: &T) -> Result<Tree, CaptureError> {
    capture(value, &mut MemorySink)
}

/// The identity of a state: what a checkpoint of it would have as its state hash.
///
/// # Errors
/// When the value has something that no tree can hold.
pub fn hash_of<T: Serialize + ?Sized>(value: &T) -> Result<Hash, CaptureError> {
    Ok(rekindle_store::state_hash(&capture(value, &mut DigestSink)?))
}

/// Walks `value` and gives its tree with whatever `sink` makes of the arrays.
pub(crate) fn capture<T, S>(value: &T, sink: &mut S) -> Result<Node<S::Array>, CaptureError>
where
    T: Serialize + ?Sized,
    S: ArraySink,
{
    capture_with_order(value, sink).map(|(tree, _)| tree)
}

/// As [`capture`]; also gives the first maps whose keys did not come in their order.
pub(crate) fn capture_with_order<T, S>(
    value: &T,
    sink: &mut S,
) -> Result<(Node<S::Array>, Vec<EntryPath>), CaptureError>
where
    T: Serialize + ?Sized,
    S: ArraySink,
{
    let mut walk = Walk { sink, path: Vec::new(), unordered: Vec::new() };
    let tree = value.serialize(Capture { walk: &mut walk, growing: false }).map_err(|error| match error {
        Failure::Save(error) => error.into(),
        // The path is not taken back on an error: it still leads to the culprit.
        Failure::Message(message) => CaptureError::Unsupported { path: walk.entry_path(), message },
    })?;
    Ok((tree, walk.unordered))
}

pub(crate) struct MemorySink;

impl ArraySink for MemorySink {
    type Array = Array;

    fn array(&mut self, _: &EntryPath, kind: ArrayType, bytes: &[u8], _: bool) -> Result<Array, SaveError> {
        Ok(Array::new(kind.dtype, kind.shape, bytes.to_vec())?)
    }
}

/// Copies arrays into buffers that were used before, in the same order.
pub(crate) struct CopySink {
    spare: VecDeque<Vec<u8>>,
}

impl CopySink {
    pub fn new(spare: VecDeque<Vec<u8>>) -> Self {
        Self { spare }
    }
}

impl ArraySink for CopySink {
    type Array = Array;

    fn array(&mut self, _: &EntryPath, kind: ArrayType, bytes: &[u8], _: bool) -> Result<Array, SaveError> {
        let mut data = self.spare.pop_front().unwrap_or_default();
        data.clear();
        data.extend_from_slice(bytes);
        Ok(Array::new(kind.dtype, kind.shape, data)?)
    }
}

/// Hashes arrays and keeps nothing else of them.
pub(crate) struct DigestSink;

impl ArraySink for DigestSink {
    type Array = ArrayDigest;

    fn array(
        &mut self,
        _: &EntryPath,
        kind: ArrayType,
        bytes: &[u8],
        _: bool,
    ) -> Result<ArrayDigest, SaveError> {
        Ok(ArrayDigest::of(kind, bytes))
    }
}

/// Keeps nothing of arrays but their types.
pub(crate) struct KindSink;

impl ArraySink for KindSink {
    type Array = ArrayDigest;

    fn array(&mut self, _: &EntryPath, kind: ArrayType, _: &[u8], _: bool) -> Result<ArrayDigest, SaveError> {
        Ok(ArrayDigest::of(kind, &[]))
    }
}

/// Writes arrays into a checkpoint.
pub(crate) struct SaveSink<'a, 'b>(pub &'a mut Save<'b>);

impl ArraySink for SaveSink<'_, '_> {
    type Array = ArrayRef;

    fn array(
        &mut self,
        path: &EntryPath,
        kind: ArrayType,
        bytes: &[u8],
        _: bool,
    ) -> Result<ArrayRef, SaveError> {
        self.0.array(path, kind, bytes)
    }
}

#[derive(Debug)]
enum Failure {
    Save(SaveError),
    Message(String),
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Save(error) => error.fmt(f),
            Self::Message(message) => message.fmt(f),
        }
    }
}

impl std::error::Error for Failure {}

impl ser::Error for Failure {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Self::Message(message.to_string())
    }
}

enum Segment {
    Name(&'static str),
    Key(String),
    Position(usize),
}

/// The state of one walk. Segments are turned into text only when somebody asks.
struct Walk<'a, S> {
    sink: &'a mut S,
    path: Vec<Segment>,
    /// The first maps whose keys did not come in their order.
    unordered: Vec<EntryPath>,
}

/// So many maps without order are told.
const UNORDERED_MAX: usize = 8;

impl<S: ArraySink> Walk<'_, S> {
    fn entry_path(&self) -> EntryPath {
        let mut path = EntryPath::root();
        for segment in &self.path {
            match segment {
                Segment::Name(name) => path.push(*name),
                Segment::Key(key) => path.push(key.clone()),
                Segment::Position(position) => path.push(position.to_string()),
            }
        }
        path
    }

    fn array(&mut self, kind: ArrayType, bytes: &[u8], growing: bool) -> Result<Node<S::Array>, Failure> {
        let path = self.entry_path();
        self.sink.array(&path, kind, bytes, growing).map(Node::Array).map_err(Failure::Save)
    }

    /// Captures a child at `segment`.
    fn below<T: Serialize + ?Sized>(
        &mut self,
        segment: Segment,
        value: &T,
    ) -> Result<Node<S::Array>, Failure> {
        if self.path.len() >= 128 {
            return Err(Failure::Message("it is nested deeper than 128 levels".to_owned()));
        }
        self.path.push(segment);
        let node = value.serialize(Capture { walk: self, growing: false })?;
        self.path.pop();
        Ok(node)
    }
}

struct Capture<'w, 's, S> {
    walk: &'w mut Walk<'s, S>,
    /// The next sequence was marked as growing.
    growing: bool,
}

macro_rules! scalars {
    ($($method:ident $type:ty => $variant:ident),* $(,)?) => {
        $(fn $method(self, value: $type) -> Result<Self::Ok, Failure> {
            Ok(Node::Scalar(Scalar::$variant(value)))
        })*
    };
}

impl<'w, 's, S: ArraySink> ser::Serializer for Capture<'w, 's, S> {
    type Ok = Node<S::Array>;
    type Error = Failure;
    type SerializeSeq = Sequence<'w, 's, S>;
    type SerializeTuple = Sequence<'w, 's, S>;
    type SerializeTupleStruct = Sequence<'w, 's, S>;
    type SerializeTupleVariant = Sequence<'w, 's, S>;
    type SerializeMap = Entries<'w, 's, S>;
    type SerializeStruct = Fields<'w, 's, S>;
    type SerializeStructVariant = Fields<'w, 's, S>;

    scalars! {
        serialize_bool bool => Bool,
        serialize_i8 i8 => I8,
        serialize_i16 i16 => I16,
        serialize_i32 i32 => I32,
        serialize_i64 i64 => I64,
        serialize_i128 i128 => I128,
        serialize_u8 u8 => U8,
        serialize_u16 u16 => U16,
        serialize_u32 u32 => U32,
        serialize_u64 u64 => U64,
        serialize_u128 u128 => U128,
        serialize_f32 f32 => F32,
        serialize_f64 f64 => F64,
        serialize_char char => Char,
    }

    fn serialize_str(self, value: &str) -> Result<Self::Ok, Failure> {
        Ok(Node::Scalar(Scalar::Str(value.to_owned())))
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Result<Self::Ok, Failure> {
        if let Some(kind) = array::take_raw_form() {
            return self.walk.array(kind, bytes, self.growing);
        }
        if bytes.is_empty() {
            return Ok(Node::List(Vec::new()));
        }
        let kind = ArrayType { dtype: DType::U8, shape: vec![bytes.len() as u64] };
        self.walk.array(kind, bytes, self.growing)
    }

    fn serialize_none(self) -> Result<Self::Ok, Failure> {
        Ok(Node::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Self::Ok, Failure> {
        let content = value.serialize(self)?;
        if S::MARK_OPTIONS {
            return Ok(Node::Some(Box::new(content)));
        }
        Ok(Node::option(Some(content)))
    }

    fn serialize_unit(self) -> Result<Self::Ok, Failure> {
        Ok(Node::Null)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<Self::Ok, Failure> {
        Ok(Node::Null)
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<Self::Ok, Failure> {
        Ok(Node::Variant(variant.to_owned(), Box::new(Node::Null)))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<Self::Ok, Failure> {
        match name {
            array::GROWING => value.serialize(Capture { growing: true, ..self }),
            array::ARRAY => {
                array::want_raw_form();
                value.serialize(self)
            }
            _ => value.serialize(self),
        }
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<Self::Ok, Failure> {
        let content = self.walk.below(Segment::Name(variant), value)?;
        Ok(Node::Variant(variant.to_owned(), Box::new(content)))
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq, Failure> {
        Ok(Sequence::new(self, None))
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, Failure> {
        Ok(Sequence::new(self, None))
    }

    fn serialize_tuple_struct(
        self,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleStruct, Failure> {
        Ok(Sequence::new(self, None))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Failure> {
        self.walk.path.push(Segment::Name(variant));
        Ok(Sequence::new(self, Some(variant)))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, Failure> {
        Ok(Entries { walk: self.walk, entries: Vec::new(), key: None })
    }

    fn serialize_struct(self, _: &'static str, len: usize) -> Result<Self::SerializeStruct, Failure> {
        Ok(Fields { walk: self.walk, fields: Vec::with_capacity(len), variant: None })
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Self::SerializeStructVariant, Failure> {
        self.walk.path.push(Segment::Name(variant));
        Ok(Fields { walk: self.walk, fields: Vec::with_capacity(len), variant: Some(variant) })
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}

/// The walk of a container that is an enum variant's content ends: wraps it.
fn finish<S: ArraySink>(
    walk: &mut Walk<'_, S>,
    variant: Option<&'static str>,
    node: Node<S::Array>,
) -> Node<S::Array> {
    match variant {
        Some(name) => {
            walk.path.pop();
            Node::Variant(name.to_owned(), Box::new(node))
        }
        None => node,
    }
}

/// A sequence: an array as long as all elements are numbers of one type, else a list.
struct Sequence<'w, 's, S: ArraySink> {
    walk: &'w mut Walk<'s, S>,
    growing: bool,
    variant: Option<&'static str>,
    numbers: Vec<u8>,
    dtype: Option<DType>,
    items: Vec<Node<S::Array>>,
    count: usize,
}

impl<'w, 's, S: ArraySink> Sequence<'w, 's, S> {
    fn new(capture: Capture<'w, 's, S>, variant: Option<&'static str>) -> Self {
        Self {
            walk: capture.walk,
            growing: capture.growing,
            variant,
            numbers: Vec::new(),
            dtype: None,
            items: Vec::new(),
            count: 0,
        }
    }

    fn push<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Failure> {
        let node = self.walk.below(Segment::Position(self.count), value)?;
        self.count += 1;
        if let Node::Scalar(scalar) = &node
            && let Some(dtype) = number_dtype(scalar)
            && self.items.is_empty()
            && self.dtype.is_none_or(|first| first == dtype)
        {
            self.dtype = Some(dtype);
            append_number(scalar, &mut self.numbers);
            return Ok(());
        }
        self.spill();
        self.items.push(node);
        Ok(())
    }

    /// The elements so far as single scalars: another type has come up.
    fn spill(&mut self) {
        if let Some(dtype) = self.dtype.take() {
            let numbers = std::mem::take(&mut self.numbers);
            let scalars = numbers.chunks_exact(dtype.size()).map(|bytes| number(dtype, bytes));
            self.items.extend(scalars.map(Node::Scalar));
        }
    }

    fn end(self) -> Result<Node<S::Array>, Failure> {
        let node = match self.dtype {
            Some(dtype) => {
                let kind = ArrayType { dtype, shape: vec![self.count as u64] };
                self.walk.array(kind, &self.numbers, self.growing)?
            }
            None => Node::List(self.items),
        };
        Ok(finish(self.walk, self.variant, node))
    }
}

macro_rules! number_types {
    ($($variant:ident $type:ty),* $(,)?) => {
        fn number_dtype(scalar: &Scalar) -> Option<DType> {
            match scalar {
                Scalar::Bool(_) => Some(DType::Bool),
                $(Scalar::$variant(_) => Some(DType::$variant),)*
                _ => None,
            }
        }

        fn append_number(scalar: &Scalar, out: &mut Vec<u8>) {
            match scalar {
                Scalar::Bool(value) => out.push(u8::from(*value)),
                $(Scalar::$variant(value) => out.extend_from_slice(&value.to_le_bytes()),)*
                _ => {}
            }
        }

        /// One element of an array as a scalar; half-precision ones as the `f32` of that value.
        pub(crate) fn number(dtype: DType, bytes: &[u8]) -> Scalar {
            match dtype {
                DType::Bool => Scalar::Bool(bytes[0] != 0),
                $(DType::$variant => Scalar::$variant(bytemuck::pod_read_unaligned::<$type>(bytes)),)*
                _ => Scalar::F32(dtype.to_f64(bytes) as f32),
            }
        }
    };
}

number_types! { I8 i8, I16 i16, I32 i32, I64 i64, U8 u8, U16 u16, U32 u32, U64 u64, F32 f32, F64 f64 }

macro_rules! sequences {
    ($($trait:ident $method:ident),*) => {
        $(impl<S: ArraySink> ser::$trait for Sequence<'_, '_, S> {
            type Ok = Node<S::Array>;
            type Error = Failure;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Failure> {
                self.push(value)
            }

            fn end(self) -> Result<Self::Ok, Failure> {
                Sequence::end(self)
            }
        })*
    };
}

sequences! {
    SerializeSeq serialize_element,
    SerializeTuple serialize_element,
    SerializeTupleStruct serialize_field,
    SerializeTupleVariant serialize_field
}

struct Fields<'w, 's, S: ArraySink> {
    walk: &'w mut Walk<'s, S>,
    fields: Vec<(String, Node<S::Array>)>,
    variant: Option<&'static str>,
}

macro_rules! structs {
    ($($trait:ident),*) => {
        $(impl<S: ArraySink> ser::$trait for Fields<'_, '_, S> {
            type Ok = Node<S::Array>;
            type Error = Failure;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Failure> {
                let node = self.walk.below(Segment::Name(name), value)?;
                self.fields.push((name.to_owned(), node));
                Ok(())
            }

            fn end(self) -> Result<Self::Ok, Failure> {
                Ok(finish(self.walk, self.variant, Node::Struct(self.fields)))
            }
        })*
    };
}

structs! { SerializeStruct, SerializeStructVariant }

struct Entries<'w, 's, S: ArraySink> {
    walk: &'w mut Walk<'s, S>,
    entries: Vec<(Scalar, Node<S::Array>)>,
    key: Option<Scalar>,
}

impl<S: ArraySink> ser::SerializeMap for Entries<'_, '_, S> {
    type Ok = Node<S::Array>;
    type Error = Failure;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Failure> {
        let mut walk = Walk { sink: &mut MemorySink, path: Vec::new(), unordered: Vec::new() };
        self.key = Some(match key.serialize(Capture { walk: &mut walk, growing: false })? {
            Node::Scalar(scalar) => scalar,
            Node::Variant(name, content) if matches!(*content, Node::Null) => Scalar::Str(name),
            other => {
                let message =
                    format!("a map's keys must be scalars, not {}: save a list of pairs", other.kind_name());
                return Err(Failure::Message(message));
            }
        });
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Failure> {
        let Some(key) = self.key.take() else {
            return Err(Failure::Message("a map gave a value before its key".to_owned()));
        };
        let node = self.walk.below(Segment::Key(key.to_string()), value)?;
        self.entries.push((key, node));
        Ok(())
    }

    /// Sorts by key, so that a hash map's order of iteration does not count.
    fn end(self) -> Result<Self::Ok, Failure> {
        let mut entries = self.entries;
        if self.walk.unordered.len() < UNORDERED_MAX && !entries.is_sorted_by(|a, b| a.0 <= b.0) {
            let path = self.walk.entry_path();
            self.walk.unordered.push(path);
        }
        entries.sort_by(|a, b| a.0.cmp(&b.0));
        if let Some(pair) = entries.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(Failure::Message(format!("a map has the key `{}` twice", pair[0].0)));
        }
        Ok(Node::Map(entries))
    }
}
