//! What a user chooses.

use rekindle_data::{Missing, Shares, one_or_more};
use rekindle_formats::table::{CsvFormat, Decimal, Separator};
use rekindle_train::SettingError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::activation::{Activation, OutputActivation};

/// The network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// Activation of the hidden units.
    pub hidden: Activation,
    /// Activation of the outputs.
    pub output: OutputActivation,
    /// The network never has more hidden units.
    pub max_hidden: u32,
}

/// How the network is trained, and on what.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Training {
    /// The examples.
    pub data: Data,
    /// The algorithm.
    pub method: Method,
}

/// The examples to learn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Data {
    /// Which examples are generated when there is no `file`.
    pub source: Source,
    /// `parity`: number of bits, at most 16.
    pub bits: u32,
    /// `spirals`: number of spirals.
    pub arms: u32,
    /// `spirals`: points of each.
    pub points: u32,
    /// `spirals`: how far points lie beside their spiral, at most.
    pub noise: f64,
    /// A CSV or NPY file of examples, a row for each.
    pub file: Option<String>,
    /// The column of the file that is to be learnt, or a list of columns.
    #[serde(deserialize_with = "one_or_more", skip_serializing_if = "Vec::is_empty")]
    pub target: Vec<String>,
    /// What `target` was called in configs from before.
    #[serde(deserialize_with = "one_or_more")]
    pub targets: Vec<String>,
    /// Columns of the file that are left out: one, or a list.
    #[serde(deserialize_with = "one_or_more")]
    pub ignore: Vec<String>,
    /// What becomes of rows in which a value is missing: an empty field, `NA`, `N/A`, `NaN`, `null` or `?`.
    #[serde(skip_serializing_if = "Missing::is_default")]
    pub missing: Missing,
    /// What separates the columns of a CSV file; found out when not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub separator: Option<Separator>,
    /// What numbers of a CSV file have before their fraction; found out when not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decimal: Option<Decimal>,
    /// Whether targets are names of classes or numbers.
    pub task: Task,
    /// Bring each input column of a file to mean 0 and standard deviation 1.
    pub scale: bool,
    /// An output for each class even when there are only two.
    pub one_hot: bool,
    /// Share of the examples that everything is chosen by: when growing ends, and which checkpoint is
    /// the best. Equal examples are in one part, and each class has its share of every part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub select: Option<f64>,
    /// Share of the examples that are reported on; nothing that is chosen has seen them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test: Option<f64>,
    /// How runs were split that know no `select` and `test`: a share of the rows, drawn whatever they
    /// hold, that is both chosen by and reported on.
    pub validation: f64,
}

impl Default for Data {
    fn default() -> Self {
        Self {
            source: Source::TwoSpirals,
            bits: 8,
            arms: 2,
            points: 1000,
            noise: 0.25,
            file: None,
            target: Vec::new(),
            targets: Vec::new(),
            ignore: Vec::new(),
            missing: Missing::Refuse,
            separator: None,
            decimal: None,
            task: Task::Classification,
            scale: true,
            one_hot: false,
            select: None,
            test: None,
            validation: 0.0,
        }
    }
}

/// Examples that are generated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// The two spirals of 97 points each of Lang and Witbrock, 1988.
    TwoSpirals,
    /// Spirals of random points, with noise.
    Spirals,
    /// All bit strings, and whether the number of ones is odd.
    Parity,
    /// None: there must be a `file`.
    File,
}

/// What the targets of a file are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Task {
    /// Names of classes, in one column.
    Classification,
    /// Numbers, in any number of columns.
    Regression,
}

/// The algorithm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// Fahlman and Lebiere's.
    Fahlman(Fahlman),
    /// That of the Juniper project.
    Juniper(Juniper),
}

/// Fahlman and Lebiere, "The cascade-correlation learning architecture", 1990.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fahlman {
    /// Training of the output layer.
    pub output: Quickprop,
    /// Training of candidates.
    pub candidates: Quickprop,
    /// Candidates in the pool.
    pub pool: u32,
    /// Weights begin between minus this and this.
    pub weight_range: f64,
    /// An output that is further from its target is an error bit; none is the end.
    pub threshold: f64,
    /// Added to the derivative of the outputs, so that none is stuck.
    pub prime_offset: f64,
    /// Training ends after so many growths without a smaller loss on the examples that are chosen by, or
    /// without any of these on those that are learnt; 0 for never.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub patience: u32,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// How a layer is trained by quickprop.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Quickprop {
    /// Step size, divided by the number of cases; for candidates, of weights too.
    pub epsilon: f64,
    /// A step is at most so many times the last one.
    pub mu: f64,
    /// Weight decay.
    pub decay: f64,
    /// Ends after so many epochs without a change that counts; 0 for never.
    pub patience: u32,
    /// A relative change that counts.
    pub change: f64,
    /// Ends after so many epochs at the latest.
    pub epochs: u32,
}

/// The variant of the Juniper project: Adam on the output layer, candidates that climb the
/// correlation with the output whose error they explain best.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Juniper {
    /// Adam's step size on the output layer.
    pub learning_rate: f64,
    /// Epochs of the output layer after each growth.
    pub output_epochs: u32,
    /// Candidates in the pool.
    pub pool: u32,
    /// Step size of candidates.
    pub candidate_learning_rate: f64,
    /// Epochs of candidates at most.
    pub candidate_epochs: u32,
    /// A candidate is done after so many epochs without a better correlation.
    pub candidate_patience: u32,
    /// Training ends when no candidate correlates better.
    pub correlation_threshold: f64,
    /// Training ends after so many growths without a smaller loss on the examples that are chosen by, or
    /// without any of these on those that are learnt; 0 for never.
    pub patience: u32,
    /// Training ends at this accuracy.
    pub target_accuracy: f64,
}

impl Model {
    pub(crate) fn validate(&self) -> Result<(), SettingError> {
        let units = self.max_hidden;
        SettingError::require(units <= 10_000, "model.max_hidden", units, "it must be at most 10000")
    }
}

impl Training {
    pub(crate) fn validate(&self) -> Result<(), SettingError> {
        self.data.validate()?;
        match &self.method {
            Method::Fahlman(method) => method.validate(),
            Method::Juniper(method) => method.validate(),
        }
    }
}

impl Data {
    /// The columns that are to be learnt.
    pub(crate) fn targets(&self) -> &[String] {
        if self.target.is_empty() { &self.targets } else { &self.target }
    }

    /// What is known of the file beforehand.
    pub(crate) fn format(&self) -> CsvFormat {
        CsvFormat { separator: self.separator, decimal: self.decimal }
    }

    /// The shares of the examples that are not learnt; absent where the examples are split as of old.
    pub(crate) fn shares(&self) -> Option<Shares> {
        let is_split = self.select.is_some() || self.test.is_some();
        is_split.then(|| Shares { select: self.select.unwrap_or(0.0), test: self.test.unwrap_or(0.0) })
    }

    fn validate(&self) -> Result<(), SettingError> {
        if let Some(shares) = self.shares() {
            self.validate_shares(shares)?;
        }
        let is_named_once = self.target.is_empty() || self.targets.is_empty();
        let reason = "it is what `target` was called before; set only one of the two";
        SettingError::require(is_named_once, "training.data.targets", self.targets.join(", "), reason)?;
        let Self { bits, arms, points, noise, validation, .. } = *self;
        let all_points = u64::from(arms) * u64::from(points);
        let is_possible = points > 0 && all_points <= 10_000_000;
        SettingError::require((1..=16).contains(&bits), "training.data.bits", bits, "it must be 1 to 16")?;
        SettingError::require((2..=100).contains(&arms), "training.data.arms", arms, "it must be 2 to 100")?;
        SettingError::require(
            is_possible,
            "training.data.points",
            points,
            "there must be 1 to 10 million points in all",
        )?;
        not_negative("training.data", "noise", noise)?;
        let path = "training.data.validation";
        SettingError::require(
            (0.0..1.0).contains(&validation),
            path,
            validation,
            "it must be at least 0 and less than 1",
        )
    }

    fn validate_shares(&self, shares: Shares) -> Result<(), SettingError> {
        SettingError::require(
            shares.validate().is_ok(),
            "training.data.select",
            shares.select,
            "it and training.data.test must not be negative, and together less than 1",
        )?;
        SettingError::require(
            self.validation == 0.0,
            "training.data.validation",
            self.validation,
            "examples are split by training.data.select and training.data.test already",
        )
    }
}

impl Fahlman {
    fn validate(&self) -> Result<(), SettingError> {
        const PATH: &str = "training.method.fahlman";
        self.output.validate("training.method.fahlman.output")?;
        self.candidates.validate("training.method.fahlman.candidates")?;
        pool(PATH, self.pool)?;
        positive(PATH, "weight_range", self.weight_range)?;
        positive(PATH, "threshold", self.threshold)?;
        not_negative(PATH, "prime_offset", self.prime_offset)
    }
}

impl Quickprop {
    fn validate(&self, path: &str) -> Result<(), SettingError> {
        positive(path, "epsilon", self.epsilon)?;
        positive(path, "mu", self.mu)?;
        not_negative(path, "decay", self.decay)?;
        not_negative(path, "change", self.change)?;
        at_least_one(path, "epochs", self.epochs)
    }
}

impl Juniper {
    fn validate(&self) -> Result<(), SettingError> {
        const PATH: &str = "training.method.juniper";
        pool(PATH, self.pool)?;
        positive(PATH, "learning_rate", self.learning_rate)?;
        positive(PATH, "candidate_learning_rate", self.candidate_learning_rate)?;
        at_least_one(PATH, "output_epochs", self.output_epochs)?;
        at_least_one(PATH, "candidate_epochs", self.candidate_epochs)?;
        share(PATH, "correlation_threshold", self.correlation_threshold)?;
        share(PATH, "target_accuracy", self.target_accuracy)
    }
}

fn pool(path: &str, candidates: u32) -> Result<(), SettingError> {
    let holds = (1..=4096).contains(&candidates);
    SettingError::require(holds, format!("{path}.pool"), candidates, "it must be 1 to 4096")
}

fn at_least_one(path: &str, name: &str, number: u32) -> Result<(), SettingError> {
    SettingError::require(number > 0, format!("{path}.{name}"), number, "it must be at least 1")
}

fn positive(path: &str, name: &str, number: f64) -> Result<(), SettingError> {
    let holds = number.is_finite() && number > 0.0;
    SettingError::require(holds, format!("{path}.{name}"), number, "it must be positive")
}

fn not_negative(path: &str, name: &str, number: f64) -> Result<(), SettingError> {
    let holds = number.is_finite() && number >= 0.0;
    SettingError::require(holds, format!("{path}.{name}"), number, "it must be at least 0")
}

fn share(path: &str, name: &str, number: f64) -> Result<(), SettingError> {
    let holds = (0.0..=1.0).contains(&number);
    SettingError::require(holds, format!("{path}.{name}"), number, "it must be from 0 to 1")
}
