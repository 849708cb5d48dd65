//! What automata do on boards of their own.

/// A board that an automaton runs on. What is absent is as in training.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Experiment {
    /// Cells in a row.
    pub width: Option<usize>,
    /// Rows.
    pub height: Option<usize>,
    /// Steps.
    pub steps: Option<usize>,
    /// The chance of each cell to be updated in a step, more than 0 and at most 1.
    pub fire_rate: Option<f64>,
    /// Squares in the middle of the board that are set to 0.
    pub damage: Vec<Damage>,
    /// Before each step a square of so many cells a side is set to 0 somewhere.
    pub bombing: Option<usize>,
    /// What random bits, times and places are drawn from.
    pub seed: Option<u64>,
    /// So many moments are kept at most, evenly over the steps and both ends among them.
    pub frames: usize,
}

/// A square in the middle of a board that is set to 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Damage {
    /// After so many steps.
    pub step: usize,
    /// Cells a side.
    pub side: usize,
}

/// What became of an [`Experiment`].
#[derive(Debug, Clone, PartialEq)]
pub struct Simulation {
    /// Cells in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// The chance of each cell to be updated in a step.
    pub fire_rate: f64,
    /// What the numbers of a frame's cells stand for.
    pub colours: Vec<CellColour>,
    /// The moments that were kept.
    pub frames: Vec<Frame>,
    /// Cells that are not what they should be: at the beginning and after each step.
    pub wrong: Vec<usize>,
}

impl Simulation {
    /// The step from which on all cells were right until a step, that one included.
    pub fn right_since(&self, step: usize) -> Option<usize> {
        let until = self.wrong.get(..=step)?;
        let right = until.iter().rev().take_while(|wrong| **wrong == 0).count();
        (right > 0).then(|| until.len() - right)
    }
}

/// A colour of cells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CellColour {
    /// Red, green and blue.
    pub rgb: [u8; 3],
    /// What it means.
    pub label: String,
}

/// A board at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Steps done.
    pub step: usize,
    /// Each cell's colour, in reading order.
    pub cells: Vec<u8>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn right_is_what_was_right_without_a_break() {
        let wrong = vec![3, 0, 1, 0, 0, 2];
        let simulation = Simulation {
            width: 1,
            height: 1,
            fire_rate: 1.0,
            colours: Vec::new(),
            frames: Vec::new(),
            wrong,
        };
        assert_eq!(
            [0, 1, 2, 4, 5, 6].map(|step| simulation.right_since(step)),
            [None, Some(1), None, Some(3), None, None]
        );
    }
}
