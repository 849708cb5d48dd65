//! Random logic-gate networks: few digits, layers and convolutions of a few gates.

use rekindle_compute::rng::Stream;

use super::draws::{between, one_in, one_of};

/// A config of a network that is trained in less than a second.
pub fn config(draws: &mut Stream) -> String {
    let bits = between(draws, 1, 5);
    let start = one_of(draws, &["residual", "normal"]);
    let schedule = one_of(draws, &["constant", "linear"]);
    let convolutions = match draws.below(3) {
        0 => {
            let (kernels, depth) = (between(draws, 1, 8), between(draws, 1, 3));
            let pool = between(draws, 1, 2);
            format!(
                "  convolutions: [{{kernels: {kernels}, window: 3, depth: {depth}, padding: 1, pool: {pool}}}]\n"
            )
        }
        _ => String::new(),
    };
    let layers: Vec<String> = (0..1 + draws.below(3)).map(|_| (20 + draws.below(200)).to_string()).collect();
    format!(
        "system: lgn\n\
         seed: {seed}\n\
         model:\n  encoding: {{kind: linear, bits: {bits}}}\n{convolutions}  layers: [{layers}]\n  \
         start: {start}\n  temperature: {temperature}\n\
         training:\n  data:\n    source: glyphs\n    rows: {rows}\n    noise: 0.15\n    select: 0.{select}\n    \
         test: 0.{test}\n  epochs: {epochs}\n  batch: {batch}\n  learning_rate: 0.02\n  \
         schedule: {schedule}\n  shift: {shift}\n\
         evaluate: {{every: {every}}}\n\
         checkpoint: {{every_steps: {saved}, background: {background}}}\n",
        seed = draws.below(1 << 40),
        layers = layers.join(", "),
        temperature = 1 + draws.below(9),
        rows = 200 + draws.below(300),
        select = draws.below(4),
        test = draws.below(4),
        epochs = 1 + draws.below(5),
        batch = 10 + draws.below(90),
        shift = draws.below(3),
        every = draws.below(6),
        saved = 1 + draws.below(9),
        background = one_in(draws, 2),
    )
}
