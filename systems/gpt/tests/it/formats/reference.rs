//! What a network answers, computed as plainly as can be, in double precision.

use rekindle_gpt::model::{Activation, Layer, Linear, Network, Norm, NormForm};

type Rows = Vec<Vec<f64>>;

/// The scores of every token behind each position.
pub fn logits(network: &Network, tokens: &[u32]) -> Rows {
    let row = |matrix: &[f32], index: usize| {
        let width = network.width();
        matrix[index * width..][..width].iter().map(|&number| f64::from(number)).collect::<Vec<f64>>()
    };
    let mut rows: Rows = tokens
        .iter()
        .enumerate()
        .map(|(position, &token)| {
            let token = row(network.token_embedding.as_slice(), token as usize);
            add(&token, &row(network.position_embedding.as_slice(), position))
        })
        .collect();
    for layer in &network.layers {
        rows = match layer {
            Layer::Norm(norm) => normalised(norm, &rows),
            Layer::Attention(layer) => {
                let input = layer.norm.as_ref().map_or_else(|| rows.clone(), |norm| normalised(norm, &rows));
                let qkv = mapped(&layer.qkv, &input);
                let gathered = attended(&qkv, layer.heads as usize);
                let gathered =
                    layer.output.as_ref().map_or_else(|| gathered.clone(), |map| mapped(map, &gathered));
                rows.iter().zip(&gathered).map(|(row, more)| add(row, more)).collect()
            }
            Layer::FeedForward(layer) => {
                let input = layer.norm.as_ref().map_or_else(|| rows.clone(), |norm| normalised(norm, &rows));
                let mut inner = mapped(&layer.up, &input);
                inner.iter_mut().flatten().for_each(|x| *x = activated(layer.activation, *x));
                let more = mapped(&layer.down, &inner);
                rows.iter().zip(&more).map(|(row, more)| add(row, more)).collect()
            }
        };
    }
    let logit = |row_of: &Vec<f64>| {
        let logits = (0..network.vocabulary()).map(|token| {
            let weights = row(network.output_weight().as_slice(), token);
            let bias = network.output_bias().get(token).copied().unwrap_or(0.0);
            weights.iter().zip(row_of).map(|(w, x)| w * x).sum::<f64>() + f64::from(bias)
        });
        logits.collect()
    };
    rows.iter().map(logit).collect()
}

/// The tokens that a network goes on with, until `ends` or so many tokens in all.
pub fn greedy(network: &Network, tokens: &[u32], most: usize, ends: u32) -> Vec<u32> {
    let mut all = tokens.to_vec();
    while all.len() < most {
        let logits = logits(network, &all).pop().unwrap();
        let best = (0..logits.len()).max_by(|&a, &b| logits[a].total_cmp(&logits[b])).unwrap() as u32;
        all.push(best);
        if best == ends {
            break;
        }
    }
    all
}

fn add(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a + b).collect()
}

fn normalised(norm: &Norm, rows: &Rows) -> Rows {
    let one = |row: &Vec<f64>| {
        let count = row.len() as f64;
        let mean = row.iter().sum::<f64>() / count;
        let variance = row.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count;
        let epsilon = f64::from(norm.epsilon);
        let std = match norm.form {
            NormForm::Variance => (variance + epsilon).sqrt(),
            NormForm::Deviation => variance.sqrt() + epsilon,
        };
        let scaled = row.iter().zip(&norm.gain).zip(&norm.bias);
        scaled.map(|((x, &gain), &bias)| (x - mean) / std * f64::from(gain) + f64::from(bias)).collect()
    };
    rows.iter().map(one).collect()
}

fn mapped(map: &Linear, rows: &Rows) -> Rows {
    let outputs = map.outputs();
    let one = |row: &Vec<f64>| {
        let output = |column: usize| {
            let bias = map.bias.get(column).copied().unwrap_or(0.0);
            let weight = |index: usize| f64::from(map.weight.as_slice()[index * outputs + column]);
            row.iter().enumerate().map(|(index, x)| x * weight(index)).sum::<f64>() + f64::from(bias)
        };
        (0..outputs).map(output).collect()
    };
    rows.iter().map(one).collect()
}

/// Queries, keys and values stand one behind the other in a row.
fn attended(qkv: &Rows, heads: usize) -> Rows {
    let width = qkv[0].len() / 3;
    let size = width / heads;
    let mut gathered = vec![vec![0.0; width]; qkv.len()];
    for head in 0..heads {
        for (position, gathered) in gathered.iter_mut().enumerate() {
            let part = |row: usize, kind: usize| &qkv[row][kind * width + head * size..][..size];
            let logit = |other: usize| {
                let products = part(position, 0).iter().zip(part(other, 1)).map(|(q, k)| q * k);
                products.sum::<f64>() / (size as f64).sqrt()
            };
            let logits: Vec<f64> = (0..=position).map(logit).collect();
            let largest = logits.iter().copied().fold(f64::MIN, f64::max);
            let shares: Vec<f64> = logits.iter().map(|logit| (logit - largest).exp()).collect();
            let total: f64 = shares.iter().sum();
            for (other, share) in shares.iter().enumerate() {
                for (index, value) in part(other, 2).iter().enumerate() {
                    gathered[head * size + index] += share / total * value;
                }
            }
        }
    }
    gathered
}

fn activated(activation: Activation, x: f64) -> f64 {
    match activation {
        Activation::Relu => x.max(0.0),
        Activation::Gelu => {
            let root = (2.0 / std::f64::consts::PI).sqrt();
            0.5 * x * (1.0 + (root * (x + 0.044715 * x.powi(3))).tanh())
        }
    }
}
