//! Element types of arrays.

use std::fmt;
use std::str::FromStr;

/// The type of an array's elements. Elements are stored in little-endian order without padding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum DType {
    /// One byte, 0 or 1.
    Bool,
    /// Signed 8-bit integer.
    I8,
    /// Signed 16-bit integer.
    I16,
    /// Signed 32-bit integer.
    I32,
    /// Signed 64-bit integer.
    I64,
    /// Unsigned 8-bit integer.
    U8,
    /// Unsigned 16-bit integer.
    U16,
    /// Unsigned 32-bit integer.
    U32,
    /// Unsigned 64-bit integer.
    U64,
    /// IEEE 754 half precision.
    F16,
    /// bfloat16: the upper half of an `f32`.
    BF16,
    /// IEEE 754 single precision.
    F32,
    /// IEEE 754 double precision.
    F64,
}

/// Every dtype with its code in index nodes and its name.
const TABLE: [(DType, u8, &str, usize); 13] = [
    (DType::Bool, 0, "bool", 1),
    (DType::I8, 1, "i8", 1),
    (DType::I16, 2, "i16", 2),
    (DType::I32, 3, "i32", 4),
    (DType::I64, 4, "i64", 8),
    (DType::U8, 5, "u8", 1),
    (DType::U16, 6, "u16", 2),
    (DType::U32, 7, "u32", 4),
    (DType::U64, 8, "u64", 8),
    (DType::F16, 9, "f16", 2),
    (DType::BF16, 10, "bf16", 2),
    (DType::F32, 11, "f32", 4),
    (DType::F64, 12, "f64", 8),
];

impl DType {
    fn row(self) -> &'static (DType, u8, &'static str, usize) {
        &TABLE[self as usize]
    }

    /// Bytes per element.
    pub fn size(self) -> usize {
        self.row().3
    }

    /// The lower-case name, such as `f32`.
    pub fn name(self) -> &'static str {
        self.row().2
    }

    pub(crate) fn code(self) -> u8 {
        self.row().1
    }

    pub(crate) fn from_code(code: u8) -> Option<Self> {
        TABLE.get(usize::from(code)).map(|row| row.0)
    }

    /// Bytes of an array of this type and `shape`, or `None` when that does not fit 63 bits.
    pub fn byte_len(self, shape: &[u64]) -> Option<u64> {
        let bytes = shape.iter().try_fold(self.size() as u64, |product, &dim| product.checked_mul(dim))?;
        (bytes <= i64::MAX as u64).then_some(bytes)
    }

    /// The value of one little-endian element, for display and comparison; `bytes` has
    /// [`size`](Self::size) bytes. 64-bit integers lose what an `f64` cannot hold.
    pub fn to_f64(self, bytes: &[u8]) -> f64 {
        use bytemuck::pod_read_unaligned as read;
        match self {
            Self::Bool | Self::U8 => f64::from(bytes[0]),
            Self::I8 => f64::from(bytes[0] as i8),
            Self::I16 => f64::from(read::<i16>(bytes)),
            Self::I32 => f64::from(read::<i32>(bytes)),
            Self::I64 => read::<i64>(bytes) as f64,
            Self::U16 => f64::from(read::<u16>(bytes)),
            Self::U32 => f64::from(read::<u32>(bytes)),
            Self::U64 => read::<u64>(bytes) as f64,
            Self::F16 => f64::from(read::<half::f16>(bytes)),
            Self::BF16 => f64::from(read::<half::bf16>(bytes)),
            Self::F32 => f64::from(read::<f32>(bytes)),
            Self::F64 => read::<f64>(bytes),
        }
    }
}

impl fmt::Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for DType {
    type Err = UnknownDType;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let row = TABLE.iter().find(|row| row.2 == name);
        row.map(|row| row.0).ok_or_else(|| UnknownDType(name.chars().take(40).collect()))
    }
}

/// A name that is no element type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an element type")]
pub struct UnknownDType(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_is_indexed_by_the_enum_and_by_the_code() {
        for (position, row) in TABLE.iter().enumerate() {
            assert_eq!(row.0 as usize, position);
            assert_eq!(DType::from_code(row.1), Some(row.0));
            assert_eq!(row.2.parse(), Ok(row.0));
        }
        assert_eq!(DType::from_code(13), None);
    }

    #[test]
    fn absurd_shapes_have_no_length() {
        assert_eq!(DType::F32.byte_len(&[u64::MAX, 2]), None);
        assert_eq!(DType::F64.byte_len(&[1 << 60]), None);
        assert_eq!(DType::F32.byte_len(&[3, 0, 5]), Some(0));
        assert_eq!(DType::F32.byte_len(&[]), Some(4));
    }
}
