//! A circuit at work: a board at a few moments, as text and as a picture.

use rekindle_compute::{KernelPath, rng};
use rekindle_pictures::{Anchor, Area, Colour, INK, PALE, Picture, Size, Text};

use crate::boards::Boards;
use crate::config::{Boundary, Task, Training};
use crate::error::LogicError;
use crate::hard_circuit::HardCircuit;
use crate::render::{render, side_by_side};
use crate::streams;
use crate::target::{Target, colour_of, drawn_colour};
use crate::trial::Trial;

/// Pixels: of a cell's side, between two boards, above them, and of an em.
const CELL: f32 = 12.0;
const GAP: f32 = 24.0;
const TITLE: f32 = 44.0;
const TEXT: f32 = 14.0;

/// A board after so many steps.
pub(crate) struct Moment {
    step: usize,
    board: Boards,
    /// The channels that are looked at: 1 or 3.
    bits: usize,
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
    let compiled = circuit.compile()?;
    let bits = training.target_bits();
    if training.task == Task::Life {
        let board = glider(circuit.channels);
        let moment =
            |step| Ok(Moment { step, board: compiled.run(&board, Boundary::Periodic, step, path)?, bits });
        return [0, 8, 16, 24].into_iter().map(moment).collect();
    }
    let mut stream = rng::stream(seed, streams::CHECK, 1);
    let trial = Trial::draw(training, 1, circuit.channels, &mut stream);
    let steps = training.automaton_steps;
    let moment = |step| Moment { step, board: trial.run_until(step, &compiled, path), bits };
    Ok([0, steps / 4, steps / 2, steps].map(moment).into())
}

/// The moments side by side, each under its step.
pub(crate) fn text(moments: &[Moment]) -> String {
    let rendered = |Moment { board, bits, .. }: &Moment| match bits {
        1 => render(board, 0),
        _ => Target::rows_of(board, 0).join("\n"),
    };
    let picture = |moment: &Moment| (format!("step {}", moment.step), rendered(moment));
    side_by_side(&moments.iter().map(picture).collect::<Vec<_>>())
}

/// The moments side by side, each under its step: live cells are dark.
pub(crate) fn picture(moments: &[Moment]) -> Picture {
    let boards = moments.iter().map(|moment| [moment.board.width(), moment.board.height()]);
    let (mut width, mut height) = (GAP, 0.0_f32);
    for [columns, rows] in boards {
        width += columns as f32 * CELL + GAP;
        height = height.max(rows as f32 * CELL);
    }
    let mut picture = Picture::new(Size::pixels(width, TITLE + height + GAP));
    let mut left = GAP;
    for Moment { step, board, bits } in moments {
        let columns = board.width() as f32 * CELL;
        picture.text(Text {
            text: format!("step {step}"),
            at: [left + columns / 2.0, TITLE - GAP / 2.0],
            size: TEXT,
            anchor: Anchor::Middle,
            turned: false,
            colour: INK,
        });
        for (x, y) in (0..board.height()).flat_map(|y| (0..board.width()).map(move |x| (x, y))) {
            let place = [left + x as f32 * CELL, TITLE + y as f32 * CELL];
            let fill = fill(board, *bits, x, y);
            // A line of paper stays between two cells.
            picture.fill(Area { left: place[0], top: place[1], width: CELL - 1.0, height: CELL - 1.0 }, fill);
        }
        left += columns + GAP;
    }
    picture
}

/// The colour of a cell: live cells of one bit are dark.
fn fill(board: &Boards, bits: usize, x: usize, y: usize) -> Colour {
    match (bits, board.get(0, 0, x, y)) {
        (1, false) => PALE,
        (1, true) => INK,
        _ => Colour::new(drawn_colour(colour_of(board, 0, x, y))),
    }
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
        let moment = |step| Moment { step, board: glider(1), bits: 1 };
        let svg = picture(&[moment(0), moment(1)]).svg().unwrap();
        assert!(svg.contains("step 1"));
        // The sheet, and a box for each cell of two boards.
        assert_eq!(svg.matches("<rect").count(), 1 + 2 * 16 * 16, "{svg}");
        assert!(text(&[moment(0), moment(3)]).starts_with("step 0            step 3\n"));
    }
}
