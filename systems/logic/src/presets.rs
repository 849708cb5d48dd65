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
  epochs: 250
  learning_rate: 0.06
  decay_from: 0.5
  betas: [0.5, 0.9]
  epsilon: 1.0e-8
  weight_decay: 0.01
  noise: 0.5
  clip: 100.0
  refinement:
    every: 10
    repair_steps: 60
    prune_steps: 400
    attempts: 8
evaluate:
  every: 10
checkpoint:
  compression: small
  every_steps: 50
best:
  metric: hard_loss
  goal: min
";

/// A checkerboard that grows out of random bits in 50 steps, in each of which a cell is updated with a
/// chance of 0.6.
pub const CHECKERBOARD_ASYNC: &str = "\
system: logic
seed: 0
model:
  channels: 8
  kernels: 16
  kernel_gates: [8, 4, 2]
  update_gates: [256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 128, 64, 32, 16, 8, 8]
  pass_logit: 6.0
  identity_start: true
training:
  task: checkerboard
  width: 14
  height: 14
  boundary: zero
  square: 2
  fire_rate: 0.6
  automaton_steps: 50
  batch: 1
  epochs: 400
  learning_rate: 0.06
  decay_from: 0.5
  betas: [0.5, 0.9]
  epsilon: 1.0e-8
  weight_decay: 0.01
  noise: 0.5
  clip: 100.0
  refinement:
    every: 10
    repair_steps: 60
    prune_steps: 400
    attempts: 8
evaluate:
  every: 10
checkpoint:
  compression: small
  every_steps: 50
best:
  metric: hard_loss
  goal: min
";

/// A lizard that grows out of one cell in 12 steps. The picture is this project's own.
pub const LIZARD: &str = "\
system: logic
seed: 2
model:
  channels: 128
  kernels: 4
  kernel_gates: [8, 4, 2, 1]
  update_gates: [512, 512, 512, 512, 512, 512, 512, 512, 256, 128]
  pass_logit: 10.0
training:
  task: picture
  width: 20
  height: 20
  boundary: periodic
  start: centre
  target:
    - \"....................\"
    - \"....................\"
    - \"....................\"
    - \".........##.........\"
    - \"........####........\"
    - \".....#...##...#.....\"
    - \".....##.####.##.....\"
    - \"......########......\"
    - \"........####........\"
    - \"........####........\"
    - \"........####........\"
    - \"......########......\"
    - \".....##.####.##.....\"
    - \".....#...##...#.....\"
    - \".........##.........\"
    - \".........###........\"
    - \"..........###.......\"
    - \"...........##.......\"
    - \"....................\"
    - \"....................\"
  automaton_steps: 12
  batch: 1
  epochs: 3500
  learning_rate: 0.06
  decay_from: 0.7
  betas: [0.9, 0.99]
  epsilon: 1.0e-8
  weight_decay: 0.01
  noise: 1.0
  clip: 100.0
  refinement:
    every: 10
    repair_steps: 300
    prune_steps: 0
    attempts: 8
evaluate:
  every: 10
checkpoint:
  compression: small
  every_steps: 50
best:
  metric: hard_loss
  goal: min
";

/// The letter G in colours, which grows out of nothing but the edge of its board in 15 steps. The picture is
/// this project's own.
pub const LETTER_G: &str = "\
system: logic
seed: 1
model:
  channels: 64
  kernels: 4
  kernel_gates: [8, 4, 2]
  update_gates: [512, 512, 512, 512, 512, 512, 512, 512, 256, 128, 64]
  pass_logit: 10.0
training:
  task: picture
  width: 16
  height: 16
  boundary: zero
  start: zero
  target:
    - \"................\"
    - \"....rrrrrrr.....\"
    - \"...rrrrrrrrr....\"
    - \"..yyyy...yyy....\"
    - \"..yyy...........\"
    - \".ggg............\"
    - \".ggg............\"
    - \".ggg....cccccc..\"
    - \".ccc....cccccc..\"
    - \".ccc.......ccc..\"
    - \".bbb.......bbb..\"
    - \"..bbb......bbb..\"
    - \"..bbbb...bbbbb..\"
    - \"...mmmmmmmmmm...\"
    - \"....mmmmmmmm....\"
    - \"................\"
  automaton_steps: 15
  batch: 1
  epochs: 2000
  learning_rate: 0.06
  decay_from: 0.7
  betas: [0.9, 0.99]
  epsilon: 1.0e-8
  weight_decay: 0.01
  noise: 1.0
  clip: 100.0
  refinement:
    every: 10
    repair_steps: 300
    prune_steps: 0
    attempts: 8
evaluate:
  every: 10
checkpoint:
  compression: small
  every_steps: 50
best:
  metric: hard_loss
  goal: min
";
