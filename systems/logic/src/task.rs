//! The boards to learn from, and what should become of them.

use rekindle_compute::rng::Stream;

use crate::boards::Boards;
use crate::config::{Boundary, Start, Task, Training};
use crate::grid::Grid;
use crate::rule::Rule;

impl Training {
    /// The grid that the boards stand on.
    pub fn grid(&self) -> Grid {
        Grid { width: self.width, height: self.height, boundary: self.boundary }
    }

    /// Boards to begin with.
    pub(crate) fn starting_boards(&self, count: usize, channels: usize, stream: &mut Stream) -> Boards {
        let mut boards = Boards::zeros(count, self.width, self.height, channels);
        match (self.task, self.start) {
            (Task::Life | Task::Rule, _) => boards.randomize(1, stream),
            (_, Start::Random) => boards.randomize(channels, stream),
            (_, Start::Zero) => {}
            (_, Start::Centre) => boards.set_centres(),
        }
        boards
    }

    /// Whether one board is like another: they begin alike, and all cells are always updated.
    pub(crate) fn has_one_board(&self) -> bool {
        !matches!(self.task, Task::Life | Task::Rule) && self.start != Start::Random && self.fire_rate == 1.0
    }

    /// How many channels the task looks at.
    pub(crate) fn target_bits(&self) -> usize {
        match (self.task, &self.target) {
            (Task::Picture, Some(target)) => target.bits(),
            _ => 1,
        }
    }

    /// What the first channels of the boards should be after the automaton's steps; where the task is not
    /// known, what they are.
    pub fn targets(&self, boards: &Boards) -> Boards {
        self.targets_with(boards, self.boundary)
    }

    /// The same with something else beyond the edge.
    pub(crate) fn targets_with(&self, boards: &Boards, boundary: Boundary) -> Boards {
        let (width, height) = (boards.width(), boards.height());
        let grid = Grid { width, height, boundary };
        let steps = self.automaton_steps;
        match (self.task, &self.rule, &self.target) {
            (Task::Rule, Some(rule), _) => evolve(rule, boards, &grid, steps),
            (Task::Life | Task::Rule, ..) => evolve(&Rule::life(), boards, &grid, steps),
            (Task::Checkerboard, ..) => checkerboard((boards.count(), width, height), self.square),
            (Task::Picture, _, Some(target)) => target.on_boards(boards.count(), width, height),
            (Task::Picture | Task::Unknown, ..) => boards.clone(),
        }
    }
}

/// So many steps of a rule on the first channel.
fn evolve(rule: &Rule, boards: &Boards, grid: &Grid, steps: usize) -> Boards {
    let mut target = follow(rule, boards, grid);
    for _ in 1..steps {
        target = follow(rule, &target, grid);
    }
    target
}

/// One step of a rule on the first channel.
pub(crate) fn follow(rule: &Rule, boards: &Boards, grid: &Grid) -> Boards {
    let mut next = Boards::zeros(boards.count(), boards.width(), boards.height(), 1);
    for board in 0..boards.count() {
        let first = board * grid.cells();
        for cell in 0..grid.cells() {
            let lives = |position: usize| {
                grid.neighbour(cell, position).is_some_and(|other| boards.bit(0, first + other))
            };
            let neighbourhood = (0..9).map(|position| usize::from(lives(position)) << position).sum();
            next.set_bit(0, first + cell, rule.next(neighbourhood));
        }
    }
    next
}

/// A checkerboard on each board, the square at the origin being 0.
fn checkerboard((count, width, height): (usize, usize, usize), square: usize) -> Boards {
    let mut target = Boards::zeros(count, width, height, 1);
    for board in 0..count {
        for y in 0..height {
            for x in 0..width {
                target.set(board, 0, x, y, (x / square + y / square) % 2 == 1);
            }
        }
    }
    target
}

#[cfg(test)]
mod tests {
    use super::*;

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
            boards = follow(&Rule::life(), &boards, &grid);
        }
        assert_eq!(boards, expected);
    }
}
