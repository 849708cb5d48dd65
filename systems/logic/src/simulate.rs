//! A circuit on boards of any size, with damage, bombs, and cells that are updated at random times.

use rekindle_compute::KernelPath;
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
use crate::target::{COLOUR_NAMES, drawn_colour};
use crate::task::follow;

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
        match bits {
            1 => ONE_BIT.iter().map(|&(rgb, label)| CellColour { rgb, label: label.to_owned() }).collect(),
            _ => {
                let colour = |(bits, label): (usize, &&str)| CellColour {
                    rgb: drawn_colour(bits),
                    label: (*label).to_owned(),
                };
                COLOUR_NAMES.iter().enumerate().map(colour).collect()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Boundary, Model, Start};
    use crate::target::Target;
    use rekindle_train::Damage;

    /// An untrained automaton that keeps its state, and a picture of one live cell.
    fn still(fire_rate: f64) -> (ConfigOf<Logic>, State) {
        let model = Model {
            channels: 2,
            kernels: 3,
            kernel_gates: vec![8, 4, 2],
            update_gates: vec![9, 5, 3, 2],
            pass_logit: 10.0,
            identity_start: true,
        };
        let training = Training {
            task: Task::Picture,
            width: 5,
            height: 5,
            boundary: Boundary::Zero,
            target: Some(
                Target::new([".....", ".....", "..#..", ".....", "....."].map(str::to_owned).to_vec())
                    .unwrap(),
            ),
            start: Start::Centre,
            fire_rate,
            automaton_steps: 4,
            ..Training::default()
        };
        let state = State::new(&model, 1).unwrap();
        (ConfigOf::<Logic> { model, training, seed: 1, ..config() }, state)
    }

    fn config() -> ConfigOf<Logic> {
        let text =
            rekindle_train::ConfigText { origin: "preset".to_owned(), yaml: crate::presets::LIFE.to_owned() };
        text.config(&[]).unwrap()
    }

    #[test]
    fn damage_is_done_where_and_when_it_is_asked_for() {
        let (config, state) = still(1.0);
        let experiment = Experiment {
            width: Some(7),
            height: Some(9),
            steps: Some(6),
            damage: vec![Damage { step: 3, side: 2 }],
            frames: 3,
            ..Experiment::default()
        };
        let simulation = simulate(&config, &state, &experiment).unwrap();
        assert_eq!(simulation.wrong, [0, 0, 0, 0, 1, 1, 1]);
        assert_eq!(simulation.frames.iter().map(|frame| frame.step).collect::<Vec<_>>(), [0, 3, 6]);
        let place = 4 * 7 + 3;
        assert_eq!(simulation.frames[1].cells[place], 1, "live");
        assert_eq!(simulation.frames[2].cells[place], 3, "dead, and should be live");
        assert_eq!(simulation.frames[2].cells.iter().filter(|&&cell| cell != 0).count(), 1);
    }

    #[test]
    fn bombs_fall_in_the_same_places_with_the_same_seed() {
        let (config, state) = still(0.5);
        let with_seed = |seed| {
            let experiment =
                Experiment { bombing: Some(2), steps: Some(200), seed: Some(seed), ..Experiment::default() };
            simulate(&config, &state, &experiment).unwrap().wrong
        };
        assert_eq!(with_seed(1), with_seed(1));
        assert_ne!(with_seed(1), with_seed(2));
        assert_eq!(with_seed(1).last(), Some(&1), "it cannot heal");
    }

    #[test]
    fn a_board_that_cannot_be_is_refused() {
        let (config, state) = still(1.0);
        let refused =
            |experiment: Experiment| simulate(&config, &state, &experiment).unwrap_err().to_string();
        let large = Experiment { width: Some(1 << 40), height: Some(1 << 40), ..Experiment::default() };
        assert!(refused(large).contains("there can be from 1 to 4194304 cells"));
        assert!(refused(Experiment { width: Some(0), ..Experiment::default() }).contains("0 x 5 cells"));
        assert!(refused(Experiment { fire_rate: Some(f64::NAN), ..Experiment::default() }).contains("NaN"));
        assert!(refused(Experiment { steps: Some(usize::MAX), ..Experiment::default() }).contains("steps"));
        let kept = Experiment { width: Some(2048), height: Some(2048), frames: 300, ..Experiment::default() };
        assert!(refused(kept).contains("moments"));
    }
}
