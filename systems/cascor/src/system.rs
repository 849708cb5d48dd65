//! The network as a system of the training loop.

use std::collections::BTreeMap;

use rekindle::Versions;
use rekindle_compute::KernelPath;
use rekindle_data::Answers;
use rekindle_formats::Format;
use rekindle_formats::table::{CsvFormat, Table};
use rekindle_pictures::Picture;
use rekindle_train::{
    Capabilities, Conclusion, ConfigOf, Family, FileUse, MemoryNeed, Metrics, NamedFile, Preset, Progress,
    Resources, SettingError, System, SystemError, SystemOption, list_setting, text_setting,
};

use crate::config::{Model, Training};
use crate::data::{Dataset, Preparation};
use crate::error::CascorError;
use crate::schema::SYSTEM;
use crate::state::State;
use crate::trainer::Trainer;
use crate::{boundary, interchange, memory, presets, schema, topology};

/// Cascade-correlation networks in the training loop; a step is an epoch of whatever phase it is.
pub struct Cascor {
    trainer: Trainer,
    path: KernelPath,
    /// What the examples are called that everything is chosen by.
    select: &'static str,
}

const PRESETS: &[Preset] = &[
    Preset {
        name: "spirals",
        summary: "two spirals told apart by a network that grows about 15 hidden units",
        yaml: presets::SPIRALS,
    },
    Preset {
        name: "parity-8",
        summary: "the parity of eight bits, with about 5 hidden units",
        yaml: presets::PARITY_8,
    },
    Preset {
        name: "spirals-juniper",
        summary: "noisy spirals by the Juniper variant: tanh units, Adam, select and test",
        yaml: presets::SPIRALS_JUNIPER,
    },
    Preset {
        name: "cascade",
        summary: "a table of your own: options `data` and `target`",
        yaml: presets::CASCADE,
    },
];

impl System for Cascor {
    const NAME: &'static str = SYSTEM;

    type Model = Model;
    type Training = Training;
    type State = State;

    fn versions() -> Versions {
        schema::versions()
    }

    /// The file may lie elsewhere; that it is the same is checked.
    fn changeable() -> &'static [&'static str] {
        &["training.data.file", "model.max_hidden"]
    }

    fn files(training: &mut Training) -> Vec<NamedFile<'_>> {
        let place = &mut training.data.file;
        vec![NamedFile::new("training.data.file", place, FileUse::Always)]
    }

    fn build(config: &ConfigOf<Self>) -> Result<State, SystemError> {
        let (model, training) = (&config.model, &config.training);
        // Before the data is loaded, which may be of a size that is not allowed.
        model.validate().and_then(|()| training.validate()).map_err(SystemError::new)?;
        let dataset = Dataset::load(&training.data, model.output, config.seed).map_err(SystemError::new)?;
        State::new(model, training, dataset.preparation, config.seed).map_err(SystemError::new)
    }

    fn blank(config: &ConfigOf<Self>) -> Result<State, SystemError> {
        let (model, training) = (&config.model, &config.training);
        State::new(model, training, Preparation::blank(&training.data), config.seed).map_err(SystemError::new)
    }

    fn memory(config: &ConfigOf<Self>, state: Option<&State>) -> Option<MemoryNeed> {
        state.map(|state| memory::need(&config.model, &config.training, &state.preparation))
    }

    fn attach(config: &ConfigOf<Self>, state: &State, resources: &Resources) -> Result<Self, SystemError> {
        refuse_choice_by_test(config)?;
        let path = KernelPath::from_environment().map_err(SystemError::new)?;
        let (model, training, threads) = (&config.model, &config.training, resources.threads);
        let trainer = Trainer::attach(model, training, config.seed, state, threads, path);
        let trainer = trainer.map_err(|error| match error {
            CascorError::Mismatch(_) => SystemError::mismatch(error),
            error => SystemError::new(error),
        })?;
        // Runs that know no `select` and `test` report on what they choose by.
        let select = if training.data.shares().is_some() { "select" } else { "validation" };
        Ok(Self { trainer, path, select })
    }

    fn warnings(&self) -> Vec<String> {
        self.trainer.notes().to_vec()
    }

    fn progress(&self, state: &State) -> Progress {
        Progress { step: state.step, total: None, finished: self.trainer.is_finished(state) }
    }

    fn step(&mut self, state: &mut State) -> Result<Metrics, SystemError> {
        let step = self.trainer.step(state);
        let mut metrics = Metrics::from([
            ("train_loss".to_owned(), step.train_loss),
            ("hidden_units".to_owned(), state.network.hidden.len() as f64),
        ]);
        metrics.extend(step.error_bits.map(|bits| ("error_bits".to_owned(), bits.into())));
        metrics.extend(step.correlation.map(|correlation| ("correlation".to_owned(), correlation)));
        Ok(metrics)
    }

    fn evaluate(&mut self, state: &State) -> Result<Metrics, SystemError> {
        let training = self.trainer.evaluate(state);
        let mut metrics = Metrics::from([
            ("train_loss".to_owned(), training.loss),
            ("error_bits".to_owned(), training.error_bits as f64),
            ("accuracy".to_owned(), training.accuracy),
            ("hidden_units".to_owned(), state.network.hidden.len() as f64),
            ("epochs".to_owned(), state.epochs as f64),
        ]);
        let held =
            [(self.select, self.trainer.evaluate_select(state)), (TEST, self.trainer.evaluate_test(state))];
        for (name, evaluation) in held {
            let Some(evaluation) = evaluation else { continue };
            metrics.insert(format!("{name}_loss"), evaluation.loss);
            metrics.insert(format!("{name}_accuracy"), evaluation.accuracy);
        }
        Ok(metrics)
    }

    fn conclude(&mut self, state: &State) -> Result<Conclusion, SystemError> {
        let text = topology::summary(state);
        let picture = boundary::draw(state, self.trainer.model(), self.trainer.examples(), self.path);
        // A picture that cannot be drawn is none to end with.
        let picture = picture.ok().and_then(|picture| picture.png().ok());
        let artifacts = picture.map(|picture| ("boundary.png".to_owned(), picture));
        Ok(Conclusion { metrics: Metrics::new(), text, artifacts: artifacts.into_iter().collect() })
    }

    fn environment(&self) -> BTreeMap<String, String> {
        BTreeMap::from([("kernels".to_owned(), self.path.name().to_owned())])
    }
}

impl Family for Cascor {
    const SUMMARY: &'static str = "cascade-correlation networks, which grow hidden units as they learn";

    fn presets() -> &'static [Preset] {
        PRESETS
    }

    fn formats() -> &'static [Format] {
        &[interchange::FORMAT]
    }

    fn options() -> &'static [SystemOption] {
        const DATA: SystemOption =
            SystemOption::data(1, |files| Ok(vec![text_setting("training.data.file", &files[0])]));
        const TARGET: SystemOption =
            SystemOption::target(|columns| list_setting("training.data.target", columns));
        const IGNORE: SystemOption =
            SystemOption::ignore(|columns| list_setting("training.data.ignore", columns));
        &[DATA, TARGET, IGNORE]
    }

    fn capabilities() -> Capabilities<Self> {
        let asked = Capabilities::default().predict(predict).table_format(table_format);
        asked.describe(describe).picture(
            "boundary",
            "which class the network says where, for two inputs",
            draw_boundary,
        )
    }
}

/// How metrics begin of the examples that are reported on.
const TEST: &str = "test";

/// A figure that anything was chosen by is no report.
fn refuse_choice_by_test(config: &ConfigOf<Cascor>) -> Result<(), SystemError> {
    let best = config.best.iter().map(|best| ("best.metric", best));
    let keep = config.checkpoint.keep_best.iter().map(|best| ("checkpoint.keep_best", best));
    match best.chain(keep).find(|(_, best)| best.metric.starts_with(TEST)) {
        None => Ok(()),
        Some((path, best)) => Err(SystemError::new(SettingError::new(
            path,
            &best.metric,
            "the examples that are reported on are not chosen by; take select_loss or select_accuracy",
        ))),
    }
}

/// How the file was read that was learnt.
fn table_format(config: &ConfigOf<Cascor>) -> CsvFormat {
    config.training.data.format()
}

fn predict(config: &ConfigOf<Cascor>, state: &State, table: &Table) -> Result<Answers, SystemError> {
    check(config, state)?;
    let (inputs, notes) = state.preparation.inputs_of(table).map_err(SystemError::new)?;
    let outputs = state.network.outputs(KernelPath::best(), config.model.output, &inputs);
    let answers = state.preparation.answers(&outputs).map_err(SystemError::new)?;
    Ok(answers.with_notes(notes))
}

fn draw_boundary(config: &ConfigOf<Cascor>, state: &State) -> Result<Picture, SystemError> {
    check(config, state)?;
    // The examples are shown where they are still to be had.
    let dataset = Dataset::load(&config.training.data, config.model.output, config.seed).ok();
    let dataset = dataset.filter(|dataset| dataset.preparation == state.preparation);
    let examples = dataset.as_ref().map(|dataset| &dataset.training);
    boundary::draw(state, &config.model, examples, KernelPath::best()).map_err(SystemError::new)
}

fn describe(config: &ConfigOf<Cascor>, state: &State) -> Result<String, SystemError> {
    check(config, state)?;
    Ok(topology::summary(state))
}

fn check(config: &ConfigOf<Cascor>, state: &State) -> Result<(), SystemError> {
    state.validate(&config.model, &config.training).map_err(SystemError::mismatch)
}
