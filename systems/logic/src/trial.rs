//! Boards that a circuit is tried on.

use std::sync::Arc;

use rekindle_compute::KernelPath;
use rekindle_compute::rng::Stream;

use crate::boards::Boards;
use crate::circuit_run::{CompiledCircuit, Shifts};
use crate::config::Training;
use crate::fire::{self, Fires};
use crate::grid::Grid;

/// Boards to begin with, which cells are updated when, and what should become of them.
pub(crate) struct Trial {
    boards: Boards,
    targets: Boards,
    steps: usize,
    fires: Fires,
    shifts: Arc<Shifts>,
}

impl Trial {
    /// So many boards of a task.
    pub(crate) fn draw(training: &Training, count: usize, channels: usize, stream: &mut Stream) -> Self {
        let shifts = Arc::new(Shifts::new(count, &training.grid()));
        Self::draw_with(&shifts, training, count, channels, stream)
    }

    /// The same with the shifts of so many boards, which several trials share.
    pub(crate) fn draw_with(
        shifts: &Arc<Shifts>,
        training: &Training,
        count: usize,
        channels: usize,
        stream: &mut Stream,
    ) -> Self {
        let boards = training.starting_boards(count, channels, stream);
        let fires = fire::draw(training.fire_rate, training.automaton_steps, boards.cells(), stream);
        Self {
            targets: training.targets(&boards),
            steps: training.automaton_steps,
            fires,
            shifts: Arc::clone(shifts),
            boards,
        }
    }

    /// These boards, all of whose cells are always updated.
    pub(crate) fn of_boards(training: &Training, grid: &Grid, boards: Boards) -> Self {
        Self {
            targets: training.targets_with(&boards, grid.boundary),
            steps: training.automaton_steps,
            fires: Fires::new(),
            shifts: Arc::new(Shifts::new(boards.count(), grid)),
            boards,
        }
    }

    pub(crate) fn cells(&self) -> usize {
        self.boards.cells()
    }

    pub(crate) fn targets(&self) -> &Boards {
        &self.targets
    }

    /// What the circuit makes of the boards.
    pub(crate) fn run(&self, circuit: &CompiledCircuit, path: KernelPath) -> Boards {
        self.run_until(self.steps, circuit, path)
    }

    /// What the circuit makes of the boards in so many steps, all at most.
    pub(crate) fn run_until(&self, steps: usize, circuit: &CompiledCircuit, path: KernelPath) -> Boards {
        if self.fires.is_empty() {
            return circuit.advance(&self.shifts, &self.boards, steps, path);
        }
        let mut boards = self.boards.clone();
        for fires in self.fires.iter().take(steps) {
            let mut next = circuit.advance(&self.shifts, &boards, 1, path);
            next.keep_unless(fires, &boards);
            boards = next;
        }
        boards
    }

    /// Cells that the circuit gets wrong.
    pub(crate) fn wrong_cells(&self, circuit: &CompiledCircuit, path: KernelPath) -> usize {
        self.run(circuit, path).wrong_cells(&self.targets)
    }
}
