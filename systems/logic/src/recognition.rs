//! Finding out what a circuit is for, by what it does: its file does not say.

use rekindle_compute::KernelPath;
use rekindle_train::{ConfigOf, ConfigText};

use crate::check::Check;
use crate::config::{Boundary, Model, Task, Training};
use crate::error::LogicError;
use crate::hard_circuit::HardCircuit;
use crate::presets;
use crate::system::Logic;

/// The share of right cells from which a circuit is taken to do a task. A cell that is always dead is right on
/// 0.73 of the neighbourhoods of the Game of Life, one that stays as it is on 0.78.
const LEAST_ACCURACY: f64 = 0.9;

/// Circuits with more bits to a cell are not tried: the published ones have 128 at most, and a thousand boards
/// of many bits fill the memory.
const MOST_CHANNELS: usize = 256;

/// The seed of the boards that a circuit is checked on, and of the runs that are made of circuits.
const SEED: u64 = 0;

/// What a circuit was found to be for.
pub(crate) struct Recognized {
    config: ConfigOf<Logic>,
    /// How well it does that; absent where it does nothing that is known.
    check: Option<Check>,
}

impl Recognized {
    /// Tries each task that is known.
    ///
    /// # Errors
    /// The circuit is damaged.
    pub fn of(circuit: &HardCircuit, path: KernelPath) -> Result<Self, LogicError> {
        let candidates = if circuit.channels <= MOST_CHANNELS { candidates()? } else { Vec::new() };
        for config in candidates {
            let check = circuit.check(&config.training, SEED, path)?;
            if check.accuracy() >= LEAST_ACCURACY {
                return Ok(Self { config, check: Some(check) });
            }
        }
        Ok(Self { config: unknown()?, check: None })
    }

    /// What was found, in a sentence.
    pub fn sentence(&self) -> String {
        match &self.check {
            None => {
                "What it is for is not in the file, and it does none of the tasks that are known: it can be looked \
                 at and exported, and a new run with a task can begin with its state."
                    .to_owned()
            }
            Some(check) => format!(
                "What it is for is not in the file; by what it does it was taken for training.task={}: {}.",
                self.config.training.task.name(),
                check.verdict(&self.config.training)
            ),
        }
    }

    /// The config of a run of the circuit: of a training that has ended.
    pub fn config(self, model: Model) -> ConfigOf<Logic> {
        ConfigOf::<Logic> { model, ..self.config }
    }
}

/// The tasks that are known, as they are commonly trained: of the checkerboard, in step and with cells that
/// were trained to wait.
fn candidates() -> Result<Vec<ConfigOf<Logic>>, LogicError> {
    let checkerboard = preset(presets::CHECKERBOARD)?;
    let mut waiting = checkerboard.clone();
    let Training { width, height, automaton_steps, .. } = &mut waiting.training;
    (*width, *height, *automaton_steps) = (14, 14, 50);
    Ok(vec![preset(presets::LIFE)?, checkerboard, waiting])
}

fn unknown() -> Result<ConfigOf<Logic>, LogicError> {
    let mut config = preset(presets::CHECKERBOARD)?;
    (config.training.task, config.training.boundary) = (Task::Unknown, Boundary::Zero);
    Ok(config)
}

/// A preset with nothing left to train.
fn preset(yaml: &str) -> Result<ConfigOf<Logic>, LogicError> {
    let text = ConfigText { origin: "preset".to_owned(), yaml: yaml.to_owned() };
    let mut config: ConfigOf<Logic> = text.config(&[])?;
    config.seed = SEED;
    config.training.epochs = 0;
    Ok(config)
}
