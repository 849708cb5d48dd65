//! How numbers become bits.

use rekindle_data::{NumberColumn, Statistics};
use rekindle_train::StateMismatch;
use serde::{Deserialize, Serialize};

use super::config::{Encoding, EncodingKind};
use super::error::WisardError;
use super::planes::{BLOCK, PLANES_LIMIT, Planes};

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
    pub(super) fn of(columns: &[NumberColumn], rows: &[usize], encoding: Encoding) -> Self {
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

    /// Bits of an encoded row.
    pub(super) fn encoded_bits(&self) -> usize {
        self.thresholds.len()
    }

    /// The bits of the chosen rows.
    pub(super) fn encode(&self, columns: &[NumberColumn], rows: &[usize]) -> Result<Planes, WisardError> {
        let bytes = Planes::size(rows.len(), self.encoded_bits());
        if bytes > PLANES_LIMIT {
            return Err(WisardError::TooLarge {
                what: "the encoded rows",
                bytes,
                limit: PLANES_LIMIT,
                advice: "use fewer `model.encoding.bits`, columns or rows",
            });
        }
        let mut planes = Planes::zeros(rows.len(), self.encoded_bits());
        let bits = self.bits as usize;
        for (block, rows) in rows.chunks(BLOCK).enumerate() {
            let words = planes.block_mut(block).chunks_exact_mut(bits);
            for ((words, thresholds), column) in words.zip(self.thresholds.chunks_exact(bits)).zip(columns) {
                // Nothing exceeds infinity: rows beyond the last have no bit set.
                let mut values = [f64::NEG_INFINITY; BLOCK];
                for (value, &row) in values.iter_mut().zip(rows) {
                    *value = column.values[row];
                }
                for (word, threshold) in words.iter_mut().zip(thresholds) {
                    *word = exceeding(&values, *threshold);
                }
            }
        }
        Ok(planes)
    }

    /// Checks that there are thresholds for so many inputs.
    pub(super) fn check(&self, inputs: usize, bits: u32) -> Result<(), StateMismatch> {
        let found = self.thresholds.len();
        let expected = inputs as u64 * u64::from(bits);
        StateMismatch::require(self.bits == bits && found as u64 == expected, || {
            format!("{found} thresholds for {inputs} inputs of {bits} bits")
        })?;
        let are_finite = self.thresholds.iter().all(|threshold| threshold.is_finite());
        StateMismatch::require(are_finite, || "a threshold is not finite".to_owned())
    }
}

/// A bit for each value: whether it exceeds the threshold.
fn exceeding(values: &[f64; BLOCK], threshold: f64) -> u64 {
    let bit = |(index, &value): (usize, &f64)| u64::from(value > threshold) << index;
    values.iter().enumerate().map(bit).fold(0, |word, bit| word | bit)
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
    fn a_row_has_the_bits_of_the_thresholds_that_it_exceeds() {
        let column = |values| NumberColumn { name: String::new(), values };
        let columns = [column((0..100).map(f64::from).collect()), column(vec![5.0; 100])];
        let thermometers = Thermometers { bits: 2, thresholds: vec![10.0, 80.0, 4.0, 5.0] };
        let planes = thermometers.encode(&columns, &(0..100).collect::<Vec<_>>()).unwrap();
        assert_eq!(planes.ones(), [89, 19, 100, 0]);
        assert_eq!(planes.block(1)[0], (1 << 36) - 1);
    }
}
