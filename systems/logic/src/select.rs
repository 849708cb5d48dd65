//! The boards that everything is chosen by: which checkpoint is the best, when training ends, and which
//! change of a gate is kept.
//!
//! They are drawn from the seed by a stream of their own, so that they are others than those that are
//! trained on and than those of the final check, and they are the same all through a run. They are
//! computed bit-parallel, a group after the other.

use std::sync::Arc;

use rekindle_compute::{KernelPath, Pool, rng};

use crate::boards::Boards;
use crate::check;
use crate::circuit_run::{CompiledCircuit, Shifts};
use crate::config::{Task, Training};
use crate::streams;
use crate::trial::Trial;

/// So many boards, unless all that there are can be looked at.
pub(crate) const SELECT_BOARDS: usize = 1024;

/// Cells of a group at most, if a board has no more: few enough for a cache, and groups enough for all
/// threads.
const GROUP_CELLS: usize = 4096;

/// Boards to choose by.
pub(crate) struct SelectBoards {
    groups: Vec<Trial>,
}

impl SelectBoards {
    pub fn new(training: &Training, channels: usize, seed: u64) -> Self {
        if covers_all_boards(training) {
            let boards: Boards = check::all_rows(channels);
            return Self { groups: vec![Trial::of_boards(training, &training.grid(), boards)] };
        }
        let boards = if training.has_one_board() { 1 } else { SELECT_BOARDS };
        // A power of two, so that groups are of one size.
        let per_group = (0..=boards.ilog2())
            .map(|power| 1 << power)
            .take_while(|boards| boards * training.grid().cells() <= GROUP_CELLS)
            .last()
            .unwrap_or(1);
        let shifts = Arc::new(Shifts::new(per_group, &training.grid()));
        let group = |group: usize| {
            let mut stream = rng::stream(seed, streams::SELECT, group as u64);
            Trial::draw_with(&shifts, training, per_group, channels, &mut stream)
        };
        Self { groups: (0..boards / per_group).map(group).collect() }
    }

    /// Cells of all boards.
    pub fn cells(&self) -> usize {
        self.groups.iter().map(Trial::cells).sum()
    }

    /// Cells that a circuit gets wrong.
    pub fn wrong_cells(&self, circuit: &CompiledCircuit, pool: &Pool, path: KernelPath) -> usize {
        let mut wrong = vec![0; self.groups.len()];
        pool.for_each(&mut wrong, |group, wrong| *wrong = self.groups[group].wrong_cells(circuit, path));
        wrong.into_iter().sum()
    }

    /// Cells that a circuit gets wrong on the boards of the first groups: all of them, or so many as are
    /// more than `limit`.
    pub fn wrong_cells_within(
        &self,
        groups: usize,
        limit: usize,
        circuit: &CompiledCircuit,
        path: KernelPath,
    ) -> usize {
        let mut wrong = 0;
        for group in self.groups.iter().take(groups) {
            wrong += group.wrong_cells(circuit, path);
            if wrong > limit {
                break;
            }
        }
        wrong
    }

    /// How many groups there are.
    pub fn groups(&self) -> usize {
        self.groups.len()
    }
}

/// Whether a task is small enough to look at every board there is.
pub(crate) fn covers_all_boards(training: &Training) -> bool {
    matches!(training.task, Task::Life | Task::Rule) && training.width == 3 && training.height == 3
}
