//! Configs that ship with the crate, as YAML.

/// Logic and everyday facts, then dialogues about them.
pub const GPT: &str = "\
system: gpt
seed: 0
model:
  layers: 4
  heads: 4
  width: 128
  context: 128
  tied: true
  sampling: {temperature: 0.3}
training:
  tokenizer:
    kind: byte_pairs
    vocabulary: 1024
  pretraining:
    data: {source: facts, evaluation: 0.02, test: 0.02}
    steps: 800
    batch: 8
    learning_rate: 0.003
    warmup: 100
  tuning:
    data: {source: dialogues, count: 100000, evaluation: 0.02, test: 0.02}
    steps: 6000
    batch: 12
    learning_rate: 0.002
    warmup: 100
evaluate:
  every: 250
checkpoint:
  every_seconds: 20
best:
  metric: bits_per_byte
  goal: min
";

/// A text letter by letter, with the model and the schedule of nanoGPT's example for one processor.
pub const SHAKESPEARE: &str = "\
system: gpt
seed: 0
model:
  layers: 4
  heads: 4
  width: 128
  context: 64
training:
  tokenizer:
    kind: bytes
  pretraining:
    data: {evaluation: 0.05, test: 0.05}
    steps: 2000
    batch: 12
    learning_rate: 0.002
    final_learning_rate: 0.0001
    warmup: 100
evaluate:
  every: 250
checkpoint:
  every_seconds: 20
best:
  metric: bits_per_byte
  goal: min
";

/// The model of RustGPT with its two passes over its two files.
pub const RUSTGPT: &str = "\
system: gpt
seed: 0
model:
  block: rustgpt
  layers: 3
  heads: 1
  width: 128
  feed_forward: 256
  context: 80
training:
  tokenizer:
    kind: rustgpt
    vocabulary: 50000
  pretraining:
    data: {evaluation: 0.0, order: given}
    epochs: 100
    batch: 4
    learning_rate: 5.0e-4
    final_learning_rate: 5.0e-4
  tuning:
    data: {evaluation: 0.0, order: given}
    epochs: 100
    batch: 4
    learning_rate: 1.0e-4
    final_learning_rate: 1.0e-4
  optimizer:
    betas: [0.9, 0.999]
    weight_decay: 0.0
    clip: 0.0
evaluate:
  every: 100
checkpoint:
  every_seconds: 20
";

/// Pictures of shapes, named and drawn.
pub const SHAPES: &str = "\
system: gpt
seed: 0
model:
  layers: 4
  heads: 4
  width: 96
  context: 160
  tied: true
  sampling: {temperature: 0.0}
training:
  tokenizer: {kind: words, vocabulary: 320}
  pretraining:
    data: {source: shapes, count: 60000, evaluation: 0.01}
    steps: 4000
    batch: 24
    learning_rate: 0.002
    warmup: 100
evaluate:
  every: 250
checkpoint:
  every_seconds: 20
best:
  metric: bits_per_byte
  goal: min
";

/// Facts and rules in sentences, and what follows from them, step by step.
pub const LOGIC: &str = "\
system: gpt
seed: 0
model:
  layers: 4
  heads: 4
  width: 128
  context: 320
  tied: true
  structure: {tree: true, bias: true, mask: true}
  sampling: {temperature: 0.0}
training:
  tokenizer: {kind: words, vocabulary: 512, symbols: {}}
  pretraining:
    data: {source: reasoning, suites: [rules], steps: true, random_positions: true, count: 200000, evaluation: 0.005}
    steps: 14000
    batch: 24
    learning_rate: 0.002
    warmup: 200
  facts: 200
evaluate:
  every: 500
checkpoint:
  every_seconds: 20
best:
  metric: bits_per_byte
  goal: min
";
