//! The boards that everything is chosen by: which checkpoint is the best, and when training ends.
//!
//! They are drawn from the seed by a stream of their own, so that they are others than those that are
//! trained on and than those of the final check, and they are the same all through a run. They are
//! computed bit-parallel, a group after the other.

use rekindle_compute::{KernelPath, Pool, rng};

use crate::boards::Boards;
use crate::check;
use crate::circuit_run::{CompiledCircuit, Shifts};
use crate::config::{Task, Training};
use crate::streams;

/// So many boards, unless all that there are can be looked at.
pub(crate) const SELECT_BOARDS: usize = 256;

/// Cells of a group at most, if a board has no more: few enough for a cache, and groups enough for all
/// threads.
const GROUP_CELLS: usize = 4096;

/// Boards to choose by.
pub(crate) struct SelectBoards {
    training: Training,
    channels: usize,
    seed: u64,
    /// Boards of each group, and how many groups there are.
    per_group: usize,
    groups: usize,
    shifts: Shifts,
}

impl SelectBoards {
    pub fn new(training: &Training, channels: usize, seed: u64) -> Self {
        let per_group = match covers_all_boards(training) {
            true => check::ROWS,
            // A power of two, so that groups are of one size.
            false => (1..=SELECT_BOARDS.ilog2())
                .map(|power| 1 << power)
                .take_while(|boards| boards * training.grid().cells() <= GROUP_CELLS)
                .last()
                .unwrap_or(1),
        };
        let groups = if covers_all_boards(training) { 1 } else { SELECT_BOARDS / per_group };
        let shifts = Shifts::new(per_group, &training.grid());
        Self { training: training.clone(), channels, seed, per_group, groups, shifts }
    }

    /// Cells of all boards.
    pub fn cells(&self) -> usize {
        self.groups * self.per_group * self.training.grid().cells()
    }

    /// Cells that a circuit gets wrong.
    pub fn wrong_cells(&self, circuit: &CompiledCircuit, pool: &Pool, path: KernelPath) -> usize {
        let mut wrong = vec![0; self.groups];
        pool.for_each(&mut wrong, |group, wrong| {
            let boards = self.group(group);
            let found = circuit.advance(&self.shifts, &boards, self.training.automaton_steps, path);
            *wrong = found.wrong_cells(&self.training.targets(&boards));
        });
        wrong.into_iter().sum()
    }

    fn group(&self, group: usize) -> Boards {
        if covers_all_boards(&self.training) {
            return check::all_rows(self.channels);
        }
        let mut stream = rng::stream(self.seed, streams::SELECT, group as u64);
        self.training.random_boards(self.per_group, self.channels, &mut stream)
    }
}

/// Whether a task is small enough to look at every board there is.
pub(crate) fn covers_all_boards(training: &Training) -> bool {
    training.task == Task::Life && training.width == 3 && training.height == 3
}
