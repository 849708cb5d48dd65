//! A circuit on boards of any size, with damage, bombs, and cells that are updated at random times.

use rekindle_compute::rng::{self, Stream};
use rekindle_train::{CellColour, ConfigOf, Experiment, Frame, Simulation, SystemError};

use crate::boards::Boards;
use crate::circuit_run::Shifts;
use crate::config::{Task, Training};
use crate::fire;
use crate::grid::Grid;
use crate::hard_circuit::HardCircuit;
use crate::rule::Rule;
use crate::state::State;
use crate::streams;
use crate::system::Logic;
use crate::task::follow;

use rekindle_compute::KernelPath;

/// Cells of a board at most.
const MOST_CELLS: usize = 1 << 22;
/// Steps at most.
const MOST_STEPS: usize = 1 << 20;
/// Cells of all moments that are kept together at most.
const MOST_KEPT: usize = 1 << 28;

/// Colours of the cells of a picture of one bit: dead, live, live and wrong, dead and wrong.
const ONE_BIT: [([u8; 3], &str); 4] = [
    ([226, 226, 226], "dead"),
    ([34, 34, 34], "live"),
    ([213, 94, 0], "live, should be dead"),
    ([86, 180, 233], "dead, should be live"),
];

/// Of a picture in colours, the names of its colours by their bits.
const COLOURS: [&str; 8] = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];

/// Runs the circuit of a state.
///
/// # Errors
/// The state does not fit its config, or the board is too large.
pub(crate) fn simulate(
    config: &ConfigOf<Logic>,
    state: &State,
    experiment: &Experiment,
) -> Result<Simulation, SystemError> {
    let circuit = HardCircuit::from_state(&config.model, state).map_err(SystemError::mismatch)?;
    let compiled = circuit.compile().map_err(SystemError::new)?;
    let mut board = Board::new(config, experiment)?;
    let mut kept = Kept::new(board.steps, experiment.frames, &board)?;
    let shifts = Shifts::new(1, &board.grid);
    kept.keep(0, &board);
    for step in 0..board.steps {
        board.hurt(step, experiment);
        let next = compiled.advance(&shifts, &board.cells, 1, KernelPath::best());
        board.update(next);
        kept.keep(step + 1, &board);
    }
    let Kept { frames, wrong, .. } = kept;
    let Grid { width, height, .. } = board.grid;
    Ok(Simulation { width, height, fire_rate: board.fire_rate, colours: board.colours(), frames, wrong })
}

/// A board at work, and what it should be.
struct Board {
    training: Training,
    grid: Grid,
    steps: usize,
    fire_rate: f64,
    cells: Boards,
    target: Boards,
    stream: Stream,
}

impl Board {
    fn new(config: &ConfigOf<Logic>, experiment: &Experiment) -> Result<Self, SystemError> {
        let training = &config.training;
        let grid = Grid {
            width: experiment.width.unwrap_or(training.width),
            height: experiment.height.unwrap_or(training.height),
            boundary: training.boundary,
        };
        let steps = experiment.steps.unwrap_or(training.automaton_steps);
        let fire_rate = experiment.fire_rate.unwrap_or(training.fire_rate);
        let cells = grid.width.checked_mul(grid.height).filter(|cells| (1..=MOST_CELLS).contains(cells));
        if cells.is_none() {
            let (width, height) = (grid.width, grid.height);
            return Err(SystemError::new(format!(
                "a board of {width} x {height} cells: there can be from 1 to {MOST_CELLS} cells"
            )));
        }
        if steps > MOST_STEPS {
            return Err(SystemError::new(format!("{steps} steps: there can be {MOST_STEPS} at most")));
        }
        if !(fire_rate > 0.0 && fire_rate <= 1.0) {
            let reason =
                format!("cells are updated with a chance of more than 0 and at most 1, not {fire_rate}");
            return Err(SystemError::new(reason));
        }
        let mut stream = rng::stream(experiment.seed.unwrap_or(config.seed), streams::SIMULATION, 0);
        let training = Training { width: grid.width, height: grid.height, ..training.clone() };
        let cells = training.starting_boards(1, config.model.channels, &mut stream);
        let target = match training.task {
            // What a rule should make of the board is known from step to step.
            Task::Life | Task::Rule => cells.clone(),
            _ => training.targets(&cells),
        };
        Ok(Self { training, grid, steps, fire_rate, cells, target, stream })
    }

    /// Sets squares to 0 that are due.
    fn hurt(&mut self, step: usize, experiment: &Experiment) {
        let Grid { width, height, .. } = self.grid;
        for damage in experiment.damage.iter().filter(|damage| damage.step == step) {
            let (left, top) = (width.saturating_sub(damage.side) / 2, height.saturating_sub(damage.side) / 2);
            self.clear(left, top, damage.side);
        }
        if let Some(side) = experiment.bombing {
            let left = self.stream.below(width as u64) as usize;
            let top = self.stream.below(height as u64) as usize;
            self.clear(left, top, side);
        }
    }

    fn clear(&mut self, left: usize, top: usize, side: usize) {
        let Grid { width, height, .. } = self.grid;
        for y in top..height.min(top.saturating_add(side)) {
            for x in left..width.min(left.saturating_add(side)) {
                (0..self.cells.channels()).for_each(|channel| self.cells.set(0, channel, x, y, false));
            }
        }
    }

    /// Takes over what the cells that are updated become, and what a rule makes of the board.
    fn update(&mut self, mut next: Boards) {
        match (self.training.task, &self.training.rule) {
            (Task::Life, _) => self.target = follow(&Rule::life(), &self.cells, &self.grid),
            (Task::Rule, Some(rule)) => self.target = follow(rule, &self.cells, &self.grid),
            _ => {}
        }
        if let Some(fires) = fire::draw(self.fire_rate, 1, self.grid.cells(), &mut self.stream).first() {
            next.keep_unless(fires, &self.cells);
        }
        self.cells = next;
    }

    fn colours(&self) -> Vec<CellColour> {
        let bits = self.training.target_bits();
        let rgb = |colour: usize| [0, 1, 2].map(|bit| if colour >> bit & 1 == 1 { 230 } else { 20 });
        match bits {
            1 => ONE_BIT.iter().map(|&(rgb, label)| CellColour { rgb, label: label.to_owned() }).collect(),
            _ => {
                let colours = COLOURS.iter().enumerate();
                colours
                    .map(|(colour, label)| CellColour { rgb: rgb(colour), label: (*label).to_owned() })
                    .collect()
            }
        }
    }

    /// The number of each cell's colour.
    fn drawn(&self) -> Vec<u8> {
        let bits = self.training.target_bits();
        let cell = |index: usize| match bits {
            1 => match (self.cells.bit(0, index), self.target.bit(0, index)) {
                (false, false) => 0,
                (true, true) => 1,
                (true, false) => 2,
                (false, true) => 3,
            },
            _ => (0..bits).map(|bit| u8::from(self.cells.bit(bit, index)) << bit).sum(),
        };
        (0..self.grid.cells()).map(cell).collect()
    }
}

/// The moments that are kept, and the wrong cells of all.
struct Kept {
    /// Every so manieth step is kept.
    every: usize,
    last: usize,
    frames: Vec<Frame>,
    wrong: Vec<usize>,
}

impl Kept {
    fn new(steps: usize, frames: usize, board: &Board) -> Result<Self, SystemError> {
        if frames.saturating_mul(board.grid.cells()) > MOST_KEPT {
            let cells = board.grid.cells();
            return Err(SystemError::new(format!(
                "{frames} moments of {cells} cells: there can be {MOST_KEPT} cells together at most"
            )));
        }
        let every = steps.div_ceil(frames.saturating_sub(1).max(1)).max(1);
        Ok(Self { every, last: steps, frames: Vec::new(), wrong: Vec::new() })
    }

    fn keep(&mut self, step: usize, board: &Board) {
        self.wrong.push(board.cells.wrong_cells(&board.target));
        if step.is_multiple_of(self.every) || step == self.last {
            self.frames.push(Frame { step, cells: board.drawn() });
        }
    }
}
