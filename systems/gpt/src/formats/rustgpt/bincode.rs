//! Bincode 2 in its standard form: little-endian; whole numbers below 251 are one byte, others a
//! byte 251, 252 or 253 and two, four or eight bytes; what may be absent follows a byte 0 or 1.

use std::io::{self, Write};
use std::path::Path;

use rekindle_tokenizer::VOCABULARY_LIMIT;

use super::super::LAYER_LIMIT;
use super::super::bytes::{Bytes, write_numbers};
use super::super::error::ModelFileError;
use super::record::{Adam, Array, Field, FieldType, LAYERS, Model, Record, known, location};

/// What the serde form of ndarray begins with.
const ARRAY_VERSION: u8 = 1;

/// Reads a model.
pub(super) fn read(path: &Path, bytes: &[u8]) -> Result<Model, ModelFileError> {
    let mut bytes = Bytes::new(path, bytes);
    let words = vocabulary(&mut bytes)?;
    let count = length(&mut bytes, LAYER_LIMIT, "the number of layers")?;
    let mut layers = Vec::new();
    for index in 0..count {
        let offset = bytes.offset();
        let kind = whole(&mut bytes, &|| format!("network[{index}]"))?;
        let Some(layer) = usize::try_from(kind).ok().and_then(|kind| LAYERS.get(kind)) else {
            let found = format!("a layer of kind {kind} in network[{index}] at byte {offset}");
            return Err(ModelFileError::unsupported(path, found, known()));
        };
        let kind = kind as usize;
        let mut fields = Vec::new();
        for (name, field) in layer.fields {
            fields.push(read_field(&mut bytes, *field, &format!("{}.{name}", location(index, kind)))?);
        }
        layers.push(Record { kind, fields });
    }
    if bytes.left() > 0 {
        let found = format!("followed by {} bytes more", bytes.left());
        return Err(ModelFileError::malformed(
            path,
            format!("byte {}", bytes.offset()),
            found,
            "the model ends there",
        ));
    }
    Ok(Model { words, layers })
}

/// The words, and the two maps between words and tokens, which must say the same.
fn vocabulary(bytes: &mut Bytes<'_>) -> Result<Vec<String>, ModelFileError> {
    let mut encode = Vec::new();
    for _ in 0..length(bytes, VOCABULARY_LIMIT, "vocab.encode")? {
        let word = text(bytes, "a word of vocab.encode")?;
        encode.push((word, whole(bytes, &|| "a token of vocab.encode".to_owned())?));
    }
    let mut decode = Vec::new();
    for _ in 0..length(bytes, VOCABULARY_LIMIT, "vocab.decode")? {
        let token = whole(bytes, &|| "a token of vocab.decode".to_owned())?;
        decode.push((token, text(bytes, "a word of vocab.decode")?));
    }
    let mut words = Vec::new();
    for _ in 0..length(bytes, VOCABULARY_LIMIT, "vocab.words")? {
        words.push(text(bytes, "a word of vocab.words")?.to_owned());
    }
    let decode = decode.into_iter().map(|(token, word)| (word, token));
    super::read::check_vocabulary(bytes.path, &words, encode.into_iter(), decode)?;
    Ok(words)
}

fn read_field(bytes: &mut Bytes<'_>, field: FieldType, location: &str) -> Result<Field, ModelFileError> {
    let here = || location.to_owned();
    Ok(match field {
        FieldType::Integer => Field::Integer(whole(bytes, &here)?),
        FieldType::Float => Field::Float(bytes.f32(&here)?),
        FieldType::Array => Field::Array(array(bytes, location)?),
        FieldType::Adam => Field::Adam(Box::new(Adam {
            beta1: bytes.f32(&here)?,
            beta2: bytes.f32(&here)?,
            epsilon: bytes.f32(&here)?,
            timestep: whole(bytes, &here)?,
            m: array(bytes, &format!("{location}.m"))?,
            v: array(bytes, &format!("{location}.v"))?,
        })),
        FieldType::Cache => {
            match bytes.u8(&here)? {
                0 => {}
                1 => {
                    array_bytes(bytes, location)?;
                }
                other => {
                    return Err(ModelFileError::malformed(bytes.path, location, other, "0 or 1 is possible"));
                }
            }
            Field::Empty
        }
    })
}

fn array(bytes: &mut Bytes<'_>, location: &str) -> Result<Array, ModelFileError> {
    let (rows, columns, raw) = array_bytes(bytes, location)?;
    Array { rows, columns, numbers: super::super::bytes::numbers(raw) }.check(bytes.path, location)
}

/// Rows, columns and the bytes of the numbers.
fn array_bytes<'a>(bytes: &mut Bytes<'a>, location: &str) -> Result<(u64, u64, &'a [u8]), ModelFileError> {
    let here = || location.to_owned();
    let version = bytes.u8(&here)?;
    if version != ARRAY_VERSION {
        let found = format!("an array of version {version}");
        return Err(ModelFileError::malformed(bytes.path, location, found, "only version 1 is known"));
    }
    let (rows, columns, count) = (whole(bytes, &here)?, whole(bytes, &here)?, whole(bytes, &here)?);
    Ok((rows, columns, bytes.take(count.saturating_mul(4), &here)?))
}

/// A number of things: at most so many, each of which takes a byte at least.
fn length(bytes: &mut Bytes<'_>, most: usize, what: &str) -> Result<usize, ModelFileError> {
    let offset = bytes.offset();
    let count = whole(bytes, &|| what.to_owned())?;
    let left = bytes.left() as u64;
    let location = format!("{what} at byte {offset}");
    if count > left {
        let path = bytes.path.to_owned();
        return Err(ModelFileError::Torn { path, location, needed: count, left });
    }
    if count > most as u64 {
        return Err(ModelFileError::malformed(bytes.path, location, count, format!("at most {most} can be")));
    }
    Ok(count as usize)
}

fn text<'a>(bytes: &mut Bytes<'a>, what: &str) -> Result<&'a str, ModelFileError> {
    let here = || what.to_owned();
    let len = whole(bytes, &here)?;
    let offset = bytes.offset();
    let raw = bytes.take(len, &here)?;
    str::from_utf8(raw).map_err(|error| {
        ModelFileError::malformed(bytes.path, format!("{what} at byte {offset}"), error, "words are UTF-8")
    })
}

fn whole(bytes: &mut Bytes<'_>, location: &dyn Fn() -> String) -> Result<u64, ModelFileError> {
    Ok(match bytes.u8(location)? {
        small @ 0..251 => small.into(),
        251 => bytes.u16(location)?.into(),
        252 => bytes.u32(location)?.into(),
        253 => bytes.u64(location)?,
        other => {
            let location = format!("{} before byte {}", location(), bytes.offset());
            return Err(ModelFileError::malformed(bytes.path, location, other, "no whole number begins so"));
        }
    })
}

/// Writes a model.
pub(super) fn write(out: &mut impl Write, model: &Model) -> io::Result<()> {
    let count = model.words.len() as u64;
    write_whole(out, count)?;
    for (token, word) in (0..).zip(&model.words) {
        write_text(out, word)?;
        write_whole(out, token)?;
    }
    write_whole(out, count)?;
    for (token, word) in (0..).zip(&model.words) {
        write_whole(out, token)?;
        write_text(out, word)?;
    }
    write_whole(out, count)?;
    for word in &model.words {
        write_text(out, word)?;
    }
    write_whole(out, model.layers.len() as u64)?;
    for layer in &model.layers {
        write_whole(out, layer.kind as u64)?;
        for field in &layer.fields {
            write_field(out, field)?;
        }
    }
    Ok(())
}

fn write_field(out: &mut impl Write, field: &Field) -> io::Result<()> {
    match field {
        Field::Empty => out.write_all(&[0]),
        Field::Integer(number) => write_whole(out, *number),
        Field::Float(number) => write_numbers(out, &[*number]),
        Field::Array(array) => write_array(out, array),
        Field::Adam(adam) => {
            write_numbers(out, &[adam.beta1, adam.beta2, adam.epsilon])?;
            write_whole(out, adam.timestep)?;
            write_array(out, &adam.m)?;
            write_array(out, &adam.v)
        }
    }
}

fn write_array(out: &mut impl Write, array: &Array) -> io::Result<()> {
    out.write_all(&[ARRAY_VERSION])?;
    write_whole(out, array.rows)?;
    write_whole(out, array.columns)?;
    write_whole(out, array.numbers.len() as u64)?;
    write_numbers(out, &array.numbers)
}

fn write_text(out: &mut impl Write, text: &str) -> io::Result<()> {
    write_whole(out, text.len() as u64)?;
    out.write_all(text.as_bytes())
}

fn write_whole(out: &mut impl Write, number: u64) -> io::Result<()> {
    match number {
        0..251 => out.write_all(&[number as u8]),
        251..=0xffff => {
            out.write_all(&[251])?;
            out.write_all(&(number as u16).to_le_bytes())
        }
        0x1_0000..=0xffff_ffff => {
            out.write_all(&[252])?;
            out.write_all(&(number as u32).to_le_bytes())
        }
        _ => {
            out.write_all(&[253])?;
            out.write_all(&number.to_le_bytes())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_take_as_many_bytes_as_they_need() {
        let path = Path::new("x");
        for (number, len) in
            [(0, 1), (250, 1), (251, 3), (65_535, 3), (65_536, 5), (1 << 32, 9), (u64::MAX, 9)]
        {
            let mut out = Vec::new();
            write_whole(&mut out, number).unwrap();
            assert_eq!(out.len(), len, "{number}");
            assert_eq!(whole(&mut Bytes::new(path, &out), &String::new).unwrap(), number);
        }
        assert!(whole(&mut Bytes::new(path, &[254]), &String::new).is_err());
    }
}
