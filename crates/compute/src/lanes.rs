//! Sixteen floats that a kernel works on at once.

/// How many floats a kernel works on at once, on every path.
pub const LANES: usize = 16;

/// Sixteen floats, aligned to a cache line.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C, align(64))]
pub struct Lanes(pub [f32; LANES]);

impl Lanes {
    /// Zero in every lane.
    pub const ZERO: Self = Self([0.0; LANES]);

    /// The sum of the lanes: halves are added until one is left, the same tree on every path.
    #[inline(always)]
    pub fn sum(&self) -> f32 {
        let mut sums = self.0;
        let mut width = LANES / 2;
        while width > 0 {
            for lane in 0..width {
                sums[lane] += sums[lane + width];
            }
            width /= 2;
        }
        sums[0]
    }
}

impl Default for Lanes {
    fn default() -> Self {
        Self::ZERO
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_adds_every_lane_once() {
        let lanes = Lanes(std::array::from_fn(|lane| (1 << lane) as f32));
        assert_eq!(lanes.sum(), 65_535.0);
    }
}
