//! The examples that a network learns.

mod preparation;
mod source;

use rekindle_data::{ClassedExamples, ExampleRows, Missing, Split, identity};

use crate::config::{Model, Training};
use crate::error::LgnError;

pub use preparation::Preparation;

/// Encoded examples and their classes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Examples {
    /// Inputs of an example.
    pub inputs: usize,
    /// By example and input: how many thresholds the value exceeds.
    pub levels: Vec<u8>,
    /// By example; empty where the classes are asked for.
    pub class: Vec<u16>,
}

/// All examples of a run.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Dataset {
    /// What they are, and how they are encoded.
    pub preparation: Preparation,
    /// Those that are learnt.
    pub training: Examples,
    /// Those that anything is chosen by; there may be none.
    pub select: Examples,
    /// Those that are reported on; there may be none.
    pub test: Examples,
    /// What whoever trains should know of them.
    pub notes: Vec<String>,
}

impl Examples {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.levels.len() / self.inputs
    }

    /// The levels of an example.
    pub fn row(&self, index: usize) -> &[u8] {
        &self.levels[index * self.inputs..(index + 1) * self.inputs]
    }

    /// Number of [`bytes`](Self::bytes).
    fn bytes_len(&self) -> usize {
        self.levels.len() + 2 * self.class.len()
    }

    /// What the network sees, and what it is told of it.
    fn bytes(&self) -> impl Iterator<Item = u8> + '_ {
        self.levels.iter().copied().chain(self.class.iter().flat_map(|class| class.to_le_bytes()))
    }
}

impl Dataset {
    /// The examples of a config, the same for the same seed.
    pub fn load(training: &Training, model: &Model, seed: u64) -> Result<Self, LgnError> {
        let data = &training.data;
        let loaded = source::load(data, model, training.shift, seed)?;
        let split = loaded.examples.split(data.shares(), seed)?;
        loaded.examples.check_train(&split.train)?;
        // Generated examples lack no value.
        let missing = if data.file.is_some() { data.missing } else { Missing::Refuse };
        Self::of(loaded, &split, missing, model)
    }

    fn of(loaded: source::Loaded, split: &Split, missing: Missing, model: &Model) -> Result<Self, LgnError> {
        let source::Loaded { examples: mut classed, test } = loaded;
        let (fillings, thermometers) = source::encoding(&mut classed, missing, &split.train, model.encoding)?;
        let ClassedExamples { rows, target, picture, notes, .. } = classed;
        let examples =
            |rows: &ExampleRows, labels: &[usize], chosen: &[usize]| -> Result<Examples, LgnError> {
                let levels = rows.levels(&thermometers, chosen)?;
                let class = chosen.iter().map(|&row| labels[row] as u16).collect();
                Ok(Examples { inputs: rows.inputs(), levels, class })
            };
        let training = examples(&rows, &target.labels, &split.train)?;
        let select = examples(&rows, &target.labels, &split.select)?;
        let test = match &test {
            Some((rows, labels)) => examples(rows, labels, &(0..labels.len()).collect::<Vec<_>>())?,
            None => examples(&rows, &target.labels, &split.test)?,
        };
        let all = [&training, &select, &test];
        let seen = all.into_iter().flat_map(Examples::bytes);
        let len = all.into_iter().map(Examples::bytes_len).sum();
        let [width, height] = picture.unwrap_or([0, 0]).map(|side| side as u64);
        let mut preparation = Preparation {
            identity: identity::of_examples(seen, len, &split.train).to_string(),
            rows: training.len() as u64,
            select_rows: select.len() as u64,
            test_rows: test.len() as u64,
            width,
            height,
            inputs: rows.names(),
            fillings,
            used: Vec::new(),
            thermometers,
            target: target.name,
            classes: target.classes,
        };
        preparation.used = preparation.used_bits(model, &training);
        Ok(Self { preparation, training, select, test, notes })
    }
}
