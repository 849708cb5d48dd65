//! The types of tensors.

use half::{bf16, f16};

use super::super::bytes::numbers;

/// Weights that share a scale.
pub(super) const BLOCK: usize = 32;
/// Bytes of a block: its scale and its weights.
const BLOCK_LEN: usize = 2 + BLOCK;
/// The largest quantised weight.
const LARGEST: f32 = 127.0;

/// How the numbers of a tensor are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TensorType {
    F32,
    F16,
    Bf16,
    /// Blocks of 32: each weight is a whole number from -127 to 127, times the scale of its block.
    Q8,
}

impl TensorType {
    /// The number in the file.
    pub fn code(self) -> u32 {
        match self {
            Self::F32 => 0,
            Self::F16 => 1,
            Self::Bf16 => 30,
            Self::Q8 => 8,
        }
    }

    /// The type with that number in a file, if it is known here.
    pub fn of_code(code: u32) -> Option<Self> {
        [Self::F32, Self::F16, Self::Bf16, Self::Q8].into_iter().find(|kind| kind.code() == code)
    }

    /// Numbers that are kept together.
    pub fn block(self) -> usize {
        match self {
            Self::F32 | Self::F16 | Self::Bf16 => 1,
            Self::Q8 => BLOCK,
        }
    }

    /// Bytes of that many numbers.
    pub fn byte_len(self, numbers: usize) -> usize {
        match self {
            Self::F32 => 4 * numbers,
            Self::F16 | Self::Bf16 => 2 * numbers,
            Self::Q8 => numbers / BLOCK * BLOCK_LEN,
        }
    }

    /// True when no number becomes infinite.
    pub fn holds(self, numbers: &[f32]) -> bool {
        let largest = numbers.iter().fold(0.0, |largest: f32, number| largest.max(number.abs()));
        match self {
            Self::F32 => true,
            Self::F16 => f16::from_f32(largest).is_finite(),
            Self::Bf16 => bf16::from_f32(largest).is_finite(),
            Self::Q8 => f16::from_f32(largest / LARGEST).is_finite(),
        }
    }

    /// The numbers as they stand in the file.
    pub fn encode(self, numbers: &[f32]) -> Vec<u8> {
        match self {
            Self::F32 => numbers.iter().flat_map(|number| number.to_le_bytes()).collect(),
            Self::F16 => numbers.iter().flat_map(|&number| f16::from_f32(number).to_le_bytes()).collect(),
            Self::Bf16 => numbers.iter().flat_map(|&number| bf16::from_f32(number).to_le_bytes()).collect(),
            Self::Q8 => numbers.as_chunks().0.iter().flat_map(quantised).collect(),
        }
    }

    /// The numbers that stand in a file so.
    pub fn decode(self, bytes: &[u8]) -> Vec<f32> {
        match self {
            Self::F32 => numbers(bytes),
            Self::F16 => {
                bytes.as_chunks().0.iter().map(|&number| f16::from_le_bytes(number).to_f32()).collect()
            }
            Self::Bf16 => {
                bytes.as_chunks().0.iter().map(|&number| bf16::from_le_bytes(number).to_f32()).collect()
            }
            Self::Q8 => bytes.as_chunks().0.iter().flat_map(weights).collect(),
        }
    }
}

/// The name of a type of tensors by its number in a file.
pub(super) fn name_of_type(code: u32) -> String {
    let known = TYPE_NAMES.iter().find(|(number, _)| *number == code);
    known.map_or_else(|| format!("number {code}"), |(_, name)| (*name).to_owned())
}

/// Types that llama.cpp has and this program does not read.
const TYPE_NAMES: [(u32, &str); 28] = [
    (2, "Q4_0"),
    (3, "Q4_1"),
    (6, "Q5_0"),
    (7, "Q5_1"),
    (9, "Q8_1"),
    (10, "Q2_K"),
    (11, "Q3_K"),
    (12, "Q4_K"),
    (13, "Q5_K"),
    (14, "Q6_K"),
    (15, "Q8_K"),
    (16, "IQ2_XXS"),
    (17, "IQ2_XS"),
    (18, "IQ3_XXS"),
    (19, "IQ1_S"),
    (20, "IQ4_NL"),
    (21, "IQ3_S"),
    (22, "IQ2_S"),
    (23, "IQ4_XS"),
    (24, "I8"),
    (25, "I16"),
    (26, "I32"),
    (27, "I64"),
    (28, "F64"),
    (29, "IQ1_M"),
    (34, "TQ1_0"),
    (35, "TQ2_0"),
    (39, "MXFP4"),
];

/// A block in eight bits: rounded to the nearest, halves away from zero. The scale is rounded only after the
/// weights were divided by it, as llama.cpp does it.
fn quantised(block: &[f32; BLOCK]) -> [u8; BLOCK_LEN] {
    let largest = block.iter().fold(0.0, |largest: f32, weight| largest.max(weight.abs()));
    let scale = largest / LARGEST;
    let inverse = if scale == 0.0 { 0.0 } else { scale.recip() };
    let mut bytes = [0; BLOCK_LEN];
    bytes[..2].copy_from_slice(&f16::from_f32(scale).to_le_bytes());
    for (byte, weight) in bytes[2..].iter_mut().zip(block) {
        *byte = (weight * inverse).round() as i8 as u8;
    }
    bytes
}

/// The weights of a block.
fn weights(block: &[u8; BLOCK_LEN]) -> [f32; BLOCK] {
    let scale = f16::from_le_bytes([block[0], block[1]]).to_f32();
    std::array::from_fn(|index| f32::from(block[2 + index] as i8) * scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_come_back_within_half_a_step() {
        let block: [f32; BLOCK] = std::array::from_fn(|index| (index as f32 - 11.3) * 0.021);
        let bytes = quantised(&block);
        let scale = f16::from_le_bytes([bytes[0], bytes[1]]).to_f32();
        for (found, weight) in TensorType::Q8.decode(&bytes).into_iter().zip(block) {
            assert!((found - weight).abs() < scale * 0.56, "{weight}");
        }
        assert_eq!(bytes[2 + 31] as i8, 127);
        assert_eq!(quantised(&[0.0; BLOCK]), [0; BLOCK_LEN]);
        assert!(
            !TensorType::F16.holds(&[1e5]) && TensorType::Q8.holds(&[1e5]) && !TensorType::Q8.holds(&[1e8])
        );
    }

    #[test]
    fn types_are_known_by_their_numbers_and_halves_come_back() {
        let numbers = [1.5, -0.25, 3.0, 0.0];
        for kind in [TensorType::F32, TensorType::F16, TensorType::Bf16, TensorType::Q8] {
            assert_eq!(TensorType::of_code(kind.code()), Some(kind));
            if kind.block() == 1 {
                let bytes = kind.encode(&numbers);
                assert_eq!((bytes.len(), kind.decode(&bytes)), (kind.byte_len(4), numbers.to_vec()));
            }
        }
        assert_eq!(TensorType::of_code(12), None);
        assert_eq!((name_of_type(12), name_of_type(99)), ("Q4_K".to_owned(), "number 99".to_owned()));
    }
}
