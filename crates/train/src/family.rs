//! What a family of models offers beside training.

use rekindle_data::Answers;
use rekindle_formats::Format;
use rekindle_formats::table::{CsvFormat, Table};
use serde_json::Value;

use crate::simulation::{Experiment, Simulation};
use crate::system::{ConfigOf, Metrics, Resources, System, SystemError};
use crate::text::TextCapability;

/// A [`System`] with all that its users meet: presets, options, file formats, and what its models can
/// be asked. A [`Registry`](crate::Registry) holds families.
pub trait Family: System {
    /// One line for people.
    const SUMMARY: &'static str;

    /// The configs that ship in the binary.
    fn presets() -> &'static [Preset];

    /// Shorter ways to say some settings.
    fn options() -> &'static [SystemOption] {
        &[]
    }

    /// File formats of this family.
    fn formats() -> &'static [Format] {
        &[]
    }

    /// What a trained model can be asked.
    fn capabilities() -> Capabilities<Self> {
        Capabilities::default()
    }
}

/// A config that ships in the binary.
#[derive(Debug, Clone, Copy)]
pub struct Preset {
    /// Its name.
    pub name: &'static str,
    /// One line for people.
    pub summary: &'static str,
    /// The config, as a user would write it.
    pub yaml: &'static str,
}

/// A named option that stands for settings of a config, such as `data` for the files to learn.
#[derive(Debug, Clone, Copy)]
pub struct SystemOption {
    /// Its name, without dashes.
    pub name: &'static str,
    /// What a value is, such as `FILE`.
    pub value: &'static str,
    /// One line for people.
    pub help: &'static str,
    /// So many values at most.
    pub most: usize,
    /// Runs that go on have it too, not only those that begin.
    pub resumes: bool,
    /// The settings that values stand for: at least one, and at most [`most`](Self::most).
    pub to_settings: fn(&[String]) -> Result<Vec<String>, SystemError>,
}

/// Columns that an option names at most.
const MOST_COLUMNS: usize = 1000;

impl SystemOption {
    /// The files to learn, for [`options`](Family::options): `most` of them, which stand for `settings`.
    pub const fn data(most: usize, to_settings: fn(&[String]) -> Result<Vec<String>, SystemError>) -> Self {
        let help = "Learn this file: a table as CSV or NPY, or a text, whichever the system learns";
        Self { name: "data", value: "FILE", help, most, resumes: true, to_settings }
    }

    /// The columns of a table that are learnt, for [`options`](Family::options).
    pub const fn target(to_settings: fn(&[String]) -> Result<Vec<String>, SystemError>) -> Self {
        let help = "Learn this column of the table; several are given one by one or with commas";
        Self { name: "target", value: "COLUMN", help, most: MOST_COLUMNS, resumes: false, to_settings }
    }

    /// The columns of a table that are left out, for [`options`](Family::options).
    pub const fn ignore(to_settings: fn(&[String]) -> Result<Vec<String>, SystemError>) -> Self {
        let help = "Leave this column of the table out; several are given one by one or with commas";
        Self { name: "ignore", value: "COLUMN", help, most: MOST_COLUMNS, resumes: false, to_settings }
    }

    /// The settings that some values stand for.
    ///
    /// # Errors
    /// When there are too many, or they stand for none.
    pub fn settings(&self, values: &[String]) -> Result<Vec<String>, SystemError> {
        match values.len() {
            0 => Ok(Vec::new()),
            given if given > self.most => {
                Err(SystemError::new(format!("{} at most can be given, not {given}", self.most)))
            }
            _ => (self.to_settings)(values),
        }
    }
}

/// The setting `path=value` for a value that is a text.
pub fn text_setting(path: &str, text: &str) -> String {
    format!("{path}={}", serde_json::Value::from(text))
}

/// The setting `path=[...]` for a list of texts: the values, which may hold several each, with commas between
/// them.
///
/// # Errors
/// None is known; it has the form of [`SystemOption::to_settings`].
pub fn list_setting(path: &str, values: &[String]) -> Result<Vec<String>, SystemError> {
    let texts = values.iter().flat_map(|value| value.split(','));
    let texts: Vec<&str> = texts.map(str::trim).filter(|text| !text.is_empty()).collect();
    Ok(vec![format!("{path}={}", serde_json::Value::from(texts))])
}

/// What a model answers to each row of a table.
pub type Predict<S> = fn(&ConfigOf<S>, &<S as System>::State, &Table) -> Result<Answers, SystemError>;
/// What a config says of the format of tables.
pub type TableFormat<S> = fn(&ConfigOf<S>) -> CsvFormat;
/// A model in words: its parts, and how they came about.
pub type Describe<S> = fn(&ConfigOf<S>, &<S as System>::State) -> Result<String, SystemError>;
/// What an automaton does on a board of its own.
pub type Simulate<S> =
    fn(&ConfigOf<S>, &<S as System>::State, &Experiment) -> Result<Simulation, SystemError>;
/// Learns, or forgets, what some files hold, after training; when it is refused, the state is as it was.
pub type Learn<S> =
    fn(&ConfigOf<S>, &mut <S as System>::State, &[String], &Resources) -> Result<Learnt, SystemError>;
/// The values of one more phase of training, in which some files are learnt after all that was learnt before.
pub type NextPhase<S> = fn(&ConfigOf<S>, &[String]) -> Result<Value, SystemError>;
/// Whether an earlier state knows anything of what some files hold that the state now does not know.
pub type Knows<S> = fn(
    &ConfigOf<S>,
    earlier: &<S as System>::State,
    now: &<S as System>::State,
    &[String],
) -> Result<bool, SystemError>;
/// A picture of a state.
pub type Draw<S> = fn(&ConfigOf<S>, &<S as System>::State) -> Result<rekindle_pictures::Picture, SystemError>;

/// The logic circuit that a model has become.
pub type AsCircuit<S> =
    fn(&ConfigOf<S>, &<S as System>::State) -> Result<rekindle_gates::Circuit, SystemError>;

/// What the models of a family can be asked; what is absent, they cannot.
#[derive(Debug)]
#[non_exhaustive]
pub struct Capabilities<S: System> {
    /// Answers to the rows of a table.
    pub predict: Option<Predict<S>>,
    /// How tables are read where a file can be read in more than one way.
    pub table_format: Option<TableFormat<S>>,
    /// A description in words.
    pub describe: Option<Describe<S>>,
    /// The model as a logic circuit, with which it can be written in every format of circuits.
    pub circuit: Option<AsCircuit<S>>,
    /// Boards that the model is an automaton on.
    pub simulate: Option<Simulate<S>>,
    /// Learns more after training, at once.
    pub learn: Option<Learn<S>>,
    /// Learns more after training by training on.
    pub learn_by_training: Option<LearnByTraining<S>>,
    /// Forgets what it has learnt.
    pub forget: Option<Forgetting<S>>,
    /// Pictures of a state.
    pub pictures: Vec<Picture<S>>,
    /// Texts that its models go on with.
    pub text: Option<TextCapability>,
}

/// How models learn more by training on.
#[derive(Debug, Clone, Copy)]
pub struct LearnByTraining<S: System> {
    /// The setting that lists such phases, one of the [`changeable`](System::changeable) ones.
    pub phases: &'static str,
    /// The phase that is put at its end.
    pub next: NextPhase<S>,
}

/// How models forget.
#[derive(Debug, Clone, Copy)]
pub struct Forgetting<S: System> {
    /// Forgets what some files hold.
    pub forget: Learn<S>,
    /// Whether an earlier state knows anything of it.
    pub knows: Knows<S>,
}

/// What came of learning more, or of forgetting.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Learnt {
    /// How much was learnt or forgotten.
    pub count: u64,
    /// What is counted, such as `rows`.
    pub unit: &'static str,
    /// Metrics of the state.
    pub metrics: Metrics,
    /// What whoever asked should know.
    pub notes: Vec<String>,
    /// Files for the run's `artifacts/`, by name, in the place of those that tell of the state before.
    pub artifacts: Vec<(String, Vec<u8>)>,
}

/// A picture that can be drawn of a state.
#[derive(Debug)]
pub struct Picture<S: System> {
    /// Its name.
    pub name: &'static str,
    /// One line for people.
    pub summary: &'static str,
    /// Draws it.
    pub draw: Draw<S>,
}

impl<S: System> Default for Capabilities<S> {
    /// Nothing can be asked.
    fn default() -> Self {
        Self {
            predict: None,
            table_format: None,
            describe: None,
            circuit: None,
            simulate: None,
            learn: None,
            learn_by_training: None,
            forget: None,
            pictures: Vec::new(),
            text: None,
        }
    }
}

impl<S: System> Capabilities<S> {
    /// Its models answer to the rows of a table.
    #[must_use]
    pub fn predict(self, predict: Predict<S>) -> Self {
        Self { predict: Some(predict), ..self }
    }

    /// Tables are read as the config says, where a file does not tell.
    #[must_use]
    pub fn table_format(self, format: TableFormat<S>) -> Self {
        Self { table_format: Some(format), ..self }
    }

    /// Its models can be described in words.
    #[must_use]
    pub fn describe(self, describe: Describe<S>) -> Self {
        Self { describe: Some(describe), ..self }
    }

    /// Its models are logic circuits.
    #[must_use]
    pub fn circuit(self, circuit: AsCircuit<S>) -> Self {
        Self { circuit: Some(circuit), ..self }
    }

    /// Its models are automata.
    #[must_use]
    pub fn simulate(self, simulate: Simulate<S>) -> Self {
        Self { simulate: Some(simulate), ..self }
    }

    /// Its models learn more after training, at once.
    #[must_use]
    pub fn learn(self, learn: Learn<S>) -> Self {
        Self { learn: Some(learn), ..self }
    }

    /// Its models learn more after training by training on: a phase is added to those at a setting.
    #[must_use]
    pub fn learn_by_training(self, phases: &'static str, next: NextPhase<S>) -> Self {
        Self { learn_by_training: Some(LearnByTraining { phases, next }), ..self }
    }

    /// Its models forget what they have learnt.
    #[must_use]
    pub fn forget(self, forget: Learn<S>, knows: Knows<S>) -> Self {
        Self { forget: Some(Forgetting { forget, knows }), ..self }
    }

    /// Its models go on with texts.
    #[must_use]
    pub fn text(self, text: TextCapability) -> Self {
        Self { text: Some(text), ..self }
    }

    /// One more picture can be drawn of its states.
    #[must_use]
    pub fn picture(mut self, name: &'static str, summary: &'static str, draw: Draw<S>) -> Self {
        self.pictures.push(Picture { name, summary, draw });
        self
    }
}
