//! JSON.

use std::fmt;
use std::io::{self, Write};
use std::marker::PhantomData;
use std::path::Path;

use rekindle_tokenizer::VOCABULARY_LIMIT;
use serde::de::{self, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};

use super::super::LAYER_LIMIT;
use super::super::error::ModelFileError;
use super::record::{Adam, Array, Field, FieldType, LAYERS, Model, Record, known, location};

/// No map within a layer has more members.
const MEMBER_LIMIT: usize = 32;

#[derive(Deserialize)]
struct FileForm {
    vocab: VocabularyForm,
    network: List<LayerForm, LAYER_LIMIT>,
}

#[derive(Deserialize)]
struct VocabularyForm {
    encode: Map<String, u64, VOCABULARY_LIMIT>,
    decode: Map<u64, String, VOCABULARY_LIMIT>,
    words: List<String, VOCABULARY_LIMIT>,
}

/// A list of at most so many members.
struct List<T, const MOST: usize>(Vec<T>);

/// The members of a map, at most so many, in their order.
struct Map<K, V, const MOST: usize>(Vec<(K, V)>);

/// A layer; of one that is not known here only the name.
enum LayerForm {
    Known(usize, Members),
    Unknown(String),
}

/// The members of a map by name.
type Members = Vec<(String, Value)>;

/// A member.
enum Value {
    Number(f64),
    Numbers(Vec<f32>),
    Map(Members),
    Other,
}

/// Reads a model.
pub(super) fn read(path: &Path, bytes: &[u8]) -> Result<Model, ModelFileError> {
    let file: FileForm = serde_json::from_slice(bytes).map_err(|error| not_json(path, &error))?;
    let FileForm { vocab, network } = file;
    let (words, network) = (vocab.words.0, network.0);
    let encode = vocab.encode.0.iter().map(|(word, token)| (word.as_str(), *token));
    let decode = vocab.decode.0.iter().map(|(token, word)| (word.as_str(), *token));
    super::read::check_vocabulary(path, &words, encode, decode)?;
    let unknown = network.iter().filter_map(|layer| match layer {
        LayerForm::Unknown(name) => Some(name.as_str()),
        LayerForm::Known(..) => None,
    });
    let mut unknown: Vec<&str> = unknown.collect();
    unknown.sort_unstable();
    unknown.dedup();
    if !unknown.is_empty() {
        let found = format!("layers that are not known here ({})", unknown.join(", "));
        return Err(ModelFileError::unsupported(path, found, known()));
    }
    let mut layers = Vec::new();
    for (index, layer) in network.into_iter().enumerate() {
        let LayerForm::Known(kind, mut members) = layer else { continue };
        let mut fields = Vec::new();
        for &(name, field) in LAYERS[kind].fields {
            let location = format!("{}.{name}", location(index, kind));
            fields.push(read_field(path, &mut members, name, field, &location)?);
        }
        layers.push(Record { kind, fields });
    }
    Ok(Model { words, layers })
}

pub(super) fn not_json(path: &Path, error: &serde_json::Error) -> ModelFileError {
    let expected = match error.is_eof() {
        true => "it must be whole; copy it again from where it is",
        false => "it must be a model as RustGPT writes it",
    };
    ModelFileError::malformed(path, "the JSON text", format!("not as it should be ({error})"), expected)
}

fn read_field(
    path: &Path,
    members: &mut Members,
    name: &str,
    field: FieldType,
    location: &str,
) -> Result<Field, ModelFileError> {
    Ok(match field {
        FieldType::Cache => Field::Empty,
        FieldType::Integer => Field::Integer(whole(path, members, name, location)?),
        FieldType::Float => Field::Float(number(path, members, name, location)? as f32),
        FieldType::Array => Field::Array(array(path, members, name, location)?),
        FieldType::Adam => {
            let mut adam = map(path, members, name, location)?;
            let mut real = |name: &str| {
                number(path, &mut adam, name, &format!("{location}.{name}")).map(|number| number as f32)
            };
            let (beta1, beta2, epsilon) = (real("beta1")?, real("beta2")?, real("epsilon")?);
            let timestep = whole(path, &mut adam, "timestep", &format!("{location}.timestep"))?;
            let m = array(path, &mut adam, "m", &format!("{location}.m"))?;
            let v = array(path, &mut adam, "v", &format!("{location}.v"))?;
            Field::Adam(Box::new(Adam { beta1, beta2, epsilon, timestep, m, v }))
        }
    })
}

fn array(path: &Path, members: &mut Members, name: &str, location: &str) -> Result<Array, ModelFileError> {
    let mut array = map(path, members, name, location)?;
    let version = whole(path, &mut array, "v", &format!("{location}.v"))?;
    if version != 1 {
        let found = format!("an array of version {version}");
        return Err(ModelFileError::malformed(path, location, found, "only version 1 is known"));
    }
    let Value::Numbers(extents) = take(path, &mut array, "dim", location)? else {
        return Err(ModelFileError::malformed(
            path,
            format!("{location}.dim"),
            "no list",
            "two extents are needed",
        ));
    };
    let [rows, columns] = extents[..] else {
        let found = format!("{} extents", extents.len());
        return Err(ModelFileError::malformed(path, format!("{location}.dim"), found, "two are needed"));
    };
    let Value::Numbers(numbers) = take(path, &mut array, "data", location)? else {
        return Err(ModelFileError::malformed(
            path,
            format!("{location}.data"),
            "no list",
            "numbers are needed",
        ));
    };
    // Extents are below 2^24 in every network, so that 32-bit numbers hold them.
    Array { rows: rows as u64, columns: columns as u64, numbers }.check(path, location)
}

fn map(path: &Path, members: &mut Members, name: &str, location: &str) -> Result<Members, ModelFileError> {
    match take(path, members, name, location)? {
        Value::Map(members) => Ok(members),
        _ => Err(ModelFileError::malformed(path, location, "no map", "a map is needed")),
    }
}

fn number(path: &Path, members: &mut Members, name: &str, location: &str) -> Result<f64, ModelFileError> {
    match take(path, members, name, location)? {
        Value::Number(number) => Ok(number),
        _ => Err(ModelFileError::malformed(path, location, "no number", "a number is needed")),
    }
}

fn whole(path: &Path, members: &mut Members, name: &str, location: &str) -> Result<u64, ModelFileError> {
    let number = number(path, members, name, location)?;
    match number.fract() == 0.0 && (0.0..9e15).contains(&number) {
        true => Ok(number as u64),
        false => Err(ModelFileError::malformed(path, location, number, "a whole number is needed")),
    }
}

fn take(path: &Path, members: &mut Members, name: &str, location: &str) -> Result<Value, ModelFileError> {
    let found = members.iter_mut().find(|(member, _)| member == name);
    found.map(|(_, value)| std::mem::replace(value, Value::Other)).ok_or_else(|| {
        ModelFileError::missing(path, location, format!("every layer of its kind has `{name}`"))
    })
}

impl<'de, T: Deserialize<'de>, const MOST: usize> Deserialize<'de> for List<T, MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Bounded::<Self, MOST>(PhantomData))
    }
}

impl<'de, K: Deserialize<'de>, V: Deserialize<'de>, const MOST: usize> Deserialize<'de> for Map<K, V, MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Bounded::<Self, MOST>(PhantomData))
    }
}

struct Bounded<T, const MOST: usize>(PhantomData<T>);

impl<'de, T: Deserialize<'de>, const MOST: usize> Visitor<'de> for Bounded<List<T, MOST>, MOST> {
    type Value = List<T, MOST>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a list of at most {MOST} members")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = list.next_element()? {
            if members.len() == MOST {
                return Err(de::Error::invalid_length(MOST + 1, &self));
            }
            members.push(member);
        }
        Ok(List(members))
    }
}

impl<'de, K: Deserialize<'de>, V: Deserialize<'de>, const MOST: usize> Visitor<'de>
    for Bounded<Map<K, V, MOST>, MOST>
{
    type Value = Map<K, V, MOST>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a map of at most {MOST} members")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            if members.len() == MOST {
                return Err(de::Error::invalid_length(MOST + 1, &self));
            }
            members.push(member);
        }
        Ok(Map(members))
    }
}

impl<'de> Deserialize<'de> for LayerForm {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(LayerVisitor)
    }
}

struct LayerVisitor;

impl<'de> Visitor<'de> for LayerVisitor {
    type Value = LayerForm;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a layer: a map with one member, its kind")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<LayerForm, A::Error> {
        let name: String = map.next_key()?.ok_or_else(|| de::Error::invalid_length(0, &self))?;
        let layer = match LAYERS.iter().position(|kind| kind.name == name) {
            Some(kind) => match map.next_value()? {
                Value::Map(members) => LayerForm::Known(kind, members),
                _ => return Err(de::Error::custom("the layer has no fields")),
            },
            None => {
                map.next_value::<IgnoredAny>()?;
                LayerForm::Unknown(name)
            }
        };
        match map.next_key::<IgnoredAny>()? {
            None => Ok(layer),
            Some(_) => Err(de::Error::custom("the layer has two kinds")),
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, a list of numbers, or a map")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Other)
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<Value, E> {
        Ok(Value::Other)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Number(number as f64))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Number(number as f64))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Value, E> {
        Ok(Value::Number(number))
    }

    /// `null` becomes NaN, so that the array that has it can be named.
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut numbers = Vec::new();
        while let Some(number) = list.next_element::<Option<f32>>()? {
            numbers.push(number.unwrap_or(f32::NAN));
        }
        Ok(Value::Numbers(numbers))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Value, A::Error> {
        let members =
            Bounded::<Map<String, Value, MEMBER_LIMIT>, MEMBER_LIMIT>(PhantomData).visit_map(map)?;
        Ok(Value::Map(members.0))
    }
}

/// Writes a model, indented as RustGPT does it.
pub(super) fn write(out: &mut impl Write, model: &Model) -> io::Result<()> {
    Ok(serde_json::to_writer_pretty(out, model)?)
}

impl Serialize for Model {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("vocab", &VocabularyOut(&self.words))?;
        map.serialize_entry("network", &self.layers)?;
        map.end()
    }
}

struct VocabularyOut<'a>(&'a [String]);

impl Serialize for VocabularyOut<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(3))?;
        map.serialize_entry("encode", &Pairs(|| self.0.iter().zip(0_u64..)))?;
        map.serialize_entry("decode", &Pairs(|| (0_u64..).zip(self.0)))?;
        map.serialize_entry("words", self.0)?;
        map.end()
    }
}

/// A map in the order of its pairs.
struct Pairs<F>(F);

impl<K: Serialize, V: Serialize, I: Iterator<Item = (K, V)>, F: Fn() -> I> Serialize for Pairs<F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map((self.0)())
    }
}

impl Serialize for Record {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let kind = &LAYERS[self.kind];
        let names = kind.fields.iter().map(|&(name, _)| name);
        serializer.collect_map([(kind.name, Pairs(|| names.clone().zip(&self.fields)))])
    }
}

impl Serialize for Field {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Empty => serializer.serialize_none(),
            Self::Integer(number) => serializer.serialize_u64(*number),
            Self::Float(number) => serializer.serialize_f32(*number),
            Self::Array(array) => array.serialize(serializer),
            Self::Adam(adam) => {
                let mut map = serializer.serialize_map(Some(6))?;
                map.serialize_entry("beta1", &adam.beta1)?;
                map.serialize_entry("beta2", &adam.beta2)?;
                map.serialize_entry("epsilon", &adam.epsilon)?;
                map.serialize_entry("timestep", &adam.timestep)?;
                map.serialize_entry("m", &adam.m)?;
                map.serialize_entry("v", &adam.v)?;
                map.end()
            }
        }
    }
}

impl Serialize for Array {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(3))?;
        map.serialize_entry("v", &1)?;
        map.serialize_entry("dim", &[self.rows, self.columns])?;
        map.serialize_entry("data", &self.numbers)?;
        map.end()
    }
}
