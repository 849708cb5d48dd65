//! The classifier as a system of the training loop.

use std::collections::BTreeMap;

use rekindle_classify::{Classifier, Dataset, Preparation, Says, summary as words};
use rekindle_compute::KernelPath;
use rekindle_data::{Answers, ConfusionMatrix};
use rekindle_formats::table::{CsvFormat, Table};
use rekindle_gates::Circuit;
use rekindle_train::{
    Capabilities, Conclusion, ConfigOf, Family, MemoryNeed, Metrics, NamedFile, Preset, Progress, Resources,
    System, SystemError, SystemOption,
};

use crate::circuit;
use crate::config::{Model, Training};
use crate::error::DwnError;
use crate::state::State;
use crate::trainer::{Trainer, load};
use crate::{memory_need, presets, summary};

/// Networks of learnt lookup tables in the training loop; a step learns a batch.
pub struct Dwn {
    trainer: Trainer,
    model: Model,
}

const PRESETS: &[Preset] = &[
    Preset {
        name: "dwn",
        summary: "digits drawn by an unsteady hand, told apart by five hundred learnt lookup tables in seconds",
        yaml: presets::DWN,
    },
    Preset {
        name: "dwn-mnist",
        summary: "the handwritten digits of MNIST, told apart by six thousand learnt lookup tables: option `data`",
        yaml: presets::DWN_MNIST,
    },
];

impl System for Dwn {
    const NAME: &'static str = "dwn";

    type Model = Model;
    type Training = Training;
    type State = State;

    /// The files may lie elsewhere; that they are the same is checked.
    fn changeable() -> &'static [&'static str] {
        const CHANGEABLE: [&str; 7] = {
            let [file, images, labels, test_images, test_labels] = rekindle_classify::FILES;
            [file, images, labels, test_images, test_labels, "training.epochs", "training.learning_rate"]
        };
        &CHANGEABLE
    }

    fn files(training: &mut Training) -> Vec<NamedFile<'_>> {
        training.data.files()
    }

    fn build(config: &ConfigOf<Self>) -> Result<State, SystemError> {
        build(config).map_err(SystemError::new)
    }

    fn blank(config: &ConfigOf<Self>) -> Result<State, SystemError> {
        config.model.validate().and_then(|()| config.training.validate()).map_err(SystemError::new)?;
        Ok(State::blank(&config.model, Preparation::blank(&config.training.data)))
    }

    fn memory(config: &ConfigOf<Self>, state: Option<&State>) -> Option<MemoryNeed> {
        state.and_then(|state| memory_need::of(config, state))
    }

    fn attach(config: &ConfigOf<Self>, state: &State, resources: &Resources) -> Result<Self, SystemError> {
        let (model, training, threads) = (&config.model, &config.training, resources.threads);
        let trainer = Trainer::attach(model, training, config.seed, state, threads);
        let trainer = trainer.map_err(|error| match error {
            DwnError::Mismatch(_) => SystemError::mismatch(error),
            error => SystemError::new(error),
        })?;
        Ok(Self { trainer, model: model.clone() })
    }

    fn warnings(&self) -> Vec<String> {
        self.trainer.notes().to_vec()
    }

    fn averaged() -> &'static [&'static str] {
        &["train_loss", "train_accuracy"]
    }

    fn measures(config: &ConfigOf<Self>) -> Vec<String> {
        let always: &[&str] = &["train_loss", "train_accuracy"];
        let select: &[&str] = &["select_loss", "select_accuracy"];
        let select = if config.training.data.select > 0.0 { select } else { &[] };
        let test: &[&str] = if config.training.data.has_test() { &["test_accuracy"] } else { &[] };
        [always, select, test].concat().into_iter().map(str::to_owned).collect()
    }

    fn unit(metric: &str) -> Option<&'static str> {
        metric.ends_with("_loss").then_some("nats")
    }

    fn progress(&self, state: &State) -> Progress {
        let total = self.trainer.total();
        Progress { step: state.step, total: Some(total), finished: state.step >= total }
    }

    fn step(&mut self, state: &mut State) -> Result<Metrics, SystemError> {
        let score = self.trainer.step(state);
        Ok(Metrics::from([
            ("train_loss".to_owned(), score.mean_loss()),
            ("train_accuracy".to_owned(), score.accuracy()),
        ]))
    }

    fn evaluate(&mut self, state: &State) -> Result<Metrics, SystemError> {
        let Some(score) = self.trainer.select(state) else { return Ok(Metrics::new()) };
        Ok(Metrics::from([
            ("select_loss".to_owned(), score.mean_loss()),
            ("select_accuracy".to_owned(), score.accuracy()),
        ]))
    }

    fn conclude(&mut self, state: &State) -> Result<Conclusion, SystemError> {
        let described = describe_state(&self.model, state)?;
        let [select, test] = self.trainer.confusions(state).map_err(SystemError::new)?;
        let accuracy = |test: &ConfusionMatrix| ("test_accuracy".to_owned(), test.accuracy());
        let metrics = test.iter().map(accuracy).collect();
        let text = words::conclusion(&described, &state.preparation, select.as_ref(), test.as_ref());
        Ok(Conclusion { metrics, text, artifacts: Vec::new() })
    }

    fn environment(&self) -> BTreeMap<String, String> {
        BTreeMap::from([("kernels".to_owned(), self.trainer.path().name().to_owned())])
    }
}

impl Family for Dwn {
    const SUMMARY: &'static str =
        "learnt weightless networks: lookup tables and their connections, learnt by gradients";

    fn presets() -> &'static [Preset] {
        PRESETS
    }

    fn options() -> &'static [SystemOption] {
        &rekindle_classify::OPTIONS
    }

    fn capabilities() -> Capabilities<Self> {
        let capabilities = Capabilities::default().predict(predict).table_format(table_format);
        capabilities.describe(describe).circuit(class_circuit)
    }
}

fn build(config: &ConfigOf<Dwn>) -> Result<State, DwnError> {
    let (model, training) = (&config.model, &config.training);
    // Before the data is loaded, which may be of a size that is not allowed.
    model.validate()?;
    training.validate()?;
    let Dataset { preparation, .. } = load(model, training, config.seed)?;
    State::new(model, preparation, config.seed)
}

/// The circuit from the bits of a picture to the number of its class.
fn class_circuit(config: &ConfigOf<Dwn>, state: &State) -> Result<Circuit, SystemError> {
    state.circuit(&config.model, Says::Class).map_err(SystemError::new)
}

/// How the file was read that was learnt.
fn table_format(config: &ConfigOf<Dwn>) -> CsvFormat {
    config.training.data.format()
}

/// What the circuit answers, with its sums as logits.
fn predict(config: &ConfigOf<Dwn>, state: &State, table: &Table) -> Result<Answers, SystemError> {
    let shape = state.check(&config.model).map_err(SystemError::mismatch)?;
    let circuit = circuit::circuit(&shape, state, Says::Sums).map_err(SystemError::new)?;
    let (path, outputs) = (KernelPath::best(), shape.outputs());
    Classifier::new(path, &state.preparation, &circuit, outputs, Says::Sums)
        .answers(table, config.model.temperature)
        .map_err(SystemError::new)
}

fn describe(config: &ConfigOf<Dwn>, state: &State) -> Result<String, SystemError> {
    describe_state(&config.model, state)
}

fn describe_state(model: &Model, state: &State) -> Result<String, SystemError> {
    let shape = state.check(model).map_err(SystemError::mismatch)?;
    Ok(summary::describe(state, &shape))
}
