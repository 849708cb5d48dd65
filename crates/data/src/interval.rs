//! How sure a share of right answers is.

/// The share that lies behind a count of right ones, with a confidence of 95 % (Wilson, "Probable
/// inference, the law of succession, and statistical inference", 1927).
pub fn share_interval(right: usize, count: usize) -> [f64; 2] {
    const Z: f64 = 1.959_963_984_540_054;
    let (count, share) = (count.max(1) as f64, right as f64 / count.max(1) as f64);
    let half_width = (share * (1.0 - share) / count + Z * Z / (4.0 * count * count)).sqrt();
    let middle = share + Z * Z / (2.0 * count);
    [-1.0, 1.0].map(|sign| (middle + sign * Z * half_width) / (1.0 + Z * Z / count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_those_of_the_literature() {
        // Newcombe, "Two-sided confidence intervals for the single proportion" (1998), table I, method 3.
        for (right, count, low, high) in
            [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611)]
        {
            let [found_low, found_high] = share_interval(right, count);
            assert!(
                (found_low - low).abs() < 1e-4 && (found_high - high).abs() < 1e-4,
                "{found_low} {found_high}"
            );
        }
    }
}
