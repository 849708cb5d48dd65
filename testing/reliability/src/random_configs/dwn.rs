//! Random networks of lookup tables: few digits, layers of a few tables.

use rekindle_compute::rng::Stream;

use super::draws::{between, one_in, one_of};

/// A config of a network that is trained in less than a second.
pub fn config(draws: &mut Stream) -> String {
    let (kind, shift) = one_of(draws, &[("linear", 0), ("linear", 1), ("linear", 2), ("quantile", 0)]);
    let schedule = one_of(draws, &["constant", "linear"]);
    let candidates = one_of(draws, &[0, 16, 48, 4096]);
    let layers: Vec<String> = (0..1 + draws.below(3)).map(|_| (10 + draws.below(60)).to_string()).collect();
    format!(
        "system: dwn\n\
         seed: {seed}\n\
         model:\n  encoding: {{kind: {kind}, bits: {bits}}}\n  inputs: {inputs}\n  layers: [{layers}]\n  \
         candidates: {candidates}\n  temperature: {temperature}\n\
         training:\n  data:\n    source: glyphs\n    rows: {rows}\n    noise: 0.15\n    select: 0.{select}\n    \
         test: 0.{test}\n  epochs: {epochs}\n  batch: {batch}\n  learning_rate: 0.02\n  \
         schedule: {schedule}\n  spectral: {spectral}\n  shift: {shift}\n\
         evaluate: {{every: {every}}}\n\
         checkpoint: {{every_steps: {saved}, background: {background}}}\n",
        seed = draws.below(1 << 40),
        bits = between(draws, 1, 5),
        inputs = between(draws, 2, 6),
        layers = layers.join(", "),
        temperature = 1 + draws.below(5),
        rows = 200 + draws.below(300),
        select = draws.below(4),
        test = draws.below(4),
        epochs = 1 + draws.below(5),
        batch = 10 + draws.below(90),
        spectral = one_of(draws, &["0", "0.1", "3"]),
        every = draws.below(6),
        saved = 1 + draws.below(9),
        background = one_in(draws, 2),
    )
}
