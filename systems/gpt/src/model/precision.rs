//! Mixed precision: what is stored between operations in 16 bits, what is computed and updated in 32.
//!
//! Micikevicius and others, "Mixed precision training" (2018): the parameters that the optimiser
//! updates stay in f32; weights, activations and their gradients are rounded to 16 bits wherever an
//! operation leaves them for the next. bf16 has the range of f32; the small range of f16 needs the
//! loss to be scaled, so that gradients do not vanish, and steps in which they overflow to be skipped.

use std::borrow::Cow;

use half::f16;
use half::slice::HalfFloatSliceExt;
use rekindle_compute::{KernelPath, kernel};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How numbers are stored between operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TrainingPrecision {
    /// As they are computed.
    #[default]
    F32,
    /// With 8 bits of precision and the range of f32.
    Bf16,
    /// With 11 bits of precision, from 6e-8 to 65504.
    F16,
}

impl TrainingPrecision {
    /// The numbers as they are stored.
    pub(crate) fn stored(self, numbers: &[f32]) -> Cow<'_, [f32]> {
        if self == Self::F32 {
            return numbers.into();
        }
        let mut stored = numbers.to_vec();
        self.store(KernelPath::best(), &mut stored);
        stored.into()
    }

    /// Rounds numbers to what is stored of them.
    pub(crate) fn store(self, path: KernelPath, numbers: &mut [f32]) {
        match self {
            Self::F32 => {}
            Self::Bf16 => store_bf16(path, numbers),
            Self::F16 => store_f16(numbers),
        }
    }
}

kernel! {
    fn store_bf16(numbers: &mut [f32]) {
        for number in numbers {
            let bits = number.to_bits();
            // To the nearest, of two equally near ones to the even one.
            let rounded = bits.wrapping_add(0x7fff + (bits >> 16 & 1)) & 0xffff_0000;
            let rounded = f32::from_bits(rounded);
            *number = if number.is_nan() { *number } else { rounded };
        }
    }
}

fn store_f16(numbers: &mut [f32]) {
    let mut stored = [f16::ZERO; 512];
    for numbers in numbers.chunks_mut(stored.len()) {
        let stored = &mut stored[..numbers.len()];
        stored.convert_from_f32_slice(numbers);
        stored.convert_to_f32_slice(numbers);
    }
}

/// Keeps gradients within the range of f16: the loss is multiplied by a scale that grows while all
/// is well, and shrinks when a gradient overflows; that step is skipped. The constants are those of
/// PyTorch's `GradScaler`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LossScaler {
    /// The loss is multiplied by it.
    pub scale: f32,
    /// Steps since it last changed.
    #[serde(rename = "steady")]
    pub unchanged_steps: u32,
    /// Steps that were skipped, in all.
    pub skipped: u64,
}

/// Steps without overflow after which the scale is doubled.
const GROWTH_INTERVAL: u32 = 2000;
/// The scale is never larger.
const LARGEST_SCALE: f32 = 16_777_216.0;

impl Default for LossScaler {
    fn default() -> Self {
        Self { scale: 65_536.0, unchanged_steps: 0, skipped: 0 }
    }
}

impl LossScaler {
    /// Takes note of a step; true when it is to be skipped, because gradients are not finite.
    pub fn skips(&mut self, gradients_are_finite: bool) -> bool {
        if !gradients_are_finite {
            self.scale = (self.scale * 0.5).max(1.0);
            self.unchanged_steps = 0;
            self.skipped += 1;
            return true;
        }
        self.unchanged_steps += 1;
        if self.unchanged_steps == GROWTH_INTERVAL {
            self.scale = (self.scale * 2.0).min(LARGEST_SCALE);
            self.unchanged_steps = 0;
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use half::bf16;

    use super::*;

    #[test]
    fn bf16_is_rounded_as_the_half_crate_does() {
        let numbers: Vec<f32> = (0..100_000_u32).map(|i| f32::from_bits(i.wrapping_mul(42_943))).collect();
        for path in KernelPath::available() {
            let mut stored = numbers.clone();
            TrainingPrecision::Bf16.store(path, &mut stored);
            for (number, stored) in numbers.iter().zip(stored) {
                let expected = bf16::from_f32(*number).to_f32();
                assert!(stored == expected || number.is_nan() && stored.is_nan(), "{number} {stored}");
            }
        }
    }

    #[test]
    fn f16_overflows_and_keeps_eleven_bits() {
        let mut numbers = [1.0 + 1.0 / 4096.0, 65_504.0, 70_000.0, 1e-9];
        TrainingPrecision::F16.store(KernelPath::best(), &mut numbers);
        assert_eq!(numbers, [1.0, 65_504.0, f32::INFINITY, 0.0]);
    }

    #[test]
    fn the_scale_grows_and_backs_off() {
        let mut scaler = LossScaler { scale: 8.0, unchanged_steps: 1998, skipped: 0 };
        assert!(!scaler.skips(true));
        assert_eq!(scaler, LossScaler { scale: 8.0, unchanged_steps: 1999, skipped: 0 });
        assert!(!scaler.skips(true));
        assert_eq!(scaler, LossScaler { scale: 16.0, unchanged_steps: 0, skipped: 0 });
        assert!(scaler.skips(false));
        assert_eq!(scaler, LossScaler { scale: 8.0, unchanged_steps: 0, skipped: 1 });
    }
}
