//! Training: the runtime that takes a state from epoch to epoch.

use rekindle_compute::{KernelPath, Pool, rng};

use crate::boards::Boards;
use crate::cell::Cell;
use crate::check;
use crate::config::{Model, Task, Training};
use crate::error::LogicError;
use crate::hard_circuit::HardCircuit;
use crate::parameters::{Noise, Parameters};
use crate::rollout::{Pass, Rollout};
use crate::state::State;
use crate::streams;

/// What one epoch says about itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepMetrics {
    /// The sum over all cells of the batch of the squared error of the first channel, before the
    /// optimiser's step.
    pub soft_loss: f64,
}

/// How well a state does on boards that are not trained on.
///
/// One step of the Game of Life on a 3x3 torus is evaluated on all 512 boards, every other task on
/// a batch of random boards of its own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evaluation {
    /// The sum over all cells of the squared error of the first channel.
    pub soft_loss: f64,
    /// The same with each gate replaced by its likeliest function: the number of wrong cells.
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
        StepMetrics { soft_loss }
    }

    /// Evaluates a state. This changes nothing that training depends on.
    pub fn evaluate(&mut self, state: &State) -> Evaluation {
        let boards = self.evaluation_boards(state.epoch);
        let targets = self.training.targets(&boards);
        let circuit = HardCircuit::harden(&self.model, state);
        let steps = self.training.automaton_steps;
        let found = circuit.trace().advance(&boards, self.training.boundary, steps, self.path);
        let wrong = found.differences(&targets).cells;
        let Self { path, pool, cell, parameters, evaluation, .. } = self;
        let path = *path;
        evaluation.load(&boards, &targets);
        let soft_loss = pool.run(|| {
            parameters.soften(pool, path, state, None);
            let coefficients = parameters.coefficients();
            evaluation.loss(&Pass { pool, path, cell, coefficients })
        });
        Evaluation {
            soft_loss,
            hard_loss: wrong as f64,
            accuracy: 1.0 - wrong as f64 / boards.cells() as f64,
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

/// Whether a task is small enough to evaluate every board there is.
fn covers_all_boards(training: &Training) -> bool {
    training.task == Task::Life && training.width == 3 && training.height == 3
}

#[cfg(test)]
mod tests;
