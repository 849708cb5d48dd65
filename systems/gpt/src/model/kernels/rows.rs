//! Rows of numbers: sums in a fixed order, and what is added to all of them.

use rekindle_compute::{LANES, Lanes, kernel};

/// The sum of `term(index)` over `0..len`: sixteen chains, then the lanes in a fixed tree.
#[inline(always)]
pub fn sum_of(len: usize, term: impl Fn(usize) -> f32) -> f32 {
    let mut sums = Lanes::ZERO;
    let whole = len - len % LANES;
    let mut start = 0;
    while start < whole {
        for lane in 0..LANES {
            sums.0[lane] += term(start + lane);
        }
        start += LANES;
    }
    for index in whole..len {
        sums.0[index - whole] += term(index);
    }
    sums.sum()
}

kernel! {
    /// Adds a row to each of the rows of a matrix.
    pub fn add_to_each(matrix: &mut [f32], row: &[f32]) {
        for numbers in matrix.chunks_exact_mut(row.len()) {
            for (number, summand) in numbers.iter_mut().zip(row) {
                *number += summand;
            }
        }
    }
}

kernel! {
    /// Adds the sums of the columns of a matrix, from the first row to the last.
    pub fn add_columns(sums: &mut [f32], matrix: &[f32]) {
        for numbers in matrix.chunks_exact(sums.len()) {
            for (sum, number) in sums.iter_mut().zip(numbers) {
                *sum += number;
            }
        }
    }
}

kernel! {
    /// `sums += numbers`.
    pub fn add(sums: &mut [f32], numbers: &[f32]) {
        for (sum, number) in sums.iter_mut().zip(numbers) {
            *sum += number;
        }
    }
}

kernel! {
    /// `sums += numbers * factors`.
    pub fn add_product(sums: &mut [f32], numbers: &[f32], factors: &[f32]) {
        for ((sum, number), factor) in sums.iter_mut().zip(numbers).zip(factors) {
            *sum = number.mul_add(*factor, *sum);
        }
    }
}

kernel! {
    /// `gradient += strength * weights * (parameters - anchor)`.
    pub fn pull(gradient: &mut [f32], weights: &[f32], parameters: &[f32], anchor: &[f32], strength: f32) {
        let moved = parameters.iter().zip(anchor).map(|(parameter, anchor)| parameter - anchor);
        for ((sum, weight), moved) in gradient.iter_mut().zip(weights).zip(moved) {
            *sum = (strength * weight).mul_add(moved, *sum);
        }
    }
}

kernel! {
    /// `sums += numbers * numbers * factor`.
    pub fn add_squares(sums: &mut [f32], numbers: &[f32], factor: f32) {
        for (sum, number) in sums.iter_mut().zip(numbers) {
            *sum = (number * number).mul_add(factor, *sum);
        }
    }
}

kernel! {
    /// `numbers *= factors`.
    pub fn multiply_each(numbers: &mut [f32], factors: &[f32]) {
        for (number, factor) in numbers.iter_mut().zip(factors) {
            *number *= factor;
        }
    }
}

kernel! {
    /// The sum of the squares, in `sum`.
    pub fn squares(sum: &mut f32, numbers: &[f32]) {
        *sum = sum_of(numbers.len(), |index| numbers[index] * numbers[index]);
    }
}
