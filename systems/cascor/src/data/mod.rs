//! The examples that a network learns.

mod generated;
mod preparation;

use rekindle_data::{ClassOrder, ExamplesError, Split, TableExamples, TableLayout, TargetKind};

use crate::activation::OutputActivation;
use crate::columns::Columns;
use crate::config::{Data, Source, Task};
use crate::error::CascorError;
use crate::streams;

pub use preparation::{Input, Preparation, Target};

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
    /// What whoever trains should know of them.
    pub notes: Vec<String>,
}

impl Dataset {
    /// The examples of a config, the same for the same seed.
    ///
    /// # Errors
    /// When the file cannot be read, or nothing can be learnt from it; says why.
    pub fn load(config: &Data, output: OutputActivation, seed: u64) -> Result<Self, CascorError> {
        let mut examples = match &config.file {
            Some(file) => read(file, config)?,
            None => match config.source {
                Source::TwoSpirals => generated::two_spirals(),
                Source::Spirals => generated::spirals(config.arms, config.points, config.noise, seed),
                Source::Parity => generated::parity(config.bits),
                Source::File => return Err(ExamplesError::NoFile.into()),
            },
        };
        let split = match config.shares() {
            Some(shares) => examples.split(shares, seed)?,
            None => Split::drawn(examples.rows(), config.validation, seed, streams::SPLIT),
        };
        examples.check_train(&split.train)?;
        // What is generated has its published scale; only a file is brought to one.
        let scale = config.scale && config.file.is_some();
        let fillings = examples.fill(config.missing, &split.train)?;
        let preparation = Preparation::of(&examples, &split, scale, config.one_hot, output, fillings)?;
        let prepared = |rows: &[usize]| preparation.examples(&examples, rows);
        let held = |rows: &[usize]| (!rows.is_empty()).then(|| prepared(rows));
        Ok(Self {
            training: prepared(&split.train),
            select: held(&split.select),
            test: held(&split.test),
            preparation,
            notes: examples.notes,
        })
    }
}

fn read(file: &str, config: &Data) -> Result<TableExamples, CascorError> {
    let kind = match config.task {
        Task::Classification => TargetKind::Classes(ClassOrder::Alphabetical),
        Task::Regression => TargetKind::Numbers,
    };
    let layout = TableLayout {
        targets: config.targets(),
        ignored: &config.ignore,
        kind,
        missing: config.missing,
        format: config.format(),
    };
    TableExamples::read(file, &layout).map_err(|error| match error {
        ExamplesError::TooManyClasses { .. } | ExamplesError::SeveralTargets { .. } => {
            CascorError::NotClasses(error)
        }
        error => error.into(),
    })
}
