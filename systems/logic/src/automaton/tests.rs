//! The gradient against finite differences of a plain reference, and the promises about bits.

use super::*;
use crate::config::{Boundary, Start, Task};
use crate::fire::Fires;
use crate::state::Network;
use crate::target::Target;
use rekindle_gates::gate::GATES;
use rekindle_train::EarlyStopping;

/// The soft loss in double precision, gate by gate from the truth tables, without any of the
/// shortcuts of the kernels.
struct Reference<'a> {
    model: &'a Model,
    training: &'a Training,
    boards: &'a Boards,
    fires: &'a Fires,
}

impl Reference<'_> {
    fn loss(&self, state: &State) -> f64 {
        let targets = self.training.targets(self.boards);
        let size = self.training.grid().cells();
        let mut loss = 0.0;
        for board in 0..self.boards.count() {
            let bit =
                |cell: usize, channel| f64::from(u8::from(self.boards.bit(channel, board * size + cell)));
            let mut cells: Vec<Vec<f64>> = (0..size)
                .map(|cell| (0..self.model.channels).map(|channel| bit(cell, channel)).collect())
                .collect();
            for time in 0..self.training.automaton_steps {
                let is_updated = |cell: usize| {
                    let index = board * size + cell;
                    self.fires.get(time).is_none_or(|fires| fires[index / 64] >> (index % 64) & 1 == 1)
                };
                let next = |cell: usize| match is_updated(cell) {
                    true => self.cell(state, &cells, cell),
                    false => cells[cell].clone(),
                };
                cells = (0..size).map(next).collect();
            }
            for (cell, channels) in cells.iter().enumerate() {
                for (bit, found) in channels.iter().enumerate().take(targets.channels()) {
                    let target = f64::from(u8::from(targets.bit(bit, board * size + cell)));
                    loss += (found - target).powi(2);
                }
            }
        }
        loss
    }

    #[expect(clippy::needless_range_loop, reason = "the channel is an index of every cell")]
    fn cell(&self, state: &State, cells: &[Vec<f64>], cell: usize) -> Vec<f64> {
        let grid = self.training.grid();
        let mut update = cells[cell].clone();
        for channel in 0..self.model.channels {
            let patch: Vec<f64> = (0..9)
                .map(|position| grid.neighbour(cell, position).map_or(0.0, |other| cells[other][channel]))
                .collect();
            let kernels = 0..self.model.kernels;
            let outputs: Vec<Vec<f64>> =
                kernels.map(|kernel| network(&state.perception, kernel, patch.clone())).collect();
            for output in 0..outputs[0].len() {
                update.extend(outputs.iter().map(|kernel| kernel[output]));
            }
        }
        network(&state.update, 0, update)
    }
}

fn network(network: &Network, copy: usize, mut values: Vec<f64>) -> Vec<f64> {
    for layer in &network.layers {
        let gates = layer.wire_a.len();
        let logits = layer.logits.chunks_exact(GATES).skip(copy * gates);
        let wires = layer.wire_a.iter().zip(&layer.wire_b);
        values = wires
            .zip(logits)
            .map(|((&a, &b), logits)| soft_gate(logits, values[a as usize], values[b as usize]))
            .collect();
    }
    values
}

fn soft_gate(logits: &[f32], a: f64, b: f64) -> f64 {
    let corners = [(1.0 - a) * (1.0 - b), (1.0 - a) * b, a * (1.0 - b), a * b];
    let weights: Vec<f64> = logits.iter().map(|logit| f64::from(*logit).exp()).collect();
    let value = |op: usize| {
        (0..4).map(|corner| corners[corner] * f64::from((op >> (3 - corner) & 1) as u8)).sum::<f64>()
    };
    let mixed: f64 = weights.iter().enumerate().map(|(op, weight)| weight * value(op)).sum();
    mixed / weights.iter().sum::<f64>()
}

fn model() -> Model {
    Model {
        channels: 2,
        kernels: 3,
        kernel_gates: vec![8, 4, 2],
        update_gates: vec![9, 5, 3, 2],
        pass_logit: 10.0,
        identity_start: false,
    }
}

fn training(task: Task, boundary: Boundary, automaton_steps: usize) -> Training {
    Training {
        task,
        width: 5,
        height: 3,
        boundary,
        square: 2,
        automaton_steps,
        batch: 2,
        epochs: 4,
        ..Training::default()
    }
}

/// The loss of an epoch.
fn soft_loss(metrics: StepMetrics) -> f64 {
    match metrics {
        StepMetrics::Trained { soft_loss } => soft_loss,
        StepMetrics::Refined { .. } => panic!("an epoch was expected"),
    }
}

/// A state whose gates are all undecided, so that every gradient counts.
fn undecided(model: &Model, seed: u64) -> State {
    let mut state = State::new(model, seed).unwrap();
    let mut stream = rng::stream(seed, 99, 0);
    for layer in state.perception.layers.iter_mut().chain(&mut state.update.layers) {
        layer.logits.fill_with(|| 2.0 * stream.uniform());
    }
    state
}

fn check_gradient(training: &Training) {
    check_gradient_of(&model(), training);
}

fn check_gradient_of(model: &Model, training: &Training) {
    let seed = 11;
    let before = undecided(model, seed);
    let mut after = before.clone();
    let mut automaton = Automaton::attach(model, training, seed, &before, 2, KernelPath::best()).unwrap();
    let found = soft_loss(automaton.step(&mut after));

    let mut stream = rng::stream(seed, streams::BATCH, 0);
    let boards = training.starting_boards(training.batch, model.channels, &mut stream);
    let mut stream = rng::stream(seed, streams::FIRE, 0);
    let fires = fire::draw(training.fire_rate, training.automaton_steps, boards.cells(), &mut stream);
    let reference = Reference { model, training, boards: &boards, fires: &fires };
    let loss = reference.loss(&before);
    assert!((found - loss).abs() < 1e-4 * loss, "{found} {loss}");

    // After the first step the first moment is a tenth of the gradient.
    let depth = before.perception.layers.len();
    let moments: Vec<_> = after.optimizer.perception.iter().chain(&after.optimizer.update).collect();
    for (index, moments) in moments.into_iter().enumerate() {
        for entry in (0..moments.first_moment.len()).step_by(37) {
            let moved = |by: f32| {
                let mut state = before.clone();
                let layer = match index.checked_sub(depth) {
                    None => &mut state.perception.layers[index],
                    Some(index) => &mut state.update.layers[index],
                };
                layer.logits[entry] += by;
                (reference.loss(&state), f64::from(layer_logit(&state, index, depth, entry)))
            };
            let ((more, high), (less, low)) = (moved(1e-2), moved(-1e-2));
            let expected = (more - less) / (high - low);
            let found = f64::from(moments.first_moment[entry]) / 0.1;
            let tolerance = 1e-4 + 2e-3 * expected.abs();
            assert!((found - expected).abs() < tolerance, "{index} {entry}: {found} {expected}");
        }
    }
}

fn layer_logit(state: &State, index: usize, depth: usize, entry: usize) -> f32 {
    match index.checked_sub(depth) {
        None => state.perception.layers[index].logits[entry],
        Some(index) => state.update.layers[index].logits[entry],
    }
}

#[test]
fn the_gradient_agrees_with_finite_differences() {
    check_gradient(&training(Task::Life, Boundary::Periodic, 1));
    check_gradient(&training(Task::Checkerboard, Boundary::Zero, 3));
    check_gradient(&training(Task::Checkerboard, Boundary::Periodic, 4));
}

#[test]
fn the_gradient_is_right_where_not_all_cells_are_updated() {
    for boundary in [Boundary::Zero, Boundary::Periodic] {
        let apart = Training { fire_rate: 0.6, ..training(Task::Checkerboard, boundary, 4) };
        check_gradient(&Training { batch: 3, ..apart });
    }
}

#[test]
fn the_gradient_is_right_for_pictures_in_colours() {
    let rows = ["rygbk", "w.cmk", "rrrrr"].map(str::to_owned);
    let picture = training(Task::Picture, Boundary::Zero, 3);
    let picture = Training { target: Some(Target::new(rows.to_vec()).unwrap()), ..picture };
    let model = Model { channels: 3, update_gates: vec![12, 6, 4, 3], ..model() };
    for start in [Start::Random, Start::Centre] {
        check_gradient_of(&model, &Training { start, ..picture.clone() });
    }
    check_gradient_of(&model, &Training { fire_rate: 0.5, ..picture });
}

fn trained(training: &Training, epochs: u64, threads: usize, path: KernelPath) -> State {
    let model = model();
    let mut state = undecided(&model, 5);
    let mut automaton = Automaton::attach(&model, training, 5, &state, threads, path).unwrap();
    for _ in 0..epochs {
        automaton.step(&mut state);
    }
    state
}

#[test]
fn threads_and_kernel_paths_do_not_change_a_bit() {
    let together = Training { batch: 20, noise: 1.0, ..training(Task::Checkerboard, Boundary::Zero, 3) };
    let apart = Training { batch: 7, fire_rate: 0.6, ..together.clone() };
    for training in [together, apart] {
        let expected = trained(&training, 6, 1, KernelPath::Portable);
        for path in KernelPath::available() {
            for threads in 1..=3 {
                assert_eq!(trained(&training, 6, threads, path), expected, "{path}, {threads} threads");
            }
        }
    }
}

#[test]
fn a_saved_state_goes_on_as_if_it_had_never_stopped() {
    let model = model();
    let training = Training { noise: 1.0, ..training(Task::Life, Boundary::Periodic, 1) };
    let straight = trained(&training, 12, 1, KernelPath::best());
    let saved = serde_json::to_string(&trained(&training, 7, 1, KernelPath::best())).unwrap();
    let mut state: State = serde_json::from_str(&saved).unwrap();
    let mut automaton = Automaton::attach(&model, &training, 5, &state, 2, KernelPath::best()).unwrap();
    for _ in 7..12 {
        // Evaluating in between must leave no trace.
        automaton.evaluate(&state);
        automaton.step(&mut state);
    }
    assert_eq!(state, straight);
}

#[test]
fn an_untrained_automaton_passes_a_neighbour_on() {
    let model = model();
    let state = State::new(&model, 1).unwrap();
    let training = training(Task::Checkerboard, Boundary::Zero, 2);
    let mut automaton = Automaton::attach(&model, &training, 1, &state, 1, KernelPath::best()).unwrap();
    assert_eq!(automaton.evaluate(&state).active_gates, 0);
}

#[test]
fn a_state_of_another_shape_is_refused_by_name() {
    let model = model();
    let training = training(Task::Life, Boundary::Periodic, 1);
    let attach = |state: &State| {
        let error = Automaton::attach(&model, &training, 1, state, 1, KernelPath::best()).err();
        error.map(|error| error.to_string()).unwrap_or_default()
    };
    let mut state = State::new(&model, 1).unwrap();
    state.update.layers[2].wire_b[1] = 5;
    let message = attach(&state);
    assert!(message.contains("`update.layers.2.wire_b` reads input 5 of 5"), "{message}");
    let mut state = State::new(&model, 1).unwrap();
    state.optimizer.perception[1].second_moment.pop();
    let message = attach(&state);
    assert!(message.contains("`optimizer.perception.1.second_moment` holds 191"), "{message}");
}

/// The loss of early stopping, computed from the boards alone.
fn wrong_cells(training: &Training, state: &State) -> usize {
    let circuit = HardCircuit::from_state(&model(), state).unwrap().compile().unwrap();
    let (seed, boundary, steps) = (5, training.boundary, training.automaton_steps);
    let of = |boards: Boards| {
        let found = circuit.run(&boards, boundary, steps, KernelPath::best()).unwrap();
        found.differences(&training.targets(&boards)).cells
    };
    let cells = training.grid().cells();
    let groups = (0..).map(|group| {
        let mut stream = rng::stream(seed, streams::SELECT, group);
        training.starting_boards(128.min(4096 / cells), model().channels, &mut stream)
    });
    let mut boards = 0;
    let drawn = groups.take_while(|group| {
        boards += group.count();
        boards <= 1024
    });
    drawn.map(of).sum()
}

#[test]
fn a_circuit_is_measured_on_1024_boards() {
    let training = Training { width: 8, height: 8, ..training(Task::Checkerboard, Boundary::Zero, 3) };
    let state = undecided(&model(), 5);
    for threads in [1, 3] {
        let mut automaton =
            Automaton::attach(&model(), &training, 5, &state, threads, KernelPath::best()).unwrap();
        let evaluation = automaton.evaluate(&state);
        let expected = wrong_cells(&training, &state);
        assert!(expected > 0);
        assert_eq!(evaluation.hard_loss, expected as f64);
        assert_eq!(evaluation.accuracy, 1.0 - expected as f64 / (1024.0 * 64.0));
        // They are the same all through a run.
        let later = State { epoch: 3, ..state.clone() };
        assert_eq!(automaton.evaluate(&later).hard_loss, expected as f64);
    }
}

#[test]
fn training_ends_when_the_circuit_gets_no_better() {
    let stopping = EarlyStopping { every: 3, patience: 2, min_improvement: 0.0 };
    let plain =
        Training { width: 8, height: 8, epochs: 200, ..training(Task::Checkerboard, Boundary::Zero, 3) };
    let stopped = Training { early_stopping: Some(stopping), ..plain.clone() };
    let run = |training: &Training| {
        let mut state = undecided(&model(), 5);
        let mut automaton = Automaton::attach(&model(), training, 5, &state, 2, KernelPath::best()).unwrap();
        while !automaton.is_finished(&state) {
            automaton.step(&mut state);
        }
        state
    };
    let state = run(&stopped);
    let patience = state.patience.unwrap();
    assert!(state.epoch < 200 && state.epoch == patience.best_step + 6, "{patience:?}");
    // It is measured and nothing else: the training until then is that without.
    let until = run(&Training { epochs: state.epoch, ..plain.clone() });
    assert_eq!(State { patience: None, ..state }, until);
    let at_best = run(&Training { epochs: patience.best_step, ..plain });
    assert_eq!(patience.best, Some(wrong_cells(&stopped, &at_best) as f64));
}

#[test]
fn a_step_that_makes_no_numbers_is_told_at_once() {
    let training = Training { learning_rate: 1e300, ..training(Task::Checkerboard, Boundary::Zero, 3) };
    let mut state = undecided(&model(), 5);
    let mut automaton = Automaton::attach(&model(), &training, 5, &state, 1, KernelPath::best()).unwrap();
    assert!(soft_loss(automaton.step(&mut state)).is_nan());
}

#[test]
fn early_stopping_that_cannot_be_is_refused() {
    let stopping = EarlyStopping { every: 0, patience: 2, min_improvement: 0.0 };
    let training = Training { early_stopping: Some(stopping), ..training(Task::Life, Boundary::Periodic, 1) };
    let message = training.validate().unwrap_err().to_string();
    assert!(message.contains("training.early_stopping") && message.contains("every"), "{message}");
}

/// A training that ends with a repair which cannot succeed, twice.
fn refined() -> Training {
    let refinement = Refinement { every: 2, repair_steps: 3, prune_steps: 2, attempts: 2 };
    Training { refinement: Some(refinement), ..training(Task::Checkerboard, Boundary::Zero, 3) }
}

/// Trains to the end, with the state saved and loaded before every step.
fn to_the_end(training: &Training, threads: usize, path: KernelPath, saved: bool) -> State {
    let model = model();
    let mut state = undecided(&model, 5);
    let mut automaton = Automaton::attach(&model, training, 5, &state, threads, path).unwrap();
    while !automaton.is_finished(&state) {
        if saved {
            state = serde_json::from_str(&serde_json::to_string(&state).unwrap()).unwrap();
            automaton = Automaton::attach(&model, training, 5, &state, threads, path).unwrap();
        }
        automaton.step(&mut state);
    }
    state
}

#[test]
fn a_circuit_that_is_not_right_is_repaired_and_then_another_attempt_begins() {
    let state = to_the_end(&refined(), 2, KernelPath::best(), false);
    assert_eq!((state.attempt, state.attempt_start, state.epoch), (1, 7, 14));
    let refined = state.refined.as_ref().unwrap();
    assert!(!refined.pruning && refined.steps == 3);
    let begun = HardCircuit::harden(&model(), &State { refined: None, ..state.clone() });
    let best = refined.best_search().unwrap();
    let select = SelectBoards::new(&self::refined(), 2, 5);
    let judge = Judge { select: &select, path: KernelPath::best() };
    assert!((best.best_wrong_cells as usize) < judge.wrong_cells(&begun.trace(), usize::MAX), "{best:?}");
    // What is hardened is the best circuit.
    let circuit = HardCircuit::from_state(&model(), &state).unwrap();
    assert_eq!(judge.wrong_cells(&circuit.trace(), usize::MAX) as u64, best.best_wrong_cells);
}

#[test]
fn refinement_is_the_same_with_any_threads_and_after_any_stop() {
    let expected = to_the_end(&refined(), 1, KernelPath::Portable, false);
    for path in KernelPath::available() {
        assert_eq!(to_the_end(&refined(), 3, path, false), expected, "{path}");
    }
    assert_eq!(to_the_end(&refined(), 2, KernelPath::best(), true), expected);
}

#[test]
fn a_circuit_that_is_right_loses_the_gates_that_it_can_do_without() {
    let refinement = Refinement { every: 1, repair_steps: 1, prune_steps: 30, attempts: 1 };
    let dark = Target::new(vec![".....".to_owned(); 3]).unwrap();
    let training = Training {
        target: Some(dark),
        start: Start::Zero,
        learning_rate: 0.0,
        refinement: Some(refinement),
        ..training(Task::Picture, Boundary::Zero, 2)
    };
    let model = model();
    let mut state = State::new(&model, 5).unwrap();
    // Every gate of the update network is XOR, so that nothing but 0 comes of 0, by many gates.
    let logits = state.update.layers.iter_mut().flat_map(|layer| layer.logits.as_chunks_mut::<GATES>().0);
    logits.for_each(|logits| logits[6] = 20.0);
    let mut automaton = Automaton::attach(&model, &training, 5, &state, 2, KernelPath::best()).unwrap();
    let begun = HardCircuit::from_state(&model, &state).unwrap();
    while !automaton.is_finished(&state) {
        automaton.step(&mut state);
    }
    let circuit = HardCircuit::from_state(&model, &state).unwrap();
    assert!(circuit.check(&training, 5, KernelPath::best()).unwrap().passed());
    let (before, after) = (begun.trace().gates(), circuit.trace().gates());
    assert!(before > 5 && after == 0, "{before} {after}");
}

#[test]
fn a_refined_circuit_of_another_shape_is_refused_by_name() {
    let mut state = to_the_end(&refined(), 1, KernelPath::best(), false);
    state.refined.as_mut().unwrap().searches[1].best[3] = 16;
    let message = state.validate(&model()).unwrap_err().to_string();
    assert!(message.contains("`refined.searches.1.best` has 16, not one of the 16 functions"), "{message}");
    state.refined.as_mut().unwrap().searches[0].functions.pop();
    let message = state.validate(&model()).unwrap_err().to_string();
    assert!(message.contains("`refined.searches.0.functions` holds"), "{message}");
}

#[test]
fn targets_that_cannot_be_are_refused() {
    let refused = |training: Training| training.validate_for(&model()).unwrap_err().to_string();
    let picture = |rows: &[&str]| Training {
        target: Some(Target::new(rows.iter().map(|&row| row.to_owned()).collect()).unwrap()),
        ..training(Task::Picture, Boundary::Zero, 2)
    };
    let message = refused(picture(&["##", ".."]));
    assert!(message.contains("training.target has 2 rows of 2 cells"), "{message}");
    let message = refused(picture(&["rgbyk"; 3]));
    assert!(message.contains("which take 3 channels"), "{message}");
    let message = refused(training(Task::Picture, Boundary::Zero, 2));
    assert!(message.contains("`training.target`") && message.contains("none is given"), "{message}");
    let message = refused(training(Task::Rule, Boundary::Zero, 2));
    assert!(message.contains("`training.rule`") && message.contains("none is given"), "{message}");
    let message = refused(Training { fire_rate: 0.5, ..training(Task::Life, Boundary::Zero, 1) });
    assert!(message.contains("`training.fire_rate`"), "{message}");
}
