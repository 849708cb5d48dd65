//! Configs that ship with the crate, as YAML.

/// Images of digits that are generated on the spot.
pub const GLYPHS: &str = "\
system: wisard
seed: 0
model:
  encoding: {kind: linear, bits: 4}
  tuple_bits: 12
  orders: 1
training:
  data:
    source: glyphs
    rows: 4000
    noise: 0.15
    select: 0.1
    test: 0.1
  rows_per_step: 100
evaluate:
  every: 8
checkpoint:
  every_seconds: 10
best:
  metric: select_accuracy
  goal: max
";

/// A table of one's own: `--data FILE` and the column of the classes.
pub const WISARD: &str = "\
system: wisard
seed: 0
model:
  encoding: {kind: gaussian, bits: 16}
  tuple_bits: 10
  orders: 4
training:
  data:
    # The option `data` names the file, the option `target` the column of the classes.
    source: file
    ignore: []
    select: 0.1
    test: 0.1
  rows_per_step: 1024
evaluate:
  every: 0
checkpoint:
  every_seconds: 10
";

/// A classifier that learns and forgets exactly: of images of digits that are generated on the spot.
pub const EXACT: &str = "\
system: wisard-exact
seed: 0
model:
  encoding: {kind: linear, bits: 3}
  # The least and the greatest value: of pixels here. Of a table they are stated for each of its columns as
  # `ranges`, and `window` is of no use.
  range: [0, 16]
  rams: 128
  tuple_bits: 8
  window: 4
  entry_bits: 8
training:
  data:
    # The option `data` names files of your own, the option `target` the column of the classes of a table.
    source: glyphs
    rows: 4000
    test_rows: 500
    noise: 0.15
  rows_per_step: 500
evaluate:
  every: 0
checkpoint:
  every_seconds: 10
";

/// The MNIST database of handwritten digits, with the options for data.
pub const EXACT_MNIST: &str = "\
system: wisard-exact
seed: 0
model:
  encoding: {kind: linear, bits: 1}
  range: [0, 255]
  upright: true
  rams: 204
  tuple_bits: 8
  window: 5
  entry_bits: 8
  smoothing: 0.01
training:
  data:
    # The option `data` names the files: pictures and labels, and those to be reported on.
    source: file
  rows_per_step: 4096
evaluate:
  every: 0
checkpoint:
  every_seconds: 30
";
