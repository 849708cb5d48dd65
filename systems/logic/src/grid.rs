//! The grid that the cells of a board stand on.

use crate::config::Boundary;

/// A rectangle of cells in reading order, and what lies beyond its edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    /// Cells in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// What lies beyond the edge.
    pub boundary: Boundary,
}

impl Grid {
    /// How many cells there are.
    pub fn cells(&self) -> usize {
        self.width * self.height
    }

    /// The cell that stands at a position of another's 3x3 neighbourhood, in reading order, so
    /// that position 4 is the cell itself. `None` is beyond the edge.
    pub fn neighbour(&self, cell: usize, position: usize) -> Option<usize> {
        let column = self.moved(cell % self.width, position % 3, self.width)?;
        let row = self.moved(cell / self.width, position / 3, self.height)?;
        Some(row * self.width + column)
    }

    /// A coordinate moved by `by - 1`.
    fn moved(&self, coordinate: usize, by: usize, size: usize) -> Option<usize> {
        let moved = coordinate + by;
        match self.boundary {
            Boundary::Periodic => Some((moved + size - 1) % size),
            Boundary::Zero => moved.checked_sub(1).filter(|&moved| moved < size),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torus_wraps_and_a_zero_edge_ends() {
        let torus = Grid { width: 4, height: 3, boundary: Boundary::Periodic };
        assert_eq!(torus.neighbour(0, 0), Some(11));
        assert_eq!(torus.neighbour(0, 4), Some(0));
        assert_eq!(torus.neighbour(11, 8), Some(0));
        let edged = Grid { boundary: Boundary::Zero, ..torus };
        assert_eq!(edged.neighbour(0, 0), None);
        assert_eq!(edged.neighbour(0, 8), Some(5));
        assert_eq!(edged.neighbour(11, 5), None);
    }

    #[test]
    fn the_opposite_position_leads_back() {
        for boundary in [Boundary::Periodic, Boundary::Zero] {
            for (width, height) in [(1, 1), (2, 1), (2, 2), (3, 3), (5, 4)] {
                let grid = Grid { width, height, boundary };
                for cell in 0..grid.cells() {
                    for position in 0..9 {
                        if let Some(other) = grid.neighbour(cell, position) {
                            assert_eq!(grid.neighbour(other, 8 - position), Some(cell));
                        }
                    }
                }
            }
        }
    }
}
