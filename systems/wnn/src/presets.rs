//! Configs that ship with the crate, as YAML.

/// A search that takes minutes: a counting model of a vocabulary of 2,048 byte pairs.
pub const SEARCH: &str = "\
system: wnn
seed: 0
model:
  scoring: counts
  codes: frequency
  order: recent
  bits: {least: 4, most: 44}
  neurons: {least: 1, most: 4}
training:
  data:
    source: sentences
    vocabulary: 2048
    select: 0.1
    test: 0.1
    eval_tokens: 20000
  search:
    context_size: 4
    token_parts: 1
    ga_generations: 10
    population_size: 10
    ts_iterations: 20
    neighbors_per_iter: 48
    default_bits: 33
    default_neurons: 1
  genetic: {mutation: 0.01}
  tabu: {clusters: 8, tenure: 5}
evaluate:
  every: 1
checkpoint:
  every_seconds: 5
best:
  metric: cross_entropy
  goal: min
";

/// The search of the original program at its size: 50,257 classes, scored by votes.
pub const SEARCH_50K: &str = "\
system: wnn
seed: 0
model:
  scoring: votes
  codes: token
  order: random
  bits: {least: 8, most: 25}
  neurons: {least: 3, most: 33}
training:
  data:
    source: zipf
    vocabulary: 50257
    train_tokens: 200000
    eval_tokens: 50000
    select: 0.1
    test: 0.1
  search:
    context_size: 4
    token_parts: 3
    ga_generations: 100
    population_size: 50
    ts_iterations: 200
    neighbors_per_iter: 50
    default_bits: 8
    default_neurons: 5
  tabu: {clusters: 500}
  batch: 4
evaluate:
  every: 1
checkpoint:
  every_seconds: 60
best:
  metric: cross_entropy
  goal: min
";
