//! Whether a circuit does what it was trained for.

use rekindle_compute::{KernelPath, rng};

use crate::boards::Boards;
use crate::config::{Boundary, Task, Training};
use crate::error::LogicError;
use crate::hard_circuit::HardCircuit;
use crate::streams;
use crate::task;

/// How many random boards a circuit is checked on.
const RANDOM_BOARDS: usize = 1000;

/// How many 3x3 boards there are.
pub(crate) const ROWS: usize = 512;

/// The outcome of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Check {
    /// Rows of the truth table, or boards, that came out right in every cell.
    pub right: usize,
    /// How many were tried.
    pub tried: usize,
    /// Cells that came out right.
    pub right_cells: usize,
    /// How many cells were tried.
    pub tried_cells: usize,
}

impl Check {
    /// Whether everything came out right.
    pub fn passed(&self) -> bool {
        self.right == self.tried
    }

    /// The share of cells that came out right.
    pub fn accuracy(&self) -> f64 {
        self.right_cells as f64 / self.tried_cells as f64
    }

    /// The outcome in words.
    pub(crate) fn verdict(&self, training: &Training) -> String {
        let what = if is_one_step_of_life(training) { "rows of the truth table" } else { "random boards" };
        format!("the circuit is right on {} of {} {what}", self.right, self.tried)
    }
}

/// Whether a truth table tells all.
fn is_one_step_of_life(training: &Training) -> bool {
    (training.task, training.automaton_steps) == (Task::Life, 1)
}

impl HardCircuit {
    /// Checks the circuit: for one step of the Game of Life each of the 512 rows of its truth
    /// table, otherwise 1000 random boards drawn from the seed, after the task's steps.
    ///
    /// # Errors
    /// The circuit is damaged, or its task is not known.
    pub fn check(&self, training: &Training, seed: u64, path: KernelPath) -> Result<Check, LogicError> {
        match training.task {
            Task::Unknown => Err(LogicError::UnknownTask),
            _ if is_one_step_of_life(training) => self.check_rows(path),
            _ => self.check_boards(training, seed, path),
        }
    }

    fn check_rows(&self, path: KernelPath) -> Result<Check, LogicError> {
        let boards = all_rows(self.channels);
        let grid = crate::grid::Grid { width: 3, height: 3, boundary: Boundary::Periodic };
        let found = self.compile()?.run(&boards, Boundary::Periodic, 1, path)?;
        let expected = task::life(&boards, &grid);
        let centre = |boards: &Boards, row| boards.get(row, 0, 1, 1);
        let right = (0..ROWS).filter(|&row| centre(&found, row) == centre(&expected, row)).count();
        Ok(Check { right, tried: ROWS, right_cells: right, tried_cells: ROWS })
    }

    fn check_boards(&self, training: &Training, seed: u64, path: KernelPath) -> Result<Check, LogicError> {
        let mut stream = rng::stream(seed, streams::CHECK, 0);
        let boards = training.random_boards(RANDOM_BOARDS, self.channels, &mut stream);
        let steps = training.automaton_steps;
        let found = self.compile()?.run(&boards, training.boundary, steps, path)?;
        let wrong = found.differences(&training.targets(&boards));
        Ok(Check {
            right: RANDOM_BOARDS - wrong.boards,
            tried: RANDOM_BOARDS,
            right_cells: boards.cells() - wrong.cells,
            tried_cells: boards.cells(),
        })
    }
}

/// Every 3x3 board in the first channel: bit `i` of a board's number is its cell `i`.
pub(crate) fn all_rows(channels: usize) -> Boards {
    let mut boards = Boards::zeros(ROWS, 3, 3, channels);
    for row in 0..ROWS {
        for cell in 0..9 {
            boards.set(row, 0, cell % 3, cell / 3, row >> cell & 1 == 1);
        }
    }
    boards
}
