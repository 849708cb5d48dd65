//! Configs that ship with the crate, as YAML.

/// The two spirals with the parameters of Fahlman's program.
pub const SPIRALS: &str = "\
system: cascor
seed: 0
model:
  hidden: sigmoid
  output: sigmoid
  max_hidden: 25
training:
  data:
    source: two-spirals
  method:
    fahlman:
      output: {epsilon: 1.0, mu: 2.0, decay: 1.0e-4, patience: 12, change: 0.01, epochs: 100}
      candidates: {epsilon: 100.0, mu: 2.0, decay: 0.0, patience: 8, change: 0.03, epochs: 100}
      pool: 8
      weight_range: 1.0
      threshold: 0.4
      prime_offset: 0.1
evaluate:
  every: 25
checkpoint:
  every_seconds: 10
best:
  metric: error_bits
  goal: min
";

/// Whether the number of ones among eight bits is odd. The step size of candidates is larger than
/// the default of Fahlman's program, with which they stagnate before they find anything.
pub const PARITY_8: &str = "\
system: cascor
seed: 0
model:
  hidden: sigmoid
  output: sigmoid
  max_hidden: 25
training:
  data:
    source: parity
    bits: 8
  method:
    fahlman:
      output: {epsilon: 2.0, mu: 2.0, decay: 1.0e-4, patience: 12, change: 0.01, epochs: 200}
      candidates: {epsilon: 1000.0, mu: 2.0, decay: 0.0, patience: 12, change: 0.03, epochs: 200}
      pool: 8
      weight_range: 1.0
      threshold: 0.4
      prime_offset: 0.1
evaluate:
  every: 25
checkpoint:
  every_seconds: 10
best:
  metric: error_bits
  goal: min
";

/// Noisy spirals by the variant of the Juniper project.
pub const SPIRALS_JUNIPER: &str = "\
system: cascor
seed: 42
model:
  hidden: tanh
  output: linear
  max_hidden: 50
training:
  data:
    source: spirals
    arms: 2
    points: 1000
    noise: 0.25
    one_hot: true
    select: 0.1
    test: 0.1
  method:
    juniper:
      learning_rate: 0.01
      output_epochs: 1000
      pool: 50
      candidate_learning_rate: 0.01
      candidate_epochs: 600
      candidate_patience: 30
      correlation_threshold: 5.0e-4
      patience: 50
      target_accuracy: 0.999
evaluate:
  every: 500
checkpoint:
  every_seconds: 10
best:
  metric: select_loss
  goal: min
";

/// A table of one's own: `--data FILE` and the column to learn.
pub const CASCADE: &str = "\
system: cascor
seed: 0
model:
  hidden: sigmoid
  output: sigmoid
  max_hidden: 50
training:
  data:
    # The option `data` names the file, the option `target` the column to learn.
    source: file
    task: classification
    scale: true
    select: 0.1
    test: 0.1
  method:
    fahlman:
      output: {epsilon: 0.35, mu: 2.0, decay: 1.0e-4, patience: 12, change: 0.01, epochs: 200}
      candidates: {epsilon: 100.0, mu: 2.0, decay: 0.0, patience: 12, change: 0.03, epochs: 200}
      pool: 16
      weight_range: 1.0
      threshold: 0.4
      prime_offset: 0.1
      patience: 10
evaluate:
  every: 25
checkpoint:
  every_seconds: 10
best:
  metric: select_loss
  goal: min
";
