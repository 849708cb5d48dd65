//! Training: the runtime that takes a state from epoch to epoch.

use rekindle_compute::{KernelPath, Pool, rng};

use crate::boards::Boards;
use crate::cell::Cell;
use crate::check;
use crate::config::{Model, Training};
use crate::error::LogicError;
use crate::hard_circuit::HardCircuit;
use crate::parameters::{Noise, Parameters};
use crate::rollout::{Pass, Rollout};
use crate::select::{SelectBoards, covers_all_boards};
use crate::state::State;
use crate::streams;

/// What one epoch says about itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepMetrics {
    /// The sum over all cells of the batch of the squared error of the first channel, before the
    /// optimiser's step; not a number when the step made a logit that is none.
    pub soft_loss: f64,
}

/// How well a state does on boards that are not trained on.
///
/// The Game of Life on 3x3 boards is evaluated on all 512 of them, every other task on random boards:
/// the soft loss on a batch of its own, the rest on 256 that are the same all through a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evaluation {
    /// The sum over all cells of the squared error of the first channel.
    pub soft_loss: f64,
    /// The number of wrong cells with each gate replaced by its likeliest function.
    pub hard_loss: f64,
    /// The share of cells that the likeliest functions get right.
    pub accuracy: f64,
    /// Gates whose likeliest function does more than pass an input on.
    pub active_gates: usize,
}

/// Everything that training needs beside the [`State`]: buffers, threads, data. Nothing in it has
/// to be saved.
pub struct Automaton {
    model: Model,
    training: Training,
    seed: u64,
    path: KernelPath,
    pool: Pool,
    cell: Cell,
    parameters: Parameters,
    batch: Rollout,
    evaluation: Rollout,
    select: SelectBoards,
}

impl Automaton {
    /// Prepares to train a state.
    ///
    /// # Errors
    /// The config makes no sense, the state does not fit it, or the threads cannot be started.
    pub fn attach(
        model: &Model,
        training: &Training,
        seed: u64,
        state: &State,
        threads: usize,
        path: KernelPath,
    ) -> Result<Self, LogicError> {
        model.validate()?;
        training.validate()?;
        state.validate(model)?;
        let cell = Cell::new(model, state);
        let (grid, steps) = (training.grid(), training.automaton_steps);
        let evaluated = if covers_all_boards(training) { check::ROWS } else { training.batch };
        Ok(Self {
            model: model.clone(),
            training: training.clone(),
            seed,
            path,
            pool: Pool::new(threads)?,
            parameters: Parameters::new(training, state),
            batch: Rollout::new(&cell, &grid, training.batch, steps),
            evaluation: Rollout::new(&cell, &grid, evaluated, steps),
            select: SelectBoards::new(training, cell.channels, seed),
            cell,
        })
    }

    /// Trains one epoch: one batch, one step of the optimiser.
    ///
    /// The state must be the one that was attached, or one of the same run: its wires are those
    /// that were read then.
    pub fn step(&mut self, state: &mut State) -> StepMetrics {
        let Self { training, seed, path, pool, cell, parameters, batch, .. } = self;
        let (seed, path, epoch) = (*seed, *path, state.epoch);
        let mut stream = rng::stream(seed, streams::BATCH, epoch);
        let boards = training.random_boards(training.batch, cell.channels, &mut stream);
        batch.load(&boards, &training.targets(&boards));
        let rate = training.learning_rate_at(epoch);
        let noise = Noise { seed, epoch, scale: training.noise_at(epoch) };
        let noise = Some(noise).filter(|noise| noise.scale > 0.0);
        let soft_loss = pool.run(|| {
            parameters.soften(pool, path, state, noise);
            let coefficients = parameters.coefficients();
            let soft_loss = batch.loss_and_gradient(&Pass { pool, path, cell, coefficients });
            parameters.update(pool, path, state, batch, rate);
            soft_loss
        });
        state.epoch += 1;
        self.observe(state);
        StepMetrics { soft_loss: if is_sound(state) { soft_loss } else { f64::NAN } }
    }

    /// True when all epochs are trained, or the circuit gets no better.
    pub fn is_finished(&self, state: &State) -> bool {
        let exhausted = |stopping| state.patience.is_some_and(|patience| patience.is_exhausted(stopping));
        state.epoch >= self.training.epochs || self.training.early_stopping.as_ref().is_some_and(exhausted)
    }

    /// Takes the circuit of this epoch into account, if its loss is due, for when training ends.
    fn observe(&self, state: &mut State) {
        let Some(stopping) = self.training.early_stopping else { return };
        if stopping.is_due(state.epoch) {
            let circuit = HardCircuit::harden(&self.model, state);
            let wrong = self.select.wrong_cells(&circuit.trace(), &self.pool, self.path);
            state.patience.get_or_insert_default().observe(state.epoch, wrong as f64, &stopping);
        }
    }

    /// Evaluates a state. This changes nothing that training depends on.
    pub fn evaluate(&mut self, state: &State) -> Evaluation {
        let boards = self.evaluation_boards(state.epoch);
        let targets = self.training.targets(&boards);
        let circuit = HardCircuit::harden(&self.model, state);
        let Self { path, pool, cell, parameters, evaluation, select, .. } = self;
        let path = *path;
        let wrong = select.wrong_cells(&circuit.trace(), pool, path);
        evaluation.load(&boards, &targets);
        let soft_loss = pool.run(|| {
            parameters.soften(pool, path, state, None);
            let coefficients = parameters.coefficients();
            evaluation.loss(&Pass { pool, path, cell, coefficients })
        });
        Evaluation {
            soft_loss,
            hard_loss: wrong as f64,
            accuracy: 1.0 - wrong as f64 / select.cells() as f64,
            active_gates: circuit.active_gates(),
        }
    }

    fn evaluation_boards(&self, epoch: u64) -> Boards {
        let (training, channels) = (&self.training, self.cell.channels);
        if covers_all_boards(training) {
            return check::all_rows(channels);
        }
        let mut stream = rng::stream(self.seed, streams::EVALUATION, epoch);
        training.random_boards(training.batch, channels, &mut stream)
    }
}

/// False when a logit is not a number: nothing that follows would be one.
fn is_sound(state: &State) -> bool {
    let layers = state.perception.layers.iter().chain(&state.update.layers);
    layers.flat_map(|layer| &layer.logits).all(|logit| logit.is_finite())
}

#[cfg(test)]
mod tests;
