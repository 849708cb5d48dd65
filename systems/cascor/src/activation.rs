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
    /// `1 / (1 + exp(-s))`: between 0 and 1.
    Logistic,
    /// `s`.
    Identity,
    /// `s` above 0, else 0.
    Relu,
    /// `s` above 0, else `0.01 s`.
    LeakyRelu,
    /// `s` above 0, else `exp(s) - 1`.
    Elu,
    /// 1.0507 times: `s` above 0, else `1.6733 (exp(s) - 1)`.
    Selu,
    /// `s` times the share of a normal distribution that lies below `s`.
    Gelu,
    /// `ln(1 + exp(s))`.
    Softplus,
    /// `s`, but not below -1 nor above 1.
    Hardtanh,
    /// `s` moved towards 0 by 1/2, and 0 where it would pass that.
    Softshrink,
    /// `s - tanh(s)`.
    Tanhshrink,
}

/// The constants of Klambauer et al., "Self-normalizing neural networks", 2017.
const SELU_SCALE: f32 = 1.050_701;
const SELU_ALPHA: f32 = 1.673_263_2;
/// The slope of a leaky unit below 0.
const LEAK: f32 = 0.01;
/// How far a shrinking unit moves its sum.
const SHRINKAGE: f32 = 0.5;

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
    /// Every activation.
    #[cfg(test)]
    pub(crate) const ALL: [Self; 14] = [
        Self::Sigmoid,
        Self::Gaussian,
        Self::Tanh,
        Self::Logistic,
        Self::Identity,
        Self::Relu,
        Self::LeakyRelu,
        Self::Elu,
        Self::Selu,
        Self::Gelu,
        Self::Softplus,
        Self::Hardtanh,
        Self::Softshrink,
        Self::Tanhshrink,
    ];

    /// Value and derivative at the weighted sum.
    #[inline(always)]
    pub(crate) fn at(self, sum: f32) -> (f32, f32) {
        let value = self.value(sum);
        (value, self.prime(sum, value))
    }

    /// Value at the weighted sum.
    #[inline(always)]
    fn value(self, sum: f32) -> f32 {
        match self {
            Self::Sigmoid => sigmoid(sum),
            Self::Gaussian => math::exp(-0.5 * sum * sum),
            Self::Tanh => math::tanh(sum),
            Self::Logistic => math::logistic(sum),
            Self::Identity => sum,
            Self::Relu => positive_or(sum, 0.0),
            Self::LeakyRelu => positive_or(sum, LEAK * sum),
            Self::Elu => positive_or(sum, math::exp(sum) - 1.0),
            Self::Selu => SELU_SCALE * positive_or(sum, SELU_ALPHA * (math::exp(sum) - 1.0)),
            Self::Gelu => sum * normal_share(sum),
            Self::Softplus => positive_or(sum, 0.0) + math::ln(1.0 + math::exp(-sum.abs())),
            Self::Hardtanh => sum.clamp(-1.0, 1.0),
            Self::Softshrink => sum - sum.clamp(-SHRINKAGE, SHRINKAGE),
            Self::Tanhshrink => sum - math::tanh(sum),
        }
    }

    /// Derivative where the value at the weighted sum is this; at a kink that from below.
    #[inline(always)]
    fn prime(self, sum: f32, value: f32) -> f32 {
        match self {
            Self::Sigmoid => value.mul_add(-value, 0.25),
            Self::Gaussian => -value * sum,
            Self::Tanh => value.mul_add(-value, 1.0),
            Self::Logistic => value.mul_add(-value, value),
            Self::Identity => 1.0,
            Self::Relu => step(sum, 0.0),
            Self::LeakyRelu => step(sum, LEAK),
            Self::Elu => step(sum, value + 1.0),
            Self::Selu if sum > 0.0 => SELU_SCALE,
            Self::Selu => SELU_SCALE.mul_add(SELU_ALPHA, value),
            Self::Gelu => (sum * NORMAL_PEAK).mul_add(math::exp(-0.5 * sum * sum), normal_share(sum)),
            Self::Softplus => math::logistic(sum),
            Self::Hardtanh => f32::from(sum > -1.0 && sum < 1.0),
            Self::Softshrink => f32::from(sum.abs() > SHRINKAGE),
            Self::Tanhshrink => (sum - value) * (sum - value),
        }
    }

    /// Values and derivatives at several weighted sums. One loop for each, so that they vectorise.
    #[inline(always)]
    pub(crate) fn of<const COUNT: usize>(self, sums: &[f32; COUNT]) -> ([f32; COUNT], [f32; COUNT]) {
        let (mut values, mut primes) = ([0.0; COUNT], [0.0; COUNT]);
        for index in 0..COUNT {
            values[index] = self.value(sums[index]);
        }
        for index in 0..COUNT {
            primes[index] = self.prime(sums[index], values[index]);
        }
        (values, primes)
    }

    /// Its name in configs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sigmoid => "sigmoid",
            Self::Gaussian => "gaussian",
            Self::Tanh => "tanh",
            Self::Logistic => "logistic",
            Self::Identity => "identity",
            Self::Relu => "relu",
            Self::LeakyRelu => "leakyrelu",
            Self::Elu => "elu",
            Self::Selu => "selu",
            Self::Gelu => "gelu",
            Self::Softplus => "softplus",
            Self::Hardtanh => "hardtanh",
            Self::Softshrink => "softshrink",
            Self::Tanhshrink => "tanhshrink",
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

/// `1 / sqrt(2 pi)`: the density of the normal distribution at its mean.
const NORMAL_PEAK: f32 = 0.398_942_3;

/// The share of a normal distribution that lies below `x`.
#[inline(always)]
fn normal_share(x: f32) -> f32 {
    0.5 * (1.0 + libm::erff(x * std::f32::consts::FRAC_1_SQRT_2))
}

/// The sum where it is positive, and otherwise another number.
#[inline(always)]
fn positive_or(sum: f32, otherwise: f32) -> f32 {
    // Written so that NaN stays NaN.
    if sum <= 0.0 { otherwise } else { sum }
}

/// 1 where the sum is positive, and otherwise another slope.
#[inline(always)]
fn step(sum: f32, otherwise: f32) -> f32 {
    if sum > 0.0 { 1.0 } else { otherwise }
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

    /// Where an activation has two slopes.
    const KINKS: [f32; 5] = [-1.0, -0.5, 0.0, 0.5, 1.0];

    #[test]
    fn derivatives_are_those_of_the_values() {
        for activation in Activation::ALL {
            for tenth in -40..40 {
                let (sum, width) = (tenth as f32 / 10.0, 1e-2);
                if KINKS.iter().any(|kink| (sum - kink).abs() < 2.0 * width) {
                    continue;
                }
                let slope = (activation.at(sum + width).0 - activation.at(sum - width).0) / (2.0 * width);
                assert!((slope - activation.at(sum).1).abs() < 1e-4, "{activation:?} at {sum}");
            }
        }
        assert_eq!(Activation::Sigmoid.at(40.0), (0.5, 0.0));
        assert_eq!(Activation::Sigmoid.at(-40.0), (-0.5, 0.0));
    }

    /// The textbook formulas in double precision.
    #[test]
    fn values_are_those_of_their_formulas() {
        let exact = |activation, s: f64| match activation {
            Activation::Sigmoid => 1.0 / (1.0 + (-s).exp()) - 0.5,
            Activation::Gaussian => (-s * s / 2.0).exp(),
            Activation::Tanh => s.tanh(),
            Activation::Logistic => 1.0 / (1.0 + (-s).exp()),
            Activation::Identity => s,
            Activation::Relu => s.max(0.0),
            Activation::LeakyRelu => s.max(0.01 * s),
            Activation::Elu => s.max(0.0) + (s.min(0.0).exp() - 1.0),
            Activation::Selu => {
                1.050_700_987_355_480_5 * (s.max(0.0) + 1.673_263_242_354_377_2 * (s.min(0.0).exp() - 1.0))
            }
            Activation::Gelu => s * 0.5 * (1.0 + libm::erf(s / 2.0_f64.sqrt())),
            Activation::Softplus => (1.0 + s.exp()).ln(),
            Activation::Hardtanh => s.clamp(-1.0, 1.0),
            Activation::Softshrink => s.signum() * (s.abs() - 0.5).max(0.0),
            Activation::Tanhshrink => s - s.tanh(),
        };
        for activation in Activation::ALL {
            for hundredth in -1200..1200 {
                let sum = hundredth as f32 / 100.0;
                let (found, expected) = (f64::from(activation.at(sum).0), exact(activation, sum.into()));
                let tolerance = 1e-6 * expected.abs().max(1.0);
                assert!((found - expected).abs() < tolerance, "{activation:?} at {sum}: {found} {expected}");
            }
            assert!(activation.at(f32::NAN).0.is_nan(), "{activation:?}");
        }
    }

    #[test]
    fn the_name_is_that_of_configs() {
        for activation in Activation::ALL {
            let name = serde_json::to_value(activation).unwrap();
            assert_eq!(name, activation.name());
        }
    }
}
