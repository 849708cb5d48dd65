//! How numbers become bits: thermometers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::table::{NumberColumn, Statistics};

/// A thermometer: a number becomes so many bits, each of which is set when the number exceeds a
/// threshold of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Encoding {
    /// How the thresholds of a column lie.
    pub kind: EncodingKind,
    /// Thresholds of each column, 1 to 256.
    pub bits: u32,
}

/// How the thresholds of a column lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum EncodingKind {
    /// At equal distances between the least and the greatest value.
    Linear,
    /// So that each two have equally much of a normal distribution between them, with the mean and
    /// the standard deviation of the column.
    Gaussian,
    /// So that each two have equally many rows between them.
    Quantile,
}

/// The thresholds of all inputs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Thermometers {
    /// Thresholds of each input.
    pub bits: u32,
    /// By input, in ascending order.
    #[serde(with = "rekindle::growing")]
    pub thresholds: Vec<f64>,
}

impl Thermometers {
    /// The thresholds for these columns, of which the chosen rows count.
    pub fn of(columns: &[NumberColumn], rows: &[usize], encoding: Encoding) -> Self {
        let mut thresholds = Vec::with_capacity(columns.len() * encoding.bits as usize);
        for column in columns {
            let values: Vec<f64> = rows.iter().map(|&row| column.values[row]).collect();
            thresholds.extend(match encoding.kind {
                EncodingKind::Linear => linear(&values, encoding.bits),
                EncodingKind::Gaussian => gaussian(&values, encoding.bits),
                EncodingKind::Quantile => quantile(values, encoding.bits),
            });
        }
        Self { bits: encoding.bits, thresholds }
    }

    /// Thresholds at equal distances from `low` to `high`, the same for each of some inputs.
    pub fn even(inputs: usize, low: f64, high: f64, bits: u32) -> Self {
        Self { bits, thresholds: linear(&[low, high], bits).repeat(inputs) }
    }

    /// Bits of an encoded row.
    pub fn encoded_bits(&self) -> usize {
        self.thresholds.len()
    }

    /// Whether all inputs have the same thresholds.
    pub fn are_alike(&self) -> bool {
        let mut inputs = self.thresholds.chunks_exact(self.bits as usize);
        inputs.next().is_none_or(|first| inputs.all(|thresholds| thresholds == first))
    }

    /// How many thresholds of an input a value exceeds.
    ///
    /// # Panics
    /// When there is no such input.
    pub fn level(&self, input: usize, value: f64) -> usize {
        let bits = self.bits as usize;
        let thresholds = &self.thresholds[input * bits..(input + 1) * bits];
        thresholds.iter().filter(|&&threshold| value > threshold).count()
    }

    /// Checks that there are so many thresholds for each of so many inputs.
    ///
    /// # Errors
    /// Says what does not fit.
    pub fn check(&self, inputs: usize, bits: u32) -> Result<(), String> {
        let found = self.thresholds.len();
        let expected = inputs as u64 * u64::from(bits);
        if self.bits != bits || found as u64 != expected {
            return Err(format!("{found} thresholds for {inputs} inputs of {bits} bits"));
        }
        match self.thresholds.iter().all(|threshold| threshold.is_finite()) {
            true => Ok(()),
            false => Err("a threshold is not finite".to_owned()),
        }
    }
}

fn linear(values: &[f64], bits: u32) -> Vec<f64> {
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    shares(bits).map(|share| low + (high - low) * share).collect()
}

fn gaussian(values: &[f64], bits: u32) -> Vec<f64> {
    let Statistics { mean, std } = Statistics::of(values.iter().copied());
    shares(bits).map(|share| mean + std * normal_quantile(share)).collect()
}

/// A threshold that is the greatest value would be exceeded by none; it becomes the value before.
fn quantile(mut values: Vec<f64>, bits: u32) -> Vec<f64> {
    values.sort_by(f64::total_cmp);
    let greatest = values[values.len() - 1];
    let before = values.iter().rev().copied().find(|&value| value < greatest).unwrap_or(greatest);
    let last = (values.len() - 1) as f64;
    let at = |share: f64| {
        let position = share * last;
        let below = position as usize;
        let above = (below + 1).min(values.len() - 1);
        let value = values[below] + (values[above] - values[below]) * (position - below as f64);
        if value < greatest { value } else { before }
    };
    shares(bits).map(at).collect()
}

/// What share of the values lies below each threshold.
fn shares(bits: u32) -> impl Iterator<Item = f64> {
    (1..=bits).map(move |bit| f64::from(bit) / f64::from(bits + 1))
}

/// Where a standard normal distribution has this share below it: found by halving, 60 times, with
/// the error function of `libm`, which computes the same bits everywhere.
fn normal_quantile(share: f64) -> f64 {
    let (mut low, mut high) = (-8.0, 8.0);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        let below = 0.5 * libm::erfc(-middle * std::f64::consts::FRAC_1_SQRT_2);
        if below < share {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_quantiles_are_those_of_the_tables() {
        for (share, expected) in [(0.5, 0.0), (0.975, 1.959_964), (0.1, -1.281_552)] {
            assert!((normal_quantile(share) - expected).abs() < 1e-6, "{share}");
        }
    }

    #[test]
    fn thresholds_lie_where_they_should() {
        let values: Vec<f64> = (0..=100).map(f64::from).collect();
        assert_eq!(linear(&values, 3), [25.0, 50.0, 75.0]);
        assert_eq!(quantile(values.clone(), 3), [25.0, 50.0, 75.0]);
        let gaussian = gaussian(&values, 3);
        assert!((gaussian[1] - 50.0).abs() < 1e-9 && (gaussian[2] - 69.666).abs() < 1e-2, "{gaussian:?}");
        assert_eq!(quantile(vec![0.0, 1.0, 1.0, 1.0, 1.0], 2), [0.0, 0.0]);
    }

    #[test]
    fn a_level_is_how_many_thresholds_a_value_exceeds() {
        let thermometers = Thermometers::even(2, 0.0, 4.0, 3);
        assert_eq!([0.5, 1.0, 1.5, 2.5, 9.0].map(|value| thermometers.level(1, value)), [0, 0, 1, 2, 3]);
        thermometers.check(2, 3).unwrap();
        assert!(thermometers.check(3, 3).unwrap_err().contains("6 thresholds for 3 inputs"));
    }
}
