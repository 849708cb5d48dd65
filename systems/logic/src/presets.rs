//! Configs that ship with the crate, as YAML.
//!
//! Networks, boards, batches and epochs are those of the DiffLogic CA notebook (Google, 2025). How
//! the wires are arranged and how the optimiser steps is not, because with the notebook's settings
//! (wires as drawn, a pass logit of 10, betas of 0.9 and 0.99, a step size of 0.05 throughout, no
//! noise) fewer seeds arrive at a circuit that is right. Without the lines `identity_start`,
//! `decay_from` and `noise`, and with those numbers, the method is the notebook's.

/// The Game of Life, learned from random 3x3 boards on a torus.
pub const LIFE: &str = "\
system: logic
seed: 0
model:
  channels: 1
  kernels: 16
  kernel_gates: [8, 4, 2, 1]
  update_gates: [128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 64, 32, 16, 8, 4, 2, 1]
  pass_logit: 6.0
training:
  task: life
  width: 3
  height: 3
  boundary: periodic
  automaton_steps: 1
  batch: 20
  epochs: 3000
  learning_rate: 0.05
  betas: [0.9, 0.95]
  epsilon: 1.0e-8
  weight_decay: 0.01
  noise: 1.0
  clip: 100.0
evaluate:
  every: 100
checkpoint:
  compression: small
  every_steps: 500
best:
  metric: hard_loss
  goal: min
";

/// A checkerboard that grows out of random bits in 20 steps.
pub const CHECKERBOARD: &str = "\
system: logic
seed: 0
model:
  channels: 8
  kernels: 16
  kernel_gates: [8, 4, 2]
  update_gates: [256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 128, 64, 32, 16, 8, 8]
  pass_logit: 6.0
  identity_start: true
training:
  task: checkerboard
  width: 16
  height: 16
  boundary: zero
  square: 2
  automaton_steps: 20
  batch: 2
  epochs: 500
  learning_rate: 0.06
  decay_from: 0.5
  betas: [0.5, 0.9]
  epsilon: 1.0e-8
  weight_decay: 0.01
  noise: 0.5
  clip: 100.0
evaluate:
  every: 10
checkpoint:
  compression: small
  every_steps: 50
best:
  metric: hard_loss
  goal: min
";
