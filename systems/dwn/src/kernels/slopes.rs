//! How a table's output changes with its inputs: extended finite differences.
//!
//! Beside the entry that is looked up, those near it are asked what they would say if an input were 1, and if it
//! were 0: the difference counts a third for each other input in which they differ from what is looked up. An
//! input learns so from the whole table, and not from one pair of entries.

use rekindle_compute::kernel;

use super::by_inputs;

/// What an entry counts that differs in one input more.
const NEAR: f32 = 1.0 / 3.0;

kernel! {
    /// The derivatives of some tables' outputs by each input, where each entry is looked up.
    /// Shapes: tables x entries, and tables x inputs x entries.
    pub(crate) fn slopes(inputs: usize, entries: &[f32], slopes: &mut [f32]) {
        by_inputs!(inputs, slopes_of(entries, slopes));
    }
}

#[inline(always)]
fn slopes_of<const INPUTS: usize, const ENTRIES: usize>(entries: &[f32], slopes: &mut [f32]) {
    // Of the sum over all inputs, the difference in one is 1 - NEAR times that over the others.
    let mut scale = 0.5 / (1.0 - NEAR);
    for _ in 1..INPUTS {
        scale *= 0.75;
    }
    let tables = entries
        .as_chunks::<ENTRIES>()
        .0
        .iter()
        .zip(slopes.as_chunks_mut::<ENTRIES>().0.chunks_exact_mut(INPUTS));
    for (entries, slopes) in tables {
        let mut near = *entries;
        for place in 0..INPUTS {
            for entry in 0..ENTRIES {
                if entry >> place & 1 == 0 {
                    let (zero, one) = (near[entry], near[entry | 1 << place]);
                    near[entry] = NEAR.mul_add(one, zero);
                    near[entry | 1 << place] = NEAR.mul_add(zero, one);
                }
            }
        }
        for (place, slopes) in slopes.iter_mut().enumerate() {
            for (entry, slope) in slopes.iter_mut().enumerate() {
                *slope = scale * (near[entry | 1 << place] - near[entry & !(1 << place)]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rekindle_compute::{KernelPath, rng};

    use super::*;

    /// The published formula: a sum over all entries.
    fn expected(entries: &[f32], inputs: usize, place: usize, looked_up: usize) -> f32 {
        let mut sum = 0.0;
        for (entry, value) in entries.iter().enumerate() {
            let others = (entry ^ looked_up) & !(1 << place);
            let sign = if entry >> place & 1 == 1 { 1.0 } else { -1.0 };
            sum += sign * value * NEAR.powi(others.count_ones() as i32);
        }
        0.5 * 0.75_f32.powi(inputs as i32 - 1) * sum
    }

    #[test]
    fn slopes_are_the_published_sums_on_every_path() {
        for inputs in 2..=6 {
            let count = 1 << inputs;
            let mut stream = rng::stream(5, 0, inputs as u64);
            let entries: Vec<f32> = (0..3 * count).map(|_| 2.0 * stream.uniform() - 1.0).collect();
            let found = |path| {
                let mut found = vec![0.0; 3 * inputs * count];
                slopes(path, inputs, &entries, &mut found);
                found
            };
            let first = found(KernelPath::Portable);
            for (index, slope) in first.iter().enumerate() {
                let (table, place, entry) = (index / count / inputs, index / count % inputs, index % count);
                let expected = expected(&entries[table * count..][..count], inputs, place, entry);
                assert!((slope - expected).abs() < 1e-5, "{inputs} {index}: {slope} {expected}");
            }
            for path in KernelPath::available() {
                assert_eq!(found(path), first, "{path}");
            }
        }
    }
}
