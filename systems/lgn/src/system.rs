//! The classifier as a system of the training loop.

use std::collections::BTreeMap;

use rekindle_compute::{KernelPath, Pool, math};
use rekindle_data::{Answers, Probabilities};
use rekindle_formats::table::{CsvFormat, Table};
use rekindle_gates::Circuit;
use rekindle_train::{
    Capabilities, Conclusion, ConfigOf, Family, FileUse, MemoryNeed, Metrics, NamedFile, Preset, Progress,
    Resources, StateMismatch, System, SystemError, SystemOption, list_setting, text_setting,
};

use crate::circuit::{self, Says};
use crate::classifier::{Classifier, largest};
use crate::config::{Model, Training};
use crate::data::{Dataset, Preparation};
use crate::error::LgnError;
use crate::state::State;
use crate::trainer::Trainer;
use crate::{memory_need, presets, summary};

/// Logic-gate networks in the training loop; a step learns a batch.
pub struct Lgn {
    trainer: Trainer,
    model: Model,
}

const PRESETS: &[Preset] = &[
    Preset {
        name: "digits",
        summary: "digits drawn by an unsteady hand, told apart by three thousand logic gates in seconds",
        yaml: presets::DIGITS,
    },
    Preset {
        name: "mnist",
        summary: "the handwritten digits of MNIST, told apart by 48 thousand logic gates: option `data`",
        yaml: presets::MNIST,
    },
];

impl System for Lgn {
    const NAME: &'static str = "lgn";

    type Model = Model;
    type Training = Training;
    type State = State;

    /// The files may lie elsewhere; that they are the same is checked.
    fn changeable() -> &'static [&'static str] {
        &[
            "training.data.file",
            "training.data.images",
            "training.data.labels",
            "training.data.test_images",
            "training.data.test_labels",
            "training.epochs",
            "training.learning_rate",
        ]
    }

    fn files(training: &mut Training) -> Vec<NamedFile<'_>> {
        let data = &mut training.data;
        let named = [
            ("training.data.file", &mut data.file),
            ("training.data.images", &mut data.images),
            ("training.data.labels", &mut data.labels),
            ("training.data.test_images", &mut data.test_images),
            ("training.data.test_labels", &mut data.test_labels),
        ];
        named.into_iter().map(|(setting, place)| NamedFile::new(setting, place, FileUse::Always)).collect()
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
            LgnError::Mismatch(_) => SystemError::mismatch(error),
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
        let select: &[&str] = &["select_loss", "select_soft_accuracy", "select_accuracy"];
        let select = if config.training.data.select > 0.0 { select } else { &[] };
        let data = &config.training.data;
        let has_test = data.test_images.is_some() || data.test > 0.0;
        let test: &[&str] = if has_test { &["test_accuracy"] } else { &[] };
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
        let measure = self.trainer.select(state).map_err(SystemError::new)?;
        let Some(measure) = measure else { return Ok(Metrics::new()) };
        Ok(Metrics::from([
            ("select_loss".to_owned(), measure.soft.mean_loss()),
            ("select_soft_accuracy".to_owned(), measure.soft.accuracy()),
            ("select_accuracy".to_owned(), measure.hard.accuracy()),
        ]))
    }

    fn conclude(&mut self, state: &State) -> Result<Conclusion, SystemError> {
        let classes = &state.preparation.classes;
        let mut metrics = Metrics::new();
        let mut text = format!("{}\n", describe_state(&self.model, state)?);
        let select = self.trainer.select(state).map_err(SystemError::new)?;
        let test = self.trainer.test(state).map_err(SystemError::new)?;
        if let Some(shown) = test.as_ref().or(select.as_ref().map(|select| &select.hard)) {
            let part = if test.is_some() { "test" } else { "select" };
            text.push_str(&format!("\n{}", shown.in_words(classes, &format!("{part} examples"))));
        }
        if let Some(test) = &test {
            metrics.insert("test_accuracy".to_owned(), test.accuracy());
            text.push_str(&format!("\n{}", summary::accuracy(test, "test")));
        }
        if let Some(select) = &select {
            text.push_str(&format!("\n{}", summary::accuracy(&select.hard, "select")));
        }
        Ok(Conclusion { metrics, text, artifacts: Vec::new() })
    }

    fn environment(&self) -> BTreeMap<String, String> {
        BTreeMap::from([("kernels".to_owned(), self.trainer.path().name().to_owned())])
    }
}

impl Family for Lgn {
    const SUMMARY: &'static str = "logic-gate networks that classify: a circuit learnt by gradients";

    fn presets() -> &'static [Preset] {
        PRESETS
    }

    fn options() -> &'static [SystemOption] {
        const DATA: SystemOption = SystemOption::data(4, data_settings);
        const TARGET: SystemOption =
            SystemOption::target(|columns| list_setting("training.data.target", columns));
        const IGNORE: SystemOption =
            SystemOption::ignore(|columns| list_setting("training.data.ignore", columns));
        &[DATA, TARGET, IGNORE]
    }

    fn capabilities() -> Capabilities<Self> {
        let capabilities = Capabilities::default().predict(predict).table_format(table_format);
        capabilities.describe(describe).circuit(class_circuit)
    }
}

/// One file is a table, or a folder of pictures; two are pictures and their labels; two more are those that
/// are reported on.
fn data_settings(files: &[String]) -> Result<Vec<String>, SystemError> {
    let names: &[&str] = match files.len() {
        1 => &["file"],
        2 => &["images", "labels"],
        4 => &["images", "labels", "test_images", "test_labels"],
        count => {
            return Err(SystemError::new(format!(
                "{count} files are named; one is a table or a folder of pictures, two are IDX files of pictures \
                 and their labels, and two more are those to be reported on"
            )));
        }
    };
    Ok(names
        .iter()
        .zip(files)
        .map(|(name, file)| text_setting(&format!("training.data.{name}"), file))
        .collect())
}

fn build(config: &ConfigOf<Lgn>) -> Result<State, LgnError> {
    let (model, training) = (&config.model, &config.training);
    // Before the data is loaded, which may be of a size that is not allowed.
    model.validate()?;
    training.validate()?;
    let Dataset { preparation, .. } = Dataset::load(training, model, config.seed)?;
    State::new(model, preparation, config.seed)
}

/// The circuit from the bits of a picture to the number of its class.
fn class_circuit(config: &ConfigOf<Lgn>, state: &State) -> Result<Circuit, SystemError> {
    state.circuit(&config.model, Says::Class).map_err(SystemError::new)
}

/// How the file was read that was learnt.
fn table_format(config: &ConfigOf<Lgn>) -> CsvFormat {
    config.training.data.format()
}

/// What the circuit answers, with its sums as logits.
fn predict(config: &ConfigOf<Lgn>, state: &State, table: &Table) -> Result<Answers, SystemError> {
    let shape = state.check(&config.model).map_err(SystemError::mismatch)?;
    let (examples, notes) = state.preparation.encode(table).map_err(SystemError::new)?;
    let pool = Pool::new(1).map_err(SystemError::new)?;
    let sums = Classifier::new(KernelPath::best(), &shape, state, Says::Sums)
        .and_then(|classifier| classifier.sums(&pool, &examples))
        .map_err(SystemError::new)?;
    let preparation = &state.preparation;
    let mut classes = Vec::with_capacity(examples.len());
    let mut scores = vec![Vec::with_capacity(examples.len()); shape.classes];
    for sums in sums.chunks_exact(shape.classes) {
        let best = largest(sums);
        let most = sums[usize::from(best)];
        for (scores, &sum) in scores.iter_mut().zip(sums) {
            let logit = (f64::from(sum) - f64::from(most)) / config.model.temperature;
            scores.push(f64::from(math::exp(logit as f32)));
        }
        classes.push(best);
    }
    let table = Table::new(vec![preparation.answers(&classes)]).map_err(StateMismatch::Contradiction);
    let table = table.map_err(SystemError::new)?;
    let probabilities = Some(Probabilities::of_scores(preparation.classes.clone(), scores));
    Ok(Answers { table, probabilities }.with_notes(notes))
}

fn describe(config: &ConfigOf<Lgn>, state: &State) -> Result<String, SystemError> {
    describe_state(&config.model, state)
}

fn describe_state(model: &Model, state: &State) -> Result<String, SystemError> {
    let shape = state.check(model).map_err(SystemError::mismatch)?;
    let circuit = circuit::circuit(&shape, state, Says::Outputs).map_err(SystemError::new)?;
    Ok(summary::describe(state, &shape, &circuit))
}
