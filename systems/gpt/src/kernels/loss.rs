//! Softmax and cross-entropy in one pass, and its gradient in the place of the scores.

use rekindle_compute::{LANES, kernel, math};

use super::rows::sum_of;

/// Stands for a target that is not to be learnt.
pub const NO_TARGET: u32 = u32::MAX;

kernel! {
    /// The cross-entropy of each row of `scores` against its target, in nats, into `losses`; 0 for
    /// [`NO_TARGET`]. In the place of the scores: their gradient times `scale`.
    pub fn cross_entropy(scores: &mut [f32], losses: &mut [f32], targets: &[u32], scale: f32) {
        let vocabulary = scores.len() / targets.len();
        for ((scores, loss), &target) in scores.chunks_exact_mut(vocabulary).zip(losses).zip(targets) {
            if target == NO_TARGET {
                *loss = 0.0;
                scores.fill(0.0);
                continue;
            }
            let target = target as usize;
            let largest = largest(scores);
            let own = scores[target] - largest;
            for score in scores.iter_mut() {
                *score = math::exp(*score - largest);
            }
            let total = sum_of(scores.len(), |index| scores[index]);
            *loss = math::ln(total) - own;
            let factor = scale / total;
            for score in scores.iter_mut() {
                *score *= factor;
            }
            scores[target] -= scale;
        }
    }
}

/// The largest number.
#[inline(always)]
pub fn largest(numbers: &[f32]) -> f32 {
    let mut lanes = [f32::NEG_INFINITY; LANES];
    let (blocks, rest) = numbers.as_chunks::<LANES>();
    for block in blocks {
        for lane in 0..LANES {
            lanes[lane] = if block[lane] > lanes[lane] { block[lane] } else { lanes[lane] };
        }
    }
    let all = lanes.into_iter().chain(rest.iter().copied());
    all.fold(f32::NEG_INFINITY, |largest, number| if number > largest { number } else { largest })
}
