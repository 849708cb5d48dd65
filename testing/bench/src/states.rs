//! States to save: named arrays of seeded noise.

use rayon::prelude::*;
use rekindle::tree::DType;
use rekindle_compute::rng;

/// Numbers that are drawn from one random stream.
const BLOCK: usize = 1 << 16;

/// Arrays by section and name: what both sides of a comparison save.
#[derive(Debug, Default)]
pub struct State {
    /// The arrays; those of a section lie together.
    pub arrays: Vec<NamedArray>,
}

/// An array of a [`State`].
#[derive(Debug)]
pub struct NamedArray {
    /// The part of the state that it belongs to.
    pub section: &'static str,
    /// Its name within the section.
    pub name: String,
    /// Element type.
    pub dtype: DType,
    /// Extent per dimension.
    pub shape: Vec<u64>,
    /// The elements, little-endian, in row-major order.
    pub bytes: Vec<u8>,
}

impl State {
    /// Bytes of all arrays.
    pub fn payload(&self) -> u64 {
        self.arrays.iter().map(|array| array.bytes.len() as u64).sum()
    }

    /// Adds an array of `f32`.
    pub fn push(&mut self, section: &'static str, name: impl Into<String>, shape: &[u64], bytes: Vec<u8>) {
        let (name, shape) = (name.into(), shape.to_vec());
        self.arrays.push(NamedArray { section, name, dtype: DType::F32, shape, bytes });
    }
}

/// Weights and both Adam moments of a language model with 12 layers of width 768: 363 arrays,
/// 1.25 GB at `scale` 1.
pub fn language_model(scale: f64) -> State {
    let width = scaled(768, scale.sqrt());
    let vocabulary = scaled(25_128, scale.sqrt());
    let mut shapes = vec![("wte".to_owned(), vec![vocabulary, width])];
    for layer in 0..12 {
        let matrices = [
            ("qkv", vec![width, 3 * width]),
            ("o", vec![width, width]),
            ("w1", vec![width, 4 * width]),
            ("w2", vec![4 * width, width]),
            ("b1", vec![4 * width]),
        ];
        let vectors = ["ln1g", "ln1b", "ln2g", "ln2b", "b2"].map(|name| (name, vec![width]));
        shapes.extend(
            matrices.into_iter().chain(vectors).map(|(name, shape)| (format!("h{layer}.{name}"), shape)),
        );
    }
    let draw = |stream: u64, shape: &[u64]| normal(stream, shape.iter().product::<u64>() as usize, 0.02);
    let weights: Vec<_> = shapes
        .iter()
        .zip(0..)
        .map(|((name, shape), stream)| (name.replace('.', "_"), shape, draw(stream, shape)))
        .collect();
    let derive = |bytes: &[u8], of: fn(f32) -> f32| -> Vec<u8> {
        let mut derived = bytes.to_vec();
        derived.par_chunks_exact_mut(4).with_min_len(BLOCK).for_each(|number| {
            let value = f32::from_le_bytes([number[0], number[1], number[2], number[3]]);
            number.copy_from_slice(&of(value).to_le_bytes());
        });
        derived
    };
    let mut state = State::default();
    for (name, shape, bytes) in &weights {
        state.push("m", name, shape, derive(bytes, |w| w * 0.01));
    }
    for (name, shape, bytes) in &weights {
        state.push("v", name, shape, derive(bytes, |w| w * w * 0.001));
    }
    for (name, shape, bytes) in weights {
        state.push("model", name, shape, bytes);
    }
    state
}

/// `count` arrays of 9 to 11 KB.
pub fn small_arrays(count: usize) -> State {
    let mut lengths = rng::stream(0, 1, 0);
    let mut state = State::default();
    for index in 0..count {
        let length = 2250 + lengths.below(501);
        state.push("arrays", format!("a{index:05}"), &[length], normal(index as u64, length as usize, 1.0));
    }
    state
}

/// Arrays of 1 MB of noise, `megabytes` of them.
pub fn megabytes(megabytes: usize) -> State {
    let mut state = State::default();
    for index in 0..megabytes {
        state.push("arrays", format!("a{index:05}"), &[250, 1000], normal(index as u64, 250_000, 0.02));
    }
    state
}

/// `extent * share` as a multiple of eight.
fn scaled(extent: u64, share: f64) -> u64 {
    ((extent as f64 * share / 8.0).round() as u64).max(1) * 8
}

/// `count` normal numbers of that standard deviation as bytes (Box and Muller, 1958).
pub fn normal(stream: u64, count: usize, deviation: f32) -> Vec<u8> {
    let mut bytes = vec![0; count * size_of::<f32>()];
    bytes.par_chunks_mut(BLOCK * size_of::<f32>()).enumerate().for_each(|(block, bytes)| {
        let mut draws = rng::stream(0, 2 + stream, block as u64);
        for pair in bytes.chunks_mut(2 * size_of::<f32>()) {
            let radius = deviation * (-2.0 * (1.0 - draws.uniform()).ln()).sqrt();
            let (sine, cosine) = (std::f32::consts::TAU * draws.uniform()).sin_cos();
            let values = [radius * cosine, radius * sine];
            pair.copy_from_slice(&bytemuck::cast_slice(&values)[..pair.len()]);
        }
    });
    bytes
}

/// Little-endian bytes as numbers.
pub fn numbers(bytes: &[u8]) -> Vec<f32> {
    let mut numbers = vec![0.0; bytes.len() / size_of::<f32>()];
    bytemuck::cast_slice_mut(&mut numbers).copy_from_slice(bytes);
    numbers
}
