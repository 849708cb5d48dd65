//! AdamW over flat buffers: Adam with decoupled weight decay.
//!
//! Loshchilov and Hutter, "Decoupled weight decay regularization", 2019, in the order of optax:
//!
//! ```text
//! m = b1 m + (1 - b1) g          v = b2 v + (1 - b2) g^2
//! p = p - lr ( m/(1 - b1^t) / (sqrt(v/(1 - b2^t)) + eps) + wd p )
//! ```

use serde::{Deserialize, Serialize};

use crate::{KernelPath, LANES, kernel};

/// The hyper-parameters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamW {
    /// Step size.
    pub learning_rate: f64,
    /// Decay of the first and of the second moment, each in [0, 1).
    pub betas: [f64; 2],
    /// Added to the root of the second moment.
    pub epsilon: f64,
    /// Share of a parameter that is taken off per unit of learning rate.
    pub weight_decay: f64,
}

/// The running moments of the gradient of one parameter array: what a checkpoint must hold.
///
/// The count of updates is not here, because a model has one count and many arrays.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Moments {
    /// Running mean of the gradient, one for each parameter.
    pub first_moment: Vec<f32>,
    /// Running mean of the squared gradient, one for each parameter.
    pub second_moment: Vec<f32>,
}

impl Moments {
    /// The moments of an array that was never updated.
    pub fn zeros(parameters: usize) -> Self {
        Self { first_moment: vec![0.0; parameters], second_moment: vec![0.0; parameters] }
    }
}

impl AdamW {
    /// Updates `parameters` in place. `step` counts the updates of this array, this one included,
    /// so it is 1 for the first.
    ///
    /// # Panics
    /// If the arrays differ in length, or `step` is 0.
    pub fn update(
        &self,
        path: KernelPath,
        step: u64,
        parameters: &mut [f32],
        gradient: &[f32],
        moments: &mut Moments,
    ) {
        let Moments { first_moment, second_moment } = moments;
        self.update_scaled(path, step, 1.0, parameters, gradient, first_moment, second_moment);
    }

    /// The same with gradients that are multiplied by `scale` first, and with moments that lie
    /// elsewhere.
    ///
    /// # Panics
    /// As [`Self::update`].
    #[allow(clippy::too_many_arguments, reason = "four arrays and how to read them")]
    pub fn update_scaled(
        &self,
        path: KernelPath,
        step: u64,
        scale: f32,
        parameters: &mut [f32],
        gradient: &[f32],
        first_moment: &mut [f32],
        second_moment: &mut [f32],
    ) {
        let length = parameters.len();
        assert_eq!(gradient.len(), length, "one gradient for each parameter");
        assert_eq!(first_moment.len(), length, "one first moment for each parameter");
        assert_eq!(second_moment.len(), length, "one second moment for each parameter");
        apply(path, &self.factors(step, scale), parameters, gradient, first_moment, second_moment);
    }

    fn factors(&self, step: u64, scale: f32) -> Factors {
        assert!(step > 0, "the first update is step 1");
        let [first, second] = self.betas;
        Factors {
            keep: self.betas.map(|beta| beta as f32),
            take: self.betas.map(|beta| (1.0 - beta) as f32),
            correct: [first, second].map(|beta| (1.0 / (1.0 - power(beta, step))) as f32),
            epsilon: self.epsilon as f32,
            weight_decay: self.weight_decay as f32,
            descent: -self.learning_rate as f32,
            scale,
        }
    }
}

/// The hyper-parameters as the kernel wants them at one step.
struct Factors {
    keep: [f32; 2],
    take: [f32; 2],
    correct: [f32; 2],
    epsilon: f32,
    weight_decay: f32,
    descent: f32,
    scale: f32,
}

/// `base^exponent` by squaring: `f64::powi` promises no particular bits.
fn power(base: f64, exponent: u64) -> f64 {
    let (mut result, mut square, mut exponent) = (1.0, base, exponent);
    while exponent > 0 {
        if exponent & 1 == 1 {
            result *= square;
        }
        square *= square;
        exponent >>= 1;
    }
    result
}

kernel! {
    fn apply(
        factors: &Factors,
        parameters: &mut [f32],
        gradient: &[f32],
        first_moment: &mut [f32],
        second_moment: &mut [f32],
    ) {
        let (parameters, parameters_rest) = parameters.as_chunks_mut::<LANES>();
        let (gradient, gradient_rest) = gradient.as_chunks::<LANES>();
        let (first_moment, first_rest) = first_moment.as_chunks_mut::<LANES>();
        let (second_moment, second_rest) = second_moment.as_chunks_mut::<LANES>();
        let blocks = parameters.iter_mut().zip(gradient).zip(first_moment).zip(second_moment);
        for (((p, g), m), v) in blocks {
            for lane in 0..LANES {
                update_one(factors, &mut p[lane], g[lane], &mut m[lane], &mut v[lane]);
            }
        }
        let rest = parameters_rest.iter_mut().zip(gradient_rest).zip(first_rest).zip(second_rest);
        for (((p, g), m), v) in rest {
            update_one(factors, p, *g, m, v);
        }
    }
}

#[inline(always)]
fn update_one(factors: &Factors, p: &mut f32, g: f32, m: &mut f32, v: &mut f32) {
    let g = g * factors.scale;
    *m = factors.keep[0].mul_add(*m, factors.take[0] * g);
    *v = factors.keep[1].mul_add(*v, factors.take[1] * g * g);
    let root = (*v * factors.correct[1]).sqrt() + factors.epsilon;
    let ascent = factors.weight_decay.mul_add(*p, *m * factors.correct[0] / root);
    *p = factors.descent.mul_add(ascent, *p);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng;

    const ADAMW: AdamW = AdamW { learning_rate: 0.05, betas: [0.9, 0.99], epsilon: 1e-8, weight_decay: 1e-2 };

    /// The published formula, in double precision.
    fn reference(parameters: &mut [f64], gradients: &[Vec<f32>]) {
        let mut moments = vec![[0.0_f64; 2]; parameters.len()];
        for (t, gradient) in gradients.iter().enumerate() {
            let t = t as i32 + 1;
            for ((p, [m, v]), g) in parameters.iter_mut().zip(&mut moments).zip(gradient) {
                let g = f64::from(*g);
                *m = 0.9 * *m + 0.1 * g;
                *v = 0.99 * *v + 0.01 * g * g;
                let first = *m / (1.0 - 0.9_f64.powi(t));
                let second = *v / (1.0 - 0.99_f64.powi(t));
                *p -= 0.05 * (first / (second.sqrt() + 1e-8) + 0.01 * *p);
            }
        }
    }

    fn gradients(length: usize, steps: usize) -> Vec<Vec<f32>> {
        let mut stream = rng::stream(3, 0, 0);
        (0..steps).map(|_| (0..length).map(|_| stream.uniform() - 0.3).collect()).collect()
    }

    #[test]
    fn follows_the_published_formula() {
        let gradients = gradients(37, 50);
        let mut expected = vec![10.0_f64; 37];
        reference(&mut expected, &gradients);
        let mut parameters = vec![10.0_f32; 37];
        let mut moments = Moments::zeros(37);
        for (t, gradient) in gradients.iter().enumerate() {
            let step = t as u64 + 1;
            ADAMW.update(KernelPath::best(), step, &mut parameters, gradient, &mut moments);
        }
        for (actual, expected) in parameters.iter().zip(&expected) {
            assert!((f64::from(*actual) - expected).abs() < 2e-5, "{actual} {expected}");
        }
    }

    #[test]
    fn the_first_step_is_the_learning_rate_and_the_decay() {
        // At step 1 both moments are fully corrected, so the step is lr * (sign(g) + wd * p).
        let mut parameters = [10.0, 0.0, -2.0];
        let mut moments = Moments::zeros(3);
        ADAMW.update(KernelPath::best(), 1, &mut parameters, &[4.0, -0.5, 0.0], &mut moments);
        for (actual, expected) in parameters.iter().zip([9.945_f32, 0.05, -1.999]) {
            assert!((actual - expected).abs() < 1e-6, "{actual} {expected}");
        }
    }

    #[test]
    fn every_path_computes_the_same_bits() {
        let gradients = gradients(100, 20);
        let run = |path| {
            let mut parameters = vec![1.0_f32; 100];
            let mut moments = Moments::zeros(100);
            for (t, gradient) in gradients.iter().enumerate() {
                ADAMW.update(path, t as u64 + 1, &mut parameters, gradient, &mut moments);
            }
            parameters.iter().map(|p| p.to_bits()).collect::<Vec<_>>()
        };
        let expected = run(KernelPath::Portable);
        for path in KernelPath::available() {
            assert_eq!(run(path), expected, "{path}");
        }
    }
}
