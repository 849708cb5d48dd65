//! The examples that a network learns.

mod made;
mod preparation;
mod table;

use rekindle_compute::rng;
use rekindle_data::{Shares, Split};

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
    /// Those that everything is chosen by.
    pub select: Option<Examples>,
    /// Those that are reported on, and that nothing was chosen by.
    pub test: Option<Examples>,
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
        let split = match config.shares() {
            Some(shares) => raw.split(shares, seed)?,
            None => split_rows(raw.examples(), config.validation, seed),
        };
        let refuse =
            |reason: &str| CascorError::Data { origin: raw.origin.clone(), reason: reason.to_owned() };
        if split.train.is_empty() {
            return Err(refuse("no example is left for training"));
        }
        // What is made has its published scale; only a file is brought to one.
        let scale = config.scale && config.file.is_some();
        let preparation = Preparation::of(&raw, &split, scale, config.one_hot, output)?;
        let examples = |chosen: &[usize]| preparation.examples(&raw, chosen);
        let held = |chosen: &[usize]| (!chosen.is_empty()).then(|| examples(chosen));
        Ok(Self {
            training: examples(&split.train),
            select: held(&split.select),
            test: held(&split.test),
            preparation,
        })
    }
}

impl Raw {
    pub fn examples(&self) -> usize {
        self.inputs.first().map_or(0, Vec::len)
    }

    /// Splits by what the inputs are, whatever is to be learnt of them: an example that is there twice
    /// is in one part, and so is one of which two things are said.
    fn split(&self, shares: Shares, seed: u64) -> Result<Split, CascorError> {
        let content = |example: usize| {
            // Both zeros are the same number.
            let values = self.inputs.iter().map(|values| values[example] + 0.0);
            values.flat_map(f64::to_le_bytes).collect::<Vec<u8>>()
        };
        let classes = match &self.targets {
            RawTargets::Classes { class, .. } => Some(&class[..]),
            RawTargets::Numbers { .. } => None,
        };
        let split = Split::by_content((0..self.examples()).map(content), classes, shares, seed);
        split.map_err(|error| CascorError::Data { origin: self.origin.clone(), reason: error.to_string() })
    }
}

/// Splits rows whatever they hold, as runs were split that know no `select` and `test`.
fn split_rows(examples: usize, validation: f64, seed: u64) -> Split {
    let kept = (examples as f64 * validation).round() as usize;
    let mut train: Vec<usize> = (0..examples).collect();
    rng::stream(seed, streams::SPLIT, 0).shuffle(&mut train);
    let mut select = train.split_off(examples - kept);
    train.sort_unstable();
    select.sort_unstable();
    Split { train, select, test: Vec::new() }
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
