//! Layer normalisation, one pass over a row at a time.

use rekindle_compute::kernel;

use super::rows::sum_of;
use crate::network::{Norm, NormForm};

/// What the way back needs to know of a row.
#[derive(Debug, Clone, Copy, Default)]
pub struct Spread {
    mean: f32,
    /// One over the spread.
    inverse: f32,
    /// The spread over the standard deviation: 1 for [`NormForm::Variance`], whose derivative has no
    /// such factor.
    ratio: f32,
}

kernel! {
    /// Normalises each row of `input` into `output`.
    pub fn normalise(output: &mut [f32], spreads: &mut [Spread], input: &[f32], norm: &Norm) {
        let width = norm.gain.len();
        let rows = output.chunks_exact_mut(width).zip(input.chunks_exact(width));
        for ((output, input), spread) in rows.zip(spreads) {
            *spread = spread_of(input, norm);
            let shift = -spread.mean * spread.inverse;
            for column in 0..width {
                let centred = input[column].mul_add(spread.inverse, shift);
                output[column] = centred.mul_add(norm.gain[column], norm.bias[column]);
            }
        }
    }
}

#[inline(always)]
fn spread_of(row: &[f32], norm: &Norm) -> Spread {
    let scale = 1.0 / row.len() as f32;
    let mean = sum_of(row.len(), |column| row[column]) * scale;
    let variance = sum_of(row.len(), |column| {
        let centred = row[column] - mean;
        centred * centred
    }) * scale;
    match norm.form {
        NormForm::Variance => Spread { mean, inverse: 1.0 / (variance + norm.epsilon).sqrt(), ratio: 1.0 },
        NormForm::Deviation => {
            let deviation = variance.sqrt();
            let spread = deviation + norm.epsilon;
            // Where all numbers are the same, the centred ones are 0 and the factor does not matter.
            Spread { mean, inverse: 1.0 / spread, ratio: spread / deviation.max(f32::MIN_POSITIVE) }
        }
    }
}

/// Gradients of the parameters of a [`Norm`].
pub struct NormGradient<'a> {
    /// Of the factors.
    pub gain: &'a mut [f32],
    /// Of the summands.
    pub bias: &'a mut [f32],
}

kernel! {
    /// The way back of [`normalise`]: `change` is the gradient of its output. That of its input is
    /// added to `input_change`, those of the parameters to `gradient`.
    pub fn normalise_back(
        input_change: &mut [f32],
        gradient: NormGradient<'_>,
        change: &[f32],
        input: &[f32],
        spreads: &[Spread],
        norm: &Norm,
    ) {
        let width = norm.gain.len();
        let NormGradient { gain, bias } = gradient;
        let (gain, bias) = (&mut gain[..width], &mut bias[..width]);
        let factor = &norm.gain[..width];
        let scale = 1.0 / width as f32;
        let rows = change.chunks_exact(width).zip(input.chunks_exact(width));
        for (((change, input), input_change), spread) in
            rows.zip(input_change.chunks_exact_mut(width)).zip(spreads)
        {
            let Spread { mean, inverse, ratio } = *spread;
            let shift = -mean * inverse;
            for column in 0..width {
                let centred = input[column].mul_add(inverse, shift);
                gain[column] = change[column].mul_add(centred, gain[column]);
                bias[column] += change[column];
            }
            let mean_change = sum_of(width, |column| change[column] * factor[column]) * scale;
            let mean_product = sum_of(width, |column| {
                change[column] * factor[column] * input[column].mul_add(inverse, shift)
            }) * scale * ratio;
            for column in 0..width {
                let centred = input[column].mul_add(inverse, shift);
                let own = change[column].mul_add(factor[column], -mean_change);
                let inner = centred.mul_add(-mean_product, own);
                input_change[column] = inner.mul_add(inverse, input_change[column]);
            }
        }
    }
}
