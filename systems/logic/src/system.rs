//! The automaton as a system of the training loop.

use std::collections::BTreeMap;

use rekindle_compute::KernelPath;
use rekindle_formats::Format;
use rekindle_pictures::Picture;
use rekindle_train::{
    Capabilities, Conclusion, ConfigOf, Family, Metrics, Preset, Progress, Resources, System, SystemError,
    SystemOption,
};

use crate::automaton::{Automaton, StepMetrics};
use crate::config::{Model, Task, Training};
use crate::hard_circuit::HardCircuit;
use crate::simulate::simulate;
use crate::state::State;
use crate::{interchange, presets, show, summary, target_file};

/// Logic-gate cellular automata in the training loop; a step is an epoch.
pub struct Logic {
    automaton: Automaton,
    model: Model,
    training: Training,
    seed: u64,
    path: KernelPath,
}

/// The presets, with when they are measured and which checkpoint is the best.
const PRESETS: &[Preset] = &[
    Preset {
        name: "life",
        summary: "Conway's Game of Life as a circuit of logic gates, right on all 512 neighbourhoods",
        yaml: presets::LIFE,
    },
    Preset {
        name: "checkerboard",
        summary: "a checkerboard that grows out of random bits in 20 steps of a logic-gate automaton",
        yaml: presets::CHECKERBOARD,
    },
    Preset {
        name: "checkerboard-async",
        summary: "a checkerboard that grows although its cells are updated at random times, and that heals",
        yaml: presets::CHECKERBOARD_ASYNC,
    },
    Preset {
        name: "lizard",
        summary: "a lizard that grows out of one cell in 12 steps, or a picture of yours: option `target`",
        yaml: presets::LIZARD,
    },
    Preset {
        name: "letter-g",
        summary: "the letter G in eight colours, which grows out of nothing in 15 steps",
        yaml: presets::LETTER_G,
    },
];

impl System for Logic {
    const NAME: &'static str = "logic";

    type Model = Model;
    type Training = Training;
    type State = State;

    fn changeable() -> &'static [&'static str] {
        &["training.epochs", "training.learning_rate", "training.early_stopping.patience"]
    }

    fn build(config: &ConfigOf<Self>) -> Result<State, SystemError> {
        config.training.validate_for(&config.model).map_err(SystemError::new)?;
        State::new(&config.model, config.seed).map_err(SystemError::new)
    }

    fn attach(config: &ConfigOf<Self>, state: &State, resources: &Resources) -> Result<Self, SystemError> {
        let path = KernelPath::from_environment().map_err(SystemError::new)?;
        let (model, training) = (config.model.clone(), config.training.clone());
        state.validate(&model).map_err(SystemError::mismatch)?;
        let automaton = Automaton::attach(&model, &training, config.seed, state, resources.threads, path)
            .map_err(SystemError::new)?;
        Ok(Self { automaton, model, training, seed: config.seed, path })
    }

    fn progress(&self, state: &State) -> Progress {
        // How many attempts there will be is not known.
        let total = Some(self.training.epochs).filter(|_| self.training.refinement.is_none());
        Progress { step: state.epoch, total, finished: self.automaton.is_finished(state) }
    }

    fn step(&mut self, state: &mut State) -> Result<Metrics, SystemError> {
        Ok(match self.automaton.step(state) {
            StepMetrics::Trained { soft_loss } => Metrics::from([("train_loss".to_owned(), soft_loss)]),
            StepMetrics::Refined { wrong_cells, gates } => Metrics::from([
                ("wrong_cells".to_owned(), wrong_cells as f64),
                ("needed_gates".to_owned(), gates as f64),
            ]),
        })
    }

    fn evaluate(&mut self, state: &State) -> Result<Metrics, SystemError> {
        let evaluation = self.automaton.evaluate(state);
        Ok(Metrics::from([
            ("soft_loss".to_owned(), evaluation.soft_loss),
            ("hard_loss".to_owned(), evaluation.hard_loss),
            ("accuracy".to_owned(), evaluation.accuracy),
            ("active_gates".to_owned(), evaluation.active_gates as f64),
        ]))
    }

    /// Takes the circuit out, checks it, and shows it at work.
    fn conclude(&mut self, state: &State) -> Result<Conclusion, SystemError> {
        let circuit = HardCircuit::from_state(&self.model, state).map_err(SystemError::new)?;
        let check = circuit.check(&self.training, self.seed, self.path).map_err(SystemError::new)?;
        let mut json = Vec::new();
        circuit.write(&mut json).map_err(SystemError::new)?;
        let verdict = check.verdict(&self.training);
        let moments =
            show::moments(&circuit, &self.training, self.seed, self.path).map_err(SystemError::new)?;
        Ok(Conclusion {
            metrics: Metrics::from([
                ("accuracy".to_owned(), check.accuracy()),
                ("right".to_owned(), check.right as f64),
                ("tried".to_owned(), check.tried as f64),
                ("active_gates".to_owned(), circuit.active_gates() as f64),
            ]),
            text: format!("{}\n\n{verdict}", show::text(&moments).trim_end()),
            artifacts: vec![("circuit.json".to_owned(), json)],
        })
    }

    fn environment(&self) -> BTreeMap<String, String> {
        BTreeMap::from([("kernels".to_owned(), self.path.name().to_owned())])
    }
}

impl Family for Logic {
    const SUMMARY: &'static str = "differentiable logic-gate cellular automata";

    fn presets() -> &'static [Preset] {
        PRESETS
    }

    fn options() -> &'static [SystemOption] {
        const OPTIONS: &[SystemOption] = &[SystemOption {
            name: "target",
            value: "FILE",
            help: "Grow this picture, a PNG or YAML file, or learn the rule in a YAML file",
            most: 1,
            resumes: false,
            to_settings: target_file::settings,
        }];
        OPTIONS
    }

    fn formats() -> &'static [Format] {
        &[interchange::FORMAT]
    }

    fn capabilities() -> Capabilities<Self> {
        let capabilities = Capabilities::default().describe(describe).simulate(simulate).circuit(circuit);
        capabilities.picture("boards", "the circuit at work on a board, at four moments", draw)
    }
}

fn describe(config: &ConfigOf<Logic>, state: &State) -> Result<String, SystemError> {
    let ConfigOf::<Logic> { model, training, seed, .. } = config;
    let circuit = circuit_of(model, state)?;
    let needed = circuit.compile().map_err(SystemError::new)?.gates();
    let check = match training.task {
        Task::Unknown => None,
        _ => Some(circuit.check(training, *seed, KernelPath::best()).map_err(SystemError::new)?),
    };
    Ok(summary::summary(model, training, &circuit, needed, check))
}

fn draw(config: &ConfigOf<Logic>, state: &State) -> Result<Picture, SystemError> {
    let circuit = circuit_of(&config.model, state)?;
    let moments = show::moments(&circuit, &config.training, config.seed, KernelPath::best());
    Ok(show::picture(&moments.map_err(SystemError::new)?))
}

/// The circuit of one cell, of all its gates: see [`HardCircuit::circuit`].
fn circuit(config: &ConfigOf<Logic>, state: &State) -> Result<rekindle_gates::Circuit, SystemError> {
    circuit_of(&config.model, state)?.circuit().map_err(SystemError::new)
}

fn circuit_of(model: &Model, state: &State) -> Result<HardCircuit, SystemError> {
    HardCircuit::from_state(model, state).map_err(SystemError::mismatch)
}
