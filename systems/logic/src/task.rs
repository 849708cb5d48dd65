//! The boards to learn from, and what should become of them.

use rekindle_compute::rng::Stream;

use crate::boards::Boards;
use crate::config::{Task, Training};
use crate::grid::Grid;

impl Training {
    /// The grid that the boards stand on.
    pub fn grid(&self) -> Grid {
        Grid { width: self.width, height: self.height, boundary: self.boundary }
    }

    /// Random boards to begin with.
    pub(crate) fn random_boards(&self, count: usize, channels: usize, stream: &mut Stream) -> Boards {
        let mut boards = Boards::zeros(count, self.width, self.height, channels);
        match self.task {
            Task::Life => boards.randomize(1, stream),
            Task::Checkerboard | Task::Unknown => boards.randomize(channels, stream),
        }
        boards
    }

    /// What the first channel of the boards should be after the automaton's steps; where the task is not
    /// known, what it is.
    pub fn targets(&self, boards: &Boards) -> Boards {
        match self.task {
            Task::Life => {
                let mut target = life(boards, &self.grid());
                for _ in 1..self.automaton_steps {
                    target = life(&target, &self.grid());
                }
                target
            }
            Task::Checkerboard => checkerboard(boards, self.square),
            Task::Unknown => boards.clone(),
        }
    }
}

/// One step of the Game of Life on the first channel.
pub(crate) fn life(boards: &Boards, grid: &Grid) -> Boards {
    let mut next = Boards::zeros(boards.count(), boards.width(), boards.height(), 1);
    for board in 0..boards.count() {
        let first = board * grid.cells();
        for cell in 0..grid.cells() {
            let lives = |position: usize| {
                grid.neighbour(cell, position).is_some_and(|other| boards.bit(0, first + other))
            };
            let alive = lives(4);
            let neighbours = (0..9).filter(|&position| lives(position)).count() - usize::from(alive);
            let value = neighbours == 3 || alive && neighbours == 2;
            next.set_bit(0, first + cell, value);
        }
    }
    next
}

/// A checkerboard on each board, the square at the origin being 0.
fn checkerboard(boards: &Boards, square: usize) -> Boards {
    let mut target = Boards::zeros(boards.count(), boards.width(), boards.height(), 1);
    for board in 0..boards.count() {
        for y in 0..boards.height() {
            for x in 0..boards.width() {
                target.set(board, 0, x, y, (x / square + y / square) % 2 == 1);
            }
        }
    }
    target
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Boundary;

    #[test]
    fn a_glider_moves_by_one_cell_in_four_generations() {
        let grid = Grid { width: 8, height: 8, boundary: Boundary::Periodic };
        let glider = [(1, 0), (2, 1), (0, 2), (1, 2), (2, 2)];
        let mut boards = Boards::zeros(1, 8, 8, 1);
        let mut expected = Boards::zeros(1, 8, 8, 1);
        for (x, y) in glider {
            boards.set(0, 0, x, y, true);
            expected.set(0, 0, x + 1, y + 1, true);
        }
        for _ in 0..4 {
            boards = life(&boards, &grid);
        }
        assert_eq!(boards, expected);
    }
}
