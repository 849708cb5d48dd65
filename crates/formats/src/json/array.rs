//! Arrays of the JSON form: each element goes from the text into the bytes of the array.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use rekindle::tree::{Array, DType};

use super::limits::Allowance;
use super::literal::LiteralSeed;
use super::read::skip;

/// Memory is first reserved for at most so many bytes, then doubled as elements come.
const FIRST_RESERVATION: usize = 64 << 10;

/// The array of the object whose key `$array` was just read.
pub(super) fn read<'de, A: MapAccess<'de>>(allowance: &Allowance, mut map: A) -> Result<Array, A::Error> {
    let name: String = map.next_value()?;
    let dtype: DType = name.parse().map_err(A::Error::custom)?;
    let mut shape: Option<Vec<u64>> = None;
    let mut data = None;
    while let Some(key) = map.next_key::<String>()? {
        match key.as_str() {
            "shape" => {
                let dimensions: Vec<u64> = map.next_value()?;
                allowance.spend(size_of_val(&dimensions[..])).map_err(A::Error::custom)?;
                shape = Some(dimensions);
            }
            "data" => {
                let stated = shape.as_deref().map(|shape| stated_len(dtype, shape)).transpose();
                let stated = stated.map_err(A::Error::custom)?;
                data = Some(map.next_value_seed(Data { dtype, stated, allowance })?);
            }
            "$array" if map.next_value::<String>()? == name => {}
            "$array" => return Err(A::Error::custom(format!("an array is of {name} and of another type"))),
            _ => skip("$array", &key, &mut map)?,
        }
    }
    let shape = shape.ok_or_else(|| A::Error::custom("an array has no shape"))?;
    let data = data.ok_or_else(|| A::Error::custom("an array has no data"))?;
    Array::new(dtype, shape, data).map_err(A::Error::custom)
}

fn stated_len(dtype: DType, shape: &[u64]) -> Result<usize, String> {
    let len = dtype.byte_len(shape).and_then(|len| usize::try_from(len).ok());
    len.ok_or_else(|| format!("no array of {dtype} can have the shape {shape:?}"))
}

struct Data<'a> {
    dtype: DType,
    /// Bytes of the stated shape; absent where the data come before it.
    stated: Option<usize>,
    allowance: &'a Allowance,
}

impl<'de> DeserializeSeed<'de> for Data<'_> {
    type Value = Vec<u8>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<u8>, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Data<'_> {
    type Value = Vec<u8>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a list of elements of type {}", self.dtype)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Vec<u8>, A::Error> {
        let mut bytes = Vec::new();
        while elements.next_element_seed(Element { array: &self, bytes: &mut bytes })?.is_some() {}
        // Where the shape came first, data that are not of its length are refused all the same.
        if self.stated.is_none() {
            bytes.shrink_to_fit();
        }
        Ok(bytes)
    }
}

/// Appends the next element to `bytes`.
struct Element<'a> {
    array: &'a Data<'a>,
    bytes: &'a mut Vec<u8>,
}

impl<'de> DeserializeSeed<'de> for Element<'_> {
    type Value = ();

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let Data { dtype, stated, allowance } = *self.array;
        allowance.advance();
        let bytes = self.bytes;
        if bytes.capacity() - bytes.len() < dtype.size() {
            let room = stated.map_or(usize::MAX, |stated| stated.saturating_sub(bytes.len()));
            if room == 0 {
                let count = bytes.len() / dtype.size();
                return Err(D::Error::custom(format!(
                    "the shape of an array says {count} elements, but its data are longer"
                )));
            }
            bytes.reserve_exact(bytes.len().max(FIRST_RESERVATION).min(room));
        }
        let make = |literal: super::literal::Literal<'_>| literal.append_element(dtype, bytes);
        LiteralSeed { expected: "an element of an array", make }.deserialize(deserializer)
    }
}
