//! Tiny logic-gate automata.

use rekindle_compute::rng::Stream;

use super::draws::{between, one_in, one_of};

/// Draws a config.
pub fn config(draws: &mut Stream) -> String {
    let channels = between(draws, 1, 3);
    let kernels = between(draws, 1, 3);
    let kernel_gates = kernel_gates(draws);
    let outputs = kernel_gates.last().copied().unwrap_or(8);
    let update_gates = update_gates(draws, channels + channels * outputs * kernels, channels);
    let mut yaml = format!(
        "system: logic\nseed: {}\nmodel:\n  channels: {channels}\n  kernels: {kernels}\n  \
         kernel_gates: {kernel_gates:?}\n  update_gates: {update_gates:?}\n",
        draws.below(1000)
    );
    if one_in(draws, 2) {
        yaml += &format!("  pass_logit: {:?}\n", one_of(draws, &[0.0, 2.0, 6.0, 10.0]));
    }
    if one_in(draws, 2) {
        yaml += &format!("  identity_start: {}\n", one_in(draws, 2));
    }
    yaml += &training(draws);
    yaml += &policy(draws);
    yaml
}

/// Layers after the first, each of which reads all outputs of the one before.
fn kernel_gates(draws: &mut Stream) -> Vec<u64> {
    let mut gates: Vec<u64> = vec![8];
    for _ in 0..draws.below(4) {
        let inputs = gates[gates.len() - 1];
        // Of two inputs there is one pair.
        if inputs > 2 {
            gates.push(between(draws, inputs.div_ceil(2), inputs));
        }
    }
    gates
}

/// Layers that lead from so many inputs to one gate for each channel.
fn update_gates(draws: &mut Stream, mut inputs: u64, channels: u64) -> Vec<u64> {
    let fits = |inputs: u64, gates: u64| (inputs.div_ceil(2)..=inputs * (inputs - 1) / 2).contains(&gates);
    let fewest = (2..).find(|&inputs| inputs * (inputs - 1) / 2 >= channels).unwrap_or(2);
    let mut gates = Vec::new();
    let mut more = draws.below(4);
    while !fits(inputs, channels) || more > 0 {
        let least = inputs.div_ceil(2).max(fewest);
        let most = (inputs * (inputs - 1) / 2).min(inputs).max(least);
        if !fits(inputs, most) {
            break;
        }
        inputs = if fits(inputs, channels) { between(draws, least, most) } else { least };
        gates.push(inputs);
        more = more.saturating_sub(1);
    }
    gates.push(channels);
    gates
}

fn training(draws: &mut Stream) -> String {
    let task = one_of(draws, &["life", "rule", "checkerboard", "picture"]);
    // All boards of the Game of Life on 3x3 are looked at, of other sizes some.
    let (width, height) =
        if one_in(draws, 3) { (3, 3) } else { (between(draws, 1, 7), between(draws, 1, 7)) };
    let mut yaml = format!(
        "training:\n  task: {task}\n  width: {width}\n  height: {height}\n  boundary: {}\n",
        one_of(draws, &["periodic", "zero"])
    );
    if task == "checkerboard" || one_in(draws, 4) {
        yaml += &format!("  square: {}\n", between(draws, 1, 3));
    }
    match task {
        "rule" => yaml += &format!("  rule: {}\n", one_of(draws, &["B36/S23", "B1/S", "b/s012345678"])),
        "picture" => yaml += &picture(draws, width, height),
        _ => {}
    }
    if matches!(task, "checkerboard" | "picture") {
        yaml += &format!("  start: {}\n", one_of(draws, &["random", "zero", "centre"]));
        yaml += &format!("  fire_rate: {:?}\n", one_of(draws, &[1.0, 0.6, 0.01]));
    }
    yaml += &format!(
        "  automaton_steps: {}\n  batch: {}\n  epochs: {}\n  learning_rate: {:?}\n",
        between(draws, 1, 4),
        between(draws, 1, 5),
        between(draws, 1, 60),
        one_of(draws, &[0.0, 0.01, 0.06, 0.5])
    );
    if one_in(draws, 2) {
        yaml += &format!("  decay_from: {:?}\n", one_of(draws, &[0.0, 0.3, 0.5, 1.0]));
    }
    yaml += &format!(
        "  betas: {}\n  epsilon: {}\n  weight_decay: {:?}\n  clip: {:?}\n",
        one_of(draws, &["[0.9, 0.99]", "[0.5, 0.9]", "[0.0, 0.5]"]),
        one_of(draws, &["1.0e-8", "1.0e-3"]),
        one_of(draws, &[0.0, 0.01, 0.5]),
        one_of(draws, &[100.0, 0.01])
    );
    if one_in(draws, 2) {
        yaml += &format!("  noise: {:?}\n", one_of(draws, &[0.0, 0.5, 2.0]));
        yaml += &format!("  noise_from: {:?}\n", one_of(draws, &[0.0, 0.5]));
    }
    if one_in(draws, 3) {
        yaml += &format!(
            "  refinement: {{every: {}, repair_steps: {}, prune_steps: {}, attempts: {}}}\n",
            between(draws, 1, 9),
            draws.below(4),
            draws.below(4),
            between(draws, 1, 3)
        );
    } else if one_in(draws, 2) {
        yaml += &format!(
            "  early_stopping: {{every: {}, patience: {}, min_improvement: {:?}}}\n",
            between(draws, 1, 5),
            between(draws, 1, 4),
            one_of(draws, &[0.0, 3.0])
        );
    }
    yaml
}

/// A picture of one bit.
fn picture(draws: &mut Stream, width: u64, height: u64) -> String {
    let mut yaml = "  target:\n".to_owned();
    for _ in 0..height {
        let row: String = (0..width).map(|_| if one_in(draws, 3) { '#' } else { '.' }).collect();
        yaml += &format!("    - \"{row}\"\n");
    }
    yaml
}

fn policy(draws: &mut Stream) -> String {
    let mut yaml = format!("evaluate:\n  every: {}\n", draws.below(6));
    if one_in(draws, 2) {
        let metric = one_of(draws, &["hard_loss", "soft_loss", "train_loss"]);
        yaml += &format!("best:\n  metric: {metric}\n  goal: {}\n", one_of(draws, &["min", "max"]));
    }
    yaml
}
