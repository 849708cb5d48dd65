//! Gradients: what the way back computes is what changes the loss.

use rekindle_compute::{AdamW, KernelPath, Pool, rng};
use rekindle_gpt::model::pass::{ExecContext, PackedNetwork, Pass, Sequence};
use rekindle_gpt::model::{Block, ModelConfig};
use rekindle_gpt::model::{Network, Sampling, TrainingPrecision};
use rekindle_gpt::train::Optimizer;
use rekindle_gpt::train::{StepSettings, StepValues, Stepper};

const CTX: ExecContext =
    ExecContext { path: KernelPath::Portable, precision: TrainingPrecision::F32, dropout: None };

fn model(block: Block, tied: bool) -> ModelConfig {
    let heads = if block == Block::Gpt2 { 2 } else { 1 };
    ModelConfig {
        block,
        layers: 2,
        heads,
        width: 12,
        feed_forward: Some(20),
        context: 9,
        tied,
        attention_biases: block == Block::Gpt2,
        dropout: 0.0,
        sampling: Sampling::default(),
    }
}

/// A network whose numbers are large enough for differences to be seen, biases included.
fn network(model: &ModelConfig) -> Network {
    let mut network = Network::random(model, 17, 3);
    let mut stream = rng::stream(5, 99, 0);
    for (_, _, array) in network.arrays_mut() {
        for number in array {
            *number += 0.4 * (stream.uniform() - 0.5);
        }
    }
    network
}

fn batch() -> Vec<Sequence> {
    let mut stream = rng::stream(6, 99, 0);
    let mut text =
        |len: usize| Sequence::of_text(&(0..=len).map(|_| stream.below(17) as u32).collect::<Vec<_>>());
    vec![text(9), text(4), text(1), text(7)]
}

fn loss(network: &Network, batch: &[Sequence]) -> f64 {
    let mut packed = PackedNetwork::default();
    packed.pack(network, TrainingPrecision::F32, false, &Pool::new(1).unwrap());
    Pass::default().loss(CTX, network, &packed, batch)
}

fn gradient(network: &Network, batch: &[Sequence]) -> Network {
    let mut packed = PackedNetwork::default();
    packed.pack(network, TrainingPrecision::F32, true, &Pool::new(1).unwrap());
    let mut gradient = network.zeros();
    Pass::default().train(CTX, network, &packed, batch, 0, 1.0, &mut gradient);
    gradient
}

#[test]
fn every_gradient_is_that_of_finite_differences() {
    for model in [model(Block::Gpt2, false), model(Block::Gpt2, true), model(Block::Rustgpt, false)] {
        let (mut network, batch) = (network(&model), batch());
        let gradient = gradient(&network, &batch);
        let arrays = gradient.arrays();
        // The kinks of ReLU want shorter steps, in which rounding shows more.
        let (step, tolerance) =
            if model.block == Block::Gpt2 { (1.0 / 1024.0, 5e-3) } else { (1.0 / 4096.0, 2e-2) };
        for (index, (name, _, expected)) in arrays.iter().enumerate() {
            // Along a random direction, so that all numbers of the array take part.
            let mut stream = rng::stream(7, 99, index as u64);
            let direction: Vec<f32> =
                expected.iter().map(|_| if stream.below(2) == 0 { 1.0 } else { -1.0 }).collect();
            let mut moved = |by: f32| {
                let mut arrays = network.arrays_mut();
                arrays[index].2.iter_mut().zip(&direction).for_each(|(number, sign)| *number += by * sign);
                drop(arrays);
                loss(&network, &batch)
            };
            let ahead = moved(step);
            let behind = moved(-2.0 * step);
            moved(step);
            let found = (ahead - behind) / (2.0 * f64::from(step));
            let expected: f64 =
                expected.iter().zip(&direction).map(|(number, sign)| f64::from(number * sign)).sum();
            let scale = expected.abs().max(found.abs()).max(1.0);
            assert!(
                (found - expected).abs() / scale < tolerance,
                "{:?} {name}: {found} {expected}",
                model.block
            );
        }
    }
}

#[test]
fn every_parameter_has_a_gradient_after_one_step() {
    for model in [model(Block::Gpt2, false), model(Block::Rustgpt, false)] {
        let gradient = gradient(&network(&model), &batch());
        for (name, _, array) in gradient.arrays() {
            assert!(array.iter().all(|number| number.is_finite()), "{name}");
            let zeros = array.iter().filter(|&&number| number == 0.0).count();
            // Tokens that did not occur have none; nor units that ReLU has switched off; nor what is
            // added to all keys alike, which softmax does not see.
            let may_be_zero = name == "token_embedding"
                || name.ends_with("attention/joined/bias")
                || model.block == Block::Rustgpt;
            assert!(zeros == 0 || (may_be_zero && zeros < array.len()), "{name}: {zeros} zeros");
        }
    }
}

/// The loss after some steps, and the network.
fn trained(path: KernelPath, threads: usize, precision: TrainingPrecision) -> (f64, Network) {
    let model = model(Block::Gpt2, false);
    let mut network = network(&model);
    let mut optimizer = Optimizer::new(&network);
    let settings = StepSettings { path, precision, parts: 3, clip: 1.0 };
    let mut stepper = Stepper::new(&network, settings, Pool::new(threads).unwrap());
    let adamw = AdamW { learning_rate: 3e-3, betas: [0.9, 0.95], epsilon: 1e-8, weight_decay: 0.1 };
    let mut loss = 0.0;
    for _ in 0..60 {
        let values = StepValues { adamw, dropout: None };
        let report = stepper.step(&mut network, &mut optimizer, None, &[batch()], values);
        loss = report.loss;
    }
    (loss, network)
}

#[test]
fn threads_and_kernels_do_not_change_a_bit() {
    let (loss, expected) = trained(KernelPath::Portable, 1, TrainingPrecision::F32);
    assert!(loss < 0.7, "{loss}");
    for path in KernelPath::available() {
        for threads in [1, 2, 3] {
            let (_, network) = trained(path, threads, TrainingPrecision::F32);
            assert!(network == expected, "{path} {threads}");
        }
    }
}

#[test]
fn sixteen_bits_learn_too() {
    let (full, _) = trained(KernelPath::best(), 2, TrainingPrecision::F32);
    let (half, _) = trained(KernelPath::best(), 2, TrainingPrecision::Bf16);
    assert!(half < full + 0.2, "{half} {full}");
}
