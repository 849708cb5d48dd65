//! Training: the runtime that takes a state from epoch to epoch.

use rekindle_compute::{KernelPath, Pool, rng};

use crate::boards::Boards;
use crate::cell::Cell;
use crate::check;
use crate::config::{Model, Refinement, Training};
use crate::error::LogicError;
use crate::fire;
use crate::hard_circuit::HardCircuit;
use crate::parameters::{Noise, Parameters};
use crate::refine::{Judge, Leanings, Refined};
use crate::rollout::{Pass, Rollout};
use crate::select::{SelectBoards, covers_all_boards};
use crate::state::State;
use crate::streams;

/// What one step says about itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum StepMetrics {
    /// An epoch.
    Trained {
        /// The sum over all cells of the batch of the squared error of the channels that the task looks at,
        /// before the optimiser's step; not a number when the step made a logit that is none.
        soft_loss: f64,
    },
    /// A step of refinement.
    Refined {
        /// Cells that the best circuit so far gets wrong on the boards that changes are judged by.
        wrong_cells: u64,
        /// Gates of the best circuit so far that a cell's next state depends on.
        gates: u64,
    },
}

/// How well a state does on boards that are not trained on.
///
/// A rule on 3x3 boards is evaluated on all 512 of them, every other task on boards that are drawn: the
/// soft loss on a batch of its own, the rest on 1024 that are the same all through a run, or on the one
/// board that there is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evaluation {
    /// The sum over all cells of the squared error of the channels that the task looks at.
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
        training.validate_for(model)?;
        state.validate(model)?;
        let cell = Cell::new(model, state);
        let evaluated = if covers_all_boards(training) { check::ROWS } else { training.batch };
        Ok(Self {
            model: model.clone(),
            training: training.clone(),
            seed,
            path,
            pool: Pool::new(threads)?,
            parameters: Parameters::new(training, state),
            batch: Rollout::new(&cell, training, training.batch),
            evaluation: Rollout::new(&cell, training, evaluated),
            select: SelectBoards::new(training, cell.channels, seed),
            cell,
        })
    }

    /// Trains one epoch, which is one batch and one step of the optimiser, or refines the circuit a step
    /// further.
    ///
    /// The state must be the one that was attached, or one of the same run and attempt: its wires are those
    /// that were read then.
    pub fn step(&mut self, state: &mut State) -> StepMetrics {
        match (self.training.refinement, state.refined.take()) {
            (Some(refinement), Some(refined)) => self.refine(state, refined, &refinement),
            (_, refined) => {
                state.refined = refined;
                self.train(state)
            }
        }
    }

    fn train(&mut self, state: &mut State) -> StepMetrics {
        let Self { training, seed, path, pool, cell, parameters, batch, .. } = self;
        let (seed, path, step, epoch) = (*seed, *path, state.epoch, state.attempt_epochs());
        let mut stream = rng::stream(seed, streams::BATCH, step);
        let boards = training.starting_boards(training.batch, cell.channels, &mut stream);
        let mut stream = rng::stream(seed, streams::FIRE, step);
        let fires = fire::draw(training.fire_rate, training.automaton_steps, boards.cells(), &mut stream);
        batch.load(&boards, &training.targets(&boards), fires);
        let rate = training.learning_rate_at(epoch);
        let noise = Noise { seed, epoch: step, scale: training.noise_at(epoch) };
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
        self.look(state);
        self.begin_anew_if_due(state);
        StepMetrics::Trained { soft_loss: if is_sound(state) { soft_loss } else { f64::NAN } }
    }

    /// True when all epochs are trained, or the circuit gets no better.
    pub fn is_finished(&self, state: &State) -> bool {
        let exhausted = |stopping| state.patience.is_some_and(|patience| patience.is_exhausted(stopping));
        match (self.training.refinement, &state.refined) {
            (Some(refinement), Some(refined)) if refined.pruning => refined.steps >= refinement.prune_steps,
            (Some(refinement), Some(refined)) => refined.steps >= refinement.repair_steps,
            _ => {
                state.attempt_epochs() >= self.training.epochs
                    || self.training.early_stopping.as_ref().is_some_and(exhausted)
            }
        }
    }

    /// Ends the gradients of an attempt when its circuit is right, or its epochs are over.
    fn look(&self, state: &mut State) {
        let Some(refinement) = self.training.refinement else { return };
        let over = state.attempt_epochs() >= self.training.epochs;
        if !over && !state.attempt_epochs().is_multiple_of(refinement.every) {
            return;
        }
        let circuit = HardCircuit::harden(&self.model, state);
        let right = self.wrong_cells(&circuit) == 0;
        if right || over {
            state.refined = Some(Refined::begin(&circuit, &self.judge(), right));
        }
    }

    /// One step of refinement.
    fn refine(&mut self, state: &mut State, mut refined: Refined, refinement: &Refinement) -> StepMetrics {
        let circuit = HardCircuit::harden(&self.model, state);
        let leanings = Leanings::of(state);
        let judge = self.judge();
        refined.step((self.seed, state.epoch), refinement, &circuit, &leanings, &judge, &self.pool);
        state.epoch += 1;
        let best = refined.best_search();
        let metrics = best.map_or((0, 0), |search| (search.best_wrong_cells, search.best_gates));
        if !refined.pruning
            && let Some(circuit) = refined.repaired(&circuit, &judge)
        {
            refined = Refined::begin(&circuit, &judge, true);
        }
        state.refined = Some(refined);
        self.begin_anew_if_due(state);
        StepMetrics::Refined { wrong_cells: metrics.0, gates: metrics.1 }
    }

    /// Begins another attempt, with other wires, when the present one has failed and there are more.
    fn begin_anew_if_due(&mut self, state: &mut State) {
        let (Some(refinement), Some(refined)) = (self.training.refinement, &state.refined) else { return };
        let failed = !refined.pruning && refined.steps >= refinement.repair_steps;
        if !failed || state.attempt + 1 >= refinement.attempts {
            return;
        }
        *state = State::attempt(&self.model, self.seed, state.attempt + 1, state.epoch);
        let Self { model, training, cell, parameters, .. } = self;
        *cell = Cell::new(model, state);
        *parameters = Parameters::new(training, state);
    }

    /// Cells that a circuit gets wrong on all boards that are chosen by.
    fn wrong_cells(&self, circuit: &HardCircuit) -> usize {
        self.select.wrong_cells(&circuit.trace(), &self.pool, self.path)
    }

    fn judge(&self) -> Judge<'_> {
        Judge { select: &self.select, path: self.path }
    }

    /// Takes the circuit of this epoch into account, if its loss is due, for when training ends.
    fn observe(&self, state: &mut State) {
        let Some(stopping) = self.training.early_stopping else { return };
        if stopping.is_due(state.epoch) {
            let circuit = HardCircuit::harden(&self.model, state);
            let wrong = self.wrong_cells(&circuit);
            state.patience.get_or_insert_default().observe(state.epoch, wrong as f64, &stopping);
        }
    }

    /// Evaluates a state. This changes nothing that training depends on.
    pub fn evaluate(&mut self, state: &State) -> Evaluation {
        let boards = self.evaluation_boards(state.epoch);
        let targets = self.training.targets(&boards);
        let circuit = HardCircuit::harden(&self.model, state);
        let Self { training, seed, path, pool, cell, parameters, evaluation, select, .. } = self;
        let path = *path;
        let wrong = select.wrong_cells(&circuit.trace(), pool, path);
        let mut stream = rng::stream(*seed, streams::EVALUATION_FIRE, state.epoch);
        let fires = fire::draw(training.fire_rate, training.automaton_steps, boards.cells(), &mut stream);
        evaluation.load(&boards, &targets, fires);
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
        training.starting_boards(training.batch, channels, &mut stream)
    }
}

/// False when a logit is not a number: nothing that follows would be one.
fn is_sound(state: &State) -> bool {
    let layers = state.perception.layers.iter().chain(&state.update.layers);
    layers.flat_map(|layer| &layer.logits).all(|logit| logit.is_finite())
}

#[cfg(test)]
mod tests;
