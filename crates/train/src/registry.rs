//! The systems of a binary, and what is asked of each without knowing its types.

use std::marker::PhantomData;
use std::path::Path;

use serde_json::Value;

use rekindle::Checkpoint;
use rekindle_formats::table::Table;
use rekindle_formats::{FORMATS, Format, files};

use crate::config::{ConfigError, ConfigText, hint};
use crate::system::{ConfigOf, Picture, Preset, System, SystemError};
use crate::trained::{AskError, Trained};
use crate::training::{Options, Report, Start, TrainError, train};

/// A config file is never longer: bytes.
const CONFIG_LIMIT: u64 = 1 << 20;

/// A [`System`] whose types are hidden.
pub trait AnySystem {
    /// The name in a config's `system:`.
    fn name(&self) -> &'static str;
    /// One line for people.
    fn summary(&self) -> &'static str;
    /// The configs that ship in the binary.
    fn presets(&self) -> &'static [Preset];
    /// File formats of the family.
    fn formats(&self) -> &'static [Format];

    /// The whole config with all defaults, as YAML.
    ///
    /// # Errors
    /// When the text or a setting cannot be used.
    fn whole_config(&self, text: &ConfigText, settings: &[String]) -> Result<String, ConfigError>;

    /// The whole config with all defaults, as JSON.
    ///
    /// # Errors
    /// When the text or a setting cannot be used.
    fn whole_config_json(&self, text: &ConfigText, settings: &[String]) -> Result<Value, ConfigError>;

    /// Trains until the end, a signal, or an error.
    ///
    /// # Errors
    /// When training cannot begin or go on; what was saved is intact.
    fn train(&self, start: Start, options: &Options) -> Result<Report, TrainError>;

    /// The settings that an option of the command line stands for; absent when the system has no
    /// such option, or it takes another number of values.
    fn option(&self, name: &str, values: &[String]) -> Option<Result<Vec<String>, SystemError>>;

    /// What the model of a checkpoint answers to each row of a table.
    ///
    /// # Errors
    /// When the checkpoint cannot be read, or the table is not what the model needs.
    fn predict(&self, checkpoint: &Checkpoint<'_>, table: &Table) -> Result<Table, AskError>;

    /// Pictures that can be drawn of a checkpoint.
    fn pictures(&self) -> &'static [Picture];

    /// One of the [`pictures`](Self::pictures), as a PNG file.
    ///
    /// # Errors
    /// When the checkpoint cannot be read, or the picture not be drawn of it.
    fn picture(&self, checkpoint: &Checkpoint<'_>, name: &str) -> Result<Vec<u8>, AskError>;

    /// The model of a checkpoint in words.
    ///
    /// # Errors
    /// When the checkpoint cannot be read.
    fn describe(&self, checkpoint: &Checkpoint<'_>) -> Result<String, AskError>;
}

struct Typed<S>(PhantomData<S>);

impl<S: System> AnySystem for Typed<S> {
    fn name(&self) -> &'static str {
        S::NAME
    }

    fn summary(&self) -> &'static str {
        S::SUMMARY
    }

    fn presets(&self) -> &'static [Preset] {
        S::presets()
    }

    fn formats(&self) -> &'static [Format] {
        S::formats()
    }

    fn whole_config(&self, text: &ConfigText, settings: &[String]) -> Result<String, ConfigError> {
        let config: ConfigOf<S> = text.config(settings)?;
        serde_saphyr::to_string(&config)
            .map_err(|error| ConfigError::Text { message: error.to_string(), hint: String::new() })
    }

    fn whole_config_json(&self, text: &ConfigText, settings: &[String]) -> Result<Value, ConfigError> {
        let config: ConfigOf<S> = text.config(settings)?;
        serde_json::to_value(&config)
            .map_err(|error| ConfigError::Text { message: error.to_string(), hint: String::new() })
    }

    fn train(&self, start: Start, options: &Options) -> Result<Report, TrainError> {
        train::<S>(start, options)
    }

    fn option(&self, name: &str, values: &[String]) -> Option<Result<Vec<String>, SystemError>> {
        S::option(name, values)
    }

    fn predict(&self, checkpoint: &Checkpoint<'_>, table: &Table) -> Result<Table, AskError> {
        Trained::<S>::load(checkpoint)?.predict(table)
    }

    fn pictures(&self) -> &'static [Picture] {
        S::pictures()
    }

    fn picture(&self, checkpoint: &Checkpoint<'_>, name: &str) -> Result<Vec<u8>, AskError> {
        Trained::<S>::load(checkpoint)?.picture(name)
    }

    fn describe(&self, checkpoint: &Checkpoint<'_>) -> Result<String, AskError> {
        Trained::<S>::load(checkpoint)?.describe()
    }
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
    pub fn with<S: System + 'static>(mut self) -> Self {
        self.systems.push(Box::new(Typed::<S>(PhantomData)));
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
