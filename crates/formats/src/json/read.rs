//! Reading the JSON form: the tree is built as the text comes, so that a state takes no more memory
//! than itself.

use std::fmt;
use std::io::{BufReader, Read};
use std::path::Path;

use flate2::read::GzDecoder;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use rekindle::tree::{Array, Scalar};
use rekindle::{EntryPath, Node, Tree};

use super::array;
use super::limits::{Allowance, Metered};
use super::literal::LiteralSeed;
use crate::document::{Document, FormatError, Header};
use crate::files;

/// A gzipped file may grow to so many times its length; arrays of zeros come near it.
const INFLATION_LIMIT: u64 = 1100;
/// The text is read in pieces of so many bytes.
const BUFFER: usize = 64 << 10;

pub(super) fn read(path: &Path) -> Result<Document, FormatError> {
    let failed = |error| FormatError::read(path, error);
    let len = files::len(path).map_err(failed)?;
    read_file(path, files::open(path).map_err(failed)?, len)
}

pub(super) fn read_gzip(path: &Path) -> Result<Document, FormatError> {
    let failed = |error| FormatError::read(path, error);
    let len = files::len(path).map_err(failed)?;
    let file = files::open(path).map_err(failed)?;
    read_file(path, GzDecoder::new(file).take(len.saturating_mul(INFLATION_LIMIT)), len)
}

fn read_file(path: &Path, reader: impl Read, len: u64) -> Result<Document, FormatError> {
    let (header, tree) = header_and_tree(reader, len, &mut |_| None).map_err(|reason| {
        FormatError::malformed(path, format!("it is not a JSON file of a checkpoint: {reason}"))
    })?;
    header.into_document(path, tree)
}

/// Gives the tensor of that name, once.
pub(crate) type Tensors<'a> = dyn FnMut(&str) -> Option<Array> + 'a;

/// What stands under `checkpoint` and `state` in a JSON text. `len` is the length of the file that
/// it came from, which limits the memory; `tensors` gives what the state refers to.
pub(crate) fn header_and_tree(
    reader: impl Read,
    len: u64,
    tensors: &mut Tensors<'_>,
) -> Result<(Header, Tree), String> {
    let allowance = Allowance::for_file_of(len);
    let reader = BufReader::with_capacity(BUFFER, Metered { reader, allowance: &allowance });
    let mut deserializer = serde_json::Deserializer::from_reader(reader);
    let mut place = Place { allowance: &allowance, tensors, path: EntryPath::root(), inside: false };
    let read = FileSeed(&mut place).deserialize(&mut deserializer);
    read.and_then(|read| deserializer.end().map(|()| read)).map_err(|error| place.describe(&error))
}

/// Where in the state the reader is, and what it needs there.
struct Place<'a> {
    allowance: &'a Allowance,
    tensors: &'a mut Tensors<'a>,
    /// Left as it is when something fails, so that it tells where.
    path: EntryPath,
    /// True while the state is read.
    inside: bool,
}

impl Place<'_> {
    fn describe(&self, error: &serde_json::Error) -> String {
        if self.inside { format!("entry `{}`: {error}", self.path) } else { error.to_string() }
    }

    fn spend<E: Error>(&self, bytes: usize) -> Result<(), E> {
        self.allowance.spend(bytes).map_err(E::custom)
    }

    fn below<T, E>(
        &mut self,
        segment: impl Into<String>,
        read: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        self.path.push(segment);
        let value = read(self)?;
        self.path.pop();
        Ok(value)
    }
}

struct FileSeed<'a, 'b>(&'a mut Place<'b>);

impl<'de> DeserializeSeed<'de> for FileSeed<'_, '_> {
    type Value = (Header, Tree);

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for FileSeed<'_, '_> {
    type Value = (Header, Tree);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with `checkpoint` and `state`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let place = self.0;
        let (mut header, mut tree) = (None, None);
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "checkpoint" if header.is_some() => return Err(A::Error::duplicate_field("checkpoint")),
                "state" if tree.is_some() => return Err(A::Error::duplicate_field("state")),
                "checkpoint" => header = Some(map.next_value()?),
                "state" => {
                    place.inside = true;
                    tree = Some(map.next_value_seed(NodeSeed(place))?);
                    place.inside = false;
                }
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
            place.allowance.advance();
        }
        let header = header.ok_or_else(|| A::Error::missing_field("checkpoint"))?;
        Ok((header, tree.ok_or_else(|| A::Error::missing_field("state"))?))
    }
}

struct NodeSeed<'a, 'b>(&'a mut Place<'b>);

impl<'de> DeserializeSeed<'de> for NodeSeed<'_, '_> {
    type Value = Tree;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Tree, D::Error> {
        self.0.spend(size_of::<Tree>())?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for NodeSeed<'_, '_> {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a node of the state")
    }

    fn visit_unit<E: Error>(self) -> Result<Tree, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Tree, E> {
        Ok(Node::Scalar(Scalar::Bool(value)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Tree, E> {
        self.0.spend(text.len())?;
        Ok(Node::Scalar(Scalar::Str(text.to_owned())))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Tree, E> {
        Err(E::custom(format!("the number {number} has no type")))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Tree, E> {
        Err(E::custom(format!("the number {number} has no type")))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Tree, E> {
        Err(E::custom(format!("the number {number:?} has no type")))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Tree, A::Error> {
        let place = self.0;
        let mut items = Vec::new();
        while let Some(item) =
            place.below(items.len().to_string(), |place| seq.next_element_seed(NodeSeed(place)))?
        {
            items.push(item);
        }
        items.shrink_to_fit();
        Ok(Node::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tree, A::Error> {
        let place = self.0;
        let Some(first) = map.next_key::<String>()? else {
            return Ok(Node::Struct(Vec::new()));
        };
        match first.as_str() {
            "$array" => array::read(place.allowance, map).map(Node::Array),
            "$tensor" => tensor(place, map).map(Node::Array),
            "$some" => {
                let content = last_content(&first, &mut map, |map| map.next_value_seed(NodeSeed(place)))?;
                Ok(Node::Some(Box::new(content)))
            }
            "$variant" => variant(place, map),
            "$map" => {
                let entries = last_content(&first, &mut map, |map| map.next_value_seed(EntriesSeed(place)))?;
                Ok(Node::Map(entries))
            }
            mark if is_mark(mark) => scalar(mark, map).map(Node::Scalar),
            _ => fields(place, first, map).map(Node::Struct),
        }
    }
}

/// True for a key that says what its object stands for.
fn is_mark(key: &str) -> bool {
    key.starts_with('$') && !key.starts_with("$$")
}

/// Passes over a key that does not count in the object of `mark`, and its value.
pub(super) fn skip<'de, A: MapAccess<'de>>(mark: &str, key: &str, map: &mut A) -> Result<(), A::Error> {
    if is_mark(key) {
        return Err(A::Error::custom(format!("an object has both `{mark}` and `{key}`")));
    }
    map.next_value::<IgnoredAny>().map(drop)
}

/// What stands under `mark`, whose key was just read, and the rest of the object passed over. Where
/// it stands twice, the last counts.
fn last_content<'de, A: MapAccess<'de>, T>(
    mark: &str,
    map: &mut A,
    mut read: impl FnMut(&mut A) -> Result<T, A::Error>,
) -> Result<T, A::Error> {
    let mut content = read(map)?;
    while let Some(key) = map.next_key::<String>()? {
        if key == mark {
            content = read(map)?;
        } else {
            skip(mark, &key, map)?;
        }
    }
    Ok(content)
}

fn scalar<'de, A: MapAccess<'de>>(mark: &str, mut map: A) -> Result<Scalar, A::Error> {
    last_content(mark, &mut map, |map| {
        let make = |literal: super::literal::Literal<'_>| literal.scalar(mark);
        map.next_value_seed(LiteralSeed { expected: "a number or a text", make })
    })
}

fn tensor<'de, A: MapAccess<'de>>(place: &mut Place<'_>, mut map: A) -> Result<Array, A::Error> {
    let name: String = last_content("$tensor", &mut map, |map| map.next_value())?;
    (place.tensors)(&name).ok_or_else(|| A::Error::custom(format!("there is no tensor `{name}`")))
}

fn variant<'de, A: MapAccess<'de>>(place: &mut Place<'_>, mut map: A) -> Result<Tree, A::Error> {
    let mut name: String = map.next_value()?;
    let mut content = None;
    while let Some(key) = map.next_key::<String>()? {
        match key.as_str() {
            "$variant" => name = map.next_value()?,
            "content" => {
                let read = place.below(name.clone(), |place| map.next_value_seed(NodeSeed(place)))?;
                content = Some(Box::new(read));
            }
            _ => skip("$variant", &key, &mut map)?,
        }
    }
    place.spend(size_of::<Tree>() + name.len())?;
    Ok(Node::Variant(name, content.ok_or_else(|| A::Error::custom("a variant has no content"))?))
}

/// The fields by name; of one that stands twice, the last.
fn fields<'de, A: MapAccess<'de>>(
    place: &mut Place<'_>,
    first: String,
    mut map: A,
) -> Result<Vec<(String, Tree)>, A::Error> {
    let mut fields = Vec::new();
    let mut next = Some(first);
    while let Some(key) = next {
        if is_mark(&key) {
            return Err(A::Error::custom(format!("`{key}` must be the first key of its object")));
        }
        let name = key.strip_prefix('$').unwrap_or(&key).to_owned();
        place.spend(size_of::<String>() + name.len())?;
        let field = place.below(name.clone(), |place| map.next_value_seed(NodeSeed(place)))?;
        fields.push((name, field));
        next = map.next_key()?;
    }
    fields.reverse();
    fields.sort_by(|a, b| a.0.cmp(&b.0));
    fields.dedup_by(|a, b| a.0 == b.0);
    fields.shrink_to_fit();
    Ok(fields)
}

/// The entries of a map, sorted.
struct EntriesSeed<'a, 'b>(&'a mut Place<'b>);

impl<'de> DeserializeSeed<'de> for EntriesSeed<'_, '_> {
    type Value = Vec<(Scalar, Tree)>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for EntriesSeed<'_, '_> {
    type Value = Vec<(Scalar, Tree)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the list of pairs of a map")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = seq.next_element_seed(EntrySeed(self.0))? {
            entries.push(entry);
        }
        entries.sort_by(|a, b| a.0.cmp(&b.0));
        entries.shrink_to_fit();
        match entries.windows(2).find(|two| two[0].0 == two[1].0) {
            Some(two) => Err(A::Error::custom(format!("a map has the key `{}` twice", two[0].0))),
            None => Ok(entries),
        }
    }
}

struct EntrySeed<'a, 'b>(&'a mut Place<'b>);

impl<'de> DeserializeSeed<'de> for EntrySeed<'_, '_> {
    type Value = (Scalar, Tree);

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for EntrySeed<'_, '_> {
    type Value = (Scalar, Tree);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a pair of a key and a value")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let place = self.0;
        let no_pair = || A::Error::custom("an entry of a map is not a pair");
        let key = match seq.next_element_seed(NodeSeed(place))?.ok_or_else(no_pair)? {
            Node::Scalar(key) => key,
            other => return Err(A::Error::custom(format!("a map's key is a {}", other.kind_name()))),
        };
        let value = place.below(key.to_string(), |place| seq.next_element_seed(NodeSeed(place)))?;
        let value = value.ok_or_else(no_pair)?;
        match seq.next_element::<IgnoredAny>()? {
            None => Ok((key, value)),
            Some(_) => Err(no_pair()),
        }
    }
}
