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
