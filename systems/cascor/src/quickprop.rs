//! Quickprop: each weight steps to the minimum of a parabola through its last two slopes.
//!
//! Fahlman, "Faster-learning variations on back-propagation: an empirical study", 1988, in the
//! form of his cascade-correlation program.

use rekindle_compute::{KernelPath, kernel};
use serde::{Deserialize, Serialize};

/// What quickprop remembers of each weight.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Memory {
    /// The last step of each weight.
    #[serde(with = "rekindle::growing")]
    pub deltas: Vec<f32>,
    /// The slope before the last step, weight decay included.
    #[serde(with = "rekindle::growing")]
    pub previous_slopes: Vec<f32>,
}

/// How quickprop steps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Quickprop {
    /// Share of the slope that is stepped down.
    pub epsilon: f32,
    /// A step is at most so many times the last one.
    pub mu: f32,
    /// Added to a slope for each unit of its weight.
    pub decay: f32,
}

impl Memory {
    /// The memory of weights that were never changed.
    pub fn zeros(weights: usize) -> Self {
        Self { deltas: vec![0.0; weights], previous_slopes: vec![0.0; weights] }
    }

    /// Makes room for more weights.
    pub(crate) fn grow(&mut self, weights: usize) {
        self.deltas.resize(weights, 0.0);
        self.previous_slopes.resize(weights, 0.0);
    }
}

impl Quickprop {
    /// Steps all weights down their slopes.
    pub fn update(&self, path: KernelPath, weights: &mut [f32], slopes: &[f32], memory: &mut Memory) {
        update(path, self, weights, slopes, &mut memory.deltas, &mut memory.previous_slopes);
    }

    /// The step of one weight, and the slope to be remembered. Without branches, so that it
    /// vectorises.
    #[inline(always)]
    fn step(&self, weight: f32, slope: f32, delta: f32, previous: f32) -> (f32, f32) {
        let shrink = self.mu / (1.0 + self.mu);
        let slope = self.decay.mul_add(weight, slope);
        // A weight that last moved up is treated as one that moved down, mirrored.
        let mirror = if delta > 0.0 { -1.0 } else { 1.0 };
        let (s, p) = (mirror * slope, mirror * previous);
        // A parabola through two equal slopes has no minimum; Fahlman's program divides by zero.
        let bend = previous - slope;
        let parabola = if bend == 0.0 { 0.0 } else { delta * (slope / bend) };
        let jump = if s >= shrink * p { self.mu * delta } else { parabola };
        let descent = -self.epsilon * slope;
        let downhill = if s > 0.0 { descent } else { 0.0 };
        let step = if delta == 0.0 { descent } else { downhill + jump };
        (step, slope)
    }
}

kernel! {
    fn update(
        quickprop: &Quickprop,
        weights: &mut [f32],
        slopes: &[f32],
        deltas: &mut [f32],
        previous_slopes: &mut [f32],
    ) {
        for (((w, s), d), p) in weights.iter_mut().zip(slopes).zip(deltas).zip(previous_slopes) {
            let (step, slope) = quickprop.step(*w, *s, *d, *p);
            *w += step;
            *d = step;
            *p = slope;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The update as published, with its branches.
    fn published(quickprop: &Quickprop, w: f32, slope: f32, d: f32, p: f32) -> f32 {
        let s = quickprop.decay.mul_add(w, slope);
        let shrink = quickprop.mu / (1.0 + quickprop.mu);
        let mut step = 0.0;
        if d < 0.0 {
            if s > 0.0 {
                step -= quickprop.epsilon * s;
            }
            step += if s >= shrink * p { quickprop.mu * d } else { d * (s / (p - s)) };
        } else if d > 0.0 {
            if s < 0.0 {
                step -= quickprop.epsilon * s;
            }
            step += if s <= shrink * p { quickprop.mu * d } else { d * (s / (p - s)) };
        } else {
            step -= quickprop.epsilon * s;
        }
        step
    }

    #[test]
    fn steps_are_the_published_ones() {
        let quickprop = Quickprop { epsilon: 0.35, mu: 2.0, decay: 1e-4 };
        let values = [-2.0, -0.7, -0.1, 0.0, 0.05, 0.4, 1.9_f32];
        for slope in values {
            for delta in values {
                for previous in values {
                    let (step, _) = quickprop.step(0.3, slope, delta, previous);
                    if delta != 0.0 && quickprop.decay.mul_add(0.3, slope) == previous {
                        continue;
                    }
                    let expected = published(&quickprop, 0.3, slope, delta, previous);
                    assert_eq!(step, expected, "slope {slope}, delta {delta}, previous {previous}");
                }
            }
        }
    }

    #[test]
    fn a_parabola_is_minimised_in_two_steps() {
        let quickprop = Quickprop { epsilon: 0.1, mu: 1e6, decay: 0.0 };
        let mut weights = [5.0];
        let mut memory = Memory::zeros(1);
        for _ in 0..2 {
            let slope = [2.0 * (weights[0] - 1.0)];
            quickprop.update(KernelPath::best(), &mut weights, &slope, &mut memory);
        }
        // The second step adds the plain descent to the jump, as published.
        assert!((weights[0] - 1.0).abs() < 1.0, "{weights:?}");
    }
}
