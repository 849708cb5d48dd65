//! The examples that a network learns.

mod made;
mod preparation;
mod table;

use rekindle_compute::rng;

use crate::activation::OutputActivation;
use crate::columns::Columns;
use crate::config::{Data, Source, Task};
use crate::error::CascorError;
use crate::streams;

pub use preparation::{Input, Preparation, Target};

/// Examples as they are given: nothing is scaled or encoded.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Raw {
    /// Where they are from, for messages.
    pub origin: String,
    pub input_names: Vec<String>,
    /// Values by input and example.
    pub inputs: Vec<Vec<f64>>,
    pub targets: RawTargets,
}

/// What is to be learnt.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum RawTargets {
    /// The class of each example, as a position in `classes`.
    Classes { name: String, classes: Vec<String>, class: Vec<usize> },
    /// Numbers by target and example.
    Numbers { names: Vec<String>, values: Vec<Vec<f64>> },
}

/// Examples as the network sees them.
#[derive(Debug, Clone, PartialEq)]
pub struct Examples {
    /// A column for each input; the first one is the bias, 1 throughout.
    pub units: Columns,
    /// A column for each output.
    pub targets: Columns,
}

/// All examples of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// How they were prepared, and what they are.
    pub preparation: Preparation,
    /// Those that are learnt.
    pub training: Examples,
    /// Those that are kept for validation.
    pub validation: Option<Examples>,
}

impl Dataset {
    /// The examples of a config, the same for the same seed.
    ///
    /// # Errors
    /// When the file cannot be read, or nothing can be learnt from it; says why.
    pub fn load(config: &Data, output: OutputActivation, seed: u64) -> Result<Self, CascorError> {
        let raw = match &config.file {
            Some(file) => table::read(file, config)?,
            None => match config.source {
                Source::TwoSpirals => made::two_spirals(),
                Source::Spirals => made::spirals(config.arms, config.points, config.noise, seed),
                Source::Parity => made::parity(config.bits),
                Source::File => return Err(CascorError::NoFile),
            },
        };
        let (training, validation) = split(raw.examples(), config.validation, seed);
        let refuse =
            |reason: &str| CascorError::Data { origin: raw.origin.clone(), reason: reason.to_owned() };
        if training.is_empty() {
            return Err(refuse("no example is left for training"));
        }
        // What is made has its published scale; only a file is brought to one.
        let scale = config.scale && config.file.is_some();
        let preparation = Preparation::of(&raw, &training, scale, config.one_hot, output)?;
        let examples = |chosen: &[usize]| preparation.examples(&raw, chosen);
        Ok(Self {
            training: examples(&training),
            validation: (!validation.is_empty()).then(|| examples(&validation)),
            preparation,
        })
    }
}

impl Raw {
    pub fn examples(&self) -> usize {
        self.inputs.first().map_or(0, Vec::len)
    }
}

/// Which examples are learnt and which are kept for validation, each in their given order.
fn split(examples: usize, validation: f64, seed: u64) -> (Vec<usize>, Vec<usize>) {
    let kept = (examples as f64 * validation).round() as usize;
    let mut order: Vec<usize> = (0..examples).collect();
    rng::stream(seed, streams::SPLIT, 0).shuffle(&mut order);
    let mut validation = order.split_off(examples - kept);
    order.sort_unstable();
    validation.sort_unstable();
    (order, validation)
}

/// The task of made examples is always to tell classes apart.
fn classes(name: &str, classes: Vec<String>, class: Vec<usize>) -> RawTargets {
    RawTargets::Classes { name: name.to_owned(), classes, class }
}

impl Task {
    pub(crate) fn is_classification(self) -> bool {
        self == Self::Classification
    }
}
