//! The systems of a binary, and what is asked of each without knowing its types.

use std::marker::PhantomData;
use std::path::Path;

use rekindle::Checkpoint;
use rekindle_data::Answers;
use rekindle_formats::table::Table;
use rekindle_formats::{FORMATS, Format, files};
use rekindle_gates::Circuit;
use rekindle_pictures::Picture;

use crate::capabilities::{self, AskError};
use crate::config::{ConfigError, ConfigText, change_config, hint, with_settings};
use crate::family::{Family, LearnByTraining, Preset, SystemOption};
use crate::session::{
    AnyConfig, Configs, ConfigsOf, Options, Report, Revised, Revision, Start, TrainError, revise, train,
};
use crate::simulation::{Experiment, Simulation};
use crate::system::ConfigOf;
use crate::text::TextCapability;

/// A config file is never longer: bytes.
const CONFIG_LIMIT: u64 = 1 << 20;

/// A [`Family`] whose types are hidden.
pub trait AnySystem {
    /// The name in a config's `system:`.
    fn name(&self) -> &'static str;
    /// One line for people.
    fn summary(&self) -> &'static str;
    /// The configs that ship in the binary.
    fn presets(&self) -> &'static [Preset];
    /// Shorter ways to say some settings.
    fn options(&self) -> &'static [SystemOption];
    /// File formats of the family.
    fn formats(&self) -> &'static [Format];
    /// Pictures that can be drawn of a checkpoint: name, and a line for people.
    fn pictures(&self) -> Vec<(&'static str, &'static str)>;

    /// The unit of a metric, if it has one.
    fn unit(&self, metric: &str) -> Option<&'static str>;

    /// How its models go on with texts, if they do.
    fn text(&self) -> Option<TextCapability>;

    /// The whole config with all defaults.
    ///
    /// # Errors
    /// When the text or a setting cannot be used.
    fn config(&self, text: &ConfigText, settings: &[String]) -> Result<Box<dyn AnyConfig>, ConfigError>;

    /// The JSON Schema of its configs, with what each key means.
    fn schema(&self) -> serde_json::Value;

    /// The metrics of a training with the config that a checkpoint records, in the order in which they are
    /// shown; none where that is not known.
    fn measures(&self, config: &serde_json::Value) -> Vec<String>;

    /// Trains until the end, a signal, or an error.
    ///
    /// # Errors
    /// When training cannot begin or go on; what was saved is intact.
    fn train(&self, start: Start, options: &Options) -> Result<Report, TrainError>;

    /// Reads a table of which the model of a checkpoint is to be asked.
    ///
    /// # Errors
    /// When it cannot be read, or in more than one way of which the config says nothing.
    fn read_table(&self, checkpoint: &Checkpoint<'_>, file: &Path) -> Result<Table, AskError>;

    /// What the model of a checkpoint answers to each row of a table.
    ///
    /// # Errors
    /// When models of the family answer none, the checkpoint cannot be read, or the table is not what the
    /// model needs.
    fn predict(&self, checkpoint: &Checkpoint<'_>, table: &Table) -> Result<Answers, AskError>;

    /// One of the [`pictures`](Self::pictures).
    ///
    /// # Errors
    /// When there is none of that name, the checkpoint cannot be read, or the picture not be drawn of it.
    fn draw(&self, checkpoint: &Checkpoint<'_>, name: &str) -> Result<Picture, AskError>;

    /// The model of a checkpoint in words.
    ///
    /// # Errors
    /// When models of the family have no description, or the checkpoint cannot be read.
    fn describe(&self, checkpoint: &Checkpoint<'_>) -> Result<String, AskError>;

    /// The model of a checkpoint as a logic circuit.
    ///
    /// # Errors
    /// When models of the family are no circuits, or the checkpoint cannot be read.
    fn circuit(&self, checkpoint: &Checkpoint<'_>) -> Result<Circuit, AskError>;

    /// What the model of a checkpoint does on a board as an automaton.
    ///
    /// # Errors
    /// When models of the family are no automata, the board cannot be, or the checkpoint cannot be read.
    fn simulate(&self, checkpoint: &Checkpoint<'_>, experiment: &Experiment) -> Result<Simulation, AskError>;

    /// The settings with which a run that goes on learns some files after all that it was trained on; `settings` are on
    /// top of the phase that this is, such as `steps=300`. Nothing where models of the family learn more without training
    /// on: by [`revise`](Self::revise), or not at all.
    ///
    /// # Errors
    /// When the system refuses the files, or a setting cannot be used.
    fn settings_to_learn(
        &self,
        recorded: &serde_json::Value,
        files: &[String],
        settings: &[String],
    ) -> Result<Option<Vec<String>>, TrainError>;

    /// Lets a run whose training has ended learn more or forget, as a new checkpoint.
    ///
    /// # Errors
    /// When models of the family cannot, or refuse the data; the run is as it was.
    fn revise(&self, revision: Revision) -> Result<Revised, TrainError>;
}

impl<S: Family + 'static> AnySystem for ConfigsOf<S> {
    fn name(&self) -> &'static str {
        S::NAME
    }

    fn summary(&self) -> &'static str {
        S::SUMMARY
    }

    fn presets(&self) -> &'static [Preset] {
        S::presets()
    }

    fn options(&self) -> &'static [SystemOption] {
        S::options()
    }

    fn formats(&self) -> &'static [Format] {
        S::formats()
    }

    fn pictures(&self) -> Vec<(&'static str, &'static str)> {
        S::capabilities().pictures.iter().map(|picture| (picture.name, picture.summary)).collect()
    }

    fn unit(&self, metric: &str) -> Option<&'static str> {
        S::unit(metric)
    }

    fn text(&self) -> Option<TextCapability> {
        S::capabilities().text
    }

    fn config(&self, text: &ConfigText, settings: &[String]) -> Result<Box<dyn AnyConfig>, ConfigError> {
        Ok(self.parse(text, settings)?)
    }

    fn schema(&self) -> serde_json::Value {
        let schema = schemars::schema_for!(ConfigOf<S>);
        serde_json::Value::from(schema)
    }

    fn measures(&self, config: &serde_json::Value) -> Vec<String> {
        change_config(config, &[], &[]).map_or_else(|_| Vec::new(), |(config, _)| S::measures(&config))
    }

    fn train(&self, start: Start, options: &Options) -> Result<Report, TrainError> {
        train(self, start, options)
    }

    fn read_table(&self, checkpoint: &Checkpoint<'_>, file: &Path) -> Result<Table, AskError> {
        capabilities::read_table::<S>(checkpoint, file)
    }

    fn predict(&self, checkpoint: &Checkpoint<'_>, table: &Table) -> Result<Answers, AskError> {
        capabilities::predict::<S>(checkpoint, table)
    }

    fn draw(&self, checkpoint: &Checkpoint<'_>, name: &str) -> Result<Picture, AskError> {
        capabilities::draw::<S>(checkpoint, name)
    }

    fn describe(&self, checkpoint: &Checkpoint<'_>) -> Result<String, AskError> {
        capabilities::describe::<S>(checkpoint)
    }

    fn circuit(&self, checkpoint: &Checkpoint<'_>) -> Result<Circuit, AskError> {
        capabilities::circuit::<S>(checkpoint)
    }

    fn simulate(&self, checkpoint: &Checkpoint<'_>, experiment: &Experiment) -> Result<Simulation, AskError> {
        capabilities::simulate::<S>(checkpoint, experiment)
    }

    fn settings_to_learn(
        &self,
        recorded: &serde_json::Value,
        files: &[String],
        settings: &[String],
    ) -> Result<Option<Vec<String>>, TrainError> {
        let Some(learning) = S::capabilities().learn_by_training else { return Ok(None) };
        settings_to_learn::<S>(&learning, recorded, files, settings).map(|setting| Some(vec![setting]))
    }

    fn revise(&self, revision: Revision) -> Result<Revised, TrainError> {
        revise::<S>(revision)
    }
}

/// The list of phases with one more at its end, as a setting.
fn settings_to_learn<S: Family>(
    learning: &LearnByTraining<S>,
    recorded: &serde_json::Value,
    files: &[String],
    settings: &[String],
) -> Result<String, TrainError> {
    let (config, _): (ConfigOf<S>, _) = change_config(recorded, &[], &[])?;
    let place = format!("/{}", learning.phases.replace('.', "/"));
    let mut phases =
        recorded.pointer(&place).and_then(|phases| phases.as_array().cloned()).unwrap_or_default();
    let index = phases.len();
    phases.push((learning.next)(&config, files)?);
    let list = format!("{}={}", learning.phases, serde_json::Value::from(phases));
    let changes = settings.iter().map(|setting| format!("{}.{index}.{setting}", learning.phases));
    let changes: Vec<String> = std::iter::once(list).chain(changes).collect();
    let changed = with_settings::<S::Model, S::Training>(recorded, &changes)?;
    let phases = changed.pointer(&place).cloned().unwrap_or_default();
    Ok(format!("{}={phases}", learning.phases))
}

/// Hides the types of a system. Whatever calls this compiles all that is generic over it: best the crate of
/// the system itself, so that systems are compiled side by side and once.
pub fn any_system<S: Family + 'static>() -> Box<dyn AnySystem> {
    Box::new(ConfigsOf::<S>(PhantomData))
}

/// The systems of a binary.
#[derive(Default)]
pub struct Registry {
    systems: Vec<Box<dyn AnySystem>>,
}

impl Registry {
    /// No systems.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a system.
    #[must_use]
    pub fn with<S: Family + 'static>(self) -> Self {
        self.with_system(any_system::<S>())
    }

    /// Adds a system whose types are hidden already.
    #[must_use]
    pub fn with_system(mut self, system: Box<dyn AnySystem>) -> Self {
        self.systems.push(system);
        self
    }

    /// All systems.
    pub fn systems(&self) -> impl Iterator<Item = &dyn AnySystem> {
        self.systems.iter().map(|system| &**system)
    }

    /// The system of that name; `origin` says where the name is from.
    ///
    /// # Errors
    /// When there is none.
    pub fn system(&self, name: &str, origin: &str) -> Result<&dyn AnySystem, ConfigError> {
        let known = || self.systems().map(|system| system.name().to_owned());
        self.systems().find(|system| system.name() == name).ok_or_else(|| ConfigError::NoSystem {
            origin: origin.to_owned(),
            name: name.to_owned(),
            hint: hint(name, known()),
            known: known().collect(),
        })
    }

    /// The config that `name` stands for: a preset, or a YAML file.
    ///
    /// # Errors
    /// When there is neither, or the file cannot be read.
    pub fn config_text(&self, name: &str) -> Result<ConfigText, ConfigError> {
        let presets = || self.systems().flat_map(|system| system.presets());
        if let Some(preset) = presets().find(|preset| preset.name == name) {
            return Ok(ConfigText { origin: format!("preset {name}"), yaml: preset.yaml.to_owned() });
        }
        let path = Path::new(name);
        let looks_like_a_file = name.contains(['/', '\\', '.']);
        if !files::exists(path) && !looks_like_a_file {
            let known = || presets().map(|preset| preset.name.to_owned());
            return Err(ConfigError::NoPreset {
                name: name.to_owned(),
                hint: hint(name, known()),
                known: known().collect(),
            });
        }
        if path.is_dir() {
            return Err(ConfigError::Directory { path: path.to_owned() });
        }
        let unreadable = |source| ConfigError::Unreadable { path: path.to_owned(), source };
        let yaml = files::read_text(path, CONFIG_LIMIT).map_err(unreadable)?;
        Ok(ConfigText { origin: name.to_owned(), yaml })
    }

    /// All file formats: those for any state, and each system's own before them.
    pub fn formats(&self) -> Vec<&'static Format> {
        self.systems().flat_map(|system| system.formats()).chain(FORMATS).collect()
    }
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.systems().map(AnySystem::name)).finish()
    }
}
