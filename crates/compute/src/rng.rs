//! Random streams that have no position to save.
//!
//! A stream is keyed by (seed, stream, step) and always begins at its beginning: the draws of step
//! 1000 do not depend on whether the steps before it ran in this process, or how often a model was
//! evaluated in between. The generator is ChaCha with 8 rounds, keyed by those three numbers.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::math::ln;

/// The last 8 bytes of the key, so that no other use of the same seed gives the same stream.
const DOMAIN: [u8; 8] = *b"rekindle";

/// The random stream of one (seed, stream, step). See [`stream`].
#[derive(Clone, Debug)]
pub struct Stream(ChaCha8Rng);

/// The stream keyed by these three numbers.
///
/// `seed` is the run's, `stream` says what is drawn (each use has a number of its own), `step`
/// is the training step, layer or individual that it is drawn for.
///
/// ```
/// let mut first = rekindle_compute::rng::stream(1, 2, 3);
/// let mut again = rekindle_compute::rng::stream(1, 2, 3);
/// assert_eq!(first.bits(), again.bits());
/// ```
pub fn stream(seed: u64, stream: u64, step: u64) -> Stream {
    let mut key = [0; 32];
    key[0..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(&stream.to_le_bytes());
    key[16..24].copy_from_slice(&step.to_le_bytes());
    key[24..32].copy_from_slice(&DOMAIN);
    Stream(ChaCha8Rng::from_seed(key))
}

impl Stream {
    /// 64 random bits.
    #[inline]
    pub fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A float in [0, 1): a multiple of 2^-24.
    #[inline]
    pub fn uniform(&mut self) -> f32 {
        (self.0.next_u32() >> 8) as f32 / (1_u32 << 24) as f32
    }

    /// A double in [0, 1): a multiple of 2^-53.
    #[inline]
    pub fn uniform_f64(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A normal float of mean 0 and standard deviation 1 (Marsaglia and Bray, "A convenient method for
    /// generating normal variables", 1964, the first of each pair).
    pub fn normal(&mut self) -> f32 {
        loop {
            let (x, y) = (2.0 * self.uniform() - 1.0, 2.0 * self.uniform() - 1.0);
            let square = x * x + y * y;
            if square > 0.0 && square < 1.0 {
                return x * (-2.0 * ln(square) / square).sqrt();
            }
        }
    }

    /// An integer in `0..bound`, each equally likely (Lemire, "Fast random integer generation in
    /// an interval", 2019).
    ///
    /// # Panics
    /// If `bound` is 0.
    #[inline]
    pub fn below(&mut self, bound: u64) -> u64 {
        assert!(bound > 0, "an integer below 0 was asked for");
        let rejected = bound.wrapping_neg() % bound;
        loop {
            let product = u128::from(self.bits()) * u128::from(bound);
            if product as u64 >= rejected {
                return (product >> 64) as u64;
            }
        }
    }

    /// Puts the items into random order, every order equally likely.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let chosen = self.below(last as u64 + 1) as usize;
            items.swap(last, chosen);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_stream_is_pinned() {
        // A change here breaks exact resume of every run that was ever saved.
        let mut stream = stream(23, 1, 7);
        assert_eq!(stream.bits(), 10_092_492_374_480_291_082);
        assert_eq!(stream.bits(), 6_313_685_907_640_372_694);
    }

    #[test]
    fn each_key_has_a_stream_of_its_own() {
        let draws = [stream(0, 0, 1), stream(0, 1, 0), stream(1, 0, 0), stream(0, 0, 0)];
        let draws: Vec<_> = draws.into_iter().map(|mut stream| stream.bits()).collect();
        for (i, draw) in draws.iter().enumerate() {
            assert!(!draws[..i].contains(draw));
        }
    }

    #[test]
    fn uniform_draws_fill_the_unit_interval() {
        let mut stream = stream(5, 0, 0);
        let draws: Vec<f32> = (0..20_000).map(|_| stream.uniform()).collect();
        assert!(draws.iter().all(|x| (0.0..1.0).contains(x)));
        let mean = draws.iter().sum::<f32>() / draws.len() as f32;
        assert!((mean - 0.5).abs() < 0.01, "{mean}");
        let doubles: Vec<f64> = (0..20_000).map(|_| stream.uniform_f64()).collect();
        assert!(doubles.iter().all(|x| (0.0..1.0).contains(x)));
    }

    #[test]
    fn normal_draws_have_mean_0_and_deviation_1() {
        let mut stream = stream(7, 0, 0);
        let draws: Vec<f64> = (0..40_000).map(|_| f64::from(stream.normal())).collect();
        let mean = draws.iter().sum::<f64>() / draws.len() as f64;
        let squares = draws.iter().map(|draw| draw * draw).sum::<f64>() / draws.len() as f64;
        assert!(mean.abs() < 0.02 && (squares - 1.0).abs() < 0.03, "{mean} {squares}");
    }

    #[test]
    fn bounded_draws_are_even() {
        let mut stream = stream(6, 0, 0);
        let mut counts = [0; 6];
        for _ in 0..60_000 {
            counts[stream.below(6) as usize] += 1;
        }
        assert!(counts.iter().all(|count| (9_500..10_500).contains(count)), "{counts:?}");
    }

    proptest! {
        #[test]
        fn below_stays_below(seed: u64, bound in 1..u64::MAX) {
            prop_assert!(stream(seed, 0, 0).below(bound) < bound);
        }

        #[test]
        fn a_shuffle_keeps_every_item(seed: u64, length in 0..200_usize) {
            let mut items: Vec<usize> = (0..length).collect();
            stream(seed, 0, 0).shuffle(&mut items);
            items.sort_unstable();
            prop_assert_eq!(items, (0..length).collect::<Vec<_>>());
        }
    }
}
