//! Gradients: what the backward pass computes is what changes the loss.

use super::{ExecContext, PackedNetwork, Pass, Sequence, SharedTokens, Teacher, Teaching};
use crate::inference::{Decoder, WeightPrecision};
use crate::model::{Block, ModelConfig, Network, Sampling, StructureConfig, TrainingPrecision};
use crate::train::{Optimizer, StepSettings, StepValues, Stepper};
use rekindle_compute::{AdamW, KernelPath, Pool, rng};
use rekindle_tokenizer::Tokenizer;

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
        structure: StructureConfig::default(),
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

const ALL: StructureConfig = StructureConfig { depth: true, tree: true, bias: true, mask: true };

/// A network that is told of the tree of a text, whose tokens 14 to 16 open, close and end.
fn told(config: StructureConfig) -> (ModelConfig, Network) {
    let model = ModelConfig { structure: config, ..model(Block::Gpt2, true) };
    let mut network = network(&model);
    read_brackets(&mut network);
    (model, network)
}

fn read_brackets(network: &mut Network) {
    let words: Vec<String> =
        std::iter::once("</s>".to_owned()).chain((1..14).map(|word| format!("w{word}"))).collect();
    let words = words.iter().map(String::as_str).chain(["(", ")", "."]).collect::<Vec<_>>();
    let tokenizer = Tokenizer::from_words(&words, crate::formats::rustgpt::word_rules()).unwrap();
    if let Some(structure) = &mut network.structure {
        structure.read(&tokenizer);
    }
}

/// Texts with brackets and sentences.
fn bracketed() -> Vec<Sequence> {
    vec![
        Sequence::of_text(&[1, 14, 2, 14, 3, 15, 4, 15, 16, 5]),
        Sequence::of_text(&[6, 16, 7, 14, 8]),
        Sequence::of_text(&[15, 14]),
    ]
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
    Pass::default().train(CTX, network, &packed, batch, 0, 1.0, &mut gradient, None);
    gradient
}

#[test]
fn every_gradient_is_that_of_finite_differences() {
    let plain = [model(Block::Gpt2, false), model(Block::Gpt2, true), model(Block::Rustgpt, false)];
    let plain = plain.map(|model| (model.clone(), network(&model), batch()));
    let told = told(ALL);
    for (model, mut network, batch) in plain.into_iter().chain([(told.0, told.1, bracketed())]) {
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
        let values = StepValues { adamw, dropout: None, held: None };
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

#[test]
fn a_network_that_is_told_of_the_tree_begins_as_one_that_is_not() {
    let plain = Network::random(&model(Block::Gpt2, true), 17, 3);
    let told = ModelConfig { structure: StructureConfig { mask: false, ..ALL }, ..model(Block::Gpt2, true) };
    let mut told = Network::random(&told, 17, 3);
    read_brackets(&mut told);
    assert!(!told.reads_structure());
    assert_eq!(loss(&told, &bracketed()).to_bits(), loss(&plain, &bracketed()).to_bits());
    let logits = |network: &Network| {
        let mut decoder = Decoder::new(network, WeightPrecision::F32, 1).unwrap();
        decoder.feed(&bracketed()[0].tokens).unwrap().to_vec()
    };
    assert_eq!(logits(&told), logits(&plain));
}

#[test]
fn each_thing_that_is_told_changes_what_comes_out() {
    let of = |structure| loss(&told(structure).1, &bracketed());
    let off = StructureConfig::default();
    let plain = of(off);
    for structure in [
        StructureConfig { depth: true, ..off },
        StructureConfig { tree: true, ..off },
        StructureConfig { bias: true, ..off },
        StructureConfig { mask: true, ..off },
    ] {
        assert_ne!(of(structure), plain, "{structure:?}");
        assert!(told(structure).1.reads_structure());
    }
}

#[test]
fn a_decoder_sees_the_tree_as_training_does() {
    let (_, network) = told(ALL);
    let tokens = &bracketed()[0].tokens;
    let mut packed = PackedNetwork::default();
    packed.pack(&network, TrainingPrecision::F32, false, &Pool::new(1).unwrap());
    let expected = Pass::default().logits(CTX, &network, &packed, tokens);
    let mut decoder = Decoder::new(&network, WeightPrecision::F32, 2).unwrap();
    decoder.feed(&[1, 14, 15, 16, 2]).unwrap();
    // What was read before is forgotten, in part or as a whole.
    decoder.truncate(2);
    for (position, token) in tokens.iter().enumerate().skip(2) {
        let logits = decoder.feed(&[*token]).unwrap();
        let expected = &expected[position * 17..(position + 1) * 17];
        let worst = logits.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(worst < 1e-4, "{position}: {worst}");
    }
    let apart = decoder.logits().to_vec();
    decoder.clear();
    assert_eq!(decoder.feed(tokens).unwrap(), apart);
}

/// The loss of a student that learns from a teacher, and its gradient.
fn taught(student: &Network, teacher: &Teacher, share: f64, batch: &[Sequence]) -> (f64, Network) {
    let mut packed = PackedNetwork::default();
    packed.pack(student, TrainingPrecision::F32, true, &Pool::new(1).unwrap());
    let (mut teaching, mut gradient) = (Teaching::default(), student.zeros());
    let rows = batch.iter().map(|sequence| sequence.tokens.len()).sum();
    teacher.read(CTX, &mut teaching, batch, (0..rows).map(Some).collect());
    let mut pass = Pass::default();
    let losses =
        pass.train(CTX, student, &packed, batch, 0, 1.0, &mut gradient, Some((teacher, &mut teaching)));
    ((1.0 - share) * losses.text + share * losses.divergence, gradient)
}

#[test]
fn the_gradient_of_a_student_is_that_of_the_mixed_losses() {
    let model = model(Block::Gpt2, false);
    let teacher = network(&ModelConfig { layers: 1, ..model.clone() });
    let pairs = SharedTokens::Pairs((0..17).step_by(2).map(|token| [token, (token + 4) % 17]).collect());
    for (tokens, share) in [(SharedTokens::All, 0.3), (SharedTokens::All, 1.0), (pairs, 0.6)] {
        let mut packed = PackedNetwork::default();
        packed.pack(&teacher, TrainingPrecision::F32, false, &Pool::new(1).unwrap());
        let teacher = Teacher::new(teacher.clone(), packed, tokens, 1.5, share as f32);
        let mut student = network(&model);
        let (_, gradient) = taught(&student, &teacher, share, &batch());
        let expected: f64 =
            gradient.slices().iter().flat_map(|(_, array)| *array).map(|x| f64::from(x * x)).sum();
        // Along the gradient itself the slope is its squared length.
        let step = 1e-3 / expected.sqrt();
        let mut moved = |by: f64| {
            for ((_, numbers), (_, gradient)) in student.slices_mut().into_iter().zip(gradient.slices()) {
                numbers.iter_mut().zip(gradient).for_each(|(number, slope)| *number += by as f32 * slope);
            }
            taught(&student, &teacher, share, &batch()).0
        };
        let ahead = moved(step);
        let behind = moved(-2.0 * step);
        let found = (ahead - behind) / (2.0 * step);
        assert!((found - expected).abs() / expected < 1e-2, "{share}: {found} {expected}");
    }
}
