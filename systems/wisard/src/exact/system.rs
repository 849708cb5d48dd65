//! The classifier as a system of the training loop.

use rekindle_data::{Answers, ClassColumn, ModelInputs, Origin, Probabilities, Questions};
use rekindle_formats::table::{CsvFormat, Table};
use rekindle_train::{
    Capabilities, Conclusion, ConfigOf, Family, FileUse, MemoryNeed, Metrics, NamedFile, Preset, Progress,
    Resources, StateMismatch, System, SystemError, SystemOption, list_setting, text_setting,
};

use super::classifier::{Classifier, best};
use super::config::{Data, Model, Training};
use super::data::{self, Eye};
use super::error::ExactError;
use super::state::State;
use super::trainer::Trainer;
use super::{lessons, memory_need, summary};
use crate::presets;

/// Exact WiSARD classifiers in the training loop; a step learns a number of rows.
pub struct WisardExact {
    trainer: Trainer,
}

const PRESETS: &[Preset] = &[
    Preset {
        name: "wisard-exact",
        summary: "digits drawn by an unsteady hand, or a table of your own, learnt and forgotten exactly",
        yaml: presets::EXACT,
    },
    Preset {
        name: "wisard-mnist",
        summary: "the handwritten digits of MNIST, learnt and forgotten exactly: option `data`",
        yaml: presets::EXACT_MNIST,
    },
];

impl System for WisardExact {
    const NAME: &'static str = "wisard-exact";

    type Model = Model;
    type Training = Training;
    type State = State;

    /// The files may lie elsewhere; that they are the same is checked.
    fn changeable() -> &'static [&'static str] {
        &[
            "training.data.file",
            "training.data.images",
            "training.data.labels",
            "training.data.test_file",
            "training.data.test_images",
            "training.data.test_labels",
            "training.rows_per_step",
        ]
    }

    fn files(training: &mut Training) -> Vec<NamedFile<'_>> {
        let Data { file, images, labels, test_file, test_images, test_labels, .. } = &mut training.data;
        let named = [
            ("training.data.file", file),
            ("training.data.images", images),
            ("training.data.labels", labels),
            ("training.data.test_file", test_file),
            ("training.data.test_images", test_images),
            ("training.data.test_labels", test_labels),
        ];
        named.into_iter().map(|(setting, place)| NamedFile::new(setting, place, FileUse::Always)).collect()
    }

    /// What was learnt does not depend on where it came from.
    fn drop_origin(training: &mut Training, state: &State) {
        if state.pending.is_none() {
            *training = Training { data: Data::default(), rows_per_step: 1 };
        }
    }

    fn build(config: &ConfigOf<Self>) -> Result<State, SystemError> {
        build(config).map_err(SystemError::new)
    }

    fn blank(config: &ConfigOf<Self>) -> Result<State, SystemError> {
        config.model.validate().and_then(|()| config.training.validate()).map_err(SystemError::new)?;
        Ok(State::default())
    }

    /// What a state knows has no beginning to train on from: more rows are added to it.
    fn adopt(_: &ConfigOf<Self>, _: &mut State) -> Result<(), SystemError> {
        Err(SystemError::new(ExactError::NoBeginning))
    }

    fn memory(config: &ConfigOf<Self>, state: Option<&State>) -> Option<MemoryNeed> {
        state.map(|state| memory_need::of(config, state))
    }

    fn attach(config: &ConfigOf<Self>, state: &State, resources: &Resources) -> Result<Self, SystemError> {
        let trainer = Trainer::attach(&config.model, &config.training, config.seed, state, resources);
        let trainer = trainer.map_err(|error| match error {
            ExactError::Mismatch(_) => SystemError::mismatch(error),
            error => SystemError::new(error),
        })?;
        Ok(Self { trainer })
    }

    fn warnings(&self) -> Vec<String> {
        self.trainer.notes().to_vec()
    }

    fn progress(&self, state: &State) -> Progress {
        let (step, total) = (self.trainer.step_of(state), self.trainer.total(state));
        Progress { step, total: Some(total), finished: state.pending.is_none() }
    }

    fn step(&mut self, state: &mut State) -> Result<Metrics, SystemError> {
        self.trainer.step(state);
        self.evaluate(state)
    }

    /// Nothing is chosen, so that there is nothing to measure before the end.
    fn evaluate(&mut self, state: &State) -> Result<Metrics, SystemError> {
        Ok(Metrics::from([("rows".to_owned(), state.rows() as f64)]))
    }

    fn conclude(&mut self, state: &State) -> Result<Conclusion, SystemError> {
        let mut conclusion = Conclusion::default();
        if let Some(test) = self.trainer.test(state) {
            conclusion.metrics.insert("test_accuracy".to_owned(), test.accuracy());
            let mut classes = state.classes();
            if test.of_class(classes.len()) > 0 {
                classes.push("other".to_owned());
            }
            conclusion.text =
                format!("{}\n{}", test.in_words(&classes, "test rows"), summary::accuracy(&test));
        }
        Ok(conclusion)
    }
}

impl Family for WisardExact {
    const SUMMARY: &'static str = "WiSARD classifiers that learn and forget exactly: a sum of their rows";

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
        let asked = Capabilities::default().predict(predict).table_format(table_format).describe(describe);
        asked.learn(lessons::learn).forget(lessons::forget, lessons::knows)
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
    let setting = |(name, file): (&&str, &String)| text_setting(&format!("training.data.{name}"), file);
    Ok(names.iter().zip(files).map(setting).collect())
}

fn build(config: &ConfigOf<WisardExact>) -> Result<State, ExactError> {
    let (model, training) = (&config.model, &config.training);
    // Before the data is loaded, which may be of a size that is not allowed.
    model.validate()?;
    training.validate()?;
    let rows = data::training_rows(&training.data, model, config.seed)?;
    let state = State::new(&rows);
    state.check_room(model, &rows)?;
    state.encoder(model, config.seed)?;
    Ok(state)
}

/// How the file was read that was learnt.
fn table_format(config: &ConfigOf<WisardExact>) -> CsvFormat {
    config.training.data.format()
}

fn predict(config: &ConfigOf<WisardExact>, state: &State, table: &Table) -> Result<Answers, SystemError> {
    check(config, state)?;
    answers(config, state, table).map_err(SystemError::new)
}

fn answers(config: &ConfigOf<WisardExact>, state: &State, table: &Table) -> Result<Answers, ExactError> {
    if state.discriminators.is_empty() {
        return Err(ExactError::NothingLearnt);
    }
    let model = &config.model;
    let inputs: Vec<&str> = state.inputs.iter().map(String::as_str).collect();
    let targets = [state.target.as_str()];
    let Questions { inputs, notes } =
        Questions::of(table, ModelInputs { inputs: &inputs, targets: &targets, fillings: None })?;
    inputs.iter().try_for_each(|input| input.check_range(&Origin::Named("the table")))?;
    let levels = Eye::new(model, &state.inputs, state.picture()).columns(&inputs, table.rows())?;
    let classifier = Classifier::new(model, state.encoder(model, config.seed)?, state);
    let classes = state.classes();
    let (mut labels, mut shares) = (Vec::new(), vec![Vec::new(); classes.len()]);
    classifier.scores(&levels, state.inputs.len(), |scores| {
        let label = best(scores);
        for (shares, score) in shares.iter_mut().zip(scores) {
            shares.push(classifier.share(score - scores[label]));
        }
        labels.push(label);
    });
    let column = ClassColumn::to_table(&state.target, &classes, labels);
    let table = Table::new(vec![column]).map_err(StateMismatch::Contradiction)?;
    Ok(Answers { table, probabilities: Some(Probabilities::of_scores(classes, shares)) }.with_notes(notes))
}

fn describe(config: &ConfigOf<WisardExact>, state: &State) -> Result<String, SystemError> {
    check(config, state)?;
    Ok(summary::describe(&config.model, state))
}

pub(super) fn check(config: &ConfigOf<WisardExact>, state: &State) -> Result<(), SystemError> {
    state.validate(&config.model, &config.training).map_err(SystemError::mismatch)
}
