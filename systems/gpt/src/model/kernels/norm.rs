//! Layer normalisation, one pass over a row at a time.

use rekindle_compute::kernel;

use super::rows::sum_of;
use crate::model::network::{Norm, NormForm};

/// Mean and standard deviation of a row, for the backward pass.
#[derive(Debug, Clone, Copy, Default)]
pub struct RowStats {
    mean: f32,
    /// One over the standard deviation, stabilised by epsilon.
    inverse_std: f32,
    /// The stabilised standard deviation over the plain one: 1 for [`NormForm::Variance`], whose derivative has no
    /// such factor.
    ratio: f32,
}

kernel! {
    /// Normalises each row of `input` into `output`.
    pub fn normalise(output: &mut [f32], stats: &mut [RowStats], input: &[f32], norm: &Norm) {
        let width = norm.gain.len();
        let rows = output.chunks_exact_mut(width).zip(input.chunks_exact(width));
        for ((output, input), stats) in rows.zip(stats) {
            *stats = row_stats(input, norm);
            let shift = -stats.mean * stats.inverse_std;
            for column in 0..width {
                let centred = input[column].mul_add(stats.inverse_std, shift);
                output[column] = centred.mul_add(norm.gain[column], norm.bias[column]);
            }
        }
    }
}

#[inline(always)]
fn row_stats(row: &[f32], norm: &Norm) -> RowStats {
    let scale = 1.0 / row.len() as f32;
    let mean = sum_of(row.len(), |column| row[column]) * scale;
    let variance = sum_of(row.len(), |column| {
        let centred = row[column] - mean;
        centred * centred
    }) * scale;
    match norm.form {
        NormForm::Variance => {
            RowStats { mean, inverse_std: 1.0 / (variance + norm.epsilon).sqrt(), ratio: 1.0 }
        }
        NormForm::Deviation => {
            let deviation = variance.sqrt();
            let std = deviation + norm.epsilon;
            // Where all numbers are the same, the centred ones are 0 and the factor does not matter.
            RowStats { mean, inverse_std: 1.0 / std, ratio: std / deviation.max(f32::MIN_POSITIVE) }
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
    /// The backward pass of [`normalise`]: `grad` is the gradient of its output. That of its input is
    /// added to `input_grad`, those of the parameters to `weight_grads`.
    pub fn normalise_backward(
        input_grad: &mut [f32],
        weight_grads: NormGradient<'_>,
        grad: &[f32],
        input: &[f32],
        stats: &[RowStats],
        norm: &Norm,
    ) {
        let width = norm.gain.len();
        let NormGradient { gain, bias } = weight_grads;
        let (gain, bias) = (&mut gain[..width], &mut bias[..width]);
        let factor = &norm.gain[..width];
        let scale = 1.0 / width as f32;
        let rows = grad.chunks_exact(width).zip(input.chunks_exact(width));
        for (((grad, input), input_grad), stats) in
            rows.zip(input_grad.chunks_exact_mut(width)).zip(stats)
        {
            let RowStats { mean, inverse_std, ratio } = *stats;
            let shift = -mean * inverse_std;
            for column in 0..width {
                let centred = input[column].mul_add(inverse_std, shift);
                gain[column] = grad[column].mul_add(centred, gain[column]);
                bias[column] += grad[column];
            }
            let mean_grad = sum_of(width, |column| grad[column] * factor[column]) * scale;
            let mean_product = sum_of(width, |column| {
                grad[column] * factor[column] * input[column].mul_add(inverse_std, shift)
            }) * scale * ratio;
            for column in 0..width {
                let centred = input[column].mul_add(inverse_std, shift);
                let own = grad[column].mul_add(factor[column], -mean_grad);
                let inner = centred.mul_add(-mean_product, own);
                input_grad[column] = inner.mul_add(inverse_std, input_grad[column]);
            }
        }
    }
}
