use rekindle_compute::{AdamW, KernelPath, Pool, rng};
use rekindle_gpt::config::{Block, Model};
use rekindle_gpt::pass::Sequence;
use rekindle_gpt::step::{StepSettings, StepValues, Stepper};
use rekindle_gpt::{Network, Optimizer, Precision};
use std::time::Instant;
fn main() {
    let a: Vec<usize> = std::env::args().skip(1).map(|a| a.parse().unwrap()).collect();
    let (layers, width, context, batch, vocabulary, parts, threads) =
        (a[0], a[1], a[2], a[3], a[4], a[5], a[6]);
    let model = Model {
        block: Block::Gpt2,
        layers: layers as u32,
        heads: if width >= 256 { 8 } else { 4 },
        width: width as u32,
        feed_forward: None,
        context: context as u32,
        tied: false,
        attention_biases: false,
        dropout: 0.0,
        sampling: rekindle_gpt::Sampling::default(),
    };
    let mut network = Network::random(&model, vocabulary, 0);
    println!("parameters {}", network.parameters());
    let mut optimizer = Optimizer::new(&network);
    let settings = StepSettings { path: KernelPath::best(), precision: Precision::F32, parts, clip: 1.0 };
    let mut stepper = Stepper::new(&network, settings, Pool::new(threads).unwrap());
    let adamw = AdamW { learning_rate: 1e-3, betas: [0.9, 0.99], epsilon: 1e-8, weight_decay: 0.01 };
    let mut s = rng::stream(1, 1, 1);
    let n = if network.parameters() > 5_000_000 { 4 } else { 60 };
    for _ in 0..4 {
        let t = Instant::now();
        for _ in 0..n {
            let b: Vec<_> = (0..batch)
                .map(|_| {
                    Sequence::of_text(
                        &(0..=context).map(|_| s.below(vocabulary as u64) as u32).collect::<Vec<_>>(),
                    )
                })
                .collect();
            stepper.step(&mut network, &mut optimizer, None, &[b], StepValues { adamw, dropout: None });
        }
        println!("{:.0} tokens/s", (n * batch * context) as f64 / t.elapsed().as_secs_f64());
    }
}
