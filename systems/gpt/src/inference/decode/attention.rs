//! Keys and values of the tokens before, and what a query finds among them.

use rekindle_compute::{KernelPath, LANES, Lanes, kernel, math};

use crate::model::kernels::attention::PairBias;

/// Keys and values of one head.
#[derive(Debug)]
pub(super) struct HeadCache {
    size: usize,
    /// Panels of 16 positions: for each number of a key, those of 16 keys.
    keys: Vec<[f32; LANES]>,
    /// For each position its value, filled up with zeros to whole lanes.
    values: Vec<[f32; LANES]>,
    len: usize,
}

impl HeadCache {
    /// No keys, each of which has `size` numbers.
    pub fn new(size: usize) -> Self {
        Self { size, keys: Vec::new(), values: Vec::new(), len: 0 }
    }

    /// Adds the key and the value of the next position.
    pub fn push(&mut self, key: &[f32], value: &[f32]) {
        let lane = self.len % LANES;
        if lane == 0 {
            self.keys.resize(self.keys.len() + self.size, [0.0; LANES]);
        }
        let panel = self.len / LANES * self.size;
        for (lanes, number) in self.keys[panel..].iter_mut().zip(key) {
            lanes[lane] = *number;
        }
        self.values.extend(value.chunks(LANES).map(|numbers| {
            let mut lanes = [0.0; LANES];
            lanes[..numbers.len()].copy_from_slice(numbers);
            lanes
        }));
        self.len += 1;
    }

    /// Positions.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Forgets all positions from `len` on.
    pub fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
        self.keys.truncate(self.len.div_ceil(LANES) * self.size);
        self.values.truncate(self.len * self.size.div_ceil(LANES));
    }

    /// What a query finds among all positions: the mean of their values, weighted by
    /// the softmax of query times key over the root of the key's length, plus the bias of each position.
    pub fn attend(
        &self,
        path: KernelPath,
        output: &mut [f32],
        query: &[f32],
        bias: Option<PairBias<'_>>,
        weights: &mut Vec<[f32; LANES]>,
    ) {
        weights.resize(self.len.div_ceil(LANES), [0.0; LANES]);
        // What is added to the logits stands where they will.
        match bias {
            None => weights.fill([0.0; LANES]),
            Some(bias) => bias.fill_row(weights.as_flattened_mut()),
        }
        attend_kernel(path, output, query, &self.keys, &self.values, self.len, weights);
    }
}

kernel! {
    fn attend_kernel(
        output: &mut [f32],
        query: &[f32],
        keys: &[[f32; LANES]],
        values: &[[f32; LANES]],
        count: usize,
        weights: &mut [[f32; LANES]],
    ) {
        let sum = weigh(weights, query, keys, count);
        let chunks = query.len().div_ceil(LANES);
        for (chunk, output) in output.chunks_mut(LANES).enumerate() {
            let mean = mean_value(&values[chunk..], chunks, weights.as_flattened(), count);
            for (output, total) in output.iter_mut().zip(mean) {
                *output = total / sum;
            }
        }
    }
}

/// The weights of the positions, of those behind the last one 0; gives their sum.
#[inline(always)]
fn weigh(weights: &mut [[f32; LANES]], query: &[f32], keys: &[[f32; LANES]], count: usize) -> f32 {
    let scale = 1.0 / (query.len() as f32).sqrt();
    let mut largest = [f32::NEG_INFINITY; LANES];
    for (panel, (weights, keys)) in weights.iter_mut().zip(keys.chunks_exact(query.len())).enumerate() {
        let logits = logits(query, keys, scale);
        for lane in 0..LANES {
            weights[lane] += logits[lane];
        }
        let valid = (count - panel * LANES).min(LANES);
        weights[valid..].fill(f32::NEG_INFINITY);
        for lane in 0..LANES {
            largest[lane] = if weights[lane] > largest[lane] { weights[lane] } else { largest[lane] };
        }
    }
    let largest = largest.iter().fold(f32::NEG_INFINITY, |most, &x| if x > most { x } else { most });
    let mut sum = Lanes::ZERO;
    for weights in weights {
        for (weight, sum) in weights.iter_mut().zip(&mut sum.0) {
            *weight = math::exp(*weight - largest);
            *sum += *weight;
        }
    }
    sum.sum()
}

/// The scaled products of a query with the 16 keys of a panel.
#[inline(always)]
fn logits(query: &[f32], keys: &[[f32; LANES]], scale: f32) -> [f32; LANES] {
    let mut sums = [0.0; LANES];
    for (query, keys) in query.iter().zip(keys) {
        for lane in 0..LANES {
            sums[lane] = query.mul_add(keys[lane], sums[lane]);
        }
    }
    sums.map(|sum| sum * scale)
}

/// The weighted sum of every `step`th of `values`.
#[inline(always)]
fn mean_value(values: &[[f32; LANES]], step: usize, weights: &[f32], count: usize) -> [f32; LANES] {
    let mut sums = [0.0; LANES];
    for (weight, values) in weights[..count].iter().zip(values.iter().step_by(step)) {
        for lane in 0..LANES {
            sums[lane] = weight.mul_add(values[lane], sums[lane]);
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use rekindle_compute::rng;

    use super::*;
    use crate::model::network::fill_normal;

    fn cache(size: usize, len: usize) -> HeadCache {
        let mut stream = rng::stream(1, 2, 3);
        let mut cache = HeadCache::new(size);
        let (mut key, mut value) = (vec![0.0; size], vec![0.0; size]);
        for _ in 0..len {
            fill_normal(&mut key, &mut stream, 1.0);
            fill_normal(&mut value, &mut stream, 1.0);
            cache.push(&key, &value);
        }
        cache
    }

    fn attend(cache: &HeadCache, path: KernelPath) -> Vec<u32> {
        let mut query = vec![0.0; cache.size];
        fill_normal(&mut query, &mut rng::stream(9, 9, 9), 1.0);
        let mut output = vec![0.0; cache.size];
        cache.attend(path, &mut output, &query, None, &mut Vec::new());
        output.into_iter().map(f32::to_bits).collect()
    }

    #[test]
    fn every_path_computes_the_same_bits() {
        for (size, count) in [(1, 1), (16, 16), (48, 37), (70, 200)] {
            let cache = cache(size, count);
            let expected = attend(&cache, KernelPath::Portable);
            for path in KernelPath::available() {
                assert_eq!(attend(&cache, path), expected, "{path}");
            }
        }
    }

    #[test]
    fn what_was_forgotten_has_no_weight() {
        let expected = attend(&cache(20, 19), KernelPath::best());
        let mut longer = cache(20, 50);
        longer.truncate(19);
        assert_eq!(attend(&longer, KernelPath::best()), expected);
        longer.push(&[f32::INFINITY; 20], &[0.0; 20]);
        longer.truncate(19);
        assert_eq!(attend(&longer, KernelPath::best()), expected);
    }
}
