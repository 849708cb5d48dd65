//! Elementary functions that compute the same bits everywhere.
//!
//! The system's `expf` and its kin differ between platforms and versions, so these are our own:
//! range reduction and a polynomial, with fused multiply-adds in a fixed order, without branches,
//! so that a loop over lanes vectorises. Polynomials: Moshier, Cephes mathematical library,
//! `expf.c`, `logf.c`, `tanhf.c`.

const LN_2_HIGH: f32 = 0.693_359_4;
const LN_2_LOW: f32 = -2.121_944_4e-4;
/// Adding this to a float below 2^22 in magnitude leaves it rounded to an integer in the low bits.
const ROUND: f32 = 12_582_912.0;

/// `e^x`, within 2 units in the last place.
///
/// A result below the smallest normal float is 0, one above the largest is infinity, and NaN
/// stays NaN.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    const SMALLEST: f32 = -87.336_54;
    const LARGEST: f32 = 88.722_83;

    let clamped = if x < SMALLEST { SMALLEST } else { x };
    let clamped = if clamped > LARGEST { LARGEST } else { clamped };
    let (mantissa, power) = exp_parts(clamped);

    // The exponent reaches 128, one more than a float can hold: half goes into a second factor.
    let half = power >> 1;
    let result = mantissa * power_of_two(half) * power_of_two(power.wrapping_sub(half));

    let result = if x < SMALLEST { 0.0 } else { result };
    let result = if x > LARGEST { f32::INFINITY } else { result };
    if x.is_nan() { x } else { result }
}

/// `e^x` as a mantissa and a power of two, for `x` from -88 to 89.
#[inline(always)]
fn exp_parts(x: f32) -> (f32, i32) {
    let shifted = x.mul_add(std::f32::consts::LOG2_E, ROUND);
    let exponent = shifted - ROUND;
    let rest = exponent.mul_add(-LN_2_HIGH, x);
    let rest = exponent.mul_add(-LN_2_LOW, rest);

    let mut polynomial = 1.987_569_1e-4_f32;
    polynomial = polynomial.mul_add(rest, 1.398_199_9e-3);
    polynomial = polynomial.mul_add(rest, 8.333_452e-3);
    polynomial = polynomial.mul_add(rest, 4.166_579_6e-2);
    polynomial = polynomial.mul_add(rest, 1.666_666_5e-1);
    polynomial = polynomial.mul_add(rest, 0.5);
    let mantissa = polynomial.mul_add(rest * rest, rest) + 1.0;
    (mantissa, (shifted.to_bits() as i32).wrapping_sub(ROUND.to_bits() as i32))
}

/// The logistic function `1 / (1 + e^-x)`, within 3 units in the last place.
///
/// Below -87 it is what it is at -87, about 1.6e-38; NaN stays NaN.
#[inline(always)]
pub fn logistic(x: f32) -> f32 {
    // Within these bounds no power of two leaves the range of a float.
    let clamped = if x < -87.0 { -87.0 } else { x };
    let clamped = if clamped > 87.0 { 87.0 } else { clamped };
    let (mantissa, power) = exp_parts(-clamped);
    1.0 / mantissa.mul_add(power_of_two(power), 1.0)
}

/// The natural logarithm, within 2 units in the last place for normal `x`.
///
/// `ln(0)` and the logarithm of a subnormal are negative infinity; of a negative number, NaN.
#[inline(always)]
pub fn ln(x: f32) -> f32 {
    // The mantissa is brought to [sqrt(1/2), sqrt(2)), where the polynomial holds.
    const SQRT_HALF_BITS: i32 = 0x3f35_04f3;
    let bits = x.to_bits() as i32;
    let exponent = bits.wrapping_sub(SQRT_HALF_BITS) >> 23;
    let mantissa = f32::from_bits(bits.wrapping_sub(exponent << 23) as u32);
    let exponent = exponent as f32;
    let rest = mantissa - 1.0;
    let square = rest * rest;

    let mut polynomial = 7.037_683_6e-2_f32;
    polynomial = polynomial.mul_add(rest, -1.151_461e-1);
    polynomial = polynomial.mul_add(rest, 1.167_699_9e-1);
    polynomial = polynomial.mul_add(rest, -1.242_014_1e-1);
    polynomial = polynomial.mul_add(rest, 1.424_932_3e-1);
    polynomial = polynomial.mul_add(rest, -1.666_805_8e-1);
    polynomial = polynomial.mul_add(rest, 2.000_071_5e-1);
    polynomial = polynomial.mul_add(rest, -2.499_999_4e-1);
    polynomial = polynomial.mul_add(rest, 3.333_333e-1);
    let tail = polynomial * rest * square;
    let tail = exponent.mul_add(LN_2_LOW, tail);
    let tail = square.mul_add(-0.5, tail);
    let result = exponent.mul_add(LN_2_HIGH, rest + tail);

    let result = if x < f32::MIN_POSITIVE { f32::NEG_INFINITY } else { result };
    let result = if x < 0.0 { f32::NAN } else { result };
    if x < f32::INFINITY { result } else { x }
}

/// The hyperbolic tangent, within 3 units in the last place.
#[inline(always)]
pub fn tanh(x: f32) -> f32 {
    let magnitude = x.abs();
    let square = x * x;
    let mut polynomial = -5.704_988_7e-3_f32;
    polynomial = polynomial.mul_add(square, 2.063_909e-2);
    polynomial = polynomial.mul_add(square, -5.373_971_6e-2);
    polynomial = polynomial.mul_add(square, 1.333_144_2e-1);
    polynomial = polynomial.mul_add(square, -3.333_328e-1);
    let near = (polynomial * square).mul_add(x, x);

    let far = 1.0 - 2.0 / (exp(magnitude + magnitude) + 1.0);
    let far = far.copysign(x);
    if magnitude < 0.625 { near } else { far }
}

/// `2^power` for a power from -126 to 127.
#[inline(always)]
fn power_of_two(power: i32) -> f32 {
    f32::from_bits((power.wrapping_add(127) as u32) << 23)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{KernelPath, LANES, kernel};

    /// The largest error in units in the last place of the exact result.
    fn worst(function: fn(f32) -> f32, exact: fn(f64) -> f64, inputs: impl Iterator<Item = f32>) -> f64 {
        inputs
            .map(|x| {
                let expected = exact(f64::from(x));
                let rounded = expected as f32;
                let unit = f64::from(rounded.abs().next_up()) - f64::from(rounded.abs());
                (f64::from(function(x)) - expected).abs() / unit
            })
            .fold(0.0, f64::max)
    }

    fn range(from: f32, to: f32) -> impl Iterator<Item = f32> {
        (0..=200_000).map(move |i| from + (to - from) * (i as f32 / 200_000.0))
    }

    #[test]
    fn exp_is_accurate() {
        let error = worst(exp, f64::exp, range(-87.3, 88.7));
        assert!(error < 2.0, "{error}");
        let error = worst(exp, f64::exp, range(-1.0, 1.0));
        assert!(error < 2.0, "{error}");
    }

    #[test]
    fn exp_at_the_edges() {
        assert_eq!(exp(0.0), 1.0);
        assert_eq!(exp(-0.0), 1.0);
        assert_eq!(exp(-88.0), 0.0);
        assert_eq!(exp(f32::NEG_INFINITY), 0.0);
        assert_eq!(exp(f32::INFINITY), f32::INFINITY);
        assert_eq!(exp(89.0), f32::INFINITY);
        assert!(exp(88.72).is_finite());
        assert!(exp(f32::NAN).is_nan());
    }

    #[test]
    fn ln_is_accurate() {
        let error = worst(ln, f64::ln, range(1.0e-3, 4.0));
        assert!(error < 2.0, "{error}");
        let error = worst(ln, f64::ln, (1..200_000).map(|i| f32::from_bits(i * 10_000 + 0x0080_0000)));
        assert!(error < 2.0, "{error}");
    }

    #[test]
    fn ln_at_the_edges() {
        assert_eq!(ln(1.0), 0.0);
        assert_eq!(ln(0.0), f32::NEG_INFINITY);
        assert_eq!(ln(f32::INFINITY), f32::INFINITY);
        assert!(ln(-1.0).is_nan());
        assert!(ln(f32::NAN).is_nan());
    }

    #[test]
    fn tanh_is_accurate_and_odd() {
        let error = worst(tanh, f64::tanh, range(-12.0, 12.0));
        assert!(error < 3.0, "{error}");
        let error = worst(tanh, f64::tanh, range(-1.0e-3, 1.0e-3));
        assert!(error < 3.0, "{error}");
        assert_eq!(tanh(-0.3), -tanh(0.3));
        assert_eq!(tanh(100.0), 1.0);
        assert_eq!(tanh(f32::NEG_INFINITY), -1.0);
        assert!(tanh(f32::NAN).is_nan());
    }

    #[test]
    fn logistic_is_accurate() {
        let error = worst(logistic, |x| 1.0 / (1.0 + (-x).exp()), range(-86.0, 86.0));
        assert!(error < 3.0, "{error}");
        assert_eq!(logistic(0.0), 0.5);
        assert_eq!(logistic(f32::INFINITY), 1.0);
        assert!((0.0..1e-37).contains(&logistic(f32::NEG_INFINITY)));
        assert!(logistic(f32::NAN).is_nan());
    }

    kernel! {
        fn all_of_them(outputs: &mut [[f32; LANES]], inputs: &[[f32; LANES]]) {
            for (outputs, inputs) in outputs.chunks_exact_mut(4).zip(inputs) {
                for lane in 0..LANES {
                    outputs[0][lane] = exp(inputs[lane]);
                    outputs[1][lane] = ln(inputs[lane].abs());
                    outputs[2][lane] = tanh(inputs[lane]);
                    outputs[3][lane] = logistic(inputs[lane]);
                }
            }
        }
    }

    #[test]
    fn every_path_computes_the_same_bits() {
        let inputs: Vec<[f32; LANES]> =
            (0..500).map(|i| std::array::from_fn(|lane| (i * LANES + lane) as f32 * 0.025 - 100.0)).collect();
        let run = |path| {
            let mut outputs = vec![[0.0_f32; LANES]; inputs.len() * 4];
            all_of_them(path, &mut outputs, &inputs);
            outputs.as_flattened().iter().map(|x| x.to_bits()).collect::<Vec<_>>()
        };
        let expected = run(KernelPath::Portable);
        for path in KernelPath::available() {
            assert_eq!(run(path), expected, "{path}");
        }
    }
}
