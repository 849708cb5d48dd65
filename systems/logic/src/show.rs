//! A circuit at work: a board at a few moments, as text and as a picture.

use rekindle_compute::{KernelPath, rng};
use rekindle_formats::png::{self, PngError};

use crate::boards::Boards;
use crate::config::{Boundary, Task, Training};
use crate::error::LogicError;
use crate::hard_circuit::HardCircuit;
use crate::render::{render, side_by_side};
use crate::streams;

/// Pixels of a cell's side, and between two boards.
const CELL: usize = 12;
const GAP: usize = 24;

const BACKGROUND: u8 = 255;
const DEAD: u8 = 224;
const ALIVE: u8 = 32;

/// A board after so many steps.
pub(crate) struct Moment {
    step: usize,
    board: Boards,
}

/// A board that suits the task, at its beginning and at three moments afterwards.
///
/// # Errors
/// The circuit is damaged.
pub(crate) fn moments(
    circuit: &HardCircuit,
    training: &Training,
    seed: u64,
    path: KernelPath,
) -> Result<Vec<Moment>, LogicError> {
    let steps = training.automaton_steps;
    let (board, boundary, moments) = match training.task {
        Task::Life => (glider(circuit.channels), Boundary::Periodic, [0, 8, 16, 24]),
        Task::Checkerboard | Task::Unknown => {
            let mut stream = rng::stream(seed, streams::CHECK, 1);
            let board = training.random_boards(1, circuit.channels, &mut stream);
            (board, training.boundary, [0, steps / 4, steps / 2, steps])
        }
    };
    let compiled = circuit.compile()?;
    let moment = |step| Ok(Moment { step, board: compiled.run(&board, boundary, step, path)? });
    moments.into_iter().map(moment).collect()
}

/// The moments side by side, each under its step.
pub(crate) fn text(moments: &[Moment]) -> String {
    let picture = |moment: &Moment| (format!("step {}", moment.step), render(&moment.board, 0));
    side_by_side(&moments.iter().map(picture).collect::<Vec<_>>())
}

/// The moments side by side, as a PNG file: live cells are dark.
///
/// # Errors
/// When the picture is larger than the format allows.
pub(crate) fn picture(moments: &[Moment]) -> Result<Vec<u8>, PngError> {
    let (mut width, mut height) = (GAP, 0);
    for Moment { board, .. } in moments {
        width += board.width() * CELL + GAP;
        height = height.max(board.height() * CELL + 2 * GAP);
    }
    let mut pixels = vec![BACKGROUND; width * height];
    let mut left = GAP;
    for Moment { board, .. } in moments {
        for (x, y) in (0..board.height()).flat_map(|y| (0..board.width()).map(move |x| (x, y))) {
            let shade = if board.get(0, 0, x, y) { ALIVE } else { DEAD };
            // A line of background stays between two cells.
            for row in 0..CELL - 1 {
                let first = (GAP + y * CELL + row) * width + left + x * CELL;
                pixels[first..first + CELL - 1].fill(shade);
            }
        }
        left += board.width() * CELL + GAP;
    }
    png::grayscale(&pixels, width as u32)
}

/// A glider on a torus of 16 by 16.
fn glider(channels: usize) -> Boards {
    let mut boards = Boards::zeros(1, 16, 16, channels);
    for (x, y) in [(2, 1), (3, 2), (1, 3), (2, 3), (3, 3)] {
        boards.set(0, 0, x, y, true);
    }
    boards
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cell_is_drawn() {
        let moment = |step| Moment { step, board: glider(1) };
        let file = picture(&[moment(0), moment(1)]).unwrap();
        let width = GAP + 2 * (16 * CELL + GAP);
        let height = 16 * CELL + 2 * GAP;
        assert_eq!(file[16..24], [(width as u32).to_be_bytes(), (height as u32).to_be_bytes()].concat());
        assert!(text(&[moment(0), moment(3)]).starts_with("step 0            step 3\n"));
    }
}
