//! Which cells are updated in which step.

use rekindle_compute::rng::Stream;

/// For each step, the cells of all boards that are updated, a bit for each; empty where all always are.
pub(crate) type Fires = Vec<Vec<u64>>;

/// Draws the cells that are updated with a chance of `rate`.
pub(crate) fn draw(rate: f64, steps: usize, cells: usize, stream: &mut Stream) -> Fires {
    if rate >= 1.0 {
        return Fires::new();
    }
    let rate = rate as f32;
    let mut plane = || -> Vec<u64> {
        let word = |first: usize| {
            let bits = 0..(cells - first).min(64);
            bits.fold(0, |word, bit| word | u64::from(stream.uniform() < rate) << bit)
        };
        (0..cells).step_by(64).map(word).collect()
    };
    (0..steps).map(|_| plane()).collect()
}

/// The numbers of the cells whose bit is set, in order.
pub(crate) fn cells(plane: &[u64]) -> impl Iterator<Item = u32> {
    let bits = |(index, &word): (usize, &u64)| {
        let bits = (0..64).filter(move |bit| word >> bit & 1 == 1);
        bits.map(move |bit| (index * 64 + bit) as u32)
    };
    plane.iter().enumerate().flat_map(bits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rekindle_compute::rng;

    #[test]
    fn so_many_cells_are_updated_as_the_rate_says() {
        let fires = draw(0.6, 20, 1000, &mut rng::stream(1, 2, 3));
        assert_eq!(fires.len(), 20);
        let updated: usize = fires.iter().map(|plane| cells(plane).count()).sum();
        assert!((11_600..12_400).contains(&updated), "{updated}");
        assert!(fires.iter().all(|plane| cells(plane).all(|cell| cell < 1000)));
        assert!(draw(1.0, 20, 1000, &mut rng::stream(1, 2, 3)).is_empty());
    }
}
