//! What a user chooses.

use rekindle_data::Shares;
use serde::{Deserialize, Serialize};

use crate::activation::{Activation, OutputActivation};
use crate::error::CascorError;

/// The network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Training {
    /// The examples.
    pub data: Data,
    /// The algorithm.
    pub method: Method,
}

/// The examples to learn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Data {
    /// Which examples are made when there is no `file`.
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
    /// Columns of the file that are to be learnt.
    pub targets: Vec<String>,
    /// Columns of the file that are left out.
    pub ignore: Vec<String>,
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
            targets: Vec::new(),
            ignore: Vec::new(),
            task: Task::Classification,
            scale: true,
            one_hot: false,
            select: None,
            test: None,
            validation: 0.0,
        }
    }
}

/// Examples that are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Task {
    /// Names of classes, in one column.
    Classification,
    /// Numbers, in any number of columns.
    Regression,
}

/// The algorithm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// Fahlman and Lebiere's.
    Fahlman(Fahlman),
    /// That of the Juniper project.
    Juniper(Juniper),
}

/// Fahlman and Lebiere, "The cascade-correlation learning architecture", 1990.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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

/// A check of one value.
struct Check(&'static str, f64, bool, &'static str);

impl Model {
    pub(crate) fn validate(&self) -> Result<(), CascorError> {
        let units = f64::from(self.max_hidden);
        all([Check("model.max_hidden", units, self.max_hidden <= 10_000, "it must be at most 10000")])
    }
}

impl Training {
    pub(crate) fn validate(&self) -> Result<(), CascorError> {
        self.data.validate()?;
        match &self.method {
            Method::Fahlman(method) => method.validate(),
            Method::Juniper(method) => method.validate(),
        }
    }
}

impl Data {
    /// The shares of the examples that are not learnt; absent where the examples are split as of old.
    pub(crate) fn shares(&self) -> Option<Shares> {
        let is_split = self.select.is_some() || self.test.is_some();
        is_split.then(|| Shares { select: self.select.unwrap_or(0.0), test: self.test.unwrap_or(0.0) })
    }

    fn validate(&self) -> Result<(), CascorError> {
        if let Some(shares) = self.shares() {
            self.validate_shares(shares)?;
        }
        let points = u64::from(self.arms) * u64::from(self.points);
        all([
            Check(
                "training.data.bits",
                self.bits.into(),
                (1..=16).contains(&self.bits),
                "it must be 1 to 16",
            ),
            Check(
                "training.data.arms",
                self.arms.into(),
                (2..=100).contains(&self.arms),
                "it must be 2 to 100",
            ),
            Check(
                "training.data.points",
                self.points.into(),
                self.points > 0 && points <= 10_000_000,
                "there must be 1 to 10 million points in all",
            ),
            Check(
                "training.data.noise",
                self.noise,
                self.noise.is_finite() && self.noise >= 0.0,
                "it must be at least 0",
            ),
            Check(
                "training.data.validation",
                self.validation,
                (0.0..1.0).contains(&self.validation),
                "it must be at least 0 and less than 1",
            ),
        ])
    }
}

impl Data {
    fn validate_shares(&self, shares: Shares) -> Result<(), CascorError> {
        let is_whole = shares.validate().is_ok();
        all([
            Check(
                "training.data.select",
                shares.select,
                is_whole,
                "it and training.data.test must not be negative, and together less than 1",
            ),
            Check(
                "training.data.validation",
                self.validation,
                self.validation == 0.0,
                "examples are split by training.data.select and training.data.test already",
            ),
        ])
    }
}

impl Fahlman {
    fn validate(&self) -> Result<(), CascorError> {
        self.output.validate()?;
        self.candidates.validate()?;
        all([
            pool(self.pool),
            positive("training.method.fahlman.weight_range", self.weight_range),
            positive("training.method.fahlman.threshold", self.threshold),
            Check(
                "training.method.fahlman.prime_offset",
                self.prime_offset,
                self.prime_offset.is_finite() && self.prime_offset >= 0.0,
                "it must be at least 0",
            ),
        ])
    }
}

impl Quickprop {
    fn validate(&self) -> Result<(), CascorError> {
        let not_negative =
            |path, value: f64| Check(path, value, value.is_finite() && value >= 0.0, "it must be at least 0");
        all([
            positive("epsilon", self.epsilon),
            positive("mu", self.mu),
            not_negative("decay", self.decay),
            not_negative("change", self.change),
            Check("epochs", self.epochs.into(), self.epochs > 0, "it must be at least 1"),
        ])
    }
}

impl Juniper {
    fn validate(&self) -> Result<(), CascorError> {
        let share =
            |path, value: f64| Check(path, value, (0.0..=1.0).contains(&value), "it must be from 0 to 1");
        all([
            pool(self.pool),
            positive("training.method.juniper.learning_rate", self.learning_rate),
            positive("training.method.juniper.candidate_learning_rate", self.candidate_learning_rate),
            Check(
                "training.method.juniper.output_epochs",
                self.output_epochs.into(),
                self.output_epochs > 0,
                "it must be at least 1",
            ),
            Check(
                "training.method.juniper.candidate_epochs",
                self.candidate_epochs.into(),
                self.candidate_epochs > 0,
                "it must be at least 1",
            ),
            share("training.method.juniper.correlation_threshold", self.correlation_threshold),
            share("training.method.juniper.target_accuracy", self.target_accuracy),
        ])
    }
}

fn pool(candidates: u32) -> Check {
    Check("pool", candidates.into(), (1..=4096).contains(&candidates), "it must be 1 to 4096")
}

fn positive(path: &'static str, value: f64) -> Check {
    Check(path, value, value.is_finite() && value > 0.0, "it must be positive")
}

fn all<const N: usize>(checks: [Check; N]) -> Result<(), CascorError> {
    match checks.into_iter().find(|check| !check.2) {
        Some(Check(path, value, _, reason)) => {
            Err(CascorError::Config { path, value: value.to_string(), reason })
        }
        None => Ok(()),
    }
}
