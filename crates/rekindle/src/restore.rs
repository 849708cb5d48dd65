//! Tree to serde: makes any [`DeserializeOwned`] value from a tree, fetching arrays as they are
//! needed.

use std::borrow::Cow;
use std::cell::RefCell;

use serde::Deserialize;
use serde::de::value::StrDeserializer;
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, EnumAccess, IntoDeserializer, MapAccess, SeqAccess,
    VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use rekindle_store::{
    Array, ArrayRef, ArrayType, Checkpoint, DType, EntryPath, HashedArray, Node, ReadError, Scalar,
    StoredTree, Tree,
};

use crate::array::{self, Elements};
use crate::capture::number;

/// A tree cannot be made into the value that was asked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RestoreError {
    /// serde, or the value's own code, refused an entry.
    #[error("`{path}` cannot be restored: {message}")]
    Refused {
        /// Where in the state.
        path: EntryPath,
        /// Why.
        message: String,
    },
    /// The bytes of an array cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// Makes a value from a tree in memory.
///
/// # Errors
/// When the tree does not fit the type.
pub fn from_tree<T: DeserializeOwned>(tree: &Tree) -> Result<T, RestoreError> {
    make(tree, &Walk::of(&InMemory))
}

/// Makes a value from a checkpoint's tree, or a part of it.
pub(crate) fn from_checkpoint<T: DeserializeOwned>(
    checkpoint: &Checkpoint<'_>,
    tree: &StoredTree,
) -> Result<T, RestoreError> {
    make(tree, &Walk::of(checkpoint))
}

/// Makes a value from a tree alone: all numbers in arrays are zeros, which take memory only when
/// somebody touches them.
pub(crate) fn from_outline<T: DeserializeOwned, A: HashedArray>(tree: &Node<A>) -> Result<T, RestoreError> {
    make(tree, &Walk::of(&Zeros))
}

/// Where the numbers of arrays come from.
trait Numbers<A> {
    /// The bytes of an array.
    fn bytes<'x>(&self, path: &EntryPath, array: &'x A) -> Result<Cow<'x, [u8]>, ReadError>;

    /// Fills memory that holds zeros and has the length of the array.
    fn fill(&self, path: &EntryPath, array: &A, bytes: &mut [u8]) -> Result<(), ReadError>;
}

/// Arrays that are in memory.
struct InMemory;

impl Numbers<Array> for InMemory {
    fn bytes<'x>(&self, _: &EntryPath, array: &'x Array) -> Result<Cow<'x, [u8]>, ReadError> {
        Ok(Cow::Borrowed(array.data()))
    }

    fn fill(&self, _: &EntryPath, array: &Array, bytes: &mut [u8]) -> Result<(), ReadError> {
        bytes.copy_from_slice(array.data());
        Ok(())
    }
}

impl Numbers<ArrayRef> for Checkpoint<'_> {
    fn bytes<'x>(&self, path: &EntryPath, array: &'x ArrayRef) -> Result<Cow<'x, [u8]>, ReadError> {
        self.read_array(path, array).map(Cow::Owned)
    }

    fn fill(&self, path: &EntryPath, array: &ArrayRef, bytes: &mut [u8]) -> Result<(), ReadError> {
        self.read_array_into(path, array, bytes)
    }
}

/// Zeros in every array. What is never touched takes no memory.
struct Zeros;

impl<A: HashedArray> Numbers<A> for Zeros {
    fn bytes<'x>(&self, _: &EntryPath, array: &'x A) -> Result<Cow<'x, [u8]>, ReadError> {
        Ok(Cow::Owned(vec![0; array.kind().byte_len().unwrap_or(0) as usize]))
    }

    fn fill(&self, _: &EntryPath, _: &A, _: &mut [u8]) -> Result<(), ReadError> {
        Ok(())
    }
}

fn make<T, A>(tree: &Node<A>, walk: &Walk<'_, A>) -> Result<T, RestoreError>
where
    T: DeserializeOwned,
    A: HashedArray,
{
    T::deserialize(Entry { node: tree, walk }).map_err(|error| match error {
        Failure::Read(error) => error.into(),
        // The path is not taken back on an error: it still leads to the culprit.
        Failure::Message(message) => RestoreError::Refused { path: walk.entry_path(), message },
    })
}

struct Walk<'f, A> {
    numbers: &'f dyn Numbers<A>,
    path: RefCell<Vec<Segment>>,
}

enum Segment {
    Name(String),
    Position(usize),
}

impl<'f, A> Walk<'f, A> {
    fn of(numbers: &'f dyn Numbers<A>) -> Self {
        Self { numbers, path: RefCell::new(Vec::new()) }
    }

    fn entry_path(&self) -> EntryPath {
        let mut path = EntryPath::root();
        for segment in self.path.borrow().iter() {
            match segment {
                Segment::Name(name) => path.push(name.clone()),
                Segment::Position(position) => path.push(position.to_string()),
            }
        }
        path
    }

    fn below<T>(&self, segment: Segment, restore: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
        self.path.borrow_mut().push(segment);
        let value = restore()?;
        self.path.borrow_mut().pop();
        Ok(value)
    }
}

#[derive(Debug)]
enum Failure {
    Read(ReadError),
    Message(String),
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Read(error) => error.fmt(f),
            Self::Message(message) => message.fmt(f),
        }
    }
}

impl std::error::Error for Failure {}

impl de::Error for Failure {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Self::Message(message.to_string())
    }
}

struct Entry<'a, A> {
    node: &'a Node<A>,
    walk: &'a Walk<'a, A>,
}

impl<'a, A> Clone for Entry<'a, A> {
    fn clone(&self) -> Self {
        Self { ..*self }
    }
}

impl<'a, A: HashedArray> Entry<'a, A> {
    fn bytes(&self, array: &'a A) -> Result<Cow<'a, [u8]>, Failure> {
        self.walk.numbers.bytes(&self.walk.entry_path(), array).map_err(Failure::Read)
    }

    /// The elements of an array in memory of their own, where they stay: for one that is marked as such.
    fn elements(&self, array: &'a A) -> Result<Elements, Failure> {
        let kind = array.kind();
        let path = self.walk.entry_path();
        let bytes = kind.byte_len().unwrap_or(0);
        let out_of_memory = || Failure::Read(ReadError::OutOfMemory { path: path.clone(), bytes });
        let count = bytes as usize / kind.dtype.size();
        let mut elements = Elements::zeroed(kind.dtype, count).ok_or_else(out_of_memory)?;
        self.walk.numbers.fill(&path, array, elements.as_bytes_mut()).map_err(Failure::Read)?;
        Ok(elements)
    }
}

impl<'de, 'a, A: HashedArray> de::Deserializer<'de> for Entry<'a, A> {
    type Error = Failure;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        match self.node {
            Node::Null => visitor.visit_unit(),
            Node::Some(content) => visitor.visit_some(Entry { node: content, ..self }),
            Node::Scalar(scalar) => visit_scalar(scalar, visitor),
            Node::Array(array) => {
                let bytes = self.bytes(array)?;
                let dtype = array.kind().dtype;
                visitor.visit_seq(NumberSeq { dtype, bytes: &bytes })
            }
            Node::List(items) => {
                visitor.visit_seq(Items { items: items.iter().enumerate(), walk: self.walk })
            }
            Node::Struct(fields) => {
                let entries = fields.iter().map(|(name, node)| (Key::Name(name), node));
                visitor.visit_map(Children { entries, next: None, walk: self.walk })
            }
            Node::Map(entries) => {
                let entries = entries.iter().map(|(key, node)| (Key::Scalar(key), node));
                visitor.visit_map(Children { entries, next: None, walk: self.walk })
            }
            Node::Variant(name, content) => {
                let content = Entry { node: content, ..self };
                visitor.visit_enum(VariantEntry { name, content })
            }
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        match self.node {
            Node::Null => visitor.visit_none(),
            Node::Some(content) => visitor.visit_some(Entry { node: content, ..self }),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Failure> {
        match (name, self.node) {
            (array::ARRAY, Node::Array(array)) => {
                array::give_elements(self.elements(array)?);
                visitor.visit_map(RawArray { kind: array.kind() })
            }
            (array::ARRAY, _) => self.deserialize_any(visitor),
            _ => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.deserialize_byte_buf(visitor)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        match self.node {
            Node::Array(array) if array.kind().dtype == DType::U8 => {
                visitor.visit_byte_buf(self.bytes(array)?.into_owned())
            }
            Node::List(items) if items.is_empty() => visitor.visit_byte_buf(Vec::new()),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        match self.node {
            Node::Variant(name, content) => {
                let content = Entry { node: content, ..self };
                visitor.visit_enum(VariantEntry { name, content })
            }
            other => Err(Failure::Message(format!("a variant was expected, it is a {}", other.kind_name()))),
        }
    }

    fn is_human_readable(&self) -> bool {
        false
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string
        unit unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

fn visit_scalar<'de, V: Visitor<'de>>(scalar: &Scalar, visitor: V) -> Result<V::Value, Failure> {
    match scalar {
        Scalar::Bool(value) => visitor.visit_bool(*value),
        Scalar::I8(value) => visitor.visit_i8(*value),
        Scalar::I16(value) => visitor.visit_i16(*value),
        Scalar::I32(value) => visitor.visit_i32(*value),
        Scalar::I64(value) => visitor.visit_i64(*value),
        Scalar::I128(value) => visitor.visit_i128(*value),
        Scalar::U8(value) => visitor.visit_u8(*value),
        Scalar::U16(value) => visitor.visit_u16(*value),
        Scalar::U32(value) => visitor.visit_u32(*value),
        Scalar::U64(value) => visitor.visit_u64(*value),
        Scalar::U128(value) => visitor.visit_u128(*value),
        Scalar::F32(value) => visitor.visit_f32(*value),
        Scalar::F64(value) => visitor.visit_f64(*value),
        Scalar::Char(value) => visitor.visit_char(*value),
        Scalar::Str(value) => visitor.visit_str(value),
        other => Err(Failure::Message(format!("a {} cannot be restored", other.type_name()))),
    }
}

/// The elements of an array, one by one.
struct NumberSeq<'a> {
    dtype: DType,
    bytes: &'a [u8],
}

impl<'de> SeqAccess<'de> for NumberSeq<'_> {
    type Error = Failure;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Failure> {
        let Some((element, rest)) = self.bytes.split_at_checked(self.dtype.size()) else {
            return Ok(None);
        };
        self.bytes = rest;
        seed.deserialize(ScalarDeserializer(&number(self.dtype, element))).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.bytes.len() / self.dtype.size())
    }
}

/// The items of a list.
struct Items<'a, I, A> {
    items: I,
    walk: &'a Walk<'a, A>,
}

impl<'de, 'a, A: HashedArray + 'a, I> SeqAccess<'de> for Items<'a, I, A>
where
    I: Iterator<Item = (usize, &'a Node<A>)>,
{
    type Error = Failure;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Failure> {
        let Some((position, node)) = self.items.next() else {
            return Ok(None);
        };
        let walk = self.walk;
        walk.below(Segment::Position(position), || seed.deserialize(Entry { node, walk })).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        self.items.size_hint().1
    }
}

enum Key<'a> {
    Name(&'a str),
    Scalar(&'a Scalar),
}

/// The fields of a struct, or the entries of a map.
struct Children<'a, I, A> {
    entries: I,
    next: Option<(Key<'a>, &'a Node<A>)>,
    walk: &'a Walk<'a, A>,
}

impl<'de, 'a, A: HashedArray, I> MapAccess<'de> for Children<'a, I, A>
where
    I: Iterator<Item = (Key<'a>, &'a Node<A>)>,
{
    type Error = Failure;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Failure> {
        self.next = self.entries.next();
        match &self.next {
            None => Ok(None),
            Some((Key::Name(name), _)) => seed.deserialize(StrDeserializer::new(name)).map(Some),
            Some((Key::Scalar(scalar), _)) => seed.deserialize(ScalarDeserializer(scalar)).map(Some),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Failure> {
        let Some((key, node)) = self.next.take() else {
            return Err(Failure::Message("a value was asked for before its key".to_owned()));
        };
        let segment = match key {
            Key::Name(name) => name.to_owned(),
            Key::Scalar(scalar) => scalar.to_string(),
        };
        let walk = self.walk;
        walk.below(Segment::Name(segment), || seed.deserialize(Entry { node, walk }))
    }

    fn size_hint(&self) -> Option<usize> {
        self.entries.size_hint().1
    }
}

/// A scalar on its own: an element of an array, or a key of a map.
struct ScalarDeserializer<'a>(&'a Scalar);

impl<'de> de::Deserializer<'de> for ScalarDeserializer<'_> {
    type Error = Failure;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        visit_scalar(self.0, visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Failure> {
        visitor.visit_newtype_struct(self)
    }

    /// A map's key that was a unit variant.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        match self.0 {
            Scalar::Str(name) => {
                visitor.visit_enum(IntoDeserializer::<Failure>::into_deserializer(name.as_str()))
            }
            other => Err(Failure::Message(format!("a variant was expected, it is a {}", other.type_name()))),
        }
    }

    fn is_human_readable(&self) -> bool {
        false
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        unit unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

struct VariantEntry<'a, A> {
    name: &'a str,
    content: Entry<'a, A>,
}

impl<'de, 'a, A: HashedArray> EnumAccess<'de> for VariantEntry<'a, A> {
    type Error = Failure;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Failure> {
        let name = seed.deserialize(StrDeserializer::<Failure>::new(self.name))?;
        Ok((name, self))
    }
}

impl<A: HashedArray> VariantEntry<'_, A> {
    fn content<T>(self, restore: impl FnOnce(Entry<'_, A>) -> Result<T, Failure>) -> Result<T, Failure> {
        let content = self.content;
        content.walk.below(Segment::Name(self.name.to_owned()), || restore(content.clone()))
    }
}

impl<'de, A: HashedArray> VariantAccess<'de> for VariantEntry<'_, A> {
    type Error = Failure;

    fn unit_variant(self) -> Result<(), Failure> {
        self.content(|entry| <()>::deserialize(entry))
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Failure> {
        self.content(|entry| seed.deserialize(entry))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Failure> {
        self.content(|entry| de::Deserializer::deserialize_any(entry, visitor))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        self.content(|entry| de::Deserializer::deserialize_any(entry, visitor))
    }
}

/// An array as [`array`] takes it back: `{dtype: shape}`; the elements were given to it before.
struct RawArray<'a> {
    kind: &'a ArrayType,
}

impl<'de> MapAccess<'de> for RawArray<'_> {
    type Error = Failure;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Failure> {
        seed.deserialize(RawKey(self.kind.dtype)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Failure> {
        let shape = self.kind.shape.iter().copied();
        seed.deserialize(de::value::SeqDeserializer::new(shape))
    }
}

struct RawKey(DType);

impl<'de> de::Deserializer<'de> for RawKey {
    type Error = Failure;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_str(self.0.name())
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct enum seq tuple tuple_struct map struct identifier ignored_any
    }
}
