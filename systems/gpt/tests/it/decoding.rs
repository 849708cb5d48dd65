//! A decoder gives the scores that the definition of the network gives, and always the same bits.

use rekindle_compute::{KernelPath, rng};
use rekindle_gpt::GptError;
use rekindle_gpt::inference::{Decoder, WeightPrecision};
use rekindle_gpt::model::{Activation, Block, Layer, Linear, ModelConfig, Network, Norm, NormForm};

type Rows = Vec<Vec<f64>>;

/// The scores behind the last token, by the definition of the network.
fn reference(network: &Network, tokens: &[u32]) -> Vec<f64> {
    let mut rows: Rows = Vec::new();
    for (position, &token) in tokens.iter().enumerate() {
        let token = row(network.token_embedding.as_slice(), token as usize, network.width());
        let place = row(network.position_embedding.as_slice(), position, network.width());
        rows.push(token.iter().zip(&place).map(|(x, y)| x + y).collect());
    }
    for layer in &network.layers {
        match layer {
            Layer::Norm(norm) => rows = normed(Some(norm), &rows),
            Layer::Attention(layer) => {
                let qkv = linear(&layer.qkv, &normed(layer.norm.as_ref(), &rows));
                let mut found = attention(&qkv, layer.heads as usize);
                if let Some(output) = &layer.output {
                    found = linear(output, &found);
                }
                add(&mut rows, &found);
            }
            Layer::FeedForward(layer) => {
                let mut inner = linear(&layer.up, &normed(layer.norm.as_ref(), &rows));
                inner.iter_mut().flatten().for_each(|x| {
                    *x = match layer.activation {
                        Activation::Relu => x.max(0.0),
                        Activation::Gelu => {
                            let root = (2.0 / std::f64::consts::PI).sqrt();
                            0.5 * *x * (1.0 + (root * (*x + 0.044715 * x.powi(3))).tanh())
                        }
                    }
                });
                add(&mut rows, &linear(&layer.down, &inner));
            }
        }
    }
    let last = &rows[tokens.len() - 1];
    let mut logits = Vec::new();
    for token in 0..network.vocabulary() {
        let weights = row(network.output_weight().as_slice(), token, network.width());
        let bias = network.output_bias().get(token).copied().unwrap_or(0.0);
        logits.push(dot(&weights, last) + f64::from(bias));
    }
    logits
}

fn row(numbers: &[f32], index: usize, width: usize) -> Vec<f64> {
    numbers[index * width..(index + 1) * width].iter().map(|&x| f64::from(x)).collect()
}

fn dot(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).map(|(x, y)| x * y).sum()
}

fn add(rows: &mut Rows, added: &Rows) {
    for (row, added) in rows.iter_mut().zip(added) {
        row.iter_mut().zip(added).for_each(|(x, y)| *x += y);
    }
}

fn linear(map: &Linear, rows: &Rows) -> Rows {
    let output = |row: &Vec<f64>, output: usize| {
        let bias = map.bias.get(output).copied().unwrap_or(0.0);
        let weight = |input: usize| f64::from(map.weight.as_slice()[input * map.outputs() + output]);
        (0..map.inputs()).map(|input| row[input] * weight(input)).sum::<f64>() + f64::from(bias)
    };
    rows.iter().map(|row| (0..map.outputs()).map(|index| output(row, index)).collect()).collect()
}

fn normed(norm: Option<&Norm>, rows: &Rows) -> Rows {
    let Some(norm) = norm else { return rows.clone() };
    let one = |row: &Vec<f64>| {
        let mean = row.iter().sum::<f64>() / row.len() as f64;
        let variance = row.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / row.len() as f64;
        let epsilon = f64::from(norm.epsilon);
        let std = match norm.form {
            NormForm::Variance => (variance + epsilon).sqrt(),
            NormForm::Deviation => variance.sqrt() + epsilon,
        };
        let parameters = norm.gain.iter().zip(&norm.bias);
        let normed = row.iter().zip(parameters);
        normed.map(|(x, (&g, &b))| (x - mean) / std * f64::from(g) + f64::from(b)).collect()
    };
    rows.iter().map(one).collect()
}

fn attention(qkv: &Rows, heads: usize) -> Rows {
    let width = qkv[0].len() / 3;
    let size = width / heads;
    let mut found = vec![vec![0.0; width]; qkv.len()];
    for head in 0..heads {
        let part = |row: usize, which: usize| {
            let start = which * width + head * size;
            &qkv[row][start..start + size]
        };
        for (row, found) in found.iter_mut().enumerate() {
            let logits: Vec<f64> =
                (0..=row).map(|other| dot(part(row, 0), part(other, 1)) / (size as f64).sqrt()).collect();
            let largest = logits.iter().copied().fold(f64::MIN, f64::max);
            let weights: Vec<f64> = logits.iter().map(|logit| (logit - largest).exp()).collect();
            let sum: f64 = weights.iter().sum();
            for (other, weight) in weights.iter().enumerate() {
                for (index, value) in part(other, 2).iter().enumerate() {
                    found[head * size + index] += weight / sum * value;
                }
            }
        }
    }
    found
}

/// A network with no number left at its initial value, and large enough ones to matter.
fn network(model: &ModelConfig, vocabulary: usize, seed: u64) -> Network {
    let mut network = Network::random(model, vocabulary, seed);
    let mut stream = rng::stream(seed, 99, 0);
    for (name, _, numbers) in network.arrays_mut() {
        let scale = if name.ends_with("weight") { 0.4 } else { 0.7 };
        numbers.iter_mut().for_each(|number| *number += (stream.uniform() - 0.5) * scale);
    }
    network
}

fn gpt2() -> ModelConfig {
    ModelConfig {
        block: Block::Gpt2,
        layers: 3,
        heads: 3,
        width: 60,
        feed_forward: Some(100),
        context: 150,
        tied: true,
        attention_biases: true,
        dropout: 0.0,
        structure: rekindle_gpt::model::StructureConfig::default(),
        sampling: rekindle_gpt::model::Sampling::default(),
    }
}

fn rustgpt() -> ModelConfig {
    ModelConfig {
        block: Block::Rustgpt,
        heads: 1,
        width: 33,
        feed_forward: None,
        tied: false,
        attention_biases: false,
        ..gpt2()
    }
}

fn networks() -> Vec<Network> {
    let untied = ModelConfig { tied: false, attention_biases: false, heads: 5, ..gpt2() };
    vec![network(&gpt2(), 77, 1), network(&untied, 131, 2), network(&rustgpt(), 50, 3)]
}

fn tokens(network: &Network, count: usize) -> Vec<u32> {
    let mut stream = rng::stream(5, 5, 5);
    (0..count).map(|_| stream.below(network.vocabulary() as u64) as u32).collect()
}

fn decoder(network: &Network, precision: WeightPrecision, threads: usize) -> Decoder {
    Decoder::with_kernels(network, precision, threads, KernelPath::best()).unwrap()
}

fn bits(logits: &[f32]) -> Vec<u32> {
    logits.iter().map(|logit| logit.to_bits()).collect()
}

/// The largest difference, as a share of the largest score.
fn difference(logits: &[f32], reference: &[f64]) -> f64 {
    assert_eq!(logits.len(), reference.len());
    let largest = reference.iter().fold(0.0_f64, |largest, x| largest.max(x.abs()));
    let pairs = logits.iter().zip(reference);
    pairs.map(|(&x, y)| (f64::from(x) - y).abs()).fold(0.0, f64::max) / largest
}

#[test]
fn scores_are_those_of_the_definition() {
    for network in networks() {
        for count in [1, 2, 17, 100] {
            let tokens = tokens(&network, count);
            let expected = reference(&network, &tokens);
            let mut decoder = decoder(&network, WeightPrecision::F32, 2);
            let error = difference(decoder.feed(&tokens).unwrap(), &expected);
            assert!(error < 1e-5, "{error}");
        }
    }
}

#[test]
fn scores_of_8_bit_weights_are_close() {
    for network in networks() {
        let tokens = tokens(&network, 40);
        let expected = reference(&network, &tokens);
        let mut decoder = decoder(&network, WeightPrecision::Int8, 2);
        let error = difference(decoder.feed(&tokens).unwrap(), &expected);
        assert!(error < 0.03, "{error}");
    }
}

#[test]
fn the_bits_depend_neither_on_chunks_nor_on_threads_nor_on_kernels() {
    for network in networks() {
        let tokens = tokens(&network, 140);
        for precision in [WeightPrecision::F32, WeightPrecision::Int8] {
            let expected = bits(decoder(&network, precision, 1).feed(&tokens).unwrap());
            for (threads, chunk) in [(1, 1), (2, 140), (2, 1), (3, 7), (5, 50)] {
                let mut decoder = decoder(&network, precision, threads);
                let mut logits = Vec::new();
                for chunk in tokens.chunks(chunk) {
                    logits = bits(decoder.feed(chunk).unwrap());
                }
                assert_eq!(logits, expected, "{precision:?}, {threads} threads, chunks of {chunk}");
            }
            for path in KernelPath::available() {
                let mut decoder = Decoder::with_kernels(&network, precision, 2, path).unwrap();
                assert_eq!(bits(decoder.feed(&tokens).unwrap()), expected, "{path}");
            }
        }
    }
}

#[test]
fn what_was_forgotten_leaves_no_trace() {
    let network = network(&gpt2(), 77, 1);
    let tokens = tokens(&network, 90);
    let expected = bits(decoder(&network, WeightPrecision::F32, 2).feed(&tokens[..50]).unwrap());
    let mut decoder = decoder(&network, WeightPrecision::F32, 2);
    decoder.feed(&tokens).unwrap();
    decoder.truncate(30);
    assert_eq!(decoder.len(), 30);
    assert_eq!(bits(decoder.feed(&tokens[30..50]).unwrap()), expected);
    decoder.clear();
    assert!(decoder.is_empty());
    assert_eq!(bits(decoder.feed(&tokens[..50]).unwrap()), expected);
    decoder.truncate(1000);
    assert_eq!(decoder.len(), 50);
}

#[test]
fn a_network_without_layers_is_read_too() {
    let mut network = network(&gpt2(), 77, 1);
    network.layers.clear();
    let tokens = tokens(&network, 130);
    let expected = reference(&network, &tokens);
    for threads in 1..4 {
        let mut decoder = decoder(&network, WeightPrecision::F32, threads);
        assert!(difference(decoder.feed(&tokens).unwrap(), &expected) < 1e-5);
    }
}

#[test]
fn what_cannot_be_read_is_refused_and_changes_nothing() {
    let network = network(&gpt2(), 77, 1);
    let tokens = tokens(&network, 150);
    let mut decoder = decoder(&network, WeightPrecision::F32, 2);
    decoder.feed(&tokens[..100]).unwrap();
    assert!(matches!(
        decoder.feed(&[1, 77]),
        Err(GptError::NoSuchToken { token: 77, position: 101, vocabulary: 77 })
    ));
    assert!(matches!(decoder.feed(&[1; 51]), Err(GptError::TooLong { found: 151, context: 150, .. })));
    assert!(matches!(decoder.feed(&[]), Err(GptError::NoTokens)));
    assert_eq!(decoder.len(), 100);
    let expected = reference(&network, &tokens);
    assert!(difference(decoder.feed(&tokens[100..]).unwrap(), &expected) < 1e-5);
    assert!(matches!(decoder.feed(&[1]), Err(GptError::TooLong { .. })));
}

#[test]
fn a_decoder_needs_a_thread_and_a_network_that_fits() {
    let mut network = network(&gpt2(), 77, 1);
    assert!(matches!(Decoder::new(&network, WeightPrecision::F32, 0), Err(GptError::Threads(_))));
    network.position_embedding = rekindle::Matrix::zeros(10, 3);
    assert!(matches!(Decoder::new(&network, WeightPrecision::F32, 1), Err(GptError::Network(_))));
}
