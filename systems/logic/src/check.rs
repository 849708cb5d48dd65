//! Whether a circuit does what it was trained for.

use rekindle_compute::{KernelPath, rng};

use crate::boards::Boards;
use crate::config::{Boundary, Task, Training};
use crate::error::LogicError;
use crate::grid::Grid;
use crate::hard_circuit::HardCircuit;
use crate::streams;
use crate::trial::Trial;

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
        let Self { right, tried, right_cells, tried_cells } = self;
        match (what_is_tried(training), self.passed()) {
            (Tried::Rows, _) => format!("the circuit is right on {right} of {tried} rows of the truth table"),
            (Tried::Boards, _) => format!("the circuit is right on {right} of {tried} random boards"),
            (Tried::OneBoard, true) => format!("the circuit is right in all {tried_cells} cells"),
            (Tried::OneBoard, false) => {
                format!("the circuit is right in {right_cells} of {tried_cells} cells")
            }
        }
    }
}

/// What tells whether a circuit is right.
enum Tried {
    /// Every row of a truth table.
    Rows,
    /// Random boards, or random times at which cells are updated.
    Boards,
    /// One board that is all there is.
    OneBoard,
}

fn what_is_tried(training: &Training) -> Tried {
    match training.task {
        Task::Life | Task::Rule if training.automaton_steps == 1 => Tried::Rows,
        _ if training.has_one_board() => Tried::OneBoard,
        _ => Tried::Boards,
    }
}

impl HardCircuit {
    /// Checks the circuit: for one step of a rule each of the 512 rows of its truth table, otherwise 1000
    /// boards drawn from the seed, after the task's steps, or the one board that there is.
    ///
    /// # Errors
    /// The circuit is damaged, its task is not known, or its cells hold too few bits for the task.
    pub fn check(&self, training: &Training, seed: u64, path: KernelPath) -> Result<Check, LogicError> {
        let (found, expected) = (self.channels, training.target_bits());
        match training.task {
            Task::Unknown => Err(LogicError::UnknownTask),
            _ if found < expected => Err(LogicError::Channels { found, expected }),
            _ => match what_is_tried(training) {
                Tried::Rows => self.check_rows(training, path),
                Tried::Boards => self.check_boards(training, RANDOM_BOARDS, seed, path),
                Tried::OneBoard => self.check_boards(training, 1, seed, path),
            },
        }
    }

    fn check_rows(&self, training: &Training, path: KernelPath) -> Result<Check, LogicError> {
        let grid = Grid { width: 3, height: 3, boundary: Boundary::Periodic };
        let rows = Trial::of_boards(training, &grid, all_rows(self.channels));
        let found = rows.run(&self.compile()?, path);
        let centre = |boards: &Boards, row| boards.get(row, 0, 1, 1);
        let right = (0..ROWS).filter(|&row| centre(&found, row) == centre(rows.targets(), row)).count();
        Ok(Check { right, tried: ROWS, right_cells: right, tried_cells: ROWS })
    }

    fn check_boards(
        &self,
        training: &Training,
        count: usize,
        seed: u64,
        path: KernelPath,
    ) -> Result<Check, LogicError> {
        let mut stream = rng::stream(seed, streams::CHECK, 0);
        let boards = Trial::draw(training, count, self.channels, &mut stream);
        let wrong = boards.run(&self.compile()?, path).differences(boards.targets());
        Ok(Check {
            right: count - wrong.boards,
            tried: count,
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
