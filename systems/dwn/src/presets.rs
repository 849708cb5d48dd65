//! Configs that ship with the crate, as YAML.

/// Images of digits that are generated on the spot.
pub const DWN: &str = "\
system: dwn
seed: 0
model:
  encoding: {kind: linear, bits: 3}
  inputs: 6
  layers: [300, 200]
  candidates: 64
  temperature: 2.0
training:
  data:
    source: glyphs
    rows: 4000
    noise: 0.15
    select: 0.1
    test: 0.1
  epochs: 10
  batch: 64
  learning_rate: 0.01
  schedule: linear
evaluate:
  every: 100
checkpoint:
  every_seconds: 10
best:
  metric: select_accuracy
  goal: max
";

/// The MNIST database of handwritten digits, with the options for data: six thousand lookup tables.
pub const DWN_MNIST: &str = "\
system: dwn
seed: 0
model:
  encoding: {kind: linear, bits: 3}
  inputs: 6
  layers: [4000, 2000]
  candidates: 128
  temperature: 5.0
training:
  data:
    # The option `data` names the files: pictures and labels, and those to be reported on.
    source: file
    select: 0.05
    test: 0.1
  epochs: 20
  batch: 128
  learning_rate: 0.01
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
