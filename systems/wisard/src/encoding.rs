//! The bits of rows.

use rekindle_data::{NumberColumn, Thermometers};

use super::error::WisardError;
use super::planes::{BLOCK, PLANES_LIMIT, Planes};

/// The bits of the chosen rows.
pub(super) fn encode(
    thermometers: &Thermometers,
    columns: &[NumberColumn],
    rows: &[usize],
) -> Result<Planes, WisardError> {
    let bytes = Planes::size(rows.len(), thermometers.encoded_bits());
    if bytes > PLANES_LIMIT {
        return Err(WisardError::TooLarge {
            what: "the encoded rows",
            bytes,
            limit: PLANES_LIMIT,
            advice: "use fewer `model.encoding.bits`, columns or rows",
        });
    }
    let mut planes = Planes::zeros(rows.len(), thermometers.encoded_bits());
    let bits = thermometers.bits as usize;
    for (block, rows) in rows.chunks(BLOCK).enumerate() {
        let words = planes.block_mut(block).chunks_exact_mut(bits);
        for ((words, thresholds), column) in
            words.zip(thermometers.thresholds.chunks_exact(bits)).zip(columns)
        {
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

/// A bit for each value: whether it exceeds the threshold.
fn exceeding(values: &[f64; BLOCK], threshold: f64) -> u64 {
    let bit = |(index, &value): (usize, &f64)| u64::from(value > threshold) << index;
    values.iter().enumerate().map(bit).fold(0, |word, bit| word | bit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_the_bits_of_the_thresholds_that_it_exceeds() {
        let column = |values| NumberColumn { name: String::new(), values };
        let columns = [column((0..100).map(f64::from).collect()), column(vec![5.0; 100])];
        let thermometers = Thermometers { bits: 2, thresholds: vec![10.0, 80.0, 4.0, 5.0] };
        let planes = encode(&thermometers, &columns, &(0..100).collect::<Vec<_>>()).unwrap();
        assert_eq!(planes.ones(), [89, 19, 100, 0]);
        assert_eq!(planes.block(1)[0], (1 << 36) - 1);
    }
}
