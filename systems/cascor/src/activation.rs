//! What a unit makes of its weighted sum.

use rekindle_compute::math;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The activation of hidden units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Activation {
    /// `1 / (1 + exp(-s)) - 1/2`: symmetric, between -1/2 and 1/2.
    Sigmoid,
    /// `exp(-s^2 / 2)`.
    Gaussian,
    /// `tanh(s)`.
    Tanh,
}

/// What an output unit makes of its weighted sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OutputActivation {
    /// As [`Activation::Sigmoid`]; targets are -1/2 and 1/2.
    Sigmoid,
    /// The sum itself; targets of classes are 0 and 1.
    Linear,
}

impl Activation {
    /// Value and derivative at the weighted sum.
    #[inline(always)]
    pub(crate) fn at(self, sum: f32) -> (f32, f32) {
        match self {
            Self::Sigmoid => {
                let value = sigmoid(sum);
                (value, value.mul_add(-value, 0.25))
            }
            Self::Gaussian => {
                let value = math::exp(-0.5 * sum * sum);
                (value, -value * sum)
            }
            Self::Tanh => {
                let value = math::tanh(sum);
                (value, value.mul_add(-value, 1.0))
            }
        }
    }

    /// Values and derivatives at several weighted sums. One loop for each, so that they vectorise.
    #[inline(always)]
    pub(crate) fn of<const COUNT: usize>(self, sums: &[f32; COUNT]) -> ([f32; COUNT], [f32; COUNT]) {
        let (mut values, mut primes) = ([0.0; COUNT], [0.0; COUNT]);
        for index in 0..COUNT {
            values[index] = self.at(sums[index]).0;
        }
        for index in 0..COUNT {
            let value = values[index];
            primes[index] = match self {
                Self::Sigmoid => value.mul_add(-value, 0.25),
                Self::Gaussian => -value * sums[index],
                Self::Tanh => value.mul_add(-value, 1.0),
            };
        }
        (values, primes)
    }

    /// Its name in configs and files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sigmoid => "sigmoid",
            Self::Gaussian => "gaussian",
            Self::Tanh => "tanh",
        }
    }
}

impl OutputActivation {
    /// Value and derivative at the weighted sum.
    #[inline(always)]
    pub(crate) fn at(self, sum: f32) -> (f32, f32) {
        match self {
            Self::Sigmoid => Activation::Sigmoid.at(sum),
            Self::Linear => (sum, 1.0),
        }
    }

    /// The targets of a case that is not, and one that is, of the class.
    pub(crate) fn targets(self) -> [f32; 2] {
        match self {
            Self::Sigmoid => [-0.5, 0.5],
            Self::Linear => [0.0, 1.0],
        }
    }
}

/// The symmetric sigmoid, flat beyond 15 as in Fahlman's program.
#[inline(always)]
fn sigmoid(sum: f32) -> f32 {
    let value = math::logistic(sum) - 0.5;
    let value = if sum > 15.0 { 0.5 } else { value };
    if sum < -15.0 { -0.5 } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derivatives_are_those_of_the_values() {
        for activation in [Activation::Sigmoid, Activation::Gaussian, Activation::Tanh] {
            for tenth in -40..40 {
                let (sum, width) = (tenth as f32 / 10.0, 1e-2);
                let slope = (activation.at(sum + width).0 - activation.at(sum - width).0) / (2.0 * width);
                assert!((slope - activation.at(sum).1).abs() < 1e-4, "{activation:?} at {sum}");
            }
        }
        assert_eq!(Activation::Sigmoid.at(40.0), (0.5, 0.0));
        assert_eq!(Activation::Sigmoid.at(-40.0), (-0.5, 0.0));
    }
}
