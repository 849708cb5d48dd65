//! What is done to rows of numbers besides linear maps and attention.

use rekindle_compute::{LANES, Lanes, kernel, math};

use crate::model::network::{Activation, Norm, NormForm};

kernel! {
    /// `normed` becomes the rows of `rows`, each normalised.
    pub(super) fn normalise(normed: &mut [f32], rows: &[f32], norm: &Norm) {
        let width = norm.gain.len();
        for (normed, row) in normed.chunks_exact_mut(width).zip(rows.chunks_exact(width)) {
            let mean = sum(row, 0.0, |number, _| number) / width as f32;
            let variance = sum(row, mean, |number, mean| (number - mean) * (number - mean)) / width as f32;
            let std = match norm.form {
                NormForm::Variance => (variance + norm.epsilon).sqrt(),
                NormForm::Deviation => variance.sqrt() + norm.epsilon,
            };
            let inverse = 1.0 / std;
            let parameters = norm.gain.iter().zip(&norm.bias);
            for ((normed, number), (gain, bias)) in normed.iter_mut().zip(row).zip(parameters) {
                *normed = ((number - mean) * inverse).mul_add(*gain, *bias);
            }
        }
    }
}

kernel! {
    /// Applies an activation to all numbers.
    pub(super) fn activate(numbers: &mut [f32], activation: Activation) {
        match activation {
            Activation::Gelu => numbers.iter_mut().for_each(|number| *number = gelu(*number)),
            Activation::Relu => numbers.iter_mut().for_each(|number| {
                // What is not a number stays what it is.
                *number = if *number < 0.0 { 0.0 } else { *number };
            }),
        }
    }
}

#[inline(always)]
fn gelu(x: f32) -> f32 {
    const ROOT: f32 = 0.797_884_6;
    let inner = ROOT * (0.044_715 * x * x).mul_add(x, x);
    0.5 * x * (1.0 + math::tanh(inner))
}

/// The sum of what `term` makes of all numbers: of each lane, and then of the lanes.
#[inline(always)]
fn sum(numbers: &[f32], mean: f32, term: impl Fn(f32, f32) -> f32) -> f32 {
    let (chunks, rest) = numbers.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for chunk in chunks {
        for lane in 0..LANES {
            sums[lane] += term(chunk[lane], mean);
        }
    }
    for (sum, number) in sums.iter_mut().zip(rest) {
        *sum += term(*number, mean);
    }
    Lanes(sums).sum()
}

#[cfg(test)]
mod tests {
    use rekindle_compute::KernelPath;

    use super::*;

    #[test]
    fn every_path_computes_the_same_bits() {
        let rows: Vec<f32> = (0..2 * 37).map(|i| (i * i % 101) as f32 * 0.1 - 4.0).collect();
        for form in [NormForm::Variance, NormForm::Deviation] {
            let norm = Norm { form, epsilon: 1e-5, gain: vec![1.5; 37], bias: vec![0.25; 37] };
            let run = |path| {
                let mut normed = vec![0.0; rows.len()];
                normalise(path, &mut normed, &rows, &norm);
                activate(path, &mut normed, Activation::Gelu);
                normed.into_iter().map(f32::to_bits).collect::<Vec<_>>()
            };
            for path in KernelPath::available() {
                assert_eq!(run(path), run(KernelPath::Portable), "{path}");
            }
        }
    }

    #[test]
    fn a_relu_keeps_what_is_no_number() {
        let mut numbers = [-1.0, 0.0, 2.0, f32::NAN];
        activate(KernelPath::best(), &mut numbers, Activation::Relu);
        assert_eq!(numbers[..3], [0.0, 0.0, 2.0]);
        assert!(numbers[3].is_nan());
    }
}
