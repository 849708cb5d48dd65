//! The network before the first step.

use rekindle::{ArrayData, Matrix};
use rekindle_compute::rng::{self, Stream};

use super::{Activation, Attention, FeedForward, Layer, Linear, Network, Norm, NormForm, Output};
use crate::model::config::{Block, ModelConfig};
use crate::model::structure::{PAIRS, Structure};
use crate::streams;

/// Standard deviation of the initial weights of GPT-2, and of fresh embeddings of RustGPT.
pub(crate) const INITIAL_STD: f64 = 0.02;

impl Network {
    /// A network with random weights: those of GPT-2 are normal with a standard deviation of 0.02, less where
    /// layers are added (0.02 / sqrt(2 layers)); those of RustGPT have the standard deviation sqrt(2 / inputs).
    pub fn random(model: &ModelConfig, vocabulary: usize, seed: u64) -> Self {
        Self::new(model, vocabulary, Weights { seed: Some(seed), array: 0 })
    }

    /// A network of zeros: the shape of one that is to be loaded.
    pub(crate) fn blank(model: &ModelConfig, vocabulary: usize) -> Self {
        Self::new(model, vocabulary, Weights { seed: None, array: 0 })
    }

    fn new(model: &ModelConfig, vocabulary: usize, mut weights: Weights) -> Self {
        let (width, context) = (model.width as usize, model.context as usize);
        let token_embedding = weights.matrix(vocabulary, width, INITIAL_STD);
        let position_embedding = weights.matrix(context, width, INITIAL_STD);
        let mut layers = Vec::new();
        for _ in 0..model.layers {
            match model.block {
                Block::Gpt2 => gpt2_block(&mut layers, &mut weights, model),
                Block::Rustgpt => rustgpt_block(&mut layers, &mut weights, model),
            }
        }
        let output_std = match model.block {
            Block::Gpt2 => {
                layers.push(Layer::Norm(norm(NormForm::Variance, width)));
                INITIAL_STD
            }
            Block::Rustgpt => he(width),
        };
        let output = (!model.tied).then(|| Output {
            weight: weights.matrix(vocabulary, width, output_std),
            bias: vec![0.0; if model.block == Block::Rustgpt { vocabulary } else { 0 }],
        });
        let structure = Structure::new(model.structure, vocabulary, width);
        Self { token_embedding, position_embedding, layers, output, structure }
    }
}

fn gpt2_block(layers: &mut Vec<Layer>, weights: &mut Weights, model: &ModelConfig) {
    let (width, inner) = (model.width as usize, model.inner_width() as usize);
    let branch_std = INITIAL_STD / f64::from(2 * model.layers).sqrt();
    let attention_bias = |outputs: usize| vec![0.0; if model.attention_biases { outputs } else { 0 }];
    layers.push(Layer::Attention(Attention {
        norm: Some(norm(NormForm::Variance, width)),
        heads: model.heads,
        qkv: Linear {
            weight: weights.matrix(width, 3 * width, INITIAL_STD),
            bias: attention_bias(3 * width),
        },
        output: Some(Linear {
            weight: weights.matrix(width, width, branch_std),
            bias: attention_bias(width),
        }),
        relation_bias: relation_bias(model),
    }));
    layers.push(Layer::FeedForward(FeedForward {
        norm: Some(norm(NormForm::Variance, width)),
        activation: Activation::Gelu,
        up: Linear { weight: weights.matrix(width, inner, INITIAL_STD), bias: vec![0.0; inner] },
        down: Linear { weight: weights.matrix(inner, width, branch_std), bias: vec![0.0; width] },
    }));
}

fn rustgpt_block(layers: &mut Vec<Layer>, weights: &mut Weights, model: &ModelConfig) {
    let (width, inner) = (model.width as usize, model.inner_width() as usize);
    layers.push(Layer::Attention(Attention {
        norm: None,
        heads: model.heads,
        qkv: Linear { weight: weights.matrix(width, 3 * width, he(width)), bias: Vec::new() },
        output: None,
        relation_bias: relation_bias(model),
    }));
    layers.push(Layer::Norm(norm(NormForm::Deviation, width)));
    layers.push(Layer::FeedForward(FeedForward {
        norm: None,
        activation: Activation::Relu,
        up: Linear { weight: weights.matrix(width, inner, he(width)), bias: vec![0.0; inner] },
        down: Linear { weight: weights.matrix(inner, width, he(inner)), bias: vec![0.0; width] },
    }));
    layers.push(Layer::Norm(norm(NormForm::Deviation, width)));
}

/// What heads add by how tokens stand to each other: nothing at first.
fn relation_bias(model: &ModelConfig) -> Vec<f32> {
    vec![0.0; if model.structure.bias { model.heads as usize * PAIRS } else { 0 }]
}

/// Standard deviation of initial weights before a ReLU (He and others, "Delving deep into rectifiers", 2015).
fn he(inputs: usize) -> f64 {
    (2.0 / inputs as f64).sqrt()
}

fn norm(form: NormForm, width: usize) -> Norm {
    Norm { form, epsilon: 1e-5, gain: vec![1.0; width], bias: vec![0.0; width] }
}

/// Initial weights; each array has a stream of its own.
struct Weights {
    /// Without one, all are 0.
    seed: Option<u64>,
    array: u64,
}

impl Weights {
    fn matrix(&mut self, rows: usize, columns: usize, std: f64) -> Matrix<f32> {
        let mut matrix = Matrix::zeros(rows, columns);
        if let Some(seed) = self.seed {
            let mut stream = rng::stream(seed, streams::WEIGHTS, self.array);
            fill_normal(matrix.as_mut_slice(), &mut stream, std);
        }
        self.array += 1;
        matrix
    }
}

/// Fills with normally distributed numbers of mean 0.
///
/// Each is the sum of twelve uniform ones less six (Irwin and Hall, 1927), scaled: no logarithm or
/// sine of the system's library takes part. Its tails end at six times the standard deviation.
pub(crate) fn fill_normal(numbers: &mut [f32], stream: &mut Stream, std: f64) {
    for number in numbers {
        let sum: u64 = (0..3).map(|_| stream.bits()).map(quarters).sum();
        *number = ((sum as f64 / 65_536.0 - 6.0) * std) as f32;
    }
}

/// The sum of the four 16-bit numbers in 64 bits.
fn quarters(bits: u64) -> u64 {
    (0..4).map(|quarter| bits >> (16 * quarter) & 0xffff).sum()
}

/// A matrix of these numbers, row by row.
///
/// # Panics
/// If they do not fill the rows.
pub(crate) fn matrix(rows: usize, columns: usize, numbers: Vec<f32>) -> Matrix<f32> {
    assert_eq!(numbers.len(), rows * columns, "the numbers fill the rows");
    // Cannot fail: a matrix has two extents.
    Matrix::from_elements(&[rows as u64, columns as u64], numbers).unwrap_or(Matrix::zeros(rows, columns))
}
