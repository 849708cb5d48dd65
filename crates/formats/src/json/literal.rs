//! Numbers, texts and truth values of the file, and what they mean as a given type.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, Visitor};

use rekindle::half;
use rekindle::tree::{DType, Scalar};

/// A value as it stands in the file, before its type counts.
#[derive(Debug, Clone, Copy)]
pub(super) enum Literal<'a> {
    Bool(bool),
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    Text(&'a str),
}

/// Shortened, for messages.
impl fmt::Display for Literal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => write!(f, "{value}"),
            Self::Unsigned(value) => write!(f, "{value}"),
            Self::Signed(value) => write!(f, "{value}"),
            Self::Float(value) => write!(f, "{value:?}"),
            Self::Text(text) => write!(f, "{:?}", text.chars().take(40).collect::<String>()),
        }
    }
}

impl Literal<'_> {
    /// The scalar of the type that `mark` names.
    pub fn scalar(self, mark: &str) -> Result<Scalar, String> {
        macro_rules! integer {
            ($variant:ident) => {
                self.integer_text().parse().ok().map(Scalar::$variant)
            };
        }
        let scalar = match mark {
            "$char" => self.character().map(Scalar::Char),
            "$f32" => self.float_bits(DType::F32).map(|bits| Scalar::F32(f32::from_bits(bits as u32))),
            "$f64" => self.float_bits(DType::F64).map(|bits| Scalar::F64(f64::from_bits(bits))),
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
            _ => return Err(format!("`{mark}` is not a type")),
        };
        scalar.ok_or_else(|| format!("{self} is not a value of type {}", &mark[1..]))
    }

    /// Appends the little-endian element of that type.
    #[inline]
    pub fn append_element(self, dtype: DType, bytes: &mut Vec<u8>) -> Result<(), String> {
        self.try_append(dtype, bytes).ok_or_else(|| format!("{self} is not an element of type {dtype}"))
    }

    #[inline]
    fn try_append(self, dtype: DType, bytes: &mut Vec<u8>) -> Option<()> {
        macro_rules! integer {
            ($type:ty) => {
                bytes.extend_from_slice(&self.integer::<$type>()?.to_le_bytes())
            };
        }
        match dtype {
            DType::Bool => match self {
                Self::Bool(value) => bytes.push(u8::from(value)),
                _ => return None,
            },
            DType::I8 => integer!(i8),
            DType::I16 => integer!(i16),
            DType::I32 => integer!(i32),
            DType::I64 => integer!(i64),
            DType::U8 => integer!(u8),
            DType::U16 => integer!(u16),
            DType::U32 => integer!(u32),
            DType::U64 => integer!(u64),
            DType::F32 => bytes.extend_from_slice(&(self.float_bits(dtype)? as u32).to_le_bytes()),
            DType::F64 => bytes.extend_from_slice(&self.float_bits(dtype)?.to_le_bytes()),
            DType::F16 | DType::BF16 => bytes.extend_from_slice(&self.half_bits(dtype)?.to_le_bytes()),
            _ => return None,
        }
        Some(())
    }

    fn integer<T: TryFrom<u64> + TryFrom<i64> + TryFrom<i128>>(self) -> Option<T> {
        match self {
            Self::Unsigned(value) => T::try_from(value).ok(),
            Self::Signed(value) => T::try_from(value).ok(),
            Self::Text(text) => T::try_from(text.parse::<i128>().ok()?).ok(),
            Self::Bool(_) | Self::Float(_) => None,
        }
    }

    /// The digits of an integer; empty where it is none.
    fn integer_text(self) -> String {
        match self {
            Self::Unsigned(value) => value.to_string(),
            Self::Signed(value) => value.to_string(),
            Self::Text(text) => text.to_owned(),
            Self::Bool(_) | Self::Float(_) => String::new(),
        }
    }

    fn character(self) -> Option<char> {
        let Self::Text(text) = self else { return None };
        let mut characters = text.chars();
        characters.next().filter(|_| characters.next().is_none())
    }

    /// The bits of a float: a number, `inf`, `-inf`, or `nan:` and the bits. Half precision is given
    /// as the `f32` it is rounded from, unless it is a NaN.
    #[inline]
    fn float_bits(self, dtype: DType) -> Option<u64> {
        let bits = |value: f32| u64::from(value.to_bits());
        Some(match (self, dtype) {
            (Self::Bool(_), _) => return None,
            (Self::Text(text), _) if text.starts_with("nan:") => {
                let digits = &text["nan:".len()..];
                return u64::from_str_radix(digits, 16).ok().filter(|_| digits.len() == 2 * dtype.size());
            }
            (Self::Unsigned(value), DType::F64) => (value as f64).to_bits(),
            (Self::Signed(value), DType::F64) => (value as f64).to_bits(),
            (Self::Float(value), DType::F64) => value.to_bits(),
            (Self::Text(text), DType::F64) => text.parse::<f64>().ok()?.to_bits(),
            (Self::Unsigned(value), _) => bits(value as f32),
            (Self::Signed(value), _) => bits(value as f32),
            (Self::Float(value), _) => bits(narrowed(value)),
            (Self::Text(text), _) => bits(text.parse::<f32>().ok()?),
        })
    }

    fn half_bits(self, dtype: DType) -> Option<u16> {
        if matches!(self, Self::Text(text) if text.starts_with("nan:")) {
            return u16::try_from(self.float_bits(dtype)?).ok();
        }
        let number = f32::from_bits(self.float_bits(DType::F32)? as u32);
        Some(match dtype {
            DType::F16 => half::f16::from_f32(number).to_bits(),
            _ => half::bf16::from_f32(number).to_bits(),
        })
    }
}

/// The `f32` nearest to the digits in the file, which the parser gives as the nearest `f64`.
/// Rounding twice goes wrong only where the `f64` lies exactly between two `f32`: there the shortest
/// digits of the `f64`, which are those in the file, decide.
fn narrowed(value: f64) -> f32 {
    const BELOW_F32: u64 = (1 << 29) - 1;
    const BETWEEN: u64 = 1 << 28;
    let between = value.to_bits() & BELOW_F32 == BETWEEN;
    let subnormal = value != 0.0 && value.abs() < f64::from(f32::MIN_POSITIVE);
    let rounded = value as f32;
    if between || subnormal { format!("{value:?}").parse().unwrap_or(rounded) } else { rounded }
}

/// Reads one literal and makes something of it.
pub(super) struct LiteralSeed<F> {
    /// What stands in messages for the literal that should be here.
    pub expected: &'static str,
    pub make: F,
}

impl<'de, T, F> DeserializeSeed<'de> for LiteralSeed<F>
where
    F: FnOnce(Literal<'_>) -> Result<T, String>,
{
    type Value = T;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<T, F> Visitor<'_> for LiteralSeed<F>
where
    F: FnOnce(Literal<'_>) -> Result<T, String>,
{
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<T, E> {
        (self.make)(Literal::Bool(value)).map_err(E::custom)
    }

    #[inline]
    fn visit_u64<E: Error>(self, value: u64) -> Result<T, E> {
        (self.make)(Literal::Unsigned(value)).map_err(E::custom)
    }

    #[inline]
    fn visit_i64<E: Error>(self, value: i64) -> Result<T, E> {
        (self.make)(Literal::Signed(value)).map_err(E::custom)
    }

    #[inline]
    fn visit_f64<E: Error>(self, value: f64) -> Result<T, E> {
        (self.make)(Literal::Float(value)).map_err(E::custom)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        (self.make)(Literal::Text(text)).map_err(E::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn as_digits_say(text: &str) {
        let through_f64 = narrowed(text.parse::<f64>().unwrap());
        assert_eq!(through_f64.to_bits(), text.parse::<f32>().unwrap().to_bits(), "{text}");
    }

    #[test]
    fn digits_between_two_floats_are_rounded_once() {
        // A hair above and below the middle of 1 and the next float: both are the middle as `f64`.
        for digits in ["1.00000005960464478", "1.0000000596046448", "16777217", "16777217.000000001"] {
            let parsed: f64 = digits.parse().unwrap();
            as_digits_say(&format!("{parsed:?}"));
        }
        for text in ["-0.0", "0.0", "1e-45", "7e-46", "1e-46", "3.4028236e38", "1e300", "1.1754943e-38"] {
            as_digits_say(text);
        }
    }

    proptest! {
        #[test]
        fn every_float_is_itself(bits in any::<u32>()) {
            let value = f32::from_bits(bits);
            prop_assume!(!value.is_nan() && !value.is_infinite());
            prop_assert_eq!(narrowed(format!("{value:?}").parse().unwrap()).to_bits(), bits);
        }
    }
}
