//! The classifier as a system of the training loop.

use rekindle_data::Answers;
use rekindle_formats::table::{CsvFormat, Table};
use rekindle_pictures::Picture;
use rekindle_train::{
    Capabilities, Conclusion, ConfigOf, Family, FileUse, Learnt, MemoryNeed, Metrics, NamedFile, Preset,
    Progress, Resources, SettingError, System, SystemError, SystemOption, list_setting, text_setting,
};

use super::config::{Model, Training};
use super::data::Dataset;
use super::error::WisardError;
use super::state::State;
use super::trainer::Trainer;
use super::{memory_need, mental_images, presets, summary};

/// WiSARD classifiers in the training loop; a step learns a number of rows.
pub struct Wisard {
    trainer: Trainer,
}

const PRESETS: &[Preset] = &[
    Preset {
        name: "glyphs",
        summary: "digits drawn by an unsteady hand, told apart by RAMs in a second",
        yaml: presets::GLYPHS,
    },
    Preset {
        name: "wisard",
        summary: "classes of a table of your own: options `data` and `target`",
        yaml: presets::WISARD,
    },
];

impl System for Wisard {
    const NAME: &'static str = "wisard";

    type Model = Model;
    type Training = Training;
    type State = State;

    /// The file may lie elsewhere; that it is the same is checked.
    fn changeable() -> &'static [&'static str] {
        &["training.data.file", "training.rows_per_step"]
    }

    fn files(training: &mut Training) -> Vec<NamedFile<'_>> {
        let place = &mut training.data.file;
        vec![NamedFile::new("training.data.file", place, FileUse::Always)]
    }

    fn build(config: &ConfigOf<Self>) -> Result<State, SystemError> {
        build(config).map_err(SystemError::new)
    }

    fn blank(config: &ConfigOf<Self>) -> Result<State, SystemError> {
        config.model.validate().and_then(|()| config.training.validate()).map_err(SystemError::new)?;
        Ok(State::blank(&config.training.data))
    }

    fn memory(config: &ConfigOf<Self>, state: Option<&State>) -> Option<MemoryNeed> {
        state.map(|state| memory_need::of(&config.training, state))
    }

    fn attach(config: &ConfigOf<Self>, state: &State, resources: &Resources) -> Result<Self, SystemError> {
        let (model, training, threads) = (&config.model, &config.training, resources.threads);
        let trainer = Trainer::attach(model, training, config.seed, state, threads);
        let trainer = trainer.map_err(|error| match error {
            WisardError::Mismatch(_) => SystemError::mismatch(error),
            error => SystemError::new(error),
        })?;
        Ok(Self { trainer })
    }

    fn warnings(&self) -> Vec<String> {
        self.trainer.notes().to_vec()
    }

    fn progress(&self, state: &State) -> Progress {
        let total = Some(self.trainer.total(state));
        Progress { step: state.step, total, finished: self.trainer.is_finished(state) }
    }

    fn step(&mut self, state: &mut State) -> Result<Metrics, SystemError> {
        self.trainer.step(state);
        Ok(Metrics::from([("rows".to_owned(), state.rows as f64)]))
    }

    fn evaluate(&mut self, state: &State) -> Result<Metrics, SystemError> {
        let mut metrics = Metrics::from([
            ("rows".to_owned(), state.rows as f64),
            ("accuracy".to_owned(), self.trainer.training(state).accuracy()),
        ]);
        if let Some(select) = self.trainer.select(state) {
            metrics.insert(format!("{}_accuracy", select_name(state)), select.accuracy());
        }
        Ok(metrics)
    }

    fn conclude(&mut self, state: &State) -> Result<Conclusion, SystemError> {
        let classes = &state.preparation.classes;
        let (test, select) = (self.trainer.test(state), self.trainer.select(state));
        let mut metrics = Metrics::new();
        let mut text = format!("{}\n\n", summary::describe(state));
        match (&test, &select) {
            (Some(test), select) => {
                metrics.insert("test_accuracy".to_owned(), test.accuracy());
                text.push_str(&test.in_words(classes, "test rows"));
                text.push_str(&format!("\n{}", summary::accuracy(test, "test")));
                if let Some(select) = select {
                    text.push_str(&format!("\n{}", summary::accuracy(select, "select")));
                }
            }
            (None, Some(select)) => {
                text.push_str(&select.in_words(classes, &format!("{} rows", select_name(state))))
            }
            (None, None) => {
                text.push_str(&self.trainer.training(state).in_words(classes, "training rows"));
            }
        }
        let picture = mental_images::draw(state).ok().and_then(|picture| picture.png().ok());
        let artifacts = picture.map(|picture| ("mental-images.png".to_owned(), picture));
        Ok(Conclusion { metrics, text, artifacts: artifacts.into_iter().collect() })
    }
}

impl Family for Wisard {
    const SUMMARY: &'static str = "WiSARD classifiers: weightless, learnt in one pass over the rows";

    fn presets() -> &'static [Preset] {
        PRESETS
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
        let asked = asked.learn(refuse_more).forget(refuse_more, |_, _, _, _| Ok(true));
        asked.describe(describe).picture(
            "mental-images",
            "what the classifier has in mind for each class: its counters, projected back to the inputs",
            draw_mental_images,
        )
    }
}

/// What the rows are called that are measured while the classifier is trained.
fn select_name(state: &State) -> &'static str {
    if state.preparation.test_rows.is_some() { "select" } else { "validation" }
}

fn build(config: &ConfigOf<Wisard>) -> Result<State, WisardError> {
    let (model, training) = (&config.model, &config.training);
    // Before the data is loaded, which may be of a size that is not allowed.
    model.validate()?;
    training.validate()?;
    let (preparation, examples) = Dataset::load(&training.data, model.encoding, config.seed)?.learnt();
    State::new(model, preparation, &examples, config.seed)
}

/// How the file was read that was learnt.
fn table_format(config: &ConfigOf<Wisard>) -> CsvFormat {
    config.training.data.format()
}

fn predict(config: &ConfigOf<Wisard>, state: &State, table: &Table) -> Result<Answers, SystemError> {
    check(config, state)?;
    state.predict(table).map_err(SystemError::new)
}

fn draw_mental_images(config: &ConfigOf<Wisard>, state: &State) -> Result<Picture, SystemError> {
    check(config, state)?;
    mental_images::draw(state).map_err(SystemError::new)
}

/// What this classifier knows is no sum of its rows.
fn refuse_more(
    config: &ConfigOf<Wisard>,
    _: &mut State,
    _: &[String],
    _: &Resources,
) -> Result<Learnt, SystemError> {
    let kind = format!("{:?}", config.model.encoding.kind).to_lowercase();
    let reason = "its thresholds, and which bits make up tuples, were chosen by the rows that were learnt, so that \
                  other rows would have made another classifier; runs of the preset `wisard-exact` learn more and \
                  forget, as their thresholds lie over ranges that are stated";
    Err(SystemError::new(SettingError::new("model.encoding.kind", kind, reason)))
}

fn describe(config: &ConfigOf<Wisard>, state: &State) -> Result<String, SystemError> {
    check(config, state)?;
    Ok(summary::describe(state))
}

fn check(config: &ConfigOf<Wisard>, state: &State) -> Result<(), SystemError> {
    state.validate(&config.model, &config.training).map_err(SystemError::mismatch)
}
