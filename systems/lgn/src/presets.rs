//! Configs that ship with the crate, as YAML.

/// Images of digits that are generated on the spot.
pub const DIGITS: &str = "\
system: lgn
seed: 0
model:
  encoding: {kind: linear, bits: 3}
  layers: [1000, 1000, 1000]
  temperature: 8.0
training:
  data:
    source: glyphs
    rows: 4000
    noise: 0.15
    select: 0.1
    test: 0.1
  epochs: 20
  batch: 128
  learning_rate: 0.02
  schedule: linear
evaluate:
  every: 100
checkpoint:
  every_seconds: 10
best:
  metric: select_accuracy
  goal: max
";

/// The MNIST database of handwritten digits, with the options for data: six layers of eight thousand gates.
pub const MNIST: &str = "\
system: lgn
seed: 0
model:
  encoding: {kind: linear, bits: 3}
  layers: [8000, 8000, 8000, 8000, 8000, 8000]
  temperature: 10.0
training:
  data:
    # The option `data` names the files: pictures and labels, and those to be reported on.
    source: file
    select: 0.05
    test: 0.1
  epochs: 60
  batch: 128
  learning_rate: 0.03
  schedule: linear
  shift: 1
evaluate:
  every: 1000
checkpoint:
  every_seconds: 60
best:
  metric: select_accuracy
  goal: max
";
