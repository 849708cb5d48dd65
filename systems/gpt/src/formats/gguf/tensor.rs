//! The types of tensors.

use half::f16;

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
    /// Blocks of 32: each weight is a whole number from -127 to 127, times the scale of its block.
    Q8,
}

impl TensorType {
    /// The number in the file.
    pub fn code(self) -> u32 {
        match self {
            Self::F32 => 0,
            Self::F16 => 1,
            Self::Q8 => 8,
        }
    }

    /// Bytes of that many numbers.
    pub fn byte_len(self, numbers: usize) -> usize {
        match self {
            Self::F32 => 4 * numbers,
            Self::F16 => 2 * numbers,
            Self::Q8 => numbers / BLOCK * BLOCK_LEN,
        }
    }

    /// True when no number becomes infinite.
    pub fn holds(self, numbers: &[f32]) -> bool {
        let largest = numbers.iter().fold(0.0, |largest: f32, number| largest.max(number.abs()));
        match self {
            Self::F32 => true,
            Self::F16 => f16::from_f32(largest).is_finite(),
            Self::Q8 => f16::from_f32(largest / LARGEST).is_finite(),
        }
    }

    /// The numbers as they stand in the file.
    pub fn encode(self, numbers: &[f32]) -> Vec<u8> {
        match self {
            Self::F32 => numbers.iter().flat_map(|number| number.to_le_bytes()).collect(),
            Self::F16 => numbers.iter().flat_map(|&number| f16::from_f32(number).to_le_bytes()).collect(),
            Self::Q8 => numbers.as_chunks().0.iter().flat_map(quantised).collect(),
        }
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_come_back_within_half_a_step() {
        let block: [f32; BLOCK] = std::array::from_fn(|index| (index as f32 - 11.3) * 0.021);
        let bytes = quantised(&block);
        let scale = f16::from_le_bytes([bytes[0], bytes[1]]).to_f32();
        for (byte, weight) in bytes[2..].iter().zip(block) {
            assert!((f32::from(*byte as i8) * scale - weight).abs() < scale * 0.56, "{weight}");
        }
        assert_eq!(bytes[2 + 31] as i8, 127);
        assert_eq!(quantised(&[0.0; BLOCK]), [0; BLOCK_LEN]);
        assert!(
            !TensorType::F16.holds(&[1e5]) && TensorType::Q8.holds(&[1e5]) && !TensorType::Q8.holds(&[1e8])
        );
    }
}
