//! Reading the JSON form.

use std::io::Read;
use std::path::Path;

use flate2::read::GzDecoder;
use serde::Deserialize;
use serde_json::{Map, Value};

use rekindle::{Array, DType, Node, Scalar, Tree};

use super::MARK;
use crate::document::{Document, FormatError, Header};
use crate::files;

/// A gzipped file may grow to so many times its length; arrays of zeros come near it.
const INFLATION_LIMIT: u64 = 1100;

#[derive(Deserialize)]
struct File {
    checkpoint: Header,
    state: Value,
}

pub(super) fn read(path: &Path) -> Result<Document, FormatError> {
    let file = files::open(path).map_err(|error| FormatError::read(path, error))?;
    read_document(path, file)
}

pub(super) fn read_gzip(path: &Path) -> Result<Document, FormatError> {
    let failed = |error| FormatError::read(path, error);
    let len = files::len(path).map_err(failed)?;
    let file = files::open(path).map_err(failed)?;
    read_document(path, GzDecoder::new(file).take(len.saturating_mul(INFLATION_LIMIT)))
}

fn read_document(path: &Path, reader: impl Read) -> Result<Document, FormatError> {
    let file: File = serde_json::from_reader(std::io::BufReader::new(reader)).map_err(|error| {
        FormatError::malformed(path, format!("it is no JSON file of a checkpoint: {error}"))
    })?;
    let tree = tree_from_json(&file.state, &mut array)
        .map_err(|reason| FormatError::malformed(path, format!("`{MARK}` JSON: {reason}")))?;
    file.checkpoint.into_document(path, tree)
}

/// Makes an array of the object that stands for it.
pub(crate) type ArrayForm<'a> = dyn FnMut(&Map<String, Value>) -> Result<Array, String> + 'a;

/// The tree that a JSON value stands for; `array` makes the arrays.
pub(crate) fn tree_from_json(value: &Value, array: &mut ArrayForm<'_>) -> Result<Tree, String> {
    let mut many =
        |items: &[Value]| items.iter().map(|item| tree_from_json(item, array)).collect::<Result<_, _>>();
    Ok(match value {
        Value::Null => Node::Null,
        Value::Bool(value) => Node::Scalar(Scalar::Bool(*value)),
        Value::String(text) => Node::Scalar(Scalar::Str(text.clone())),
        Value::Array(items) => Node::List(many(items)?),
        Value::Number(number) => return Err(format!("the number {number} has no type")),
        Value::Object(fields) => {
            match fields.keys().find(|name| name.starts_with('$') && !name.starts_with("$$")) {
                Some(mark) => marked(mark, fields, array)?,
                None => {
                    let mut list = Vec::with_capacity(fields.len());
                    for (name, value) in fields {
                        let name = name.strip_prefix('$').unwrap_or(name);
                        list.push((name.to_owned(), tree_from_json(value, array)?));
                    }
                    Node::Struct(list)
                }
            }
        }
    })
}

fn marked(mark: &str, fields: &Map<String, Value>, array: &mut ArrayForm<'_>) -> Result<Tree, String> {
    let content = &fields[mark];
    if fields.contains_key("$array") || fields.contains_key("$tensor") {
        return array(fields).map(Node::Array);
    }
    match mark {
        "$some" => Ok(Node::Some(Box::new(tree_from_json(content, array)?))),
        "$variant" => {
            let name = content.as_str().ok_or("a variant's name is no text")?;
            let content = fields.get("content").ok_or("a variant has no content")?;
            Ok(Node::Variant(name.to_owned(), Box::new(tree_from_json(content, array)?)))
        }
        "$map" => {
            let pairs = content.as_array().ok_or("a map is no list of pairs")?;
            let mut entries = pairs.iter().map(|value| pair(value, array)).collect::<Result<Vec<_>, _>>()?;
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            match entries.windows(2).find(|two| two[0].0 == two[1].0) {
                Some(two) => Err(format!("a map has the key `{}` twice", two[0].0)),
                None => Ok(Node::Map(entries)),
            }
        }
        _ => scalar(mark, content).map(Node::Scalar),
    }
}

fn pair(value: &Value, array: &mut ArrayForm<'_>) -> Result<(Scalar, Tree), String> {
    let Some([key, value]) = value.as_array().map(Vec::as_slice) else {
        return Err("an entry of a map is no pair".to_owned());
    };
    match tree_from_json(key, array)? {
        Node::Scalar(key) => Ok((key, tree_from_json(value, array)?)),
        other => Err(format!("a map's key is a {}", other.kind_name())),
    }
}

fn scalar(mark: &str, value: &Value) -> Result<Scalar, String> {
    macro_rules! integer {
        ($variant:ident) => {
            text_of(value).parse().ok().map(Scalar::$variant)
        };
    }
    let parsed = match mark {
        "$char" => {
            let mut characters = value.as_str().unwrap_or_default().chars();
            characters.next().filter(|_| characters.next().is_none()).map(Scalar::Char)
        }
        "$f32" => float(DType::F32, value).map(|bits| Scalar::F32(f32::from_bits(bits as u32))),
        "$f64" => float(DType::F64, value).map(|bits| Scalar::F64(f64::from_bits(bits))),
        "$i8" => integer!(I8),
        "$i16" => integer!(I16),
        "$i32" => integer!(I32),
        "$i64" => integer!(I64),
        "$i128" => integer!(I128),
        "$u8" => integer!(U8),
        "$u16" => integer!(U16),
        "$u32" => integer!(U32),
        "$u64" => integer!(U64),
        "$u128" => integer!(U128),
        _ => return Err(format!("`{mark}` is no type")),
    };
    parsed.ok_or_else(|| format!("{} is no value of type {}", shortened(value), &mark[1..]))
}

fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn shortened(value: &Value) -> String {
    value.to_string().chars().take(40).collect()
}

/// The bits of a float: a number, `inf`, `-inf`, or `nan:` and the bits.
fn float(dtype: DType, value: &Value) -> Option<u64> {
    if let Some(bits) = value.as_str().and_then(|text| text.strip_prefix("nan:")) {
        return u64::from_str_radix(bits, 16).ok().filter(|_| bits.len() == 2 * dtype.size());
    }
    let text = text_of(value);
    match dtype {
        DType::F64 => text.parse::<f64>().ok().map(f64::to_bits),
        _ => text.parse::<f32>().ok().map(|value| u64::from(value.to_bits())),
    }
}

fn array(fields: &Map<String, Value>) -> Result<Array, String> {
    let dtype = fields.get("$array").and_then(Value::as_str);
    let dtype: DType = dtype.unwrap_or_default().parse().map_err(|error| format!("{error}"))?;
    let shape = fields.get("shape").and_then(Value::as_array).ok_or("an array has no shape")?;
    let shape: Option<Vec<u64>> = shape.iter().map(Value::as_u64).collect();
    let data = fields.get("data").and_then(Value::as_array).ok_or("an array has no data")?;
    let mut bytes = Vec::with_capacity(data.len() * dtype.size());
    for value in data {
        let element = element(dtype, value);
        bytes.extend(element.ok_or_else(|| format!("{} is no element of type {dtype}", shortened(value)))?);
    }
    Array::new(dtype, shape.ok_or("an array's shape is no list of numbers")?, bytes)
        .map_err(|e| e.to_string())
}

fn element(dtype: DType, value: &Value) -> Option<Vec<u8>> {
    let integer = || text_of(value).parse::<i128>().ok();
    macro_rules! integer {
        ($type:ty) => {
            <$type>::try_from(integer()?).ok()?.to_le_bytes().to_vec()
        };
    }
    Some(match dtype {
        DType::Bool => vec![u8::from(value.as_bool()?)],
        DType::I8 => integer!(i8),
        DType::I16 => integer!(i16),
        DType::I32 => integer!(i32),
        DType::I64 => integer!(i64),
        DType::U8 => integer!(u8),
        DType::U16 => integer!(u16),
        DType::U32 => integer!(u32),
        DType::U64 => integer!(u64),
        DType::F32 => (float(dtype, value)? as u32).to_le_bytes().to_vec(),
        DType::F64 => float(dtype, value)?.to_le_bytes().to_vec(),
        DType::F16 | DType::BF16 => half(dtype, value)?.to_le_bytes().to_vec(),
        _ => return None,
    })
}

fn half(dtype: DType, value: &Value) -> Option<u16> {
    if value.as_str().is_some_and(|text| text.starts_with("nan:")) {
        return u16::try_from(float(dtype, value)?).ok();
    }
    let number = f32::from_bits(float(DType::F32, value)? as u32);
    Some(match dtype {
        DType::F16 => rekindle::half::f16::from_f32(number).to_bits(),
        _ => rekindle::half::bf16::from_f32(number).to_bits(),
    })
}
