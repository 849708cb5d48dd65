//! Softmax and cross-entropy in one pass, and its gradient in the place of the logits.

use rekindle_compute::{LANES, kernel, math};

use super::rows::sum_of;

/// Stands for a target that is not to be predicted.
pub const NO_TARGET: u32 = u32::MAX;

kernel! {
    /// The cross-entropy of each row of `logits` against its target, in nats, into `losses`; 0 for
    /// [`NO_TARGET`]. In the place of the logits: their gradient times `scale`.
    pub fn cross_entropy(logits: &mut [f32], losses: &mut [f32], targets: &[u32], scale: f32) {
        let vocabulary = logits.len() / targets.len();
        for ((logits, loss), &target) in logits.chunks_exact_mut(vocabulary).zip(losses).zip(targets) {
            if target == NO_TARGET {
                *loss = 0.0;
                logits.fill(0.0);
                continue;
            }
            let target = target as usize;
            let largest = largest(logits);
            let own = logits[target] - largest;
            for logit in logits.iter_mut() {
                *logit = math::exp(*logit - largest);
            }
            let total = sum_of(logits.len(), |index| logits[index]);
            *loss = math::ln(total) - own;
            let factor = scale / total;
            for logit in logits.iter_mut() {
                *logit *= factor;
            }
            logits[target] -= scale;
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
